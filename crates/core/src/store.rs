//! The trait of a database, and what "atomic" means in it.

mod attempts;
#[cfg(feature = "memory")]
pub mod memory;
mod page;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::owner::Owner;
use crate::record::Record;
use crate::session_id::SessionId;
use crate::token::SecretHash;

pub use attempts::{Attempts, AttemptsKey};
pub use page::{Cursor, Page};

/// What a store's method gives back: boxed, so that `Arc<dyn Store>` works.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// The most that a store takes as [`Record::data`], in bytes: 1 MiB.
pub const MAX_DATA_BYTES: usize = 1 << 20;

/// A database of sessions.
///
/// # Contract
///
/// - **Each method is atomic on its record.** Called at once from many tasks, and from several
///   processes where the database is shared, the outcome is that of some order of the calls.
/// - **A removed record stays removed.** [`update`](Store::update) never creates; only
///   [`insert`](Store::insert) does.
/// - **An answer is final.** When a method answers `Ok`, its effect is visible to every later call
///   through any instance, and is as durable as the store promises.
/// - **Cancelling is safe.** A future dropped half-way leaves the whole effect or none.
/// - **Expired is not gone.** `load` may give back an expired record as long as it has not been
///   swept, and never slides its deadline; the engine decides by its own clock.
/// - **Bytes are bytes.** [`Record::data`] comes back exactly, up to [`MAX_DATA_BYTES`]; more is
///   refused with [`StoreError::TooLarge`].
///
/// The suite of the `testkit` crate checks all of it; a store that passes may be used.
pub trait Store: Send + Sync + 'static {
    /// The store's name in errors and events, such as `"sqlite"`.
    fn name(&self) -> &'static str;

    /// Whether sessions outlive this process. A production policy refuses a store whose don't.
    fn persistence(&self) -> Persistence;

    /// The record under `id`, if there is one, slid by `touch` if it is alive.
    ///
    /// To slide is to raise `last_seen_at` to `touch.now`, and is due when at least `touch.at_most_every`
    /// has passed since `last_seen_at`. It does not change the version. The record comes back as it is
    /// after sliding, shared, so that a store that has it at hand need not copy it.
    fn load(&self, id: SessionId, touch: Touch) -> StoreFuture<'_, Option<Arc<Record>>>;

    /// Keeps a new record, unless its id is taken.
    fn insert<'a>(&'a self, record: &'a Record) -> StoreFuture<'a, Inserted>;

    /// Replaces the record of this id if its version is `expected` and it is alive at `now`.
    ///
    /// `last_seen_at` becomes the later of the record's and the stored one's, for a touch may have
    /// passed by in the meantime.
    fn update<'a>(&'a self, record: &'a Record, expected: u64, now: Timestamp) -> StoreFuture<'a, Updated>;

    /// Removes the record of this id, whatever its version. Says whether there was one.
    fn remove(&self, id: SessionId) -> StoreFuture<'_, bool>;

    /// The records of `owner` that are alive at `now`, without their data, the last seen first.
    fn list_by_owner<'a>(&'a self, owner: &'a Owner, now: Timestamp) -> StoreFuture<'a, Vec<Record>>;

    /// Removes every record of `owner` but `except`. Says how many there were.
    fn remove_by_owner<'a>(&'a self, owner: &'a Owner, except: Option<SessionId>) -> StoreFuture<'a, u64>;

    /// Removes at most `limit` records that expired at or before `moment`, and at most `limit` attempts that expired by
    /// then. Fewer than `limit` of a kind means that no more of it are left. A store that expires them by itself answers [`Swept::NOTHING`].
    fn sweep_expired(&self, moment: Timestamp, limit: u32) -> StoreFuture<'_, Swept>;

    /// What was tried in vain under `key`. May be expired; the engine decides by its own clock.
    fn load_attempts(&self, key: AttemptsKey) -> StoreFuture<'_, Option<Attempts>>;

    /// Writes `attempts` if the version under `key` is `expected`; 0 means that there must be none, or only one that
    /// has expired by `now`. Says whether it was written.
    fn save_attempts<'a>(
        &'a self,
        key: AttemptsKey,
        attempts: &'a Attempts,
        expected: u64,
        now: Timestamp,
    ) -> StoreFuture<'a, bool>;

    /// Forgets what was tried under `key`. Says whether there was anything.
    fn remove_attempts(&self, key: AttemptsKey) -> StoreFuture<'_, bool>;

    /// A page of all sessions, live or expired, without their data, at most about `limit` of them: from the
    /// beginning, or from where the page before ended.
    ///
    /// Whoever walks to the last page sees every session that is there during the whole walk at least once.
    fn page<'a>(&'a self, after: Option<&'a Cursor>, limit: u32) -> StoreFuture<'a, Page>;

    /// How many sessions are alive at `now`.
    fn count(&self, now: Timestamp) -> StoreFuture<'_, u64>;

    /// Whether the store answers: for health checks.
    fn ping(&self) -> StoreFuture<'_, ()>;
}

/// Whether sessions outlive the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// They live in this process and die with it.
    Process,
    /// They are kept elsewhere and outlive it.
    Durable,
}

/// How [`Store::load`] treats the idle deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// A look that is no activity: nothing slides.
    No,
    /// Activity at `now`.
    Active {
        /// The time by the application's clock.
        now: Timestamp,
        /// The hash of the secret that the request bears. Only the session's current bearer keeps it alive:
        /// where the record's `secret_hash` is another, nothing slides.
        bearer: SecretHash,
        /// How much must have passed since the last slide, so that most requests write nothing. A
        /// store that slides in the same round trip may slide every time.
        at_most_every: Duration,
    },
}

impl Touch {
    /// The latest `last_seen_at` from which sliding to `now` is due, for a query to compare with.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tenure_core::Timestamp;
    /// use tenure_core::store::Touch;
    ///
    /// let at = Timestamp::from_millis;
    /// assert_eq!(Touch::latest_due(at(100), Duration::from_millis(10)), at(90));
    /// // Never at the time of the last slide.
    /// assert_eq!(Touch::latest_due(at(100), Duration::ZERO), at(99));
    /// ```
    #[must_use]
    pub fn latest_due(now: Timestamp, at_most_every: Duration) -> Timestamp {
        now.minus(at_most_every.max(Duration::from_millis(1)))
    }

    /// When `record` is to be slid to, if sliding is due.
    #[must_use]
    pub fn due(self, record: &Record) -> Option<Timestamp> {
        match self {
            Self::Active {
                now,
                bearer,
                at_most_every,
            } if record.expiry(now).is_none() && record.secret_hash == bearer => {
                (now > record.last_seen_at && record.last_seen_at.until(now) >= at_most_every).then_some(now)
            }
            _ => None,
        }
    }
}

/// What became of [`Store::insert`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// The record is kept.
    New,
    /// The id is taken; nothing changed.
    Taken,
}

/// What became of [`Store::update`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Updated {
    /// The record is replaced.
    Saved,
    /// Somebody else was faster: the version is another. Nothing changed.
    Stale,
    /// There is no such record, or it has expired. Nothing changed.
    Gone,
}

/// How many expired ones [`Store::sweep_expired`] removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swept {
    /// How many sessions.
    pub sessions: u64,
    /// How many attempts at passwords.
    pub attempts: u64,
}

impl Swept {
    /// Nothing.
    pub const NOTHING: Self = Self {
        sessions: 0,
        attempts: 0,
    };

    /// Whether there may be more, for as many of one kind were removed as `limit` lets.
    #[must_use]
    pub fn is_full(self, limit: u32) -> bool {
        self.sessions.max(self.attempts) >= limit.into()
    }
}

/// What the engine asked of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// To open the database.
    Open,
    /// [`Store::load`].
    Load,
    /// [`Store::insert`].
    Insert,
    /// [`Store::update`].
    Update,
    /// [`Store::remove`].
    Remove,
    /// [`Store::list_by_owner`].
    List,
    /// [`Store::remove_by_owner`].
    RemoveByOwner,
    /// [`Store::sweep_expired`].
    Sweep,
    /// [`Store::load_attempts`].
    LoadAttempts,
    /// [`Store::save_attempts`].
    SaveAttempts,
    /// [`Store::remove_attempts`].
    RemoveAttempts,
    /// [`Store::page`].
    Page,
    /// [`Store::count`].
    Count,
    /// [`Store::ping`].
    Ping,
}

impl Operation {
    /// What it is called in errors and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Load => "load",
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Remove => "remove",
            Self::List => "list by owner",
            Self::RemoveByOwner => "remove by owner",
            Self::Sweep => "sweep",
            Self::LoadAttempts => "load attempts",
            Self::SaveAttempts => "save attempts",
            Self::RemoveAttempts => "remove attempts",
            Self::Page => "list all",
            Self::Count => "count",
            Self::Ping => "ping",
        }
    }
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A store did not do what it was asked. Never means "no such session".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database refused, or could not be reached.
    #[error("the {store} store failed to {operation}; check that it runs and may be reached")]
    Unavailable {
        /// Which store.
        store: &'static str,
        /// What was asked of it.
        operation: Operation,
        /// What its driver said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The database did not answer in time.
    #[error("the {store} store took longer than {deadline:?} to {operation}; see Policy::store_deadline")]
    TimedOut {
        /// Which store.
        store: &'static str,
        /// What was asked of it.
        operation: Operation,
        /// The policy's deadline.
        deadline: Duration,
    },
    /// The data is over [`MAX_DATA_BYTES`].
    #[error(
        "a record's data of {bytes} bytes is over the {MAX_DATA_BYTES} that the {store} store takes; keep big things elsewhere and their key in the session"
    )]
    TooLarge {
        /// Which store.
        store: &'static str,
        /// How many bytes it was given.
        bytes: usize,
    },
    /// A store of bounded size has no room left.
    #[error("the {store} store is full with {sessions} sessions; raise its capacity or use a database")]
    Full {
        /// Which store.
        store: &'static str,
        /// How many sessions it holds.
        sessions: usize,
    },
    /// A row does not read as a record: somebody else wrote it.
    #[error(
        "the {store} store holds a record whose {what} can't be read; was it written by another program?"
    )]
    Corrupt {
        /// Which store.
        store: &'static str,
        /// Which part of the record.
        what: &'static str,
    },
}

impl<S: Store + ?Sized> Store for Arc<S> {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn persistence(&self) -> Persistence {
        (**self).persistence()
    }

    fn load(&self, id: SessionId, touch: Touch) -> StoreFuture<'_, Option<Arc<Record>>> {
        (**self).load(id, touch)
    }

    fn insert<'a>(&'a self, record: &'a Record) -> StoreFuture<'a, Inserted> {
        (**self).insert(record)
    }

    fn update<'a>(&'a self, record: &'a Record, expected: u64, now: Timestamp) -> StoreFuture<'a, Updated> {
        (**self).update(record, expected, now)
    }

    fn remove(&self, id: SessionId) -> StoreFuture<'_, bool> {
        (**self).remove(id)
    }

    fn list_by_owner<'a>(&'a self, owner: &'a Owner, now: Timestamp) -> StoreFuture<'a, Vec<Record>> {
        (**self).list_by_owner(owner, now)
    }

    fn remove_by_owner<'a>(&'a self, owner: &'a Owner, except: Option<SessionId>) -> StoreFuture<'a, u64> {
        (**self).remove_by_owner(owner, except)
    }

    fn sweep_expired(&self, moment: Timestamp, limit: u32) -> StoreFuture<'_, Swept> {
        (**self).sweep_expired(moment, limit)
    }

    fn load_attempts(&self, key: AttemptsKey) -> StoreFuture<'_, Option<Attempts>> {
        (**self).load_attempts(key)
    }

    fn save_attempts<'a>(
        &'a self,
        key: AttemptsKey,
        attempts: &'a Attempts,
        expected: u64,
        now: Timestamp,
    ) -> StoreFuture<'a, bool> {
        (**self).save_attempts(key, attempts, expected, now)
    }

    fn remove_attempts(&self, key: AttemptsKey) -> StoreFuture<'_, bool> {
        (**self).remove_attempts(key)
    }

    fn page<'a>(&'a self, after: Option<&'a Cursor>, limit: u32) -> StoreFuture<'a, Page> {
        (**self).page(after, limit)
    }

    fn count(&self, now: Timestamp) -> StoreFuture<'_, u64> {
        (**self).count(now)
    }

    fn ping(&self) -> StoreFuture<'_, ()> {
        (**self).ping()
    }
}
