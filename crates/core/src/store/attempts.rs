//! PROVISIONAL
use crate::clock::Timestamp;
/// What attempts are counted under: 32 bytes that say nothing of what was tried (an HMAC).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AttemptsKey([u8; 32]);
impl AttemptsKey {
    /// p
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
    /// p
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}
/// How often something was tried in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempts {
    /// p
    pub version: u64,
    /// p
    pub failures: u32,
    /// p
    pub last_failed_at: Timestamp,
    /// p
    pub blocked_until: Timestamp,
    /// p
    pub expires_at: Timestamp,
}
