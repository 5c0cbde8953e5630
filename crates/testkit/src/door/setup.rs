//! A door with an application behind it, and what the checks hold in their hands.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use tenure_core::{
    Environment, Keyring, ManualClock, MemoryStore, OriginCheck, Policy, Secret, Sessions, TrustProxy,
};

use super::visitor::Visitor;
use super::{Door, DoorApp, Gate, OUTER_COOKIE, Rendering};
use crate::{EventLog, FaultyStore};

pub(super) struct Setup {
    pub(super) app: DoorApp,
    pub(super) store: FaultyStore<MemoryStore>,
    pub(super) clock: ManualClock,
    pub(super) events: EventLog,
    url: String,
}

pub(super) fn policy() -> Policy {
    Policy::default().environment(Environment::Development)
}

impl Setup {
    pub(super) async fn new<D: Door>() -> Self {
        Self::with::<D>(policy(), Rendering::Default).await
    }

    pub(super) async fn with<D: Door>(policy: Policy, rendering: Rendering) -> Self {
        let store = FaultyStore::new(MemoryStore::new());
        let (clock, events) = (ManualClock::default(), EventLog::new());
        let builder = Sessions::builder(policy, keyring(), store.clone()).clock(clock.clone());
        let sessions = events.build(builder).expect("a good set-up");
        let outer = self::policy()
            .cookie_name(OUTER_COOKIE)
            .origin_check(OriginCheck::Off);
        let app = DoorApp {
            sessions,
            outer: Sessions::new(outer, keyring(), MemoryStore::new()).expect("a good set-up"),
            trust_proxy: TrustProxy::hops(1),
            rendering,
            gate: Gate::new(),
            reached: Arc::new(AtomicUsize::new(0)),
        };
        let url = D::serve(app.clone()).await;
        Self {
            app,
            store,
            clock,
            events,
            url,
        }
    }

    pub(super) fn visitor(&self) -> Visitor {
        Visitor::new(&self.url)
    }

    /// Somebody who has signed in.
    pub(super) async fn ada(&self) -> Visitor {
        let ada = self.visitor();
        ada.post("/sign-in").await;
        ada
    }

    pub(super) fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap_or(&self.url)
    }
}

fn keyring() -> Keyring {
    Keyring::new(Secret::new("T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r"))
}
