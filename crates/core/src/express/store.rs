//! The trait of a database that an Express application keeps its sessions in, too.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::store::{Inserted, StoreFuture};

/// A database in the layout of one of express-session's stores, which the Express application writes to at the
/// same time.
///
/// No layout of theirs has a version, so the session's content stands for it: what is replaced or removed is what was
/// seen before, or nothing is.
///
/// # Contract
///
/// - **Each method is atomic on its session.** Called at once from many tasks and several processes, the outcome is that
///   of some order of the calls.
/// - **A removed session stays removed.** Only [`insert`](ExpressStore::insert) creates, and so does an Express
///   application, which can't be kept from it.
/// - **The store's own deadline decides.** A touch by an Express application moves that one alone, so the `expires` in a
///   session's JSON may be long past. A session whose deadline has passed is treated as one that is not there.
/// - **An error is no absence.** A store that fails says so, and never that there is no session.
///
/// The suite of the `testkit` crate checks all of it; a store that passes may be used.
pub trait ExpressStore: Send + Sync + 'static {
    /// The store's name in errors, such as `"redis"`.
    fn name(&self) -> &'static str;

    /// The JSON of the session that is alive at `now`, if there is one.
    fn load<'a>(&'a self, sid: &'a str, now: Timestamp) -> StoreFuture<'a, Option<String>>;

    /// Keeps a new session, unless its id is taken.
    fn insert<'a>(&'a self, sid: &'a str, json: &'a str, expiry: ExpressExpiry) -> StoreFuture<'a, Inserted>;

    /// Puts `json` in the place of the session if that is alive and still what [`load`](ExpressStore::load) gave as
    /// `seen`.
    fn replace<'a>(
        &'a self,
        sid: &'a str,
        seen: &'a str,
        json: &'a str,
        expiry: ExpressExpiry,
    ) -> StoreFuture<'a, Replaced>;

    /// Moves the session's deadline and nothing else, as express-session's `touch` does. Says whether there was one that
    /// was alive.
    fn touch<'a>(&'a self, sid: &'a str, expiry: ExpressExpiry) -> StoreFuture<'a, bool>;

    /// Removes the session, whatever it holds. Says whether there was one.
    fn remove<'a>(&'a self, sid: &'a str) -> StoreFuture<'a, bool>;

    /// Removes the session if it is alive and still what [`load`](ExpressStore::load) gave as `seen`.
    fn remove_unchanged<'a>(
        &'a self,
        sid: &'a str,
        seen: &'a str,
        now: Timestamp,
    ) -> StoreFuture<'a, Replaced>;

    /// Whether the store answers: for health checks.
    fn ping(&self) -> StoreFuture<'_, ()>;
}

/// What became of [`ExpressStore::replace`] and [`ExpressStore::remove_unchanged`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replaced {
    /// It is done.
    Done,
    /// Somebody else was faster: the session is not what was seen. Nothing changed.
    Stale,
    /// There is no such session, or it has expired. Nothing changed.
    Gone,
}

/// When a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpressExpiry {
    /// The time by the application's clock.
    pub now: Timestamp,
    /// The cookie's `expires`. None: the store's own time to live counts, as with express-session.
    pub ends_at: Option<Timestamp>,
}

impl ExpressExpiry {
    /// The end, by a store that keeps sessions without one for `time_to_live`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tenure_core::Timestamp;
    /// use tenure_core::express::ExpressExpiry;
    ///
    /// let now = Timestamp::from_millis(5_000);
    /// let open = ExpressExpiry { now, ends_at: None };
    /// assert_eq!(open.or_after(Duration::from_secs(1)), Timestamp::from_millis(6_000));
    /// let fixed = ExpressExpiry { now, ends_at: Some(Timestamp::from_millis(5_001)) };
    /// assert_eq!(fixed.or_after(Duration::from_secs(1)), Timestamp::from_millis(5_001));
    /// ```
    #[must_use]
    pub fn or_after(self, time_to_live: Duration) -> Timestamp {
        self.ends_at.unwrap_or(self.now.plus(time_to_live))
    }
}

impl<S: ExpressStore + ?Sized> ExpressStore for Arc<S> {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn load<'a>(&'a self, sid: &'a str, now: Timestamp) -> StoreFuture<'a, Option<String>> {
        (**self).load(sid, now)
    }

    fn insert<'a>(&'a self, sid: &'a str, json: &'a str, expiry: ExpressExpiry) -> StoreFuture<'a, Inserted> {
        (**self).insert(sid, json, expiry)
    }

    fn replace<'a>(
        &'a self,
        sid: &'a str,
        seen: &'a str,
        json: &'a str,
        expiry: ExpressExpiry,
    ) -> StoreFuture<'a, Replaced> {
        (**self).replace(sid, seen, json, expiry)
    }

    fn touch<'a>(&'a self, sid: &'a str, expiry: ExpressExpiry) -> StoreFuture<'a, bool> {
        (**self).touch(sid, expiry)
    }

    fn remove<'a>(&'a self, sid: &'a str) -> StoreFuture<'a, bool> {
        (**self).remove(sid)
    }

    fn remove_unchanged<'a>(
        &'a self,
        sid: &'a str,
        seen: &'a str,
        now: Timestamp,
    ) -> StoreFuture<'a, Replaced> {
        (**self).remove_unchanged(sid, seen, now)
    }

    fn ping(&self) -> StoreFuture<'_, ()> {
        (**self).ping()
    }
}
