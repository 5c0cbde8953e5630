//! What is looked at of a request.

use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, UPGRADE};
use http::{HeaderMap, Method, Uri};

/// What a door tells of a request: method, target, headers, and whether it came by https.
///
/// ```
/// use http::{HeaderMap, Method, Uri};
/// use tenure_core::{CsrfRefusal, CsrfRequest, Policy};
///
/// let mut headers = HeaderMap::new();
/// headers.insert("sec-fetch-site", "cross-site".parse()?);
/// let target = Uri::from_static("/transfer");
///
/// let policy = Policy::default();
/// let link = CsrfRequest::new(&Method::GET, &target, &headers);
/// assert_eq!(policy.check_origin(&link), Ok(()));
/// let form = CsrfRequest::new(&Method::POST, &target, &headers);
/// assert_eq!(policy.check_origin(&form), Err(CsrfRefusal::CrossSite));
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CsrfRequest<'a> {
    method: &'a Method,
    target: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    pub(super) is_https: Option<bool>,
    is_guarded: bool,
}

impl<'a> CsrfRequest<'a> {
    /// A request as the server got it. The target's path is matched against the exemptions; its host, which HTTP/2 has
    /// as `:authority`, goes before the `Host` header.
    #[must_use]
    pub fn new(method: &'a Method, target: &'a Uri, headers: &'a HeaderMap) -> Self {
        let is_https = target.scheme_str().map(|scheme| scheme == "https");
        Self {
            method,
            target,
            headers,
            is_https,
            is_guarded: is_unsafe(method) || opens_websocket(headers),
        }
    }

    /// Whether the browser sent it by https, where that is known better than by the target, such as from a trusted
    /// proxy. *Default*: what the target's scheme says, and unknown where it has none.
    #[must_use]
    pub fn https(self, is_https: Option<bool>) -> Self {
        Self { is_https, ..self }
    }

    /// Whether it is looked at at all: a method that may change something, or the opening of a `WebSocket`.
    ///
    /// GET, HEAD and OPTIONS are safe (RFC 9110, section 9.2.1): a handler for them must change nothing.
    #[must_use]
    pub fn is_guarded(&self) -> bool {
        self.is_guarded
    }

    pub(super) fn is_unsafe(&self) -> bool {
        is_unsafe(self.method)
    }

    pub(super) fn opens_websocket(&self) -> bool {
        opens_websocket(self.headers)
    }

    pub(super) fn path(&self) -> &'a str {
        self.target.path()
    }

    /// Host and port as the browser named them. `None` if it named none, or two.
    pub(super) fn authority(&self) -> Option<&'a str> {
        let named = self.target.authority().map(http::uri::Authority::as_str);
        let mut hosts = self.headers.get_all(http::header::HOST).iter();
        match (named, hosts.next(), hosts.next()) {
            (_, _, Some(_)) | (None, None, None) => None,
            (Some(named), None, None) => Some(named),
            (None, Some(host), None) => host.to_str().ok(),
            // They may not differ (RFC 9113, section 8.3.1; RFC 9112, section 3.2.2).
            (Some(named), Some(host), None) => {
                let host = host.to_str().ok()?;
                named.eq_ignore_ascii_case(host).then_some(named)
            }
        }
    }

    pub(super) fn content_type(&self) -> Option<&'a str> {
        self.headers.get(CONTENT_TYPE)?.to_str().ok()
    }

    pub(super) fn header(&self, name: &HeaderName) -> Once<'a> {
        let mut values = self.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => Once::Absent,
            (Some(value), None) => Once::Is(value),
            (Some(_), Some(_)) => Once::Repeated,
        }
    }
}

fn is_unsafe(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Any page may open a `WebSocket` to any server, and the browser adds the cookie (RFC 6455, section 10.2). HTTP/2 has
/// CONNECT for it, which is guarded as a method.
fn opens_websocket(headers: &HeaderMap) -> bool {
    headers.get_all(UPGRADE).iter().any(|value| {
        value
            .as_bytes()
            .split(|byte| *byte == b',')
            .any(|protocol| protocol.trim_ascii().eq_ignore_ascii_case(b"websocket"))
    })
}

/// A header that may come once.
pub(super) enum Once<'a> {
    Absent,
    Is(&'a HeaderValue),
    Repeated,
}
