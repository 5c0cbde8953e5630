//! Whether a request comes from a page of this very origin.

use http::HeaderMap;
use http::header::{HOST, HeaderName, ORIGIN};

/// Whether the browser says that a page of this origin sent the request: by `Sec-Fetch-Site`, or by an `Origin` that
/// is this host where that is missing (OWASP Cross-Site Request Forgery Prevention Cheat Sheet, "Fetch Metadata" and
/// "Verifying Origin With Standard Headers"). A request with neither comes from no browser of today, and is refused.
///
/// `authority` is the host in the request's target, which HTTP/2 has instead of `Host`.
///
/// Stricter than the layer's own check, which lets programs and trusted origins through, and there even where a
/// policy exempts these routes from the layer's because it demands tokens.
///
/// ```
/// use http::{HeaderMap, HeaderValue};
///
/// let mut headers = HeaderMap::new();
/// headers.insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
/// assert!(tenure_core::is_same_origin(&headers, None));
/// ```
#[must_use]
pub fn is_same_origin(headers: &HeaderMap, authority: Option<&str>) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin";
    }
    let (Some(origin), Some(host)) = (text(headers, &ORIGIN), text(headers, &HOST).or(authority)) else {
        return false;
    };
    // An `Origin` has the port only where it is not the scheme's own, and so has `Host`.
    origin
        .split_once("://")
        .is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_ours(lines: &[(&'static str, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.insert(*name, value.parse().unwrap());
        }
        is_same_origin(&headers, None)
    }

    #[test]
    fn what_the_browser_says_of_the_site_counts() {
        let host = ("host", "app.example");
        assert!(is_ours(&[host, ("sec-fetch-site", "same-origin")]));
        for site in ["same-site", "cross-site", "none", "SAME-ORIGIN", ""] {
            let with_good_origin = [host, ("sec-fetch-site", site), ("origin", "https://app.example")];
            assert!(!is_ours(&with_good_origin), "{site}");
        }
    }

    #[test]
    fn without_that_the_origin_must_be_this_host() {
        let is_same = |origin, host| is_ours(&[("origin", origin), ("host", host)]);
        assert!(is_same("https://app.example", "app.example"));
        assert!(is_same("http://127.0.0.1:3000", "127.0.0.1:3000"));
        assert!(is_same("https://App.Example", "app.example"));
        for origin in [
            "null",
            "",
            "https://app.example.evil.example",
            "https://evil.example",
            "https://app.example:8443",
            "https://other.app.example",
            "app.example",
        ] {
            assert!(!is_same(origin, "app.example"), "{origin}");
        }
    }

    #[test]
    fn a_request_that_says_nothing_is_refused() {
        assert!(!is_ours(&[("host", "app.example")]));
        assert!(!is_ours(&[("origin", "https://app.example")]));
    }
}
