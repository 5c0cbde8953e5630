//! The token: derived from the session's secret, masked anew each time it is given out.

use std::fmt;

use aws_lc_rs::{constant_time, hmac};
use base64ct::{Base64UrlUnpadded, Encoding};

use crate::random::{RandomError, random_bytes};
use crate::token::TokenSecret;
use crate::wiped::Wiped;

/// What a page of a session sends along to prove that it is one: a synchronizer token (OWASP Cross-Site Request Forgery
/// Prevention Cheat Sheet; NIST SP 800-63B-4, section 5.1). `Display` is its text: 86 letters, digits, `-` and `_`.
///
/// It is HMAC-SHA256 of a label under the session's secret, of which it takes the half that periodic renewals keep. So
/// nothing of it is stored, it is this session's alone, and renewing, signing in and ending the session end it; a
/// [periodic renewal](crate::Policy::renew_every) does not, for the user may be filling in the form. The secret can't be found from it, and without the
/// cookie it is worth nothing.
///
/// Each one that is given out is masked with fresh random bytes, so that its text is another in each response, and
/// compressing the response leaks nothing of it (BREACH). All of them are good until the session's secret changes.
///
/// ```
/// # use tenure_core::{CsrfToken, Session, CommitError};
/// async fn form(session: &Session) -> Result<String, CommitError> {
///     let token = session.csrf_token().await?;
///     Ok(format!("<form method=post>{}<button>Pay</button></form>", token.hidden_field()))
/// }
/// ```
#[derive(Clone)]
pub struct CsrfToken {
    text: String,
}

const KEY_LENGTH: usize = 32;
const TOKEN_BYTES: usize = 2 * KEY_LENGTH;
const LABEL: &[u8] = b"tenure csrf 1";

/// Characters of a token.
pub(super) const TEXT_LENGTH: usize = (TOKEN_BYTES * 8).div_ceil(6);

impl CsrfToken {
    /// The request header that a script sends it in.
    pub const HEADER: &'static str = "x-csrf-token";
    /// The field that a form sends it in.
    pub const FIELD: &'static str = "_csrf";

    /// The text, as it goes into a page.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The hidden field for an HTML form. Make it the form's first one: a form that uploads files is read only until
    /// there.
    #[must_use]
    pub fn hidden_field(&self) -> String {
        let (name, text) = (Self::FIELD, &self.text);
        format!("<input type=\"hidden\" name=\"{name}\" value=\"{text}\">")
    }
}

impl fmt::Display for CsrfToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for CsrfToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CsrfToken(redacted)")
    }
}

/// The token without its mask. Whoever holds a session's secret can make it, and from it nobody can make the secret.
pub(crate) struct CsrfKey(Wiped<KEY_LENGTH>);

impl CsrfKey {
    /// The key of whoever bears this secret, or one that a periodic renewal put before or after it.
    pub(crate) fn of(secret: &TokenSecret) -> Self {
        let mut key = Wiped::zero();
        hmac::sign_to_buffer(
            &hmac::Key::new(hmac::HMAC_SHA256, secret.root()),
            LABEL,
            &mut *key,
        )
        .expect("the buffer is as long as an HMAC-SHA-256");
        Self(key)
    }

    /// The key of nobody.
    pub(crate) fn random() -> Result<Self, RandomError> {
        random_bytes().map(Wiped::new).map(Self)
    }

    /// A token under a fresh mask.
    pub(crate) fn masked(&self) -> Result<CsrfToken, RandomError> {
        let mask: [u8; KEY_LENGTH] = random_bytes()?;
        let mut bytes = Wiped::<TOKEN_BYTES>::zero();
        bytes[..KEY_LENGTH].copy_from_slice(&mask);
        for (at, byte) in bytes[KEY_LENGTH..].iter_mut().enumerate() {
            *byte = mask[at] ^ self.0[at];
        }
        Ok(CsrfToken {
            text: Base64UrlUnpadded::encode_string(&*bytes),
        })
    }

    /// Whether `text` is a token of this key, under whatever mask. Takes the same time for every wrong one.
    pub(crate) fn verifies(&self, text: &[u8]) -> bool {
        let mut bytes = Wiped::<TOKEN_BYTES>::zero();
        let is_whole =
            Base64UrlUnpadded::decode(text, &mut *bytes).is_ok_and(|bytes| bytes.len() == TOKEN_BYTES);
        let (mask, masked) = bytes.split_at_mut(KEY_LENGTH);
        for (byte, mask) in masked.iter_mut().zip(mask) {
            *byte ^= *mask;
        }
        is_whole && constant_time::verify_slices_are_equal(masked, &*self.0).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> CsrfKey {
        CsrfKey::of(&TokenSecret::generate().unwrap())
    }

    #[test]
    fn the_format_is_the_documented_one_byte_for_byte() {
        let secret = TokenSecret::generate().unwrap();
        let token = CsrfKey::of(&secret).masked().unwrap();
        assert_eq!(token.as_str().len(), 86);
        assert_eq!(TEXT_LENGTH, 86);
        let bytes = Base64UrlUnpadded::decode_vec(token.as_str()).unwrap();
        let unmasked: Vec<u8> = (0..32).map(|at| bytes[at] ^ bytes[32 + at]).collect();
        let expected = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, secret.root()),
            b"tenure csrf 1",
        );
        assert_eq!(unmasked, expected.as_ref());
    }

    #[test]
    fn a_token_is_of_one_secret_only() {
        let (mine, other) = (key(), key());
        let token = mine.masked().unwrap();
        assert!(mine.verifies(token.as_str().as_bytes()));
        assert!(!other.verifies(token.as_str().as_bytes()));
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        let key = key();
        let genuine = Base64UrlUnpadded::decode_vec(key.masked().unwrap().as_str()).unwrap();
        for bit in 0..genuine.len() * 8 {
            let mut bytes = genuine.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(
                !key.verifies(Base64UrlUnpadded::encode_string(&bytes).as_bytes()),
                "bit {bit}"
            );
        }
    }

    #[test]
    fn debug_shows_no_token() {
        let token = key().masked().unwrap();
        assert_eq!(format!("{token:?}"), "CsrfToken(redacted)");
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_without_a_panic(text in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(!key().verifies(&text));
        }

        #[test]
        fn any_text_of_the_right_alphabet_and_length_is_refused(text in "[A-Za-z0-9_-]{86}") {
            prop_assert!(!key().verifies(text.as_bytes()));
        }

        #[test]
        fn every_token_verifies_and_nothing_around_it_does(padding in "[ =A-Za-z0-9_-]{1,3}") {
            let key = key();
            let token = key.masked().unwrap();
            let text = token.as_str();
            prop_assert!(key.verifies(text.as_bytes()));
            for other in [format!("{text}{padding}"), format!("{padding}{text}"), text[..85].to_owned()] {
                prop_assert!(!key.verifies(other.as_bytes()));
            }
        }
    }
}
