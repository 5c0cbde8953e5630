//! What is attacked: an application whose clients' addresses a proxy tells.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::routing::get;
use tenure_core::{Environment, Event, Key, Keyring, MemoryStore, Policy, Secret, Sessions, SetupError};
use tenure_testkit::FaultyStore;
use tenure_tower::{Session, SessionError, SessionLayer, TrustProxy};

pub(crate) const COOKIE_NAME: &str = "__Host-session";

pub(crate) const COUNT: Key<u64> = Key::new("count");

/// The application, and what it saw.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) sessions: Sessions,
    store: FaultyStore<MemoryStore>,
    events: Arc<AtomicU64>,
}

/// What the application saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) store_calls: u64,
    pub(crate) events: u64,
}

impl Site {
    pub(crate) fn new() -> Result<Self, SetupError> {
        let store = FaultyStore::new(MemoryStore::new());
        let policy = Policy::default()
            .environment(Environment::Development)
            .sweep_interval(None);
        let keyring = Keyring::new(Secret::new("T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r"));
        let events = Arc::new(AtomicU64::new(0));
        let told = Arc::clone(&events);
        let sessions = Sessions::builder(policy, keyring, store.clone())
            .listener(move |_: &Event| {
                told.fetch_add(1, Ordering::Relaxed);
            })
            .build()?;
        Ok(Self {
            sessions,
            store,
            events,
        })
    }

    pub(crate) fn seen(&self) -> Seen {
        Seen {
            store_calls: self.store.total_calls(),
            events: self.events.load(Ordering::Relaxed),
        }
    }

    /// `/signs-in` begins a session, `/reads` asks for it, `/seen` tells what was seen so far.
    pub(crate) fn router(&self) -> Router {
        let layer = SessionLayer::new(self.sessions.clone()).trust_proxy(TrustProxy::hops(1));
        let site = self.clone();
        Router::new()
            .route(
                "/signs-in",
                get(async |session: Session| session.insert(COUNT, &1).map_err(SessionError::from)),
            )
            .route("/reads", get(reads))
            .layer(layer)
            .route(
                "/seen",
                get(async move || {
                    let Seen { store_calls, events } = site.seen();
                    format!("{store_calls} {events}")
                }),
            )
    }
}

async fn reads(session: Session) -> Result<String, SessionError> {
    Ok(session
        .get(COUNT)?
        .map_or_else(|| "nobody".to_owned(), |count| count.to_string()))
}
