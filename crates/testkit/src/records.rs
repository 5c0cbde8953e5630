//! Records that begin now, for tests of stores at servers that expire them by their own clock, and short names
//! for what is done with them.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tenure_core::store::{Inserted, Touch, Updated};
use tenure_core::{
    Clock, Device, Lifetime, Lineage, Owner, Record, SecretHash, SessionId, Store, SystemClock, Timestamp,
};
use tokio::time::sleep;

/// The hash of the secret that the sessions' bearer has.
pub const BEARER: SecretHash = SecretHash::from_bytes([0xa5; SecretHash::LENGTH]);

/// The idle timeout of the sessions.
pub const HOUR: Duration = Duration::from_secs(60 * 60);

/// By when a store works again after a fault, on a busy machine, too.
pub const RECOVERED_WITHIN: Duration = Duration::from_secs(30);

/// The time on the wall.
#[must_use]
pub fn now() -> Timestamp {
    SystemClock.now()
}

/// The owner of this name.
///
/// # Panics
/// If it can't be one.
#[must_use]
pub fn owner(name: &str) -> Owner {
    Owner::new(name).expect("a fitting owner")
}

/// The session id of this number.
#[must_use]
pub fn id(number: u8) -> SessionId {
    SessionId::from_bytes([number; SessionId::LENGTH])
}

/// A session without an owner that begins now.
#[must_use]
pub fn session(number: u8) -> Record {
    let now = now();
    Record {
        id: id(number),
        version: 1,
        secret_hash: BEARER,
        previous_secret_hash: None,
        lineage: Lineage::begun(now),
        owner: None,
        created_at: now,
        signed_in_at: None,
        last_seen_at: now,
        idle_timeout: HOUR,
        absolute_deadline: now.plus(12 * HOUR),
        lifetime: Lifetime::Standard,
        device: Device::default(),
        data: Bytes::from_static(b"0"),
    }
}

/// A session of an owner that begins now.
#[must_use]
pub fn owned(number: u8, name: &str) -> Record {
    Record {
        owner: Some(owner(name)),
        ..session(number)
    }
}

/// `record` as its next version, with this data.
#[must_use]
pub fn next(record: &Record, data: &str) -> Record {
    Record {
        version: record.version + 1,
        data: data.to_owned().into(),
        ..record.clone()
    }
}

/// A touch that is due always.
#[must_use]
pub fn active() -> Touch {
    Touch::Active {
        now: now(),
        bearer: BEARER,
        at_most_every: Duration::ZERO,
    }
}

/// Inserts a record.
///
/// # Panics
/// If the store fails, or the id is taken.
pub async fn insert(store: &impl Store, record: &Record) {
    let inserted = store.insert(record).await.expect("an insert");
    assert_eq!(inserted, Inserted::New);
}

/// Updates a record from the version before.
///
/// # Panics
/// If the store fails or refuses.
pub async fn save(store: &impl Store, record: &Record) {
    let updated = store.update(record, record.version - 1, now()).await;
    assert_eq!(updated.expect("an update"), Updated::Saved);
}

/// The record as it is, untouched.
///
/// # Panics
/// If the store fails.
pub async fn look(store: &impl Store, id: SessionId) -> Option<Record> {
    loaded(store, id, Touch::No).await
}

/// The record that a load by `touch` gives, as a value of one's own.
///
/// # Panics
/// If the store fails.
pub async fn loaded(store: &impl Store, id: SessionId, touch: Touch) -> Option<Record> {
    let found = store.load(id, touch).await.expect("a load");
    found.map(Arc::unwrap_or_clone)
}

/// Waits until a store works again, and says how long it took.
///
/// # Panics
/// If it takes too long.
pub async fn recovered(store: &impl Store) -> Duration {
    let started = Instant::now();
    while store.load(id(0xff), active()).await.is_err() {
        assert!(started.elapsed() < RECOVERED_WITHIN, "it does not recover");
        sleep(Duration::from_millis(20)).await;
    }
    started.elapsed()
}

/// The texts of an error and of all its causes, which must not hold any of the secrets.
///
/// # Panics
/// If they do.
#[track_caller]
#[must_use]
pub fn told_without(secrets: &[&str], error: &dyn Error) -> String {
    let mut text = format!("{error:?}");
    let mut next = Some(error);
    while let Some(error) = next {
        text += &format!("\n{error}");
        next = error.source();
    }
    for secret in secrets {
        assert!(!text.contains(secret), "{text}");
    }
    text
}
