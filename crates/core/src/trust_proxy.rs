//! Whom to believe about the client.

use std::net::IpAddr;

use http::HeaderMap;
use ipnet::IpNet;

use crate::client::{Client, Scheme};
use crate::forwarded::{self, Hop};

/// Which proxies may tell the client's address and scheme.
///
/// Anybody can send `X-Forwarded-For`; only what a proxy of yours added is worth anything. Say how many
/// of them a request passes, or which networks they are in.
///
/// ```
/// use tenure_core::{ProxyHeaders, TrustProxy};
///
/// let behind_one_load_balancer = TrustProxy::hops(1);
/// let behind_these = TrustProxy::networks(["10.0.0.0/8".parse()?, "2001:db8::/32".parse()?]);
/// let by_the_standard_header = TrustProxy::hops(1).reading(ProxyHeaders::Forwarded);
/// # Ok::<(), ipnet::AddrParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustProxy {
    trusted: Trusted,
    headers: ProxyHeaders,
}

/// Which headers the proxies write. Only one kind is ever read: a proxy that writes the one passes the
/// other on as the client sent it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProxyHeaders {
    /// `X-Forwarded-For` and `X-Forwarded-Proto`: what nearly all write.
    #[default]
    XForwarded,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Trusted {
    Nobody,
    Hops(usize),
    Networks(Vec<IpNet>),
}

impl TrustProxy {
    /// Nobody: the client is the connection's other end. The default.
    #[must_use]
    pub const fn nobody() -> Self {
        Self {
            trusted: Trusted::Nobody,
            headers: ProxyHeaders::XForwarded,
        }
    }

    /// The last `hops` proxies that a request passes, wherever they are. Right only if every
    /// request passes all of them; who gets past one can say they are anybody.
    #[must_use]
    pub fn hops(hops: usize) -> Self {
        Self {
            trusted: Trusted::Hops(hops),
            headers: ProxyHeaders::default(),
        }
    }

    /// Proxies in these networks. The client is the first one from here that is in none of them.
    #[must_use]
    pub fn networks(networks: impl IntoIterator<Item = IpNet>) -> Self {
        Self {
            trusted: Trusted::Networks(networks.into_iter().collect()),
            headers: ProxyHeaders::default(),
        }
    }

    /// Which headers they write. *Default*: [`ProxyHeaders::XForwarded`].
    #[must_use]
    pub fn reading(self, headers: ProxyHeaders) -> Self {
        Self { headers, ..self }
    }

    /// The client of a request with these headers that came from `peer`, the connection's other end, as far as it is
    /// known, by `scheme`, as far as that is.
    #[must_use]
    pub fn client(&self, headers: &HeaderMap, peer: Option<IpAddr>, scheme: Option<Scheme>) -> Client {
        let mut client = Client {
            address: peer.map(|address| address.to_canonical()),
            scheme,
        };
        if self.trusted == Trusted::Nobody {
            return client;
        }
        let hops = match self.headers {
            ProxyHeaders::XForwarded => forwarded::x_forwarded(headers),
            ProxyHeaders::Forwarded => forwarded::forwarded(headers),
        };
        for (passed, Hop { address, scheme }) in hops.into_iter().rev().enumerate() {
            if !self.trusts(passed, client.address) {
                break;
            }
            client = Client {
                address,
                scheme: scheme.or(client.scheme),
            };
        }
        client
    }

    /// Whether the proxy at `address`, after `passed` others from here, is to be believed.
    fn trusts(&self, passed: usize, address: Option<IpAddr>) -> bool {
        match &self.trusted {
            Trusted::Nobody => false,
            Trusted::Hops(hops) => passed < *hops,
            Trusted::Networks(networks) => {
                address.is_some_and(|address| networks.iter().any(|network| network.contains(&address)))
            }
        }
    }
}

impl Default for TrustProxy {
    fn default() -> Self {
        Self::nobody()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn client(trust: &TrustProxy, peer: &str, lines: &[(&'static str, &'static str)]) -> Client {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_static(value));
        }
        trust.client(&headers, Some(ip(peer)), None)
    }

    const SPOOFED: [(&str, &str); 3] = [
        ("x-forwarded-for", "203.0.113.9, 198.51.100.7"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "for=203.0.113.66;proto=https"),
    ];

    #[test]
    fn nobody_is_believed_by_default() {
        let client = client(&TrustProxy::default(), "192.0.2.1", &SPOOFED);
        assert_eq!(
            client,
            Client {
                address: Some(ip("192.0.2.1")),
                scheme: None
            }
        );
    }

    #[test]
    fn one_hop_takes_what_the_nearest_proxy_added_and_no_more() {
        let client = client(&TrustProxy::hops(1), "10.0.0.1", &SPOOFED);
        assert_eq!(
            client,
            Client {
                address: Some(ip("198.51.100.7")),
                scheme: Some(Scheme::Https)
            }
        );
    }

    #[test]
    fn a_quote_that_the_client_left_open_does_not_hide_what_the_proxy_added() {
        let lines = [
            ("x-forwarded-for", "\", 198.51.100.7"),
            ("forwarded", "for=\"a, for=198.51.100.7"),
        ];
        for headers in [ProxyHeaders::XForwarded, ProxyHeaders::Forwarded] {
            let trust = TrustProxy::hops(1).reading(headers);
            let client = client(&trust, "10.0.0.1", &lines);
            assert_eq!(client.address, Some(ip("198.51.100.7")), "{headers:?}");
        }
    }

    #[test]
    fn more_hops_than_proxies_take_the_farthest() {
        let client = client(&TrustProxy::hops(5), "10.0.0.1", &SPOOFED);
        assert_eq!(client.address, Some(ip("203.0.113.9")));
    }

    #[test]
    fn networks_are_walked_until_somebody_foreign() {
        let trust = TrustProxy::networks(["10.0.0.0/8".parse().unwrap()]);
        let passed = [
            ("x-forwarded-for", "203.0.113.9, 198.51.100.7, 10.1.1.1"),
            ("x-forwarded-proto", "https"),
        ];
        assert_eq!(
            client(&trust, "10.0.0.1", &passed).address,
            Some(ip("198.51.100.7"))
        );
        assert_eq!(
            client(&trust, "192.0.2.1", &passed),
            Client {
                address: Some(ip("192.0.2.1")),
                scheme: None
            }
        );
        assert_eq!(
            client(&trust, "::ffff:10.0.0.1", &passed).address,
            Some(ip("198.51.100.7"))
        );
    }

    #[test]
    fn a_proxy_that_hides_the_client_leaves_it_unknown() {
        let trust = TrustProxy::hops(1).reading(ProxyHeaders::Forwarded);
        let client = client(
            &trust,
            "10.0.0.1",
            &[("forwarded", "for=203.0.113.9, for=unknown;proto=https")],
        );
        assert_eq!(
            client,
            Client {
                address: None,
                scheme: Some(Scheme::Https)
            }
        );
    }

    #[test]
    fn only_the_configured_kind_of_header_is_read() {
        let forwarded = TrustProxy::hops(1).reading(ProxyHeaders::Forwarded);
        assert_eq!(
            client(&forwarded, "10.0.0.1", &SPOOFED).address,
            Some(ip("203.0.113.66"))
        );
        assert_eq!(
            client(&forwarded, "10.0.0.1", &SPOOFED[..2]).address,
            Some(ip("10.0.0.1"))
        );
    }

    #[test]
    fn the_scheme_that_the_server_knows_counts_without_a_proxy() {
        let client = TrustProxy::nobody().client(&HeaderMap::new(), None, Some(Scheme::Https));
        assert_eq!(client.scheme, Some(Scheme::Https));
    }
}
