//! Signing and verifying as cookie-signature does.

use std::fmt;

use aws_lc_rs::{constant_time, hmac};
use base64ct::{Base64Unpadded, Encoding};

/// The secrets that sign express-session's cookies: the current one signs, all of them verify, in order.
///
/// Any string or bytes will do, as in express-session, which asks nothing of them; the
/// [`Weakness`](crate::Weakness) of one is for the caller to look at. They are used as HMAC-SHA256 keys as they are:
/// nothing is derived from them.
///
/// ```
/// use tenure_core::express::CookieSecrets;
///
/// let secrets = CookieSecrets::new("keyboard cat");
/// assert_eq!(secrets.sign("hello"), "hello.xz6khi6+oL1pnNhBgjk3Nr1CX2sxTjJiO9pKXaHZ33E");
/// assert_eq!(secrets.unsign(&secrets.sign("hello")), Some("hello"));
/// assert_eq!(secrets.unsign("hello.forged"), None);
/// ```
#[derive(Clone)]
pub struct CookieSecrets {
    current: hmac::Key,
    older: Vec<hmac::Key>,
}

impl CookieSecrets {
    /// One secret, which signs and verifies.
    #[must_use]
    pub fn new(current: impl AsRef<[u8]>) -> Self {
        Self {
            current: hmac::Key::new(hmac::HMAC_SHA256, current.as_ref()),
            older: Vec::new(),
        }
    }

    /// And one more, which verifies only.
    #[must_use]
    pub fn with_older(mut self, older: impl AsRef<[u8]>) -> Self {
        self.older.push(hmac::Key::new(hmac::HMAC_SHA256, older.as_ref()));
        self
    }

    /// `value`, a dot, and the standard base64 of HMAC-SHA256(current secret, `value`) without padding.
    #[must_use]
    pub fn sign(&self, value: &str) -> String {
        format!("{value}.{}", signature(&self.current, value))
    }

    /// What was signed, if one of the secrets did. Compared in constant time.
    #[must_use]
    pub fn unsign<'v>(&self, signed: &'v str) -> Option<&'v str> {
        let (value, given) = signed.rsplit_once('.')?;
        std::iter::once(&self.current)
            .chain(&self.older)
            .any(|key| {
                let expected = signature(key, value);
                constant_time::verify_slices_are_equal(expected.as_bytes(), given.as_bytes()).is_ok()
            })
            .then_some(value)
    }
}

// The text is compared and not the bytes it stands for: base64 has several spellings of the same bytes, and
// cookie-signature accepts one.
fn signature(key: &hmac::Key, value: &str) -> String {
    Base64Unpadded::encode_string(hmac::sign(key, value.as_bytes()).as_ref())
}

impl fmt::Debug for CookieSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CookieSecrets")
            .field("older", &self.older.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn signs_as_cookie_signature_does() {
        // From cookie-signature 1.0.7.
        assert_eq!(
            CookieSecrets::new("tobiiscool").sign("hello"),
            "hello.DGDUkGlIkCzPz+C0B064FNgHdEjox7ch8tOBGslZ5QI"
        );
    }

    #[test]
    fn an_empty_secret_and_bytes_that_are_not_text_sign_too() {
        for secret in [&b""[..], &[0xff, 0x00, 0xfe]] {
            let secrets = CookieSecrets::new(secret);
            assert_eq!(secrets.unsign(&secrets.sign("a")), Some("a"));
        }
    }

    #[test]
    fn what_an_older_secret_signed_is_accepted_and_what_an_unknown_one_signed_is_not() {
        let ring = CookieSecrets::new("new").with_older("old").with_older("oldest");
        assert_eq!(
            ring.unsign(&CookieSecrets::new("oldest").sign("a.b")),
            Some("a.b")
        );
        assert_eq!(ring.unsign(&CookieSecrets::new("other").sign("a.b")), None);
        assert_eq!(ring.sign("a"), CookieSecrets::new("new").sign("a"));
    }

    #[test]
    fn debug_shows_no_secret() {
        let secrets = CookieSecrets::new("visible?").with_older("visible!");
        assert_eq!(format!("{secrets:?}"), "CookieSecrets { older: 1, .. }");
    }

    proptest! {
        #[test]
        fn whatever_is_signed_is_read_back(value in any::<String>(), secret in any::<Vec<u8>>()) {
            let secrets = CookieSecrets::new(secret);
            let signed = secrets.sign(&value);
            prop_assert_eq!(secrets.unsign(&signed), Some(value.as_str()));
        }

        #[test]
        fn one_changed_character_is_refused(value in "[a-z.]{0,40}", at in any::<prop::sample::Index>()) {
            let secrets = CookieSecrets::new("keyboard cat");
            let mut forged = secrets.sign(&value).into_bytes();
            let at = at.index(forged.len());
            forged[at] = if forged[at] == b'#' { b'$' } else { b'#' };
            let forged = String::from_utf8(forged).unwrap();
            prop_assert_eq!(secrets.unsign(&forged), None);
        }
    }
}
