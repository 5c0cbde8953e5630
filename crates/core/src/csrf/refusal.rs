//! Why a request was refused.

/// Why a request was refused as a possible forgery: answer with 403, and run no handler.
///
/// The message is for the log. What the user is told is the door's part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CsrfRefusal {
    /// `Sec-Fetch-Site` says that another site sent it, or says nothing that a browser would.
    #[error(
        "another site sent this request; if that site is yours, name its origin in Policy::trusted_origins"
    )]
    CrossSite,
    /// `Sec-Fetch-Site` says that another origin of the same site sent it: another subdomain, scheme or port.
    #[error(
        "another origin of the same site sent this request; if it is yours, name it in Policy::trusted_origins"
    )]
    SameSite,
    /// The `Origin` is not the host that was asked.
    #[error(
        "the Origin of this request is not the Host; if a proxy changes the Host, have it pass the browser's on, \
         and if the origin is yours, name it in Policy::trusted_origins"
    )]
    OtherOrigin,
    /// `Origin: null`: a sandboxed frame, a file, or a redirect across origins.
    #[error("the Origin of this request is null, which is anybody's")]
    NullOrigin,
    /// The `Origin` is no origin of a web page.
    #[error("the Origin of this request is not scheme://host[:port] of http or https")]
    UnreadableOrigin,
    /// A header that may come once came twice.
    #[error("Sec-Fetch-Site, Origin, Host or X-CSRF-Token came more than once")]
    RepeatedHeader,
    /// The policy demands a token, and there was none.
    #[error(
        "the request has no token; send it as the header X-CSRF-Token or as the form field _csrf, which must come \
         within the first 64 KiB of a form"
    )]
    TokenMissing,
    /// The token is not this session's, or no longer.
    #[error(
        "the token is not one of this session as it is now; the page is older than the last sign-in or renewal"
    )]
    TokenWrong,
}

impl CsrfRefusal {
    /// Whether the token was at fault, so that reloading the page and trying again helps.
    ///
    /// ```
    /// use tenure_core::CsrfRefusal;
    ///
    /// assert!(CsrfRefusal::TokenWrong.is_about_the_token());
    /// assert!(!CsrfRefusal::CrossSite.is_about_the_token());
    /// ```
    #[must_use]
    pub fn is_about_the_token(self) -> bool {
        matches!(self, Self::TokenMissing | Self::TokenWrong)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CrossSite => "cross_site",
            Self::SameSite => "same_site",
            Self::OtherOrigin => "other_origin",
            Self::NullOrigin => "null_origin",
            Self::UnreadableOrigin => "unreadable_origin",
            Self::RepeatedHeader => "repeated_header",
            Self::TokenMissing => "token_missing",
            Self::TokenWrong => "token_wrong",
        }
    }
}
