//! A library's store, and the sessions that are in it.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::Serialize;

/// When a write is acknowledged: once it is on the disk, or once the operating system has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Durability {
    Full,
    Normal,
}

/// Sessions are numbered; each call is as the library's own layer makes it.
pub trait Keep: Send + Sync {
    fn create(&self, number: u64) -> BoxFuture<'_, anyhow::Result<()>>;
    fn load(&self, number: u64) -> BoxFuture<'_, anyhow::Result<()>>;
    /// No two at once of one number.
    fn save(&self, number: u64) -> BoxFuture<'_, anyhow::Result<()>>;
}

pub type Keeper = Arc<dyn Keep>;

/// The bytes of the id of the session with this number, spread over all ids as random ones are.
pub fn id(number: u64) -> [u8; 16] {
    u128::from(number + 1)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
        .to_be_bytes()
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Full => "synchronous=FULL",
            Self::Normal => "synchronous=NORMAL",
        })
    }
}
