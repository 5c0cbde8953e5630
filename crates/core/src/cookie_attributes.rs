//! The cookie's attributes that are a choice.

/// Which cross-site requests carry the cookie (RFC 6265bis, section 5.6.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SameSite {
    /// None at all: a link from another site arrives without the session.
    Strict,
    /// Only navigation by safe methods: following a link works, a foreign form does not.
    #[default]
    Lax,
    /// All of them. Needs `Secure`, and a CSRF defence of its own.
    None,
}

/// How long the browser keeps the cookie. Never what enforces a timeout: the store does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CookieLifetime {
    /// As long as the session can last: `Max-Age` is what is left of the absolute timeout.
    #[default]
    AbsoluteTimeout,
    /// Until the browser closes, except for [remembered](crate::Lifetime::Remembered) sessions. Browsers
    /// that restore their windows restore such cookies too.
    BrowserSession,
}
