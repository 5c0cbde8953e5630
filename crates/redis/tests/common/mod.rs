//! What the tests of the Redis store share: records, an application, and a browser for it.

#![allow(dead_code, reason = "each file of tests uses a part of it")]

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use tenure_core::store::{Inserted, Touch, Updated};
use tenure_core::{
    Clock, CommitError, Device, Environment, Key, Keyring, Lifetime, LoadError, Owner, Policy, Record,
    Secret, SecretHash, Session, SessionId, Sessions, Store, SystemClock, Timestamp,
};
use tenure_redis::RedisStore;
use tenure_testkit::servers::redis::{REDIS_PASSWORD, REDIS_PASSWORD_IN_URL, RedisServer};

pub(crate) const COUNT: Key<u64> = Key::new("count");
pub(crate) const BEARER: SecretHash = SecretHash::from_bytes([0xa5; 32]);
pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);

pub(crate) fn server() -> RedisServer {
    RedisServer::standalone().unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) async fn connected(url: &str) -> RedisStore {
    RedisStore::connect(url).await.expect("a store")
}

pub(crate) fn now() -> Timestamp {
    SystemClock.now()
}

pub(crate) fn owner(name: &str) -> Owner {
    Owner::new(name).unwrap()
}

pub(crate) fn id(number: u8) -> SessionId {
    SessionId::from_bytes([number; SessionId::LENGTH])
}

/// A session without an owner that begins now.
pub(crate) fn session(number: u8) -> Record {
    let now = now();
    Record {
        id: id(number),
        version: 1,
        secret_hash: BEARER,
        previous_secret_hash: None,
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

pub(crate) fn owned(number: u8, name: &str) -> Record {
    Record {
        owner: Some(owner(name)),
        ..session(number)
    }
}

pub(crate) fn next(record: &Record, data: impl Into<Bytes>) -> Record {
    Record {
        version: record.version + 1,
        data: data.into(),
        ..record.clone()
    }
}

pub(crate) fn active() -> Touch {
    Touch::Active {
        now: now(),
        bearer: BEARER,
        at_most_every: Duration::ZERO,
    }
}

pub(crate) async fn insert(store: &RedisStore, record: &Record) {
    assert_eq!(store.insert(record).await.unwrap(), Inserted::New);
}

pub(crate) async fn save(store: &RedisStore, record: &Record) {
    let updated = store.update(record, record.version - 1, now()).await;
    assert_eq!(updated.unwrap(), Updated::Saved);
}

pub(crate) async fn look(store: &RedisStore, id: SessionId) -> Option<Record> {
    store.load(id, Touch::No).await.unwrap()
}

/// The whole chain of an error's texts, which must not hold the password in either spelling.
#[track_caller]
pub(crate) fn told(error: &dyn Error) -> String {
    let mut text = format!("{error:?}");
    let mut next = Some(error);
    while let Some(error) = next {
        text += &format!("\n{error}");
        next = error.source();
    }
    for secret in [REDIS_PASSWORD, REDIS_PASSWORD_IN_URL, "hunter2"] {
        assert!(!text.contains(secret), "{text}");
    }
    text
}

/// Waits until a store works again, and says how long it took.
pub(crate) async fn recovered(store: &RedisStore) -> Duration {
    let started = std::time::Instant::now();
    while store.load(id(0xff), active()).await.is_err() {
        assert!(started.elapsed() < Duration::from_secs(30), "it does not recover");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    started.elapsed()
}

/// One process of an application.
pub(crate) struct App {
    pub(crate) sessions: Sessions,
}

impl App {
    pub(crate) fn over(store: RedisStore) -> Self {
        let policy = Policy::default()
            .environment(Environment::Development)
            .sweep_interval(None);
        let keyring = Keyring::new(Secret::new("T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r"));
        Self {
            sessions: Sessions::new(policy, keyring, store).unwrap(),
        }
    }

    /// A whole request. The browser learns nothing of one that fails.
    pub(crate) async fn visit(
        &self,
        browser: &mut Browser,
        handler: impl FnOnce(&Session),
    ) -> Result<(), RequestError> {
        let opened = self.sessions.open(&browser.request());
        let session = opened.load().await.map_err(RequestError::Load)?;
        handler(&session);
        let outgoing = self
            .sessions
            .commit(&opened)
            .await
            .map_err(RequestError::Commit)?;
        let mut response = HeaderMap::new();
        outgoing.apply(&mut response);
        browser.receive(&response);
        Ok(())
    }

    pub(crate) async fn signed_in(&self, owner: &str) -> Browser {
        let mut browser = Browser::default();
        let sign_in = |session: &Session| session.sign_in(owner).unwrap();
        self.visit(&mut browser, sign_in).await.unwrap();
        browser
    }

    pub(crate) async fn owner(&self, browser: &Browser) -> Option<String> {
        let mut owner = None;
        let look = |session: &Session| owner = session.owner().map(|owner| owner.as_str().to_owned());
        self.visit(&mut browser.clone(), look).await.unwrap();
        owner
    }
}

#[derive(Debug)]
pub(crate) enum RequestError {
    Load(LoadError),
    Commit(CommitError),
}

/// What a browser keeps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Browser {
    cookie: Option<HeaderValue>,
}

impl Browser {
    fn request(&self) -> HeaderMap {
        let cookie = self.cookie.iter().map(|cookie| (COOKIE, cookie.clone()));
        cookie.collect()
    }

    fn receive(&mut self, response: &HeaderMap) {
        if let Some(sent) = response.get(SET_COOKIE) {
            let pair = sent.to_str().unwrap().split(';').next().unwrap();
            let is_removal = pair.ends_with('=');
            self.cookie = (!is_removal).then(|| pair.parse().unwrap());
        }
    }
}

pub(crate) fn increment(session: &Session) {
    session.update(COUNT, |count| count.unwrap_or(0) + 1).unwrap();
}
