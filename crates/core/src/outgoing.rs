//! What a commit adds to the response.

use http::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, SET_COOKIE, VARY};

/// The headers that a response needs after a [commit](crate::Sessions::commit): a new cookie, its
/// removal, or nothing.
#[derive(Debug, Default)]
#[must_use = "without `apply` the browser never learns of the session"]
pub struct Outgoing {
    set_cookie: Option<HeaderValue>,
}

impl Outgoing {
    pub(crate) fn nothing() -> Self {
        Self::default()
    }

    pub(crate) fn cookie(set_cookie: HeaderValue) -> Self {
        Self {
            set_cookie: Some(set_cookie),
        }
    }

    /// Whether the response carries a session cookie, new or removed.
    #[must_use]
    pub fn sets_cookie(&self) -> bool {
        self.set_cookie.is_some()
    }

    /// Adds the headers: `Set-Cookie` beside the handler's own ones and, with it,
    /// `Cache-Control: no-store` unless the handler set one (OWASP Session Management Cheat Sheet,
    /// "Web Content Caching"), and `Vary: Cookie` (RFC 9110, section 12.5.5).
    pub fn apply(self, headers: &mut HeaderMap) {
        let Some(set_cookie) = self.set_cookie else { return };
        headers.append(SET_COOKIE, set_cookie);
        if !headers.contains_key(CACHE_CONTROL) {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        if !varies_by_cookie(headers) {
            headers.append(VARY, HeaderValue::from_name(HeaderName::from_static("cookie")));
        }
    }
}

fn varies_by_cookie(headers: &HeaderMap) -> bool {
    headers
        .get_all(VARY)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .any(|name| name == b"*" || name.eq_ignore_ascii_case(b"cookie"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(mut headers: HeaderMap) -> HeaderMap {
        Outgoing::cookie(HeaderValue::from_static("s=1")).apply(&mut headers);
        headers
    }

    #[test]
    fn nothing_changes_without_a_cookie() {
        let mut headers = HeaderMap::new();
        Outgoing::nothing().apply(&mut headers);
        assert!(headers.is_empty());
    }

    #[test]
    fn a_cookie_brings_no_store_and_vary() {
        let headers = applied(HeaderMap::new());
        assert_eq!(headers[SET_COOKIE], "s=1");
        assert_eq!(headers[CACHE_CONTROL], "no-store");
        assert_eq!(headers[VARY], "cookie");
    }

    #[test]
    fn the_handlers_own_headers_stay() {
        let mut headers = HeaderMap::new();
        headers.insert(SET_COOKIE, HeaderValue::from_static("theme=dark"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private"));
        headers.insert(VARY, HeaderValue::from_static("Accept, Cookie"));
        let headers = applied(headers);
        let cookies: Vec<_> = headers.get_all(SET_COOKIE).iter().collect();
        assert_eq!(cookies, ["theme=dark", "s=1"]);
        assert_eq!(headers[CACHE_CONTROL], "private");
        assert_eq!(headers.get_all(VARY).iter().count(), 1);
    }
}
