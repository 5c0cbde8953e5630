//! What proxies say of a request: `Forwarded` (RFC 7239) and the `X-Forwarded-*` headers.
//!
//! Anybody may have sent these, so nothing here fails: what does not read is unknown.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use http::header::FORWARDED;

use crate::client::Scheme;

const X_FORWARDED_FOR: &str = "x-forwarded-for";
const X_FORWARDED_PROTO: &str = "x-forwarded-proto";

/// What one proxy said of the one before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hop {
    pub(crate) address: Option<IpAddr>,
    pub(crate) scheme: Option<Scheme>,
}

/// The elements of all `Forwarded` headers, the nearest proxy's last.
pub(crate) fn forwarded(headers: &HeaderMap) -> Vec<Hop> {
    elements(
        headers,
        FORWARDED.as_str(),
        |line| split_outside_quotes(line, b','),
        hop,
    )
}

/// The same by `X-Forwarded-For` and `X-Forwarded-Proto`. Proxies that replace the latter leave one
/// scheme for all hops; those that append leave one for each.
pub(crate) fn x_forwarded(headers: &HeaderMap) -> Vec<Hop> {
    let schemes = elements(headers, X_FORWARDED_PROTO, split_at_commas, Scheme::named);
    let addresses = elements(headers, X_FORWARDED_FOR, split_at_commas, address);
    let one_for_each = schemes.len() == addresses.len();
    let hop = |(position, address)| {
        let scheme = if one_for_each {
            schemes.get(position)
        } else {
            schemes.last()
        };
        Hop {
            address,
            scheme: scheme.copied().flatten(),
        }
    };
    if addresses.is_empty() {
        // A proxy may tell the scheme alone.
        return schemes
            .last()
            .map(|scheme| Hop {
                address: None,
                scheme: *scheme,
            })
            .into_iter()
            .collect();
    }
    addresses.into_iter().enumerate().map(hop).collect()
}

/// What `split` finds in all headers of a name, each read by `read`.
fn elements<T>(
    headers: &HeaderMap,
    name: &'static str,
    split: fn(&str) -> Vec<&str>,
    read: fn(&str) -> T,
) -> Vec<T> {
    let mut elements = Vec::new();
    for line in headers.get_all(name) {
        let line = String::from_utf8_lossy(line.as_bytes());
        elements.extend(split(&line).into_iter().map(read));
    }
    elements
}

/// As headers are that know no quotes.
fn split_at_commas(line: &str) -> Vec<&str> {
    trimmed(line.split(','))
}

/// Without what is empty.
fn trimmed<'a>(parts: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    parts.map(str::trim).filter(|part| !part.is_empty()).collect()
}

fn hop(element: &str) -> Hop {
    let mut hop = Hop::default();
    for pair in split_outside_quotes(element, b';') {
        let Some((name, value)) = pair.split_once('=') else {
            continue;
        };
        let value = unquoted(value.trim());
        match name.trim() {
            name if name.eq_ignore_ascii_case("for") => hop.address = address(&value),
            name if name.eq_ignore_ascii_case("proto") => hop.scheme = Scheme::named(&value),
            _ => {}
        }
    }
    hop
}

/// From the right, where the nearest proxy wrote: whatever a client sent stands to the left of that, and a quote which it
/// left open must not swallow it.
fn split_outside_quotes(text: &str, separator: u8) -> Vec<&str> {
    let bytes = text.as_bytes();
    let (mut parts, mut end, mut quoted) = (Vec::new(), text.len(), false);
    for at in (0..text.len()).rev() {
        match bytes[at] {
            b'"' if !quoted => quoted = true,
            b'"' => quoted = is_escaped(bytes, at),
            byte if byte == separator && !quoted => {
                parts.push(&text[at + 1..end]);
                end = at;
            }
            _ => {}
        }
    }
    parts.push(&text[..end]);
    trimmed(parts.into_iter().rev())
}

/// Whether an odd number of backslashes stands before it.
fn is_escaped(bytes: &[u8], at: usize) -> bool {
    let backslashes = bytes[..at].iter().rev().take_while(|byte| **byte == b'\\');
    backslashes.count() % 2 == 1
}

fn unquoted(value: &str) -> String {
    match value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) => inner.replace("\\\"", "\"").replace("\\\\", "\\"),
        None => value.to_owned(),
    }
}

/// A node's address (RFC 7239, section 6): with or without port, IPv6 with or without brackets.
fn address(node: &str) -> Option<IpAddr> {
    let bare = node
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(node);
    bare.parse()
        .ok()
        .or_else(|| node.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
        .map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn forwarded_reads_the_examples_of_rfc_7239() {
        let headers = headers(&[
            ("forwarded", "for=192.0.2.43, For=\"[2001:db8:cafe::17]:4711\""),
            (
                "forwarded",
                "for=192.0.2.60;proto=http;by=203.0.113.43, for=unknown;proto=HTTPS, for=\"_gazonk\"",
            ),
        ]);
        let hops = forwarded(&headers);
        assert_eq!(
            hops.iter().map(|hop| hop.address).collect::<Vec<_>>(),
            [
                ip("192.0.2.43"),
                ip("2001:db8:cafe::17"),
                ip("192.0.2.60"),
                None,
                None
            ]
        );
        assert_eq!(hops[2].scheme, Some(Scheme::Http));
        assert_eq!(hops[3].scheme, Some(Scheme::Https));
    }

    #[test]
    fn a_comma_in_quotes_begins_no_new_hop() {
        let hops = forwarded(&headers(&[(
            "forwarded",
            "for=\"a,for=10.0.0.1\\\",x\";proto=https, for=192.0.2.1",
        )]));
        assert_eq!(hops.len(), 2);
        assert_eq!(
            hops[0],
            Hop {
                address: None,
                scheme: Some(Scheme::Https)
            }
        );
    }

    #[test]
    fn x_forwarded_reads_addresses_with_and_without_ports() {
        let headers = headers(&[(
            "x-forwarded-for",
            "192.0.2.1:80, [2001:db8::1]:443 ,2001:db8::2, ::ffff:192.0.2.9, who",
        )]);
        let addresses: Vec<_> = x_forwarded(&headers).into_iter().map(|hop| hop.address).collect();
        assert_eq!(
            addresses,
            [
                ip("192.0.2.1"),
                ip("2001:db8::1"),
                ip("2001:db8::2"),
                ip("192.0.2.9"),
                None
            ]
        );
    }

    #[test]
    fn one_scheme_counts_for_all_hops_and_several_for_one_each() {
        let one = headers(&[
            ("x-forwarded-for", "192.0.2.1, 192.0.2.2"),
            ("x-forwarded-proto", "https"),
        ]);
        assert!(
            x_forwarded(&one)
                .iter()
                .all(|hop| hop.scheme == Some(Scheme::Https))
        );
        let each = headers(&[
            ("x-forwarded-for", "192.0.2.1, 192.0.2.2"),
            ("x-forwarded-proto", "https, http"),
        ]);
        let schemes: Vec<_> = x_forwarded(&each).into_iter().map(|hop| hop.scheme).collect();
        assert_eq!(schemes, [Some(Scheme::Https), Some(Scheme::Http)]);
    }

    proptest! {
        #[test]
        fn any_header_is_survived(value in proptest::collection::vec(any::<u8>(), 0..500)) {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                for name in ["forwarded", X_FORWARDED_FOR, X_FORWARDED_PROTO] {
                    let mut headers = HeaderMap::new();
                    headers.insert(name, value.clone());
                    forwarded(&headers);
                    x_forwarded(&headers);
                }
            }
        }

        #[test]
        fn whatever_a_client_sent_the_nearest_proxy_is_read(
            sent in "([\"\\\\,;= a-z0-9.\\[\\]:]|for=|for=\"){0,40}",
            v6: [u8; 16],
            v4: [u8; 4],
        ) {
            let (v6, v4) = (std::net::Ipv6Addr::from(v6), std::net::Ipv4Addr::from(v4));
            for appended in [v4.to_string(), v6.to_string(), format!("[{v6}]:443")] {
                let line = format!("{sent}, {appended}");
                let hops = x_forwarded(&headers(&[(X_FORWARDED_FOR, &line)]));
                prop_assert_eq!(hops.last().unwrap().address, address(&appended), "{}", line);
            }
            for appended in [format!("for={v4}"), format!("proto=https;for=\"[{v6}]:443\"")] {
                let line = format!("{sent}, {appended}");
                let hops = forwarded(&headers(&[("forwarded", &line)]));
                prop_assert_eq!(*hops.last().unwrap(), hop(&appended), "{}", line);
                prop_assert!(hop(&appended).address.is_some());
            }
        }

        #[test]
        fn every_address_comes_back_from_forwarded(v6: [u8; 16], v4: [u8; 4], port: u16) {
            let (v6, v4) = (std::net::Ipv6Addr::from(v6), std::net::Ipv4Addr::from(v4));
            let line = format!("for=\"[{v6}]:{port}\";proto=https,for={v4}");
            let hops = forwarded(&headers(&[("forwarded", &line)]));
            prop_assert_eq!(hops[0].address, Some(IpAddr::from(v6).to_canonical()));
            prop_assert_eq!(hops[1].address, Some(IpAddr::from(v4)));
        }
    }
}
