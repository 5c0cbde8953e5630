//! A device that somebody has signed in from before, known by a cookie of its own.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64ct::{Base64UrlUnpadded, Encoding};
use cookie::{Cookie, SameSite};
use http::{HeaderMap, HeaderValue};

use crate::clock::Timestamp;
use crate::cookie_header::cookies_named;
use crate::keyring::{KeyId, Keyring};
use crate::policy::Policy;
use crate::random::{RandomError, random_bytes};

const NAME: &str = "__Host-known-device";
/// Without `Secure`, a browser takes no name with the prefix.
const NAME_WITHOUT_SECURE: &str = "known-device";

const VERSION: u8 = 1;
const NONCE_LENGTH: usize = 16;
const SIGNED_LENGTH: usize = 1 + KeyId::LENGTH + NONCE_LENGTH + 8;
const TAG_LENGTH: usize = 16;

/// A device that an account was signed in from, as [`succeeded`](crate::AllowedAttempt::succeeded) gives it: send its
/// [cookie](KnownDevice::set_cookie), and the next attempts from it are counted for themselves.
///
/// So whoever fails on purpose to have an account locked does not lock out its owner, who signs in from a device that
/// is known. The cookie lets nobody in and names nobody: it only vouches, with an HMAC, that this account was signed
/// in from there within the last [`KnownDevice::KNOWN_FOR`]. A stolen one is worth a few guesses at the password of
/// that one account, until it is locked for itself.
///
/// Source: OWASP, Slow Down Online Guessing Attacks with Device Cookies.
#[must_use = "the device is known by its cookie only: send it"]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KnownDevice {
    pub(crate) nonce: Nonce,
    signed_in_at: Timestamp,
    header: DeviceCookie,
}

pub(crate) type Nonce = [u8; NONCE_LENGTH];

/// The cookie, before it is text.
#[derive(Clone, Copy, PartialEq, Eq)]
struct DeviceCookie {
    bytes: [u8; SIGNED_LENGTH + TAG_LENGTH],
    secure: bool,
}

impl KnownDevice {
    /// How long a device is known after the last sign-in: 180 days. Longer than a holiday or a term, and short enough
    /// for a device that was given away to be forgotten.
    pub const KNOWN_FOR: Duration = Duration::from_hours(180 * 24);

    /// The device that just signed in to `account`: with the same nonce if it was known already.
    pub(crate) fn signed_in(
        account: &str,
        known: Option<Nonce>,
        keyring: &Keyring,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<Self, RandomError> {
        let nonce = match known {
            Some(nonce) => nonce,
            None => random_bytes()?,
        };
        let keys = keyring.current();
        let mut bytes = [0; SIGNED_LENGTH + TAG_LENGTH];
        let (signed, tag) = bytes.split_at_mut(SIGNED_LENGTH);
        signed[0] = VERSION;
        signed[1..5].copy_from_slice(keys.id().as_bytes());
        signed[5..21].copy_from_slice(&nonce);
        signed[21..].copy_from_slice(&now.as_millis().to_be_bytes());
        tag.copy_from_slice(&tag_of(keys.device(), signed, account).as_ref()[..TAG_LENGTH]);
        Ok(Self {
            nonce,
            signed_in_at: now,
            header: DeviceCookie {
                bytes,
                secure: policy.cookie_secure,
            },
        })
    }

    /// The `Set-Cookie` header by which the device is known the next time. `__Host-known-device`, `HttpOnly`,
    /// `SameSite=Lax`, and `Secure` unless the policy has that off.
    #[must_use]
    pub fn set_cookie(&self) -> HeaderValue {
        let value = Base64UrlUnpadded::encode_string(&self.header.bytes);
        let mut cookie = Cookie::new(name(self.header.secure), value);
        cookie.set_path("/");
        cookie.set_secure(self.header.secure);
        cookie.set_http_only(true);
        cookie.set_same_site(SameSite::Lax);
        let seconds = i64::try_from(Self::KNOWN_FOR.as_secs()).unwrap_or(i64::MAX);
        cookie.set_max_age(cookie::time::Duration::seconds(seconds));
        let mut header = HeaderValue::try_from(cookie.to_string())
            .expect("a cookie of base64url and fixed attributes is visible ASCII");
        header.set_sensitive(true);
        header
    }

    /// When the account was signed in from it.
    #[must_use]
    pub fn signed_in_at(&self) -> Timestamp {
        self.signed_in_at
    }
}

impl std::fmt::Debug for KnownDevice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KnownDevice")
            .field("signed_in_at", &self.signed_in_at)
            .finish_non_exhaustive()
    }
}

/// The nonce of the device that these headers come from, if `account` was signed in from it lately.
pub(crate) fn known_to(
    account: &str,
    headers: &HeaderMap,
    keyring: &Keyring,
    policy: &Policy,
    now: Timestamp,
) -> Option<Nonce> {
    cookies_named(headers, name(policy.cookie_secure))
        .find_map(|value| verified(value, account, keyring, now))
}

fn verified(value: &[u8], account: &str, keyring: &Keyring, now: Timestamp) -> Option<Nonce> {
    let mut bytes = [0; SIGNED_LENGTH + TAG_LENGTH];
    let decoded = Base64UrlUnpadded::decode(value, &mut bytes).ok()?;
    if decoded.len() != SIGNED_LENGTH + TAG_LENGTH || decoded[0] != VERSION {
        return None;
    }
    let (signed, tag) = bytes.split_at(SIGNED_LENGTH);
    let key_id = KeyId::from_bytes(signed[1..5].try_into().ok()?);
    let is_genuine = keyring.with_id(key_id).any(|(keys, _)| {
        let genuine = tag_of(keys.device(), signed, account);
        aws_lc_rs::constant_time::verify_slices_are_equal(&genuine.as_ref()[..TAG_LENGTH], tag).is_ok()
    });
    let signed_in_at = Timestamp::from_millis(u64::from_be_bytes(signed[21..].try_into().ok()?));
    let is_recent = signed_in_at.until(now) < KnownDevice::KNOWN_FOR;
    (is_genuine && is_recent)
        .then(|| signed[5..21].try_into().ok())
        .flatten()
}

fn tag_of(key: &hmac::Key, signed: &[u8], account: &str) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    // Of a fixed length, so that nothing of it can pass for a part of the account.
    context.update(signed);
    context.update(account.as_bytes());
    context.sign()
}

fn name(secure: bool) -> &'static str {
    if secure { NAME } else { NAME_WITHOUT_SECURE }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use http::header::COOKIE;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
    const NEW: &str = "T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r";
    const OLD: &str = "Yb0yP2kV9rT4nXwE6uLsJ1dHfCaGzmQ7";

    fn headers(cookie: &[u8]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Ok(cookie) = HeaderValue::from_bytes(cookie) {
            headers.insert(COOKIE, cookie);
        }
        headers
    }

    fn sent_back(device: &KnownDevice) -> HeaderMap {
        let set_cookie = device.set_cookie();
        headers(set_cookie.to_str().unwrap().split(';').next().unwrap().as_bytes())
    }

    fn nonce(account: &str, headers: &HeaderMap, keyring: &Keyring, now: Timestamp) -> Option<Nonce> {
        known_to(account, headers, keyring, &Policy::default(), now)
    }

    #[test]
    fn a_device_is_known_to_the_account_that_was_signed_in_from_it_and_to_no_other() {
        let keyring = Keyring::new(Secret::new(NEW));
        let device = KnownDevice::signed_in("ada", None, &keyring, &Policy::default(), NOW).unwrap();
        let sent = sent_back(&device);
        assert_eq!(nonce("ada", &sent, &keyring, NOW), Some(device.nonce));
        assert_eq!(nonce("ad", &sent, &keyring, NOW), None);
        assert_eq!(nonce("bob", &sent, &keyring, NOW), None);
        let again = KnownDevice::signed_in("ada", Some(device.nonce), &keyring, &Policy::default(), NOW);
        assert_eq!(again.unwrap().nonce, device.nonce);
    }

    #[test]
    fn a_device_is_forgotten_after_180_days_and_with_the_secret_that_vouches_for_it() {
        let old = Keyring::new(Secret::new(OLD));
        let sent = sent_back(&KnownDevice::signed_in("ada", None, &old, &Policy::default(), NOW).unwrap());
        let rotated = Keyring::new(Secret::new(NEW)).with_older(Secret::new(OLD));
        assert!(nonce("ada", &sent, &rotated, NOW).is_some());
        assert_eq!(nonce("ada", &sent, &Keyring::new(Secret::new(NEW)), NOW), None);
        let late = NOW.plus(KnownDevice::KNOWN_FOR);
        assert!(nonce("ada", &sent, &old, late.minus(Duration::from_millis(1))).is_some());
        assert_eq!(nonce("ada", &sent, &old, late), None);
    }

    #[test]
    fn the_cookie_has_every_attribute_and_debug_shows_nothing_of_it() {
        let keyring = Keyring::new(Secret::new(NEW));
        let device = KnownDevice::signed_in("ada", None, &keyring, &Policy::default(), NOW).unwrap();
        let set_cookie = device.set_cookie();
        let text = set_cookie.to_str().unwrap();
        let (pair, attributes) = text.split_once("; ").unwrap();
        let value = pair.strip_prefix("__Host-known-device=").unwrap();
        assert_eq!(value.len(), 60);
        let mut attributes: Vec<_> = attributes.split("; ").collect();
        attributes.sort_unstable();
        assert_eq!(
            attributes,
            ["HttpOnly", "Max-Age=15552000", "Path=/", "SameSite=Lax", "Secure"]
        );
        assert!(set_cookie.is_sensitive());
        assert!(!format!("{device:?}").contains(value));
        let insecure = Policy::default().cookie_name("session").cookie_secure(false);
        let device = KnownDevice::signed_in("ada", None, &keyring, &insecure, NOW).unwrap();
        assert!(device.set_cookie().to_str().unwrap().starts_with("known-device="));
    }

    proptest! {
        #[test]
        fn no_other_bytes_make_a_device_known(at in 0..60_usize, to in "[A-Za-z0-9_-]", noise in any::<Vec<u8>>()) {
            let keyring = Keyring::new(Secret::new(NEW));
            let device = KnownDevice::signed_in("ada", None, &keyring, &Policy::default(), NOW).unwrap();
            let value = Base64UrlUnpadded::encode_string(&device.header.bytes);
            let mut forged = value.clone();
            forged.replace_range(at..=at, &to);
            prop_assume!(forged != value);
            prop_assert_eq!(nonce("ada", &headers(format!("{NAME}={forged}").as_bytes()), &keyring, NOW), None);
            let noise = [NAME.as_bytes(), b"=", &noise].concat();
            prop_assert_eq!(nonce("ada", &headers(&noise), &keyring, NOW), None);
        }
    }
}
