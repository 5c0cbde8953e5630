//! Whose budget a request counts against.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An IPv4 address, or a /64 of IPv6: one link, on which a device takes any address it likes (RFC 4291, section 2.5.1;
/// RFC 8981).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ClientNetwork {
    V4(Ipv4Addr),
    /// The first 64 bits.
    V6(u64),
}

impl ClientNetwork {
    /// An IPv4-mapped address (RFC 4291, section 2.5.5.2) is the IPv4 address.
    pub(crate) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => Self::V6(first_half(address)),
        }
    }
}

fn first_half(address: Ipv6Addr) -> u64 {
    (address.to_bits() >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn network(address: &str) -> ClientNetwork {
        ClientNetwork::of(address.parse().unwrap())
    }

    #[test]
    fn an_ipv4_mapped_address_is_the_ipv4_address() {
        assert_eq!(network("::ffff:192.0.2.7"), network("192.0.2.7"));
        assert_ne!(network("192.0.2.7"), network("192.0.2.8"));
    }

    proptest! {
        #[test]
        fn addresses_of_ipv6_are_one_network_if_and_only_if_their_first_64_bits_are(a: u64, b: u64, c: u64, d: u64) {
            let address = |high: u64, low: u64| {
                IpAddr::from(Ipv6Addr::from_bits(u128::from(high) << 64 | u128::from(low)))
            };
            // The mapped ones are of IPv4.
            prop_assume!(a != 0 && c != 0);
            prop_assert_eq!(ClientNetwork::of(address(a, b)), ClientNetwork::of(address(a, d)));
            prop_assert_eq!(
                ClientNetwork::of(address(a, b)) == ClientNetwork::of(address(c, d)),
                a == c
            );
        }
    }
}
