//! A new secret, as text.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use tenure_core::Secret;
use zeroize::Zeroizing;

/// A newly made secret as the text that goes into a source. `Debug` shows nothing of it, and it is zeroed when dropped.
///
/// ```
/// use tenure_secrets::SecretText;
///
/// let new = SecretText::generate()?;
/// assert_eq!(new.expose().len(), 43);
/// assert_eq!(new.to_secret().weakness(), None);
/// assert_eq!(format!("{new:?}"), "SecretText(redacted)");
/// # Ok::<(), tenure_secrets::GenerateError>(())
/// ```
pub struct SecretText(Zeroizing<String>);

/// The operating system gave no random bytes.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the operating system gave no random bytes; try again, and check that its generator is set up")]
pub struct GenerateError(#[source] getrandom::Error);

impl SecretText {
    /// 32 bytes of the operating system's generator in base64url (RFC 4648, section 5) without padding: 43 characters.
    ///
    /// # Errors
    /// If the operating system gives no random bytes.
    pub fn generate() -> Result<Self, GenerateError> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *bytes).map_err(GenerateError)?;
        Ok(Self(Zeroizing::new(Base64UrlUnpadded::encode_string(&*bytes))))
    }

    /// The same in hexadecimal: 64 characters.
    ///
    /// # Errors
    /// If the operating system gives no random bytes.
    pub fn generate_hex() -> Result<Self, GenerateError> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *bytes).map_err(GenerateError)?;
        let mut text = Zeroizing::new(String::with_capacity(64));
        for byte in bytes.iter() {
            for nibble in [byte >> 4, byte & 15] {
                text.push(char::from(b"0123456789abcdef"[usize::from(nibble)]));
            }
        }
        Ok(Self(text))
    }

    /// The text itself, to write it down somewhere safe.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The secret that an application reads from that text.
    #[must_use]
    pub fn to_secret(&self) -> Secret {
        Secret::new(self.0.as_bytes())
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(redacted)")
    }
}
