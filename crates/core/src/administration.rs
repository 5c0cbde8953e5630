//! Everybody's sessions: for administrators and operators.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::clock::{Clock, SystemClock, Timestamp};
use crate::deadline::Deadline;
use crate::device::Device;
use crate::engine::Engine;
use crate::event::{self, Event, EventKind};
use crate::observed::StoreObserved;
use crate::owner::Owner;
use crate::record::{Deadlines, Expiry, Lifetime, Record};
use crate::session_id::SessionId;
use crate::sessions::Sessions;
use crate::store::{Cursor, Operation, Store, StoreError, Touch};
use crate::sweeper::PAUSE_BETWEEN_BATCHES;

/// How many records a walk over all of them takes at a time, and a sweep removes.
const BATCH: u32 = 500;

/// How many removals are under way at once, so that an application beside it still gets its turn.
const REMOVALS_AT_ONCE: usize = 16;

/// How long one call of the store may take where there is no policy. An operator can wait longer than a request.
const DEADLINE: Duration = Duration::from_secs(30);

/// Sees and ends the sessions of everybody: for an administrator's page, and for operators' tools (OWASP ASVS 5.0,
/// 7.4.5). Cheap to clone.
///
/// It works on what a store keeps beside the data, and never sees data, secrets or their hashes. So it needs no
/// keyring and no policy:
///
/// ```
/// use tenure_core::{Administration, MemoryStore, Owner};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let store = MemoryStore::new();
/// let administration = Administration::new(store);
/// assert_eq!(administration.count().await?, 0);
/// assert_eq!(administration.revoke_owner(&Owner::new("user-42")?, None).await?, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// In an application, [`Sessions::administration`] gives one that goes by its clock and deadline and tells its
/// listener what was ended. **It asks nobody's leave**: check that whoever calls is an administrator.
#[derive(Clone)]
pub struct Administration {
    backing: Arc<Backing>,
}

enum Backing {
    Application(Arc<Engine>),
    Store {
        store: Arc<dyn Store>,
        clock: Box<dyn Clock>,
    },
}

/// A session as an administrator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionDetails {
    /// Its name, with which it can be [revoked](Administration::revoke).
    pub id: SessionId,
    /// Whose it is, if somebody is signed in.
    pub owner: Option<Owner>,
    /// When it came to be.
    pub created_at: Timestamp,
    /// When its owner signed in.
    pub signed_in_at: Option<Timestamp>,
    /// The last activity, up to the policy's touch interval.
    pub last_seen_at: Timestamp,
    /// When it ends, or ended.
    pub expires: Deadlines,
    /// By which timeout it has ended, if it has and was not swept yet.
    pub expired: Option<Expiry>,
    /// Whether its owner asked to be kept signed in.
    pub lifetime: Lifetime,
    /// The device that it was created or signed in on.
    pub device: Device,
}

/// Some of all sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionPage {
    /// Live ones, and expired ones that nobody has swept.
    pub sessions: Vec<SessionDetails>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

impl Sessions {
    /// Everybody's sessions: for an administrator's page.
    ///
    /// ```
    /// # use tenure_core::{Sessions, StoreError};
    /// /// After the database was stolen, or on an administrator's order.
    /// async fn sign_everybody_out(sessions: &Sessions) -> Result<u64, StoreError> {
    ///     sessions.administration().revoke_all(|_| {}).await
    /// }
    /// ```
    #[must_use]
    pub fn administration(&self) -> Administration {
        Administration {
            backing: Arc::new(Backing::Application(Arc::clone(self.engine()))),
        }
    }
}

impl Administration {
    /// Of the sessions in a store, without an application: by the system's clock. A call of the store may take 30
    /// seconds. What is ended is told to `tracing`.
    pub fn new(store: impl Store) -> Self {
        Self::with_clock(store, SystemClock)
    }

    /// The same by another clock.
    pub fn with_clock(store: impl Store, clock: impl Clock) -> Self {
        Self {
            backing: Arc::new(Backing::Store {
                store: Arc::new(store),
                clock: Box::new(clock),
            }),
        }
    }

    /// A page of all sessions, live and expired, in an order of the store's own: from the beginning, or from
    /// [where the page before ended](SessionPage::next). It has about `limit` of them at the most, and may have none
    /// although more are to come.
    ///
    /// Who walks from page to page sees every session that is there all the while, at least once.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn page(&self, after: Option<&Cursor>, limit: u32) -> Result<SessionPage, StoreError> {
        let page = self.store().page(after, limit);
        let page = self.reported(Operation::Page, self.deadline().call(Operation::Page, page).await)?;
        let now = self.now();
        let details = |record| SessionDetails::new(record, now);
        Ok(SessionPage {
            sessions: page.records.into_iter().map(details).collect(),
            next: page.next,
        })
    }

    /// One session, live or expired, without keeping it alive.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn find(&self, id: SessionId) -> Result<Option<SessionDetails>, StoreError> {
        let found = self.store().load(id, Touch::No);
        let found = self.reported(
            Operation::Load,
            self.deadline().call(Operation::Load, found).await,
        )?;
        Ok(found.map(|record| SessionDetails::new(Arc::unwrap_or_clone(record), self.now())))
    }

    /// The live sessions of one user, the last seen first.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn of_owner(&self, owner: &Owner) -> Result<Vec<SessionDetails>, StoreError> {
        let now = self.now();
        let listing = self.store().list_by_owner(owner, now);
        let records = self.reported(
            Operation::List,
            self.deadline().call(Operation::List, listing).await,
        )?;
        let details = |record| SessionDetails::new(record, now);
        Ok(records.into_iter().map(details).collect())
    }

    /// How many sessions are alive.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn count(&self) -> Result<u64, StoreError> {
        let counting = self.store().count(self.now());
        self.reported(
            Operation::Count,
            self.deadline().call(Operation::Count, counting).await,
        )
    }

    /// Ends a session, whosoever it is. Says whether there was one.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn revoke(&self, id: SessionId) -> Result<bool, StoreError> {
        let removing = self.store().remove(id);
        let removed = self.deadline().call(Operation::Remove, removing).await;
        let removed = self.reported(Operation::Remove, removed)?;
        if removed {
            self.tell_revoked(1, Some(id), None);
        }
        Ok(removed)
    }

    /// Ends all sessions of one user but `except`. Says how many there were.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn revoke_owner(&self, owner: &Owner, except: Option<SessionId>) -> Result<u64, StoreError> {
        let removing = self.store().remove_by_owner(owner, except);
        let removed = self.deadline().call(Operation::RemoveByOwner, removing).await;
        let sessions = self.reported(Operation::RemoveByOwner, removed)?;
        if sessions > 0 {
            self.tell_revoked(sessions, None, Some(owner.clone()));
        }
        Ok(sessions)
    }

    /// Ends every session that there is when it begins, live or expired, signed in or not. Says how many. `progress` is
    /// told now and then how many it is so far.
    ///
    /// It takes them page by page, so that an application goes on beside it; a session that begins meanwhile may
    /// survive. To keep out what may come back, change the secret, or take the sign-in form away, first.
    ///
    /// # Errors
    /// If the store fails. Those that were ended stay so; call it again for the rest.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub async fn revoke_all(&self, progress: impl FnMut(u64)) -> Result<u64, StoreError> {
        let mut revoked = 0;
        let outcome = self.remove_all(&mut revoked, progress).await;
        if revoked > 0 {
            self.tell_revoked(revoked, None, None);
        }
        outcome.map(|()| revoked)
    }

    async fn remove_all(&self, removed: &mut u64, mut progress: impl FnMut(u64)) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let page = self.store().page(after.as_ref(), BATCH);
            let page = self.reported(Operation::Page, self.deadline().call(Operation::Page, page).await)?;
            let ids: Vec<_> = page.records.iter().map(|record| record.id).collect();
            for some in ids.chunks(REMOVALS_AT_ONCE) {
                self.remove_at_once(some, removed).await?;
            }
            progress(*removed);
            after = match page.next {
                Some(next) => Some(next),
                None => return Ok(()),
            };
        }
    }

    /// All of them are waited for, even where one fails: what is removed is to be told.
    async fn remove_at_once(&self, ids: &[SessionId], removed: &mut u64) -> Result<(), StoreError> {
        let mut removals = JoinSet::new();
        for id in ids {
            let (administration, id) = (self.clone(), *id);
            removals.spawn(async move {
                let removing = administration.store().remove(id);
                administration.deadline().call(Operation::Remove, removing).await
            });
        }
        let mut outcome = Ok(());
        while let Some(removal) = removals.join_next().await {
            let removal = removal.expect("a removal does not panic and nobody aborts it");
            match self.reported(Operation::Remove, removal) {
                Ok(was_there) => *removed += u64::from(was_there),
                Err(error) => outcome = outcome.and(Err(error)),
            }
        }
        outcome
    }

    /// Removes all that has expired, in bounded batches with a pause between them. Says how many sessions that were.
    /// `progress` is told after each batch how many it is so far.
    ///
    /// # Errors
    /// If the store fails. What was removed stays so.
    pub async fn sweep(&self, mut progress: impl FnMut(u64)) -> Result<u64, StoreError> {
        let mut swept = 0;
        loop {
            let sweeping = self.store().sweep_expired(self.now(), BATCH);
            let removed = self.deadline().call(Operation::Sweep, sweeping).await;
            let removed = self.reported(Operation::Sweep, removed)?;
            swept += removed.sessions;
            progress(swept);
            if !removed.is_full(BATCH) {
                return Ok(swept);
            }
            tokio::time::sleep(PAUSE_BETWEEN_BATCHES).await;
        }
    }

    /// The time that deadlines are checked against.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &*self.backing {
            Backing::Application(engine) => engine.now(),
            Backing::Store { clock, .. } => clock.now(),
        }
    }

    fn store(&self) -> &dyn Store {
        match &*self.backing {
            Backing::Application(engine) => &*engine.store,
            Backing::Store { store, .. } => &**store,
        }
    }

    fn deadline(&self) -> Deadline {
        match &*self.backing {
            Backing::Application(engine) => engine.deadline(),
            Backing::Store { store, .. } => Deadline::new(DEADLINE, StoreObserved::of(store.name())),
        }
    }

    fn reported<T>(&self, operation: Operation, result: Result<T, StoreError>) -> Result<T, StoreError> {
        match &*self.backing {
            Backing::Application(engine) => engine.reported(operation, None, result),
            Backing::Store { .. } => result,
        }
    }

    fn tell_revoked(&self, sessions: u64, session: Option<SessionId>, owner: Option<Owner>) {
        let event = Event {
            session,
            owner,
            ..Event::new(self.now(), EventKind::Revoked { sessions })
        };
        match &*self.backing {
            Backing::Application(engine) => engine.tell_of(event),
            Backing::Store { .. } => event::publish(&event),
        }
    }
}

impl fmt::Debug for Administration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Administration")
            .field("store", &self.store().name())
            .finish_non_exhaustive()
    }
}

impl SessionDetails {
    fn new(record: Record, now: Timestamp) -> Self {
        Self {
            id: record.id,
            created_at: record.created_at,
            signed_in_at: record.signed_in_at,
            last_seen_at: record.last_seen_at,
            expires: record.deadlines(),
            expired: record.expiry(now),
            lifetime: record.lifetime,
            owner: record.owner,
            device: record.device,
        }
    }
}
