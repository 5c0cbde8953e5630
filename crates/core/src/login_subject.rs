//! Whose failures are counted: an account's, a known device's, an address's.

use std::net::{IpAddr, Ipv6Addr};

use aws_lc_rs::hmac;

use crate::keyring::{Keyring, Keys};
use crate::known_device::Nonce;
use crate::store::AttemptsKey;

/// Whose failures are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LoginSubject {
    /// Those on one account, from wherever they come.
    Account,
    /// Those on one account from one device that it was signed in from before.
    KnownDevice,
    /// Those from one address, or from one network of IPv6, on whichever accounts.
    Address,
}

impl LoginSubject {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::KnownDevice => "known_device",
            Self::Address => "address",
        }
    }
}

/// One whose failures are counted, by what tells it from others.
#[derive(Clone, Copy)]
pub(crate) enum Counted<'a> {
    Account(&'a str),
    KnownDevice { account: &'a str, nonce: Nonce },
    Address(IpAddr),
}

/// Where the failures of one are counted: under the current secret. Those under other secrets of the ring, which
/// another instance may count under during a rotation, are looked at too.
pub(crate) struct Keychain {
    pub(crate) current: AttemptsKey,
    pub(crate) others: Vec<AttemptsKey>,
}

impl Counted<'_> {
    pub(crate) fn subject(self) -> LoginSubject {
        match self {
            Self::Account(_) => LoginSubject::Account,
            Self::KnownDevice { .. } => LoginSubject::KnownDevice,
            Self::Address(_) => LoginSubject::Address,
        }
    }

    pub(crate) fn keychain(self, keyring: &Keyring) -> Keychain {
        let mut all = keyring.all().map(|(keys, _)| self.key(keys));
        let current = all
            .next()
            .expect("a keyring has a current secret, which comes first");
        let mut others: Vec<_> = all.collect();
        others.retain(|key| *key != current);
        others.dedup();
        Keychain { current, others }
    }

    fn key(self, keys: &Keys) -> AttemptsKey {
        let mut context = hmac::Context::with_key(keys.attempts());
        match self {
            Self::Account(account) => {
                context.update(b"account\0");
                context.update(account.as_bytes());
            }
            Self::KnownDevice { account, nonce } => {
                context.update(b"device\0");
                context.update(&nonce);
                context.update(account.as_bytes());
            }
            Self::Address(address) => match network(address) {
                IpAddr::V4(address) => {
                    context.update(b"ipv4\0");
                    context.update(&address.octets());
                }
                IpAddr::V6(address) => {
                    context.update(b"ipv6\0");
                    context.update(&address.octets());
                }
            },
        }
        let mut bytes = [0; 32];
        bytes.copy_from_slice(context.sign().as_ref());
        AttemptsKey::from_bytes(bytes)
    }
}

/// What one client can choose from at will counts as one: of IPv6 a /64 (RFC 6177). IPv4 in IPv6's clothes is IPv4.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    const NEW: &str = "T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r";
    const OLD: &str = "Yb0yP2kV9rT4nXwE6uLsJ1dHfCaGzmQ7";

    fn key(counted: Counted<'_>) -> AttemptsKey {
        counted.keychain(&Keyring::new(Secret::new(NEW))).current
    }

    fn of_address(address: &str) -> AttemptsKey {
        key(Counted::Address(address.parse().unwrap()))
    }

    #[test]
    fn an_address_of_ipv6_counts_by_its_first_64_bits_and_a_mapped_one_as_ipv4() {
        assert_eq!(of_address("2001:db8:1:2::1"), of_address("2001:db8:1:2:ffff::9"));
        assert_ne!(of_address("2001:db8:1:2::1"), of_address("2001:db8:1:3::1"));
        assert_eq!(of_address("::ffff:203.0.113.7"), of_address("203.0.113.7"));
        assert_ne!(of_address("203.0.113.7"), of_address("203.0.113.8"));
    }

    #[test]
    fn nothing_counts_as_something_of_another_kind() {
        let nonce = *b"0123456789abcdef";
        let account = key(Counted::Account("0123456789abcdefada"));
        assert_ne!(
            account,
            key(Counted::KnownDevice {
                account: "ada",
                nonce
            })
        );
        assert_ne!(account, key(Counted::Account("0123456789abcdefAda")));
        let octets = [203, 0, 113, 7];
        let text = String::from_utf8_lossy(&octets[1..]).into_owned();
        assert_ne!(key(Counted::Account(&text)), of_address("203.0.113.7"));
    }

    #[test]
    fn it_is_counted_under_the_current_secret_and_looked_for_under_each() {
        let account = Counted::Account("ada");
        let old = account.keychain(&Keyring::new(Secret::new(OLD)));
        let upcoming = account.keychain(&Keyring::new(Secret::new(OLD)).with_upcoming(Secret::new(NEW)));
        let rotated = account.keychain(&Keyring::new(Secret::new(NEW)).with_older(Secret::new(OLD)));
        assert!(old.others.is_empty());
        assert_eq!(upcoming.current, old.current);
        assert_eq!(upcoming.others, [rotated.current]);
        assert_eq!(rotated.others, [old.current]);
        let doubled = account.keychain(&Keyring::new(Secret::new(OLD)).with_older(Secret::new(OLD)));
        assert!(doubled.others.is_empty());
    }
}
