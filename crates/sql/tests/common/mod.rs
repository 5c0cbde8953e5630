//! Records, and applications on a store.

#![allow(dead_code, reason = "each file of tests uses a part of it")]

pub(crate) mod applications;
pub(crate) mod faults;
#[cfg(feature = "sqlite")]
pub(crate) mod file;
#[cfg(any(feature = "postgres", feature = "mysql"))]
#[allow(
    unused_imports,
    unused_macros,
    reason = "each file of tests uses a part of it"
)]
pub(crate) mod server_tests;
pub(crate) mod servers;

use std::time::Duration;

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use tenure_core::store::{Inserted, Touch};
use tenure_core::{
    Device, Environment, Key, Keyring, Lifetime, Owner, Policy, Record, Secret, SecretHash, Session,
    SessionId, Sessions, Store, Timestamp,
};

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const START: Timestamp = Timestamp::from_millis(1_767_225_600_000);
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(30 * 60);
pub(crate) const BEARER: SecretHash = SecretHash::from_bytes([7; SecretHash::LENGTH]);
pub(crate) const COUNT: Key<u64> = Key::new("count");

pub(crate) fn id(number: u8) -> SessionId {
    SessionId::from_bytes([number; SessionId::LENGTH])
}

pub(crate) fn record(number: u8) -> Record {
    Record {
        id: id(number),
        version: 1,
        secret_hash: BEARER,
        previous_secret_hash: None,
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

pub(crate) async fn look(store: &impl Store, id: SessionId) -> Option<Record> {
    store.load(id, Touch::No).await.unwrap()
}

pub(crate) fn sessions(store: impl Store) -> Sessions {
    let policy = Policy::default()
        .environment(Environment::Development)
        .store_deadline(Duration::from_secs(60))
        .sweep_interval(None);
    let keyring = Keyring::new(Secret::new("T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r"));
    Sessions::new(policy, keyring, store).unwrap()
}

/// A whole request. Gives back the headers of the next one by the same browser.
pub(crate) async fn visit(
    sessions: &Sessions,
    request: &HeaderMap,
    handler: impl FnOnce(&Session),
) -> HeaderMap {
    let opened = sessions.open(request);
    let session = opened.load().await.unwrap();
    handler(&session);
    let mut response = HeaderMap::new();
    sessions.commit(&opened).await.unwrap().apply(&mut response);
    next_request(request, &response)
}

/// What the browser sends next, after `request` was answered with `response`.
fn next_request(request: &HeaderMap, response: &HeaderMap) -> HeaderMap {
    let Some(set_cookie) = response.get(SET_COOKIE) else {
        return request.clone();
    };
    let cookie = set_cookie.to_str().unwrap().split(';').next().unwrap();
    HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(cookie).unwrap())])
}

pub(crate) fn count_one_more(session: &Session) {
    session.update(COUNT, |count| count.unwrap_or(0) + 1).unwrap();
}
