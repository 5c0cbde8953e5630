//! Policy, keyring, store and clock in one place: what every request works with.

use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::deadline::Deadline;
use crate::event::{Event, EventKind, GuessedCookie};
use crate::events::Events;
use crate::guessing::{Guessing, Notice, Spent};
use crate::live_keyring::LiveKeyring;
use crate::observed::Observed;
use crate::owner::Owner;
use crate::policy::Policy;
use crate::session_id::SessionId;
use crate::store::{AttemptsKey, Operation, Store, StoreError};
use crate::sweeper::{Batch, Sweeper};
use crate::verified_cookies::VerifiedCookies;
use crate::visit::Sender;

pub(crate) struct Engine {
    pub(crate) policy: Policy,
    pub(crate) keyring: LiveKeyring,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Nothing is counted if the policy has no limit.
    pub(crate) guessing: Option<Guessing>,
    pub(crate) verified: VerifiedCookies,
    pub(crate) events: Events,
    pub(crate) observed: Observed,
    /// Writers of one contended session queue up here instead of racing each other in circles.
    queues: Box<[tokio::sync::Mutex<()>]>,
    sweeper: OnceLock<Sweeper>,
    #[cfg(feature = "metrics")]
    counting: OnceLock<()>,
}

/// How many queues there are. Sessions that share one only meet while both are contended.
const QUEUES: usize = 1024;

/// How many records one sweep statement removes at the most, so that no lock is held for long.
const BATCH: u32 = 500;
/// How long the background sweep keeps an expired record, so that its late visitor is told "expired" rather than
/// "unknown". It opens nothing in that time.
const KEPT_AFTER_EXPIRY: Duration = Duration::from_hours(1);

impl Engine {
    pub(crate) fn new(
        policy: Policy,
        keyring: LiveKeyring,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        events: Events,
        verified: VerifiedCookies,
    ) -> Self {
        let guessing = Guessing::new(policy.guess_limit, &clock);
        let observed = Observed::of(store.name());
        Self {
            policy,
            keyring,
            store,
            clock,
            guessing,
            verified,
            events,
            observed,
            queues: (0..QUEUES).map(|_| tokio::sync::Mutex::default()).collect(),
            sweeper: OnceLock::new(),
            #[cfg(feature = "metrics")]
            counting: OnceLock::new(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn deadline(&self) -> Deadline {
        Deadline::new(self.policy.store_deadline, self.observed.store())
    }

    pub(crate) fn queue(&self, id: SessionId) -> &tokio::sync::Mutex<()> {
        let bytes = id.as_bytes();
        &self.queues[usize::from(u16::from_be_bytes([bytes[1], bytes[2]])) % QUEUES]
    }

    /// Where those wait who count the same failures at once.
    pub(crate) fn attempts_queue(&self, key: AttemptsKey) -> &tokio::sync::Mutex<()> {
        let bytes = key.as_bytes();
        &self.queues[usize::from(u16::from_be_bytes([bytes[0], bytes[1]])) % QUEUES]
    }

    pub(crate) fn tell(&self, kind: EventKind, session: Option<SessionId>, owner: Option<Owner>) {
        self.tell_of(Event {
            session,
            owner,
            ..Event::new(self.now(), kind)
        });
    }

    pub(crate) fn tell_of(&self, event: Event) {
        self.events.tell(event);
    }

    pub(crate) fn tell_of_spent(&self, guessed: GuessedCookie, spent: &Spent, sender: &Sender) {
        if spent.notice == Notice::Due {
            self.tell_of(Event {
                client: Some(sender.device(&self.policy)),
                ..Event::new(self.now(), EventKind::GuessLimitReached(guessed))
            });
        }
    }

    /// Hands a store's failure on after telling of it.
    #[inline]
    pub(crate) fn reported<T>(
        &self,
        operation: Operation,
        session: impl Into<Option<SessionId>>,
        result: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if result.is_err() {
            self.tell(EventKind::StoreFailed(operation), session.into(), None);
        }
        result
    }

    pub(crate) fn start_sweeper_if_due(self: &Arc<Self>) {
        let Some(interval) = self.policy.sweep_interval else {
            return;
        };
        // A store in memory answers without a runtime, and then there is nothing to run a task on.
        if self.sweeper.get().is_none() && tokio::runtime::Handle::try_current().is_ok() {
            self.start_sweeper(interval);
        }
    }

    pub(crate) fn start_sweeper(self: &Arc<Self>, interval: Duration) -> Sweeper {
        let spawn = || {
            let engine = Arc::downgrade(self);
            Sweeper::spawn(interval, move || {
                let engine = Weak::clone(&engine);
                async move { Some(engine.upgrade()?.sweep_batch(KEPT_AFTER_EXPIRY).await) }
            })
        };
        self.sweeper.get_or_init(spawn).clone()
    }

    /// Starts to count the live sessions, if the policy says so and nobody has.
    #[cfg(feature = "metrics")]
    pub(crate) fn start_counting_if_due(self: &Arc<Self>) {
        let Some(interval) = self.policy.count_interval else {
            return;
        };
        if self.counting.get().is_some() || tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        self.counting.get_or_init(|| {
            let engine = Arc::downgrade(self);
            tokio::spawn(async move {
                while let Some(engine) = Weak::upgrade(&engine) {
                    engine.count_live_sessions().await;
                    drop(engine);
                    tokio::time::sleep(interval).await;
                }
            });
        });
    }

    #[cfg(not(feature = "metrics"))]
    #[expect(clippy::unused_self, reason = "the same signature as with the feature")]
    pub(crate) fn start_counting_if_due(self: &Arc<Self>) {}

    #[cfg(feature = "metrics")]
    async fn count_live_sessions(&self) {
        let count = self.store.count(self.now());
        let counted = self.deadline().call(Operation::Count, count).await;
        // A failure has been told of; the next round tries again.
        if let Ok(sessions) = self.reported(Operation::Count, None, counted) {
            self.observed.live(sessions);
        }
    }

    /// Removes a batch of the records that expired at least so long ago.
    pub(crate) async fn sweep_batch(&self, kept_after_expiry: Duration) -> Result<Batch, StoreError> {
        let moment = self.now().minus(kept_after_expiry);
        let swept = self
            .deadline()
            .call(Operation::Sweep, self.store.sweep_expired(moment, BATCH))
            .await;
        let swept = self.reported(Operation::Sweep, None, swept)?;
        Ok(if swept.is_full(BATCH) {
            Batch::Full(swept.sessions)
        } else {
            Batch::Last(swept.sessions)
        })
    }
}
