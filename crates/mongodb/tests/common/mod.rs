//! What the tests share: a server and a database of their own on it, records, an application, and a
//! browser for it.

#![allow(dead_code, reason = "each file of tests uses a part of it")]

use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use tenure_core::store::{Inserted, Touch, Updated};
use tenure_core::{
    Clock, CommitError, Device, Environment, Key, Keyring, Lifetime, LoadError, Owner, Policy, Record,
    Secret, SecretHash, Session, SessionId, Sessions, Store, SystemClock, Timestamp,
};
use tenure_mongodb::MongoStore;
use tenure_testkit::servers::{MongoServer, MongoServerOptions};

/// The server that the tests of this program share. It ends with the last test that holds it.
static SHARED: Mutex<Weak<MongoServer>> = Mutex::new(Weak::new());
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// An empty database on the shared server.
pub(crate) struct MongoDatabase {
    server: Arc<MongoServer>,
    name: String,
}

impl MongoDatabase {
    pub(crate) fn new() -> Self {
        Self {
            server: shared_server(),
            name: format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed)),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn url(&self) -> String {
        self.server.url(&self.name)
    }

    pub(crate) async fn store(&self) -> MongoStore {
        MongoStore::connect(&self.url()).await.expect("a store")
    }
}

fn shared_server() -> Arc<MongoServer> {
    let mut shared = SHARED.lock().expect("a server that started");
    shared.upgrade().unwrap_or_else(|| {
        let started = MongoServer::start().unwrap_or_else(|error| panic!("{error}"));
        let started = Arc::new(started);
        *shared = Arc::downgrade(&started);
        started
    })
}

pub(crate) const COUNT: Key<u64> = Key::new("count");
pub(crate) const BEARER: SecretHash = SecretHash::from_bytes([0xa5; 32]);
pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);

/// What stands in URLs, percent-encoded, and what it means.
pub(crate) const PASSWORD_IN_URL: &str = "p%40ss-w0rd";
pub(crate) const PASSWORD: &str = "p@ss-w0rd";

/// A server of the test's own.
pub(crate) fn server(options: MongoServerOptions) -> MongoServer {
    MongoServer::with(options).unwrap_or_else(|error| panic!("{error}"))
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
        data: "0".into(),
    }
}

pub(crate) fn owned(number: u8, name: &str) -> Record {
    Record {
        owner: Some(owner(name)),
        ..session(number)
    }
}

pub(crate) fn next(record: &Record, data: &str) -> Record {
    Record {
        version: record.version + 1,
        data: data.to_owned().into(),
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

pub(crate) async fn insert(store: &MongoStore, record: &Record) {
    assert_eq!(store.insert(record).await.unwrap(), Inserted::New);
}

pub(crate) async fn save(store: &MongoStore, record: &Record) {
    let updated = store.update(record, record.version - 1, now()).await;
    assert_eq!(updated.unwrap(), Updated::Saved);
}

pub(crate) async fn look(store: &MongoStore, id: SessionId) -> Option<Record> {
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
    for secret in [PASSWORD, PASSWORD_IN_URL] {
        assert!(!text.contains(secret), "{text}");
    }
    text
}

/// Waits until a store works again, and says how long it took.
pub(crate) async fn recovered(store: &MongoStore) -> Duration {
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
    pub(crate) fn over(store: MongoStore) -> Self {
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
