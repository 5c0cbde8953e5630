//! Finding our cookie in what a browser sent (RFC 6265, section 5.4), however hostile.

use http::HeaderMap;
use http::header::COOKIE;

/// The values of the cookies of this name, in the order sent, over all `Cookie` headers
/// (HTTP/2 may split one into several).
///
/// Nothing is copied and nothing is decoded; bytes that are not UTF-8 pass through as they are.
pub(crate) fn cookies_named<'h>(headers: &'h HeaderMap, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
    headers
        .get_all(COOKIE)
        .iter()
        .flat_map(move |header| cookies_in(header.as_bytes(), name.as_bytes()))
}

fn cookies_in<'h>(header: &'h [u8], name: &'h [u8]) -> impl Iterator<Item = &'h [u8]> {
    pairs(header).filter_map(move |pair| {
        let pair = pair.trim_ascii();
        let value = pair.strip_prefix(name)?.trim_ascii_start().strip_prefix(b"=")?;
        Some(unquoted(value.trim_ascii_start()))
    })
}

fn pairs(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(header);
    std::iter::from_fn(move || {
        let header = rest?;
        let end = memchr::memchr(b';', header);
        rest = end.map(|end| &header[end + 1..]);
        Some(&header[..end.unwrap_or(header.len())])
    })
}

fn unquoted(value: &[u8]) -> &[u8] {
    value
        .strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""))
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    fn values(header: &[u8]) -> Vec<Vec<u8>> {
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_bytes(header) {
            headers.append(COOKIE, value);
        }
        cookies_named(&headers, "sid").map(<[u8]>::to_vec).collect()
    }

    #[test]
    fn finds_the_value_among_other_cookies() {
        assert_eq!(values(b"a=1; sid=abc; b=2"), [b"abc"]);
        assert_eq!(values(b"sid=abc"), [b"abc"]);
        assert_eq!(values(b" sid = abc ;x"), [b"abc"]);
        assert_eq!(values(b"sid=\"abc\""), [b"abc"]);
        assert_eq!(values(b"sid="), [b""]);
        assert_eq!(values(b"sid=a=b"), [b"a=b"]);
    }

    #[test]
    fn a_name_that_only_starts_or_ends_alike_is_another_cookie() {
        assert!(values(b"xsid=1; sidx=2; SID=3; sid; ; =; sid2=4").is_empty());
    }

    #[test]
    fn duplicates_come_in_order_over_several_headers() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("sid=1; sid=2"));
        headers.append(COOKIE, HeaderValue::from_static("sid=3"));
        let found: Vec<_> = cookies_named(&headers, "sid").collect();
        assert_eq!(found, [b"1", b"2", b"3"]);
    }

    proptest! {
        #[test]
        fn any_header_is_survived(header in proptest::collection::vec(any::<u8>(), 0..2_000)) {
            values(&header);
        }

        #[test]
        fn a_cookie_is_found_whatever_stands_around_it(
            before in "([a-rt-z]{1,8}=[!-:<-~]{0,20}; ?){0,5}",
            value in "[A-Za-z0-9_-]{0,100}",
            after in "(; ?[a-rt-z]{1,8}=[!-:<-~]{0,20}){0,5}",
        ) {
            let header = format!("{before}sid={value}{after}");
            prop_assert_eq!(values(header.as_bytes()), vec![value.into_bytes()]);
        }
    }
}
