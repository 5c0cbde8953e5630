//! Where a page comes from: scheme, host and port (RFC 6454, section 4).

/// An origin as the `Origin` header or a list of trusted ones spells it. Borrowed, so that comparing costs no allocation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin<'a> {
    pub(crate) protocol: Protocol,
    pub(crate) host: &'a str,
    port: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http,
    Https,
}

impl Protocol {
    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl<'a> Origin<'a> {
    /// Reads `scheme://host[:port]` and nothing else: no path, no user, no wildcard, not `null`.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        let protocol = if scheme.eq_ignore_ascii_case("https") {
            Protocol::Https
        } else if scheme.eq_ignore_ascii_case("http") {
            Protocol::Http
        } else {
            return None;
        };
        Self::of(protocol, authority)
    }

    /// What `authority` names when reached by this protocol.
    pub(crate) fn of(protocol: Protocol, authority: &'a str) -> Option<Self> {
        let (host, port) = split(authority)?;
        Some(Self {
            protocol,
            host,
            port: port.unwrap_or(protocol.default_port()),
        })
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        self.protocol == other.protocol
            && self.port == other.port
            && self.host.eq_ignore_ascii_case(other.host)
    }

    /// Whether only this very machine can be meant (Secure Contexts, section 3.1).
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.host.to_ascii_lowercase();
        let address = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost"
            || host.ends_with(".localhost")
            || address
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }
}

/// Host, with the brackets of an IPv6 address, and port.
fn split(authority: &str) -> Option<(&str, Option<u16>)> {
    let host_length = if authority.starts_with('[') {
        authority.find(']')? + 1
    } else {
        authority.find(':').unwrap_or(authority.len())
    };
    let (host, rest) = authority.split_at(host_length);
    let port = match rest.strip_prefix(':') {
        Some(digits) => Some(port(digits)?),
        None if rest.is_empty() => None,
        None => return None,
    };
    is_host(host).then_some((host, port))
}

fn port(digits: &str) -> Option<u16> {
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    // `u16::from_str` would take a plus sign, too.
    all_digits.then(|| digits.parse().ok())?
}

fn is_host(host: &str) -> bool {
    match host
        .strip_prefix('[')
        .and_then(|address| address.strip_suffix(']'))
    {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn same(one: &str, other: &str) -> bool {
        Origin::parse(one).unwrap().is(&Origin::parse(other).unwrap())
    }

    #[test]
    fn default_ports_and_case_make_no_difference() {
        assert!(same("https://app.example", "HTTPS://App.Example:443"));
        assert!(same("http://[::1]", "http://[::1]:80"));
        assert!(!same("https://app.example", "http://app.example"));
        assert!(!same("https://app.example", "https://app.example:8443"));
        assert!(!same("https://app.example", "https://app.example.evil.example"));
    }

    #[test]
    fn what_is_no_origin_of_a_web_page_is_none() {
        for text in [
            "",
            "null",
            "app.example",
            "https:app.example",
            "https://",
            "https:///",
            "https://app.example/",
            "https://app.example/path",
            "https://app.example?x",
            "https://app.example#x",
            "https://ada@app.example",
            "https://*.example",
            "https://app.example:",
            "https://app.example:+443",
            "https://app.example:65536",
            "https://app.example:443:443",
            "https://[::1",
            "https://[app.example]",
            "https://[::1]x",
            "https://::1",
            "https://app example",
            " https://app.example",
            "https://a.example https://b.example",
            "https://a.example,https://b.example",
            "https://ä.example",
            "file://app.example",
            "chrome-extension://abcdef",
        ] {
            assert!(Origin::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn loopback_is_this_machine_and_no_name_that_looks_like_it() {
        for text in [
            "http://localhost:3000",
            "http://app.localhost",
            "http://127.0.0.1",
            "http://127.8.8.8",
            "http://[::1]:3000",
        ] {
            assert!(Origin::parse(text).unwrap().is_loopback(), "{text}");
        }
        for text in [
            "http://localhost.example",
            "http://notlocalhost",
            "http://127.0.0.1.example",
            "http://192.168.0.1",
        ] {
            assert!(!Origin::parse(text).unwrap().is_loopback(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in ".{0,60}") {
            let _ = Origin::parse(&text);
        }

        #[test]
        fn every_origin_is_itself_and_no_other_host(host in "[a-z0-9.-]{1,20}", other in "[a-z0-9.-]{1,20}", port: u16) {
            let spelled = format!("https://{host}:{port}");
            prop_assert!(same(&spelled, &spelled));
            prop_assert_eq!(same(&spelled, &format!("https://{other}:{port}")), host == other);
        }
    }
}
