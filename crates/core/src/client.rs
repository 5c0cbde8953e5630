//! Who sent the request, as far as can be known.

use std::net::IpAddr;

/// The client of a request: where it comes from, and how it is connected, as far as
/// [`TrustProxy`](crate::TrustProxy) lets it be known.
///
/// The doors into web frameworks have an extractor of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Client {
    /// The address. `None` if the server does not tell it (with axum, serve by
    /// `into_make_service_with_connect_info::<SocketAddr>()`) or a trusted proxy hides it.
    pub address: Option<IpAddr>,
    /// The scheme that the browser used. `None` if nothing tells it: HTTP/1 without a trusted proxy.
    pub scheme: Option<Scheme>,
}

/// How the browser is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// In plain text.
    Http,
    /// By TLS.
    Https,
}

impl Scheme {
    /// The scheme of this name, in any case of letters.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("https") {
            Some(Self::Https)
        } else if name.eq_ignore_ascii_case("http") {
            Some(Self::Http)
        } else {
            None
        }
    }
}
