//! How often something was tried in vain, for limits that all instances keep together.

use std::fmt;

use crate::clock::Timestamp;
use crate::hex::write_hex;

/// What attempts are counted under: 32 bytes that say nothing of what was tried, for the engine makes them with an HMAC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptsKey([u8; AttemptsKey::LENGTH]);

/// How often something was tried in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempts {
    /// What compare-and-set compares. Greater with each change; never 0, and at most 2^53.
    pub version: u64,
    /// How many failed in a row.
    pub failures: u32,
    /// When the last one failed.
    pub last_failed_at: Timestamp,
    /// Until when nobody may try again.
    pub blocked_until: Timestamp,
    /// From when on it is all forgotten.
    pub expires_at: Timestamp,
}

impl AttemptsKey {
    /// Bytes of a key.
    pub const LENGTH: usize = 32;

    /// A key of these bytes.
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

impl fmt::Display for AttemptsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl fmt::Debug for AttemptsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AttemptsKey({self})")
    }
}
