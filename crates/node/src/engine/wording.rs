//! The engine's texts name options as Rust has them; whoever reads them here has others.

/// What a text says in Rust, and how it is said in JavaScript. The longer ones first.
const WORDS: &[(&str, &str)] = &[
    ("TENURE_ENV=development", "NODE_ENV=development"),
    ("Policy::", ""),
    ("remove cookie_http_only(false)", "remove cookie.httpOnly: false"),
    ("remove cookie_secure(false)", "remove cookie.secure: false"),
    ("SameSite::Lax", "cookie.sameSite: \"lax\""),
    ("cookie_domain", "cookie.domain"),
    ("cookie_path", "cookie.path"),
    ("origin_check(OriginCheck::Off)", "originCheck: \"off\""),
    ("OriginCheck::Enforced", "originCheck: \"enforced\""),
    ("OriginCheck::DoneElsewhere", "originCheck: \"done-elsewhere\""),
    ("OriginCheck::Off", "originCheck: \"off\""),
    ("origin_check", "originCheck"),
    ("trusted_origins", "trustedOrigins"),
    ("csrf_exempt_paths", "csrfExemptPaths"),
    ("csrf_tokens", "csrfTokens"),
    ("max_data_bytes", "maxDataBytes"),
    ("store_deadline", "storeDeadline"),
    ("sweep_interval", "sweepInterval"),
    ("touch_interval", "touchInterval"),
    ("renew_every", "renewEvery"),
    ("renewal_grace", "renewalGrace"),
    ("or None to sweep", "or null to sweep"),
];

/// The same text for whoever sets options in JavaScript.
pub(super) fn in_javascript(text: &str) -> String {
    WORDS.iter().fold(text.to_owned(), |text, (rust, javascript)| {
        text.replace(rust, javascript)
    })
}
