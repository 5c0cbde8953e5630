//! Sessions in this process's memory, for tests.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::express::{ExpressExpiry, ExpressStore, Replaced};
use crate::store::{Inserted, StoreError, StoreFuture};

const NAME: &str = "memory";

/// Sessions without an `expires` live for a day, as in most of express-session's stores.
const TIME_TO_LIVE: Duration = Duration::from_secs(86_400);

/// Express sessions in this process's memory: for development and tests, since no Express application sees them.
///
/// Bounded, so that it can't leak: past its capacity, expired sessions are dropped, and when none is left to drop, new ones
/// are refused with [`StoreError::Full`].
///
/// ```
/// use tenure_core::express::MemoryExpressStore;
///
/// let store = MemoryExpressStore::new();
/// let small = MemoryExpressStore::with_capacity(1_000);
/// ```
pub struct MemoryExpressStore {
    sessions: Mutex<HashMap<Box<str>, Kept>>,
    capacity: usize,
}

struct Kept {
    json: Box<str>,
    ends_at: Timestamp,
}

impl MemoryExpressStore {
    /// How many sessions it holds unless told otherwise.
    pub const DEFAULT_CAPACITY: usize = 100_000;

    /// A store for [`MemoryExpressStore::DEFAULT_CAPACITY`] sessions.
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(Self::DEFAULT_CAPACITY)
    }

    /// A store for at most `capacity` sessions.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            sessions: Mutex::default(),
            capacity,
        }
    }

    /// How many sessions it holds, expired ones that nobody dropped included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sessions().len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<Box<str>, Kept>> {
        // Nothing that runs under the lock leaves a session half changed.
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn insert_now(&self, sid: &str, json: &str, expiry: ExpressExpiry) -> Result<Inserted, StoreError> {
        let mut sessions = self.sessions();
        if sessions.contains_key(sid) {
            return Ok(Inserted::Taken);
        }
        if sessions.len() >= self.capacity {
            sessions.retain(|_, kept| kept.ends_at > expiry.now);
        }
        if sessions.len() >= self.capacity {
            return Err(StoreError::Full {
                store: NAME,
                sessions: sessions.len(),
            });
        }
        sessions.insert(sid.into(), Kept::new(json, expiry));
        Ok(Inserted::New)
    }

    fn replace_now(&self, sid: &str, seen: &str, json: &str, expiry: ExpressExpiry) -> Replaced {
        match as_seen(&mut self.sessions(), sid, seen, expiry.now) {
            Ok(kept) => {
                *kept = Kept::new(json, expiry);
                Replaced::Done
            }
            Err(changed) => changed,
        }
    }

    fn touch_now(&self, sid: &str, expiry: ExpressExpiry) -> bool {
        match self.sessions().get_mut(sid) {
            Some(kept) if kept.ends_at > expiry.now => {
                kept.ends_at = expiry.or_after(TIME_TO_LIVE);
                true
            }
            _ => false,
        }
    }

    fn remove_unchanged_now(&self, sid: &str, seen: &str, now: Timestamp) -> Replaced {
        let mut sessions = self.sessions();
        if let Err(changed) = as_seen(&mut sessions, sid, seen, now) {
            return changed;
        }
        sessions.remove(sid);
        Replaced::Done
    }
}

/// The session, if it is alive and still what was seen.
fn as_seen<'s>(
    sessions: &'s mut HashMap<Box<str>, Kept>,
    sid: &str,
    seen: &str,
    now: Timestamp,
) -> Result<&'s mut Kept, Replaced> {
    let alive = sessions.get_mut(sid).filter(|kept| kept.ends_at > now);
    let kept = alive.ok_or(Replaced::Gone)?;
    if &*kept.json == seen {
        Ok(kept)
    } else {
        Err(Replaced::Stale)
    }
}

impl Kept {
    fn new(json: &str, expiry: ExpressExpiry) -> Self {
        Self {
            json: json.into(),
            ends_at: expiry.or_after(TIME_TO_LIVE),
        }
    }
}

impl Default for MemoryExpressStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryExpressStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryExpressStore")
            .field("sessions", &self.sessions().len())
            .field("capacity", &self.capacity)
            .finish()
    }
}

impl ExpressStore for MemoryExpressStore {
    fn name(&self) -> &'static str {
        NAME
    }

    fn load<'a>(&'a self, sid: &'a str, now: Timestamp) -> StoreFuture<'a, Option<String>> {
        Box::pin(async move {
            let sessions = self.sessions();
            let alive = sessions.get(sid).filter(|kept| kept.ends_at > now);
            Ok(alive.map(|kept| kept.json.to_string()))
        })
    }

    fn insert<'a>(&'a self, sid: &'a str, json: &'a str, expiry: ExpressExpiry) -> StoreFuture<'a, Inserted> {
        Box::pin(async move { self.insert_now(sid, json, expiry) })
    }

    fn replace<'a>(
        &'a self,
        sid: &'a str,
        seen: &'a str,
        json: &'a str,
        expiry: ExpressExpiry,
    ) -> StoreFuture<'a, Replaced> {
        Box::pin(async move { Ok(self.replace_now(sid, seen, json, expiry)) })
    }

    fn touch<'a>(&'a self, sid: &'a str, expiry: ExpressExpiry) -> StoreFuture<'a, bool> {
        Box::pin(async move { Ok(self.touch_now(sid, expiry)) })
    }

    fn remove<'a>(&'a self, sid: &'a str) -> StoreFuture<'a, bool> {
        Box::pin(async move { Ok(self.sessions().remove(sid).is_some()) })
    }

    fn remove_unchanged<'a>(
        &'a self,
        sid: &'a str,
        seen: &'a str,
        now: Timestamp,
    ) -> StoreFuture<'a, Replaced> {
        Box::pin(async move { Ok(self.remove_unchanged_now(sid, seen, now)) })
    }

    fn ping(&self) -> StoreFuture<'_, ()> {
        Box::pin(async { Ok(()) })
    }
}
