//! A request as Node tells it, in the types that the engine knows.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use napi_derive::napi;
use tenure::{Client, CsrfRequest, Scheme, TrustProxy};

/// The head of a request, as far as sessions go by it.
#[napi(object, object_to_js = false)]
pub struct RequestHead {
    pub method: String,
    pub target: String,
    /// What HTTP/2 has instead of a `Host`.
    pub authority: Option<String>,
    /// Names and values by turns, in the order in which they came.
    pub headers: Vec<String>,
    /// The address of the connection's other end.
    pub peer: Option<String>,
    /// Whether the connection is encrypted.
    pub encrypted: bool,
}

/// The same as the engine has it.
pub(super) struct Head {
    method: Method,
    target: Uri,
    pub(super) headers: HeaderMap,
    peer: Option<IpAddr>,
    scheme: Option<Scheme>,
}

impl Head {
    pub(super) fn of(head: &RequestHead) -> Self {
        let mut headers = HeaderMap::with_capacity(head.headers.len() / 2);
        for pair in head.headers.chunks_exact(2) {
            if let Ok(name) = HeaderName::from_bytes(pair[0].as_bytes()) {
                headers.append(name, value(&pair[1]));
            }
        }
        Self {
            // Of no method that it does not know it can be said that it changes nothing.
            method: Method::from_bytes(head.method.as_bytes()).unwrap_or(Method::POST),
            target: target(&head.target, head.authority.as_deref()),
            headers,
            peer: head.peer.as_deref().and_then(|peer| peer.parse().ok()),
            // An unencrypted connection may be a proxy's, to which the browser came by https.
            scheme: head.encrypted.then_some(Scheme::Https),
        }
    }

    pub(super) fn client(&self, trust_proxy: &TrustProxy) -> Client {
        trust_proxy.client(&self.headers, self.peer, self.scheme)
    }

    pub(super) fn csrf_request(&self, trust_proxy: &TrustProxy) -> CsrfRequest<'_> {
        let request = CsrfRequest::new(&self.method, &self.target, &self.headers);
        if !request.is_guarded() {
            return request;
        }
        let scheme = self.client(trust_proxy).scheme;
        request.https(scheme.map(|scheme| scheme == Scheme::Https))
    }
}

/// Node tells bytes as Latin-1. What a header can't hold becomes something that no rule accepts, for a header that is
/// left out can pass where one that is wrong does not.
fn value(text: &str) -> HeaderValue {
    let bytes: Vec<u8> = text
        .chars()
        .map(|character| u8::try_from(character).unwrap_or(b'?'))
        .collect();
    HeaderValue::from_bytes(&bytes).unwrap_or(HeaderValue::from_static("?"))
}

/// A target that can't be read is one that no exemption is of.
fn target(target: &str, authority: Option<&str>) -> Uri {
    let read = match authority {
        None => target.parse().ok(),
        Some(authority) => Uri::builder()
            .scheme("https")
            .authority(authority)
            .path_and_query(target)
            .build()
            .ok(),
    };
    read.unwrap_or_else(|| Uri::from_static("*"))
}
