//! The other end of the connection, as the server tells it.

use std::net::IpAddr;

use http::{Extensions, HeaderMap, Uri};
use tenure_core::{Client, Scheme, TrustProxy};

/// The address of the connection's other end. A server that is not axum puts it into the request's
/// extensions for [`TrustProxy`] to start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddress(pub IpAddr);

/// The client of a request with these parts.
pub(crate) fn client(
    trust: &TrustProxy,
    headers: &HeaderMap,
    target: &Uri,
    extensions: &Extensions,
) -> Client {
    let scheme = target.scheme_str().and_then(Scheme::named);
    trust.client(headers, peer_address(extensions), scheme)
}

fn peer_address(extensions: &Extensions) -> Option<IpAddr> {
    if let Some(PeerAddress(address)) = extensions.get() {
        return Some(*address);
    }
    #[cfg(feature = "axum")]
    if let Some(axum::extract::ConnectInfo(socket)) =
        extensions.get::<axum::extract::ConnectInfo<std::net::SocketAddr>>()
    {
        return Some(socket.ip());
    }
    None
}
