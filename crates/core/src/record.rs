//! What a store keeps of a session.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::clock::Timestamp;
use crate::device::Device;
use crate::lineage::Lineage;
use crate::owner::Owner;
use crate::session_id::SessionId;
use crate::token::SecretHash;

/// What a store keeps under a [`SessionId`]: metadata that an operator may list and revoke by, and
/// the data as opaque bytes.
///
/// Nothing in it opens a session: of the browser's secret it has only a hash, and the data is
/// sealed under a key that needs that secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// The session's name, and the store's key.
    pub id: SessionId,
    /// 1 when inserted, one more with each update: what compare-and-set compares.
    pub version: u64,
    /// SHA-256 of the secret that the browser bears.
    pub secret_hash: SecretHash,
    /// SHA-256 of the secret before the last renewal.
    pub previous_secret_hash: Option<SecretHash>,
    /// How the session came by its secret. Opaque to a store.
    pub lineage: Lineage,
    /// The signed-in user.
    pub owner: Option<Owner>,
    /// When the session came to be.
    pub created_at: Timestamp,
    /// When its owner signed in.
    pub signed_in_at: Option<Timestamp>,
    /// The last activity, up to the coalescing of touches.
    pub last_seen_at: Timestamp,
    /// How long after the last activity the session ends.
    pub idle_timeout: Duration,
    /// When the session ends whatever happens.
    pub absolute_deadline: Timestamp,
    /// Which pair of the policy's timeouts it lives by.
    pub lifetime: Lifetime,
    /// The device it was created or signed in on.
    pub device: Device,
    /// The application's data, sealed. Opaque to a store.
    pub data: Bytes,
}

/// Which of the policy's two pairs of timeouts a session lives by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lifetime {
    /// The ordinary, short pair.
    #[default]
    Standard,
    /// "Keep me signed in": the longer pair.
    Remembered,
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Standard => "standard",
            Self::Remembered => "remembered",
        })
    }
}

/// Which timeout ended a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// Nobody was active for longer than the idle timeout.
    Idle,
    /// The absolute timeout since sign-in, or since creation, passed.
    Absolute,
}

/// When a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// When it ends if nobody is active before; never later than `absolute`.
    pub idle: Timestamp,
    /// When it ends whatever happens.
    pub absolute: Timestamp,
}

impl Record {
    /// When the session ends, by each timeout.
    #[must_use]
    pub fn deadlines(&self) -> Deadlines {
        let idle = self
            .last_seen_at
            .plus(self.idle_timeout)
            .min(self.absolute_deadline);
        Deadlines {
            idle,
            absolute: self.absolute_deadline,
        }
    }

    /// The moment from which the session is over: the earlier of its deadlines. A store that
    /// expires rows indexes this.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.deadlines().idle
    }

    /// Whether the session is over at `now`, and by which timeout. At the deadline itself it is.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tenure_core::Expiry;
    /// # use tenure_core::{Lifetime, Record, SecretHash, SessionId, Timestamp};
    /// # let record = Record {
    /// #     id: SessionId::from_bytes([0; 16]), version: 1, secret_hash: SecretHash::from_bytes([0; 32]),
    /// #     previous_secret_hash: None, lineage: tenure_core::Lineage::begun(Timestamp::from_millis(0)), owner: None, created_at: Timestamp::from_millis(0),
    /// #     signed_in_at: None, last_seen_at: Timestamp::from_millis(0),
    /// #     idle_timeout: Duration::from_millis(10), absolute_deadline: Timestamp::from_millis(100),
    /// #     lifetime: Lifetime::Standard, device: Default::default(), data: Default::default(),
    /// # };
    /// assert_eq!(record.expiry(Timestamp::from_millis(9)), None);
    /// assert_eq!(record.expiry(Timestamp::from_millis(10)), Some(Expiry::Idle));
    /// assert_eq!(record.expiry(Timestamp::from_millis(100)), Some(Expiry::Absolute));
    /// ```
    #[must_use]
    pub fn expiry(&self, now: Timestamp) -> Option<Expiry> {
        if now >= self.absolute_deadline {
            Some(Expiry::Absolute)
        } else if now >= self.last_seen_at.plus(self.idle_timeout) {
            Some(Expiry::Idle)
        } else {
            None
        }
    }
}

/// A record to keep, without what is sealed in it.
pub(crate) fn without_data(record: Record) -> Record {
    Record {
        data: Bytes::new(),
        ..record
    }
}

/// Puts `record` where another one is, and leaves that to those who share it.
pub(crate) fn replace(place: &mut Arc<Record>, record: Record) {
    match Arc::get_mut(place) {
        Some(place) => *place = record,
        None => *place = Arc::new(record),
    }
}

/// Frees the sealed data once it is opened, unless the store shares it.
pub(crate) fn free_data(record: &mut Arc<Record>) {
    if let Some(record) = Arc::get_mut(record) {
        record.data = Bytes::new();
    }
}

impl fmt::Debug for Record {
    /// Shows how long the data is instead of the data, which a policy may leave unsealed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("id", &self.id)
            .field("version", &self.version)
            .field("lineage", &self.lineage)
            .field("owner", &self.owner)
            .field("created_at", &self.created_at)
            .field("signed_in_at", &self.signed_in_at)
            .field("last_seen_at", &self.last_seen_at)
            .field("idle_timeout", &self.idle_timeout)
            .field("absolute_deadline", &self.absolute_deadline)
            .field("lifetime", &self.lifetime)
            .field("device", &self.device)
            .field("data_bytes", &self.data.len())
            .finish_non_exhaustive()
    }
}
