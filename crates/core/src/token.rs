//! What the browser bears: the token, and the cookie value it travels in.

use std::fmt;

use aws_lc_rs::{constant_time, digest, hmac};

use crate::base64url;
use crate::keyring::{KeyId, KeyRole, Keyring, Keys};
use crate::random::{RandomError, random_bytes};
use crate::session_id::SessionId;
use crate::wiped::Wiped;

/// A session id and the secret that proves the right to use it.
///
/// `Debug` shows the id alone.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) id: SessionId,
    /// How many secrets this session had before this one.
    pub(crate) generation: u32,
    pub(crate) secret: TokenSecret,
}

/// 32 random bytes that only the browser keeps. Never stored, never logged, zeroed when dropped.
#[derive(Clone)]
pub(crate) struct TokenSecret(Wiped<{ TokenSecret::LENGTH }>);

/// SHA-256 of a token's secret: what a store keeps instead of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SecretHash([u8; SecretHash::LENGTH]);

/// Why a cookie is not one of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CookieFault {
    /// Not the form of a cookie of ours.
    Malformed,
    /// The right form, but not signed by the key that it names.
    Forged,
    /// The right form, but it names no key of the ring.
    UnknownKey,
}

const VERSION: u8 = 1;
const KEY_ID_AT: usize = 1;
const SESSION_ID_AT: usize = KEY_ID_AT + KeyId::LENGTH;
const GENERATION_AT: usize = SESSION_ID_AT + SessionId::LENGTH;
const SECRET_AT: usize = GENERATION_AT + 4;
const TAG_AT: usize = SECRET_AT + TokenSecret::LENGTH;
const TAG_LENGTH: usize = 16;
const COOKIE_BYTES: usize = TAG_AT + TAG_LENGTH;

/// Characters in a cookie's value.
pub(crate) const COOKIE_VALUE_LENGTH: usize = (COOKIE_BYTES * 4).div_ceil(3);

impl Token {
    pub(crate) fn generate() -> Result<Self, RandomError> {
        Ok(Self {
            id: SessionId::generate()?,
            generation: 0,
            secret: TokenSecret::generate()?,
        })
    }

    /// The value of a cookie of this name, signed by the current key.
    pub(crate) fn to_cookie(&self, cookie_name: &str, keyring: &Keyring) -> String {
        let keys = keyring.current();
        let mut bytes = Wiped::<COOKIE_BYTES>::zero();
        bytes[0] = VERSION;
        bytes[KEY_ID_AT..SESSION_ID_AT].copy_from_slice(keys.id().as_bytes());
        bytes[SESSION_ID_AT..GENERATION_AT].copy_from_slice(self.id.as_bytes());
        bytes[GENERATION_AT..SECRET_AT].copy_from_slice(&self.generation.to_be_bytes());
        bytes[SECRET_AT..TAG_AT].copy_from_slice(self.secret.expose());
        let tag = tag(keys, cookie_name, &bytes[..TAG_AT]);
        bytes[TAG_AT..].copy_from_slice(&tag.as_ref()[..TAG_LENGTH]);
        base64url::encode(*bytes)
    }

    /// Reads and verifies a cookie's value, without a look at any store.
    pub(crate) fn from_cookie(
        value: &[u8],
        cookie_name: &str,
        keyring: &Keyring,
    ) -> Result<(Self, KeyRole), CookieFault> {
        let bytes = decoded(value).ok_or(CookieFault::Malformed)?;
        if bytes[0] != VERSION {
            return Err(CookieFault::Malformed);
        }
        let (signed, tag) = bytes.split_at(TAG_AT);
        let role = signer(keyring, cookie_name, signed, tag)?;
        Ok((Self::in_signed(signed), role))
    }

    fn in_signed(signed: &[u8]) -> Self {
        Self {
            id: SessionId::from_bytes(array_at(signed, SESSION_ID_AT)),
            generation: u32::from_be_bytes(array_at(signed, GENERATION_AT)),
            secret: TokenSecret::from_bytes(array_at(signed, SECRET_AT)),
        }
    }
}

fn decoded(value: &[u8]) -> Option<Wiped<COOKIE_BYTES>> {
    // Its own check of the length is for a buffer that may be too long as well.
    if value.len() != COOKIE_VALUE_LENGTH {
        return None;
    }
    let mut bytes = Wiped::zero();
    let length = base64url::decode_into(value, &mut *bytes).ok()?;
    (length == COOKIE_BYTES).then_some(bytes)
}

fn signer(keyring: &Keyring, cookie_name: &str, signed: &[u8], tag: &[u8]) -> Result<KeyRole, CookieFault> {
    let mut fault = CookieFault::UnknownKey;
    for (keys, role) in keyring.with_id(KeyId::from_bytes(array_at(signed, KEY_ID_AT))) {
        if tag_is_genuine(keys, cookie_name, signed, tag) {
            keys.count_cookie();
            return Ok(role);
        }
        fault = CookieFault::Forged;
    }
    Err(fault)
}

fn tag(keys: &Keys, cookie_name: &str, signed: &[u8]) -> hmac::Tag {
    // The signed part has one length only, so the name before it can't be shifted into it.
    let mut context = hmac::Context::with_key(keys.cookie());
    context.update(cookie_name.as_bytes());
    context.update(signed);
    context.sign()
}

fn tag_is_genuine(keys: &Keys, cookie_name: &str, signed: &[u8], claimed: &[u8]) -> bool {
    let expected = tag(keys, cookie_name, signed);
    constant_time::verify_slices_are_equal(&expected.as_ref()[..TAG_LENGTH], claimed).is_ok()
}

fn array_at<const N: usize>(bytes: &[u8], start: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[start..start + N]);
    array
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({}, redacted)", self.id)
    }
}

/// The value of a cookie that was verified. Zeroed when dropped.
pub(crate) struct CookieText(Wiped<COOKIE_VALUE_LENGTH>);

impl CookieText {
    pub(crate) fn of(value: &[u8; COOKIE_VALUE_LENGTH]) -> Self {
        Self(Wiped::new(*value))
    }

    /// What the value bears. One that does not decode was never verified, and bears nobody's secret.
    pub(crate) fn token(&self) -> Token {
        let bytes = decoded(&*self.0).unwrap_or_else(Wiped::zero);
        Token::in_signed(&bytes[..TAG_AT])
    }
}

impl TokenSecret {
    pub(crate) const LENGTH: usize = 32;
    const ROOT_LENGTH: usize = 16;

    pub(crate) fn generate() -> Result<Self, RandomError> {
        random_bytes().map(Self::from_bytes)
    }

    /// The secret that follows this one in a periodic renewal: the same root, and 16 new random bytes, which are as
    /// hard to guess as any key of AES-128 for whoever knows this secret.
    pub(crate) fn successor(&self) -> Result<Self, RandomError> {
        let mut successor = self.clone();
        successor.0[Self::ROOT_LENGTH..].copy_from_slice(&random_bytes::<16>()?);
        Ok(successor)
    }

    /// The half that periodic renewals leave as it is, and renewals that take effect at once do not: so a page that
    /// was rendered before a periodic renewal still has a good CSRF token.
    pub(crate) fn root(&self) -> &[u8] {
        &self.0[..Self::ROOT_LENGTH]
    }

    pub(crate) fn hash(&self) -> SecretHash {
        SecretHash(digest_array(self.expose()))
    }

    pub(crate) fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(Wiped::new(bytes))
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(self.expose(), other.expose()).is_ok()
    }

    pub(crate) fn expose(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

fn digest_array(bytes: &[u8]) -> [u8; SecretHash::LENGTH] {
    array_at(digest::digest(&digest::SHA256, bytes).as_ref(), 0)
}

impl fmt::Debug for TokenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSecret(redacted)")
    }
}

impl SecretHash {
    /// Bytes in a hash.
    pub const LENGTH: usize = 32;

    /// A hash from the bytes that a store kept.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// The bytes, as a store keeps them.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    pub(crate) fn matches(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use proptest::prelude::*;

    const NAME: &str = "__Host-session";

    fn keyring() -> Keyring {
        Keyring::new(Secret::new("T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r"))
    }

    fn fault(value: &[u8]) -> Option<CookieFault> {
        Token::from_cookie(value, NAME, &keyring()).err()
    }

    #[test]
    fn a_cookie_is_98_characters_and_comes_back_as_the_token_it_was() {
        let token = Token::generate().unwrap();
        let value = token.to_cookie(NAME, &keyring());
        assert_eq!(value.len(), COOKIE_VALUE_LENGTH);
        assert_eq!(value.len(), 98);
        let (read, age) = Token::from_cookie(value.as_bytes(), NAME, &keyring()).unwrap();
        assert_eq!(age, KeyRole::Current);
        assert_eq!(read.id, token.id);
        assert_eq!(read.secret.expose(), token.secret.expose());
    }

    #[test]
    fn the_format_is_the_documented_one_byte_for_byte() {
        let token = Token {
            id: SessionId::from_bytes([0x11; 16]),
            generation: 0x3344_5566,
            secret: TokenSecret::from_bytes([0x22; 32]),
        };
        let value = token.to_cookie(NAME, &keyring());
        let bytes = decoded(value.as_bytes()).unwrap();
        let keyring = keyring();
        assert_eq!(bytes[0], 1);
        assert_eq!(&bytes[1..5], keyring.current_key_id().as_bytes());
        assert_eq!(&bytes[5..21], [0x11; 16]);
        assert_eq!(&bytes[21..25], [0x33, 0x44, 0x55, 0x66]);
        assert_eq!(&bytes[25..57], [0x22; 32]);
        let mut message = NAME.as_bytes().to_vec();
        message.extend_from_slice(&bytes[..57]);
        let tag = hmac::sign(keyring.current().cookie(), &message);
        assert_eq!(&bytes[57..], &tag.as_ref()[..16]);
    }

    #[test]
    fn an_older_secret_still_verifies_and_a_dropped_one_does_not() {
        let old = "Yb0yP2kV9rT4nXwE6uLsJ1dHfCaGzmQ7";
        let value = Token::generate()
            .unwrap()
            .to_cookie(NAME, &Keyring::new(Secret::new(old)));
        let rotated = keyring().with_older(Secret::new(old));
        let (_, age) = Token::from_cookie(value.as_bytes(), NAME, &rotated).unwrap();
        assert_eq!(age, KeyRole::Older);
        assert_eq!(fault(value.as_bytes()), Some(CookieFault::UnknownKey));
    }

    #[test]
    fn a_cookie_of_another_name_is_forged() {
        let value = Token::generate().unwrap().to_cookie("__Host-admin", &keyring());
        assert_eq!(fault(value.as_bytes()), Some(CookieFault::Forged));
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        let value = Token::generate().unwrap().to_cookie(NAME, &keyring());
        let genuine = decoded(value.as_bytes()).unwrap();
        for bit in 0..genuine.len() * 8 {
            let mut bytes = genuine.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let forged = base64url::encode(*bytes);
            assert!(fault(forged.as_bytes()).is_some(), "bit {bit}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let token = Token {
            id: SessionId::from_bytes([1; 16]),
            generation: 2,
            secret: TokenSecret::from_bytes([0x61; 32]),
        };
        let shown = format!("{token:?} {:?} {:?}", token.secret, token.secret.hash());
        assert!(!shown.contains("97") && !shown.contains("61"), "{shown}");
    }

    proptest! {
        #[test]
        fn any_value_is_refused_without_a_panic(value in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(fault(&value).is_some());
        }

        #[test]
        fn any_value_of_the_right_alphabet_and_length_is_refused(value in "[A-Za-z0-9_-]{98}") {
            prop_assert!(fault(value.as_bytes()).is_some());
        }

        #[test]
        fn every_token_comes_back_and_only_in_one_spelling(id: [u8; 16], generation: u32, secret: [u8; 32]) {
            let token = Token { id: SessionId::from_bytes(id), generation, secret: TokenSecret::from_bytes(secret) };
            let value = token.to_cookie(NAME, &keyring());
            let (read, _) = Token::from_cookie(value.as_bytes(), NAME, &keyring()).unwrap();
            prop_assert_eq!(read.id, token.id);
            prop_assert_eq!(read.generation, token.generation);
            prop_assert_eq!(read.secret.expose(), token.secret.expose());
            for other in [format!("{value}="), format!(" {value}"), value[..97].to_owned()] {
                prop_assert_eq!(fault(other.as_bytes()), Some(CookieFault::Malformed));
            }
        }
    }
}
