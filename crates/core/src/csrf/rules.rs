//! What a policy says of forgeries.

use std::borrow::Cow;

/// Whether the layer checks where a request comes from. See [`Policy::origin_check`](crate::Policy::origin_check).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OriginCheck {
    /// Requests that may change something, and the opening of `WebSockets`, are refused unless a page of this origin or
    /// of a trusted one sent them.
    #[default]
    Enforced,
    /// Nobody checks. Production refuses it.
    Off,
    /// Something in front of the application checks the same for every request: a gateway, or a middleware of its own.
    DoneElsewhere,
}

/// Whether a request must prove by a token that a page of this session sent it. See
/// [`Policy::csrf_tokens`](crate::Policy::csrf_tokens).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CsrfTokens {
    /// There are tokens for handlers that want them; none is looked at unless a handler asks.
    #[default]
    Offered,
    /// A request that may change something and that bears the cookie of a session must have that session's token.
    Demanded,
}

/// The options about forgeries, as a policy keeps them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CsrfRules {
    pub(crate) origin_check: OriginCheck,
    pub(crate) trusted_origins: Vec<Cow<'static, str>>,
    pub(crate) exempt_paths: Vec<Cow<'static, str>>,
    pub(crate) tokens: CsrfTokens,
}
