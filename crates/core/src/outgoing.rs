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
    /// "Web Content Caching"), and `Vary: Cookie` (RFC 9110, section 12.5.5). To a `Cache-Control` of the
    /// handler's that lets shared caches keep the response, `private="Set-Cookie"` is added, so that they
    /// hand nobody's cookie to anybody else (RFC 9111, section 5.2.2.7).
    pub fn apply(self, headers: &mut HeaderMap) {
        let Some(set_cookie) = self.set_cookie else { return };
        headers.append(SET_COOKIE, set_cookie);
        if !headers.contains_key(CACHE_CONTROL) {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        } else if !lists_any(headers, &CACHE_CONTROL, &["private", "no-store"]) {
            headers.append(CACHE_CONTROL, HeaderValue::from_static("private=\"Set-Cookie\""));
        }
        if !lists_any(headers, &VARY, &["*", "cookie"]) {
            headers.append(VARY, HeaderValue::from_name(HeaderName::from_static("cookie")));
        }
    }
}

/// Whether the comma-separated header has one of these, whatever its case.
fn lists_any(headers: &HeaderMap, name: &HeaderName, wanted: &[&str]) -> bool {
    headers
        .get_all(name)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .any(|listed| {
            wanted
                .iter()
                .any(|wanted| listed.eq_ignore_ascii_case(wanted.as_bytes()))
        })
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
        assert_eq!(headers.get_all(CACHE_CONTROL).iter().count(), 1);
    }

    #[test]
    fn a_response_that_shared_caches_may_keep_withholds_the_cookie_from_them() {
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
        let headers = applied(headers);
        let values: Vec<_> = headers.get_all(CACHE_CONTROL).iter().collect();
        assert_eq!(values, ["public, max-age=60", "private=\"Set-Cookie\""]);
    }
}
