//! The name of a session.

use std::fmt;
use std::str::FromStr;

use crate::hex::write_hex;
use crate::random::{RandomError, random_bytes};

/// 16 random bytes that name a session for its whole life: the store's key, what logs and
/// account pages show. Knowing it gives no access: what the browser bears is a secret beside it.
///
/// Written as 32 lower-case hexadecimal digits, fit for a URL, a form field or a command line.
///
/// ```
/// use tenure_core::SessionId;
///
/// let id: SessionId = "00112233445566778899aabbccddeeff".parse()?;
/// assert_eq!(id.to_string(), "00112233445566778899aabbccddeeff");
/// assert!("0011".parse::<SessionId>().is_err());
/// # Ok::<(), tenure_core::SessionIdError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId([u8; SessionId::LENGTH]);

/// The text is not a session id. Expected: 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a session id: expected 32 hexadecimal digits")]
pub struct SessionIdError;

impl SessionId {
    /// Bytes of an id.
    pub const LENGTH: usize = 16;

    pub(crate) fn generate() -> Result<Self, RandomError> {
        random_bytes().map(Self)
    }

    /// An id from the bytes that a store kept.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// The bytes, as a store keeps them.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({self})")
    }
}

impl FromStr for SessionId {
    type Err = SessionIdError;

    fn from_str(text: &str) -> Result<Self, SessionIdError> {
        let digits = text.as_bytes();
        if digits.len() != 2 * Self::LENGTH {
            return Err(SessionIdError);
        }
        let mut bytes = [0; Self::LENGTH];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
        }
        Ok(Self(bytes))
    }
}

fn hex_digit(digit: u8) -> Result<u8, SessionIdError> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        b'A'..=b'F' => Ok(digit - b'A' + 10),
        _ => Err(SessionIdError),
    }
}
