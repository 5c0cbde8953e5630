//! Where requests may come from, case by case: method, `Sec-Fetch-Site`, `Origin`, host, port, scheme, what is trusted and
//! what is exempt.

use tenure_core::CsrfRefusal::{
    self, CrossSite, NullOrigin, OtherOrigin, RepeatedHeader, SameSite, UnreadableOrigin,
};
use tenure_core::{Environment, Policy};

/// A request, and what is to become of it.
#[derive(Debug)]
pub struct Case {
    /// The method.
    pub method: &'static str,
    /// The target: a path, or a whole URL as HTTP/2 has it.
    pub target: &'static str,
    /// The headers, with those of a trusted proxy.
    pub headers: &'static [(&'static str, &'static str)],
    /// What is to become of it.
    pub outcome: Result<(), CsrfRefusal>,
}

const fn case(
    method: &'static str,
    target: &'static str,
    headers: &'static [(&'static str, &'static str)],
    outcome: Result<(), CsrfRefusal>,
) -> Case {
    Case {
        method,
        target,
        headers,
        outcome,
    }
}

const HOST: (&str, &str) = ("host", "app.example");
const HTTPS: (&str, &str) = ("x-forwarded-proto", "https");
const HTTP: (&str, &str) = ("x-forwarded-proto", "http");
const OURS: (&str, &str) = ("origin", "https://app.example");
const EVIL: (&str, &str) = ("origin", "https://evil.example");
const SIBLING: (&str, &str) = ("origin", "https://other.app.example");
const PARTNER: (&str, &str) = ("origin", "https://partner.example");
const SITE_OURS: (&str, &str) = ("sec-fetch-site", "same-origin");
const SITE_NONE: (&str, &str) = ("sec-fetch-site", "none");
const SITE_SAME: (&str, &str) = ("sec-fetch-site", "same-site");
const SITE_CROSS: (&str, &str) = ("sec-fetch-site", "cross-site");
const WEBSOCKET: (&str, &str) = ("upgrade", "websocket");

/// All cases, under [`policy`]. Trusted: `https://partner.example`, `https://partner.example:8443`, `http://localhost:5173`.
/// Exempt: `/hooks/*`, `/callback`.
pub const CASES: &[Case] = &[
    // Safe methods, wherever they come from.
    case("GET", "/", &[HOST, SITE_CROSS, EVIL], Ok(())),
    case("HEAD", "/", &[HOST, SITE_CROSS, EVIL], Ok(())),
    case("OPTIONS", "/", &[HOST, SITE_CROSS, EVIL], Ok(())),
    case("GET", "/", &[HOST, SITE_SAME], Ok(())),
    case("GET", "/", &[HOST, ("origin", "null")], Ok(())),
    case("GET", "/", &[HOST, SITE_CROSS, ("upgrade", "h2c")], Ok(())),
    // What the browser says of the site.
    case("POST", "/", &[HOST, SITE_OURS], Ok(())),
    case("POST", "/", &[HOST, SITE_OURS, OURS], Ok(())),
    case("POST", "/", &[HOST, SITE_NONE], Ok(())),
    case("PUT", "/", &[HOST, SITE_OURS], Ok(())),
    case("PATCH", "/", &[HOST, SITE_OURS], Ok(())),
    case("DELETE", "/", &[HOST, SITE_OURS], Ok(())),
    // Referrer-Policy: no-referrer makes a form's own origin null.
    case("POST", "/", &[HOST, SITE_OURS, ("origin", "null")], Ok(())),
    case("POST", "/", &[HOST, SITE_CROSS], Err(CrossSite)),
    case("POST", "/", &[HOST, SITE_SAME], Err(SameSite)),
    case("PUT", "/", &[HOST, SITE_CROSS], Err(CrossSite)),
    case("PATCH", "/", &[HOST, SITE_SAME], Err(SameSite)),
    case("DELETE", "/", &[HOST, SITE_CROSS, EVIL], Err(CrossSite)),
    case("TRACE", "/", &[HOST, SITE_CROSS], Err(CrossSite)),
    case("PROPFIND", "/", &[HOST, SITE_CROSS], Err(CrossSite)),
    case("post", "/", &[HOST, SITE_CROSS], Err(CrossSite)),
    case("get", "/", &[HOST, SITE_CROSS], Err(CrossSite)),
    case("POST", "/", &[HOST, SITE_SAME, SIBLING], Err(SameSite)),
    case("POST", "/", &[HOST, SITE_CROSS, OURS], Err(CrossSite)),
    case(
        "POST",
        "/",
        &[HOST, SITE_CROSS, ("origin", "null")],
        Err(CrossSite),
    ),
    case("POST", "/", &[HOST, ("sec-fetch-site", "")], Err(CrossSite)),
    case(
        "POST",
        "/",
        &[HOST, ("sec-fetch-site", "Same-Origin")],
        Err(CrossSite),
    ),
    case(
        "POST",
        "/",
        &[HOST, ("sec-fetch-site", "same-origin, cross-site")],
        Err(CrossSite),
    ),
    case(
        "POST",
        "/",
        &[HOST, ("sec-fetch-site", "same-origin;x")],
        Err(CrossSite),
    ),
    case(
        "POST",
        "/",
        &[HOST, ("sec-fetch-site", "same-origin-x")],
        Err(CrossSite),
    ),
    // No browser of today.
    case("POST", "/", &[HOST], Ok(())),
    case("DELETE", "/", &[HOST], Ok(())),
    case("POST", "/", &[], Ok(())),
    // By the origin, where the browser says nothing of the site.
    case("POST", "/", &[HOST, OURS], Ok(())),
    case("POST", "/", &[HOST, ("origin", "https://APP.example")], Ok(())),
    case("POST", "/", &[("host", "APP.example"), OURS], Ok(())),
    case(
        "POST",
        "/",
        &[HOST, ("origin", "https://app.example:443")],
        Ok(()),
    ),
    case("POST", "/", &[("host", "app.example:443"), OURS], Ok(())),
    case("POST", "/", &[("host", "app.example:80"), OURS], Err(OtherOrigin)),
    case(
        "POST",
        "/",
        &[("host", "app.example:80"), ("origin", "http://app.example")],
        Ok(()),
    ),
    case(
        "POST",
        "/",
        &[("host", "app.example:443"), ("origin", "http://app.example")],
        Err(OtherOrigin),
    ),
    case(
        "POST",
        "/",
        &[("host", "127.0.0.1:3000"), ("origin", "http://127.0.0.1:3000")],
        Ok(()),
    ),
    case(
        "POST",
        "/",
        &[("host", "127.0.0.1:3000"), ("origin", "http://127.0.0.1:4000")],
        Err(OtherOrigin),
    ),
    case(
        "POST",
        "/",
        &[("host", "127.0.0.1:3000"), ("origin", "http://127.0.0.1")],
        Err(OtherOrigin),
    ),
    case(
        "POST",
        "/",
        &[("host", "127.0.0.1:3000"), ("origin", "http://localhost:3000")],
        Err(OtherOrigin),
    ),
    case(
        "POST",
        "/",
        &[("host", "[::1]:3000"), ("origin", "http://[::1]:3000")],
        Ok(()),
    ),
    case(
        "POST",
        "/",
        &[("host", "[::1]:3000"), ("origin", "http://[::2]:3000")],
        Err(OtherOrigin),
    ),
    case("POST", "/", &[HOST, EVIL], Err(OtherOrigin)),
    case("POST", "/", &[HOST, SIBLING], Err(OtherOrigin)),
    case(
        "POST",
        "/",
        &[HOST, ("origin", "https://app.example:8443")],
        Err(OtherOrigin),
    ),
    case(
        "POST",
        "/",
        &[HOST, ("origin", "https://app.example.evil.example")],
        Err(OtherOrigin),
    ),
    case(
        "POST",
        "/",
        &[HOST, ("origin", "https://evilapp.example")],
        Err(OtherOrigin),
    ),
    case(
        "POST",
        "/",
        &[HOST, ("origin", "https://app.example.")],
        Err(OtherOrigin),
    ),
    case("POST", "/", &[HOST, ("origin", "null")], Err(NullOrigin)),
    case("POST", "/", &[HOST, ("origin", "")], Err(UnreadableOrigin)),
    case(
        "POST",
        "/",
        &[HOST, ("origin", "app.example")],
        Err(UnreadableOrigin),
    ),
    case(
        "POST",
        "/",
        &[HOST, ("origin", "https://app.example/")],
        Err(UnreadableOrigin),
    ),
    case(
        "POST",
        "/",
        &[HOST, ("origin", "https://app.example@evil.example")],
        Err(UnreadableOrigin),
    ),
    case(
        "POST",
        "/",
        &[HOST, ("origin", "https://app.example https://evil.example")],
        Err(UnreadableOrigin),
    ),
    case(
        "POST",
        "/",
        &[HOST, ("origin", "chrome-extension://app.example")],
        Err(UnreadableOrigin),
    ),
    case("POST", "/", &[OURS], Err(OtherOrigin)),
    case("POST", "/", &[("host", ""), OURS], Err(OtherOrigin)),
    case(
        "POST",
        "/",
        &[("host", "ada@app.example"), OURS],
        Err(OtherOrigin),
    ),
    // The scheme, where it is known.
    case("POST", "/", &[HOST, HTTPS, OURS], Ok(())),
    case(
        "POST",
        "/",
        &[HOST, HTTPS, ("origin", "http://app.example")],
        Err(OtherOrigin),
    ),
    case(
        "POST",
        "/",
        &[HOST, HTTP, ("origin", "http://app.example")],
        Ok(()),
    ),
    case("POST", "/", &[HOST, HTTP, OURS], Ok(())),
    case("POST", "/", &[HOST, ("origin", "http://app.example")], Ok(())),
    // HTTP/2 and absolute targets.
    case("POST", "https://app.example/", &[OURS], Ok(())),
    case("POST", "https://app.example/", &[HOST, OURS], Ok(())),
    case("POST", "https://app.example/", &[EVIL], Err(OtherOrigin)),
    case(
        "POST",
        "https://app.example/",
        &[("origin", "http://app.example")],
        Err(OtherOrigin),
    ),
    case(
        "POST",
        "https://app.example:8443/",
        &[("origin", "https://app.example:8443")],
        Ok(()),
    ),
    case(
        "POST",
        "https://app.example/",
        &[("host", "evil.example"), EVIL],
        Err(OtherOrigin),
    ),
    case(
        "POST",
        "https://app.example/",
        &[("host", "evil.example"), OURS],
        Err(OtherOrigin),
    ),
    case("POST", "https://app.example/", &[SITE_CROSS], Err(CrossSite)),
    // Headers that came twice.
    case("POST", "/", &[HOST, SITE_OURS, SITE_OURS], Err(RepeatedHeader)),
    case("POST", "/", &[HOST, SITE_CROSS, SITE_OURS], Err(RepeatedHeader)),
    case("POST", "/", &[HOST, OURS, OURS], Err(RepeatedHeader)),
    case("POST", "/", &[HOST, SITE_OURS, OURS, EVIL], Err(RepeatedHeader)),
    case(
        "POST",
        "/",
        &[HOST, ("host", "evil.example"), EVIL],
        Err(RepeatedHeader),
    ),
    // Trusted origins.
    case("POST", "/", &[HOST, SITE_CROSS, PARTNER], Ok(())),
    case("POST", "/", &[HOST, PARTNER], Ok(())),
    case(
        "POST",
        "/",
        &[HOST, SITE_CROSS, ("origin", "https://partner.example:443")],
        Ok(()),
    ),
    case(
        "POST",
        "/",
        &[HOST, SITE_CROSS, ("origin", "https://partner.example:8443")],
        Ok(()),
    ),
    case(
        "POST",
        "/",
        &[HOST, SITE_CROSS, ("origin", "http://localhost:5173")],
        Ok(()),
    ),
    case(
        "POST",
        "/",
        &[HOST, SITE_CROSS, ("origin", "https://partner.example:8444")],
        Err(CrossSite),
    ),
    case(
        "POST",
        "/",
        &[HOST, SITE_CROSS, ("origin", "http://partner.example")],
        Err(CrossSite),
    ),
    case(
        "POST",
        "/",
        &[HOST, SITE_CROSS, ("origin", "https://a.partner.example")],
        Err(CrossSite),
    ),
    case(
        "POST",
        "/",
        &[
            HOST,
            SITE_CROSS,
            ("origin", "https://partner.example.evil.example"),
        ],
        Err(CrossSite),
    ),
    case(
        "POST",
        "/",
        &[HOST, ("origin", "http://localhost:5174")],
        Err(OtherOrigin),
    ),
    case(
        "POST",
        "/",
        &[HOST, SITE_CROSS, PARTNER, EVIL],
        Err(RepeatedHeader),
    ),
    // Exempt paths.
    case("POST", "/hooks/pay", &[HOST, SITE_CROSS, EVIL], Ok(())),
    case("POST", "/hooks/pay/1", &[HOST, EVIL], Ok(())),
    case("POST", "/hooks/pay?x=/../", &[HOST, EVIL], Ok(())),
    case("POST", "/callback", &[HOST, SITE_CROSS, EVIL], Ok(())),
    case(
        "POST",
        "https://app.example/callback",
        &[SITE_CROSS, EVIL],
        Ok(()),
    ),
    case("POST", "/callback/", &[HOST, SITE_CROSS], Err(CrossSite)),
    case("POST", "/Callback", &[HOST, SITE_CROSS], Err(CrossSite)),
    case("POST", "//callback", &[HOST, SITE_CROSS], Err(CrossSite)),
    case("POST", "/hooks", &[HOST, SITE_CROSS], Err(CrossSite)),
    case("POST", "/hooks/", &[HOST, SITE_CROSS], Err(CrossSite)),
    case("POST", "/hooks/../account", &[HOST, SITE_CROSS], Err(CrossSite)),
    case(
        "POST",
        "/hooks/%2e%2e/account",
        &[HOST, SITE_CROSS],
        Err(CrossSite),
    ),
    case("POST", "/hooks/..%2faccount", &[HOST, SITE_CROSS], Err(CrossSite)),
    case("POST", "/hooks//account", &[HOST, SITE_CROSS], Err(CrossSite)),
    case("POST", "/hooks/..;/account", &[HOST, SITE_CROSS], Err(CrossSite)),
    case("POST", "/%68ooks/pay", &[HOST, SITE_CROSS], Err(CrossSite)),
    case("POST", "/account?/hooks/pay", &[HOST, SITE_CROSS], Err(CrossSite)),
    // The opening of a WebSocket is no safe request.
    case("GET", "/", &[HOST, WEBSOCKET, OURS], Ok(())),
    case("GET", "/", &[HOST, WEBSOCKET, SITE_OURS, OURS], Ok(())),
    case("GET", "/", &[HOST, WEBSOCKET, SITE_CROSS, OURS], Ok(())),
    case("GET", "/", &[HOST, WEBSOCKET], Ok(())),
    case("GET", "/", &[HOST, WEBSOCKET, PARTNER], Ok(())),
    case("GET", "/", &[HOST, WEBSOCKET, EVIL], Err(OtherOrigin)),
    case("GET", "/", &[HOST, WEBSOCKET, SIBLING], Err(OtherOrigin)),
    case("GET", "/", &[HOST, WEBSOCKET, SITE_CROSS, EVIL], Err(OtherOrigin)),
    case("GET", "/", &[HOST, WEBSOCKET, SITE_CROSS], Err(CrossSite)),
    case(
        "GET",
        "/",
        &[HOST, WEBSOCKET, ("origin", "null")],
        Err(NullOrigin),
    ),
    case(
        "GET",
        "/",
        &[HOST, ("upgrade", "h2c, WebSocket"), EVIL],
        Err(OtherOrigin),
    ),
    case("CONNECT", "https://app.example/", &[EVIL], Err(OtherOrigin)),
];

/// The policy that the cases are decided by.
pub fn policy() -> Policy {
    Policy::default()
        .environment(Environment::Development)
        .trusted_origins([
            "https://partner.example",
            "https://partner.example:8443",
            "http://localhost:5173",
        ])
        .csrf_exempt_paths(["/hooks/*", "/callback"])
}

impl Case {
    /// The case in one line.
    #[must_use]
    pub fn shown(&self) -> String {
        format!("{} {} {:?}", self.method, self.target, self.headers)
    }
}
