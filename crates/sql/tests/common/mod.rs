//! Records, and what is done with them.

#![allow(dead_code, reason = "each file of tests uses a part of it")]

pub(crate) mod cuts;
pub(crate) mod faults;
#[cfg(feature = "sqlite")]
pub(crate) mod file;
#[cfg(target_os = "linux")]
pub(crate) mod full_disk;
#[cfg(any(feature = "postgres", feature = "mysql"))]
#[allow(
    unused_imports,
    unused_macros,
    reason = "each file of tests uses a part of it"
)]
pub(crate) mod server_tests;
pub(crate) mod servers;

use std::time::Duration;

use tenure_core::store::Inserted;
use tenure_core::{Device, Lifetime, Lineage, Owner, Record, SecretHash, SessionId, Store, Timestamp};
pub(crate) use tenure_testkit::records::look;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const START: Timestamp = Timestamp::from_millis(1_767_225_600_000);
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(30 * 60);
pub(crate) const BEARER: SecretHash = SecretHash::from_bytes([7; SecretHash::LENGTH]);

pub(crate) fn id(number: u8) -> SessionId {
    SessionId::from_bytes([number; SessionId::LENGTH])
}

pub(crate) fn record(number: u8) -> Record {
    Record {
        id: id(number),
        version: 1,
        secret_hash: BEARER,
        previous_secret_hash: None,
        lineage: Lineage::begun(START),
        owner: Some(Owner::new("alice").unwrap()),
        created_at: START,
        signed_in_at: Some(START),
        last_seen_at: START,
        idle_timeout: IDLE_TIMEOUT,
        absolute_deadline: START.plus(Duration::from_secs(12 * 60 * 60)),
        lifetime: Lifetime::Standard,
        device: Device::new(Some("Firefox/140.0"), Some("192.0.2.1".parse().unwrap())),
        data: b"data".to_vec().into(),
    }
}

pub(crate) async fn insert(store: &impl Store, record: &Record) {
    assert_eq!(store.insert(record).await.unwrap(), Inserted::New);
}
