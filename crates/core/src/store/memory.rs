//! Sessions in this process's memory, for development and tests.

mod attempts;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{
    Attempts, AttemptsKey, Cursor, Inserted, MAX_DATA_BYTES, Page, Persistence, Store, StoreError,
    StoreFuture, Swept, Touch, Updated,
};
use crate::clock::Timestamp;
use crate::owner::Owner;
use crate::record::{Record, without_data};
use crate::session_id::SessionId;
use attempts::{AttemptsTable, Full};

const NAME: &str = "memory";
const SHARDS: usize = 64;

/// Sessions in this process's memory: gone at a restart, shared with nobody. A production policy
/// refuses it.
///
/// Bounded, so that it can't leak: past its capacity, expired sessions are dropped, and when none
/// is left to drop, new ones are refused with [`StoreError::Full`]; none that lives is pushed out. It
/// takes as many counts of failed attempts, by the same rules.
///
/// ```
/// use tenure_core::MemoryStore;
///
/// let store = MemoryStore::new();
/// let small = MemoryStore::with_capacity(1_000);
/// ```
pub struct MemoryStore {
    shards: Box<[Mutex<Shard>]>,
    sessions: AtomicUsize,
    capacity: usize,
    attempts: Mutex<AttemptsTable>,
}

/// What is looked up is handed out as it is, and changed by nobody who shares it.
type Shard = HashMap<SessionId, Arc<Record>>;

impl MemoryStore {
    /// How many sessions it holds unless told otherwise.
    pub const DEFAULT_CAPACITY: usize = 100_000;

    /// A store for [`MemoryStore::DEFAULT_CAPACITY`] sessions.
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(Self::DEFAULT_CAPACITY)
    }

    /// A store for at most `capacity` sessions.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            sessions: AtomicUsize::new(0),
            capacity,
            attempts: Mutex::default(),
        }
    }

    /// How many sessions it holds, expired ones that nobody swept included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sessions.load(Ordering::Relaxed)
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, id: SessionId) -> MutexGuard<'_, Shard> {
        locked(&self.shards[shard_of(id)])
    }

    fn load_now(&self, id: SessionId, touch: Touch) -> Option<Arc<Record>> {
        let mut shard = self.shard(id);
        let record = shard.get_mut(&id)?;
        if let Some(now) = touch.due(record) {
            Arc::make_mut(record).last_seen_at = now;
        }
        Some(Arc::clone(record))
    }

    fn insert_now(&self, record: &Record) -> Result<Inserted, StoreError> {
        refuse_too_large(record)?;
        if !self.reserve() {
            self.sweep_now(record.last_seen_at, u32::MAX);
            if !self.reserve() {
                return Err(StoreError::Full {
                    store: NAME,
                    sessions: self.len(),
                });
            }
        }
        let mut shard = self.shard(record.id);
        if shard.contains_key(&record.id) {
            self.sessions.fetch_sub(1, Ordering::Relaxed);
            return Ok(Inserted::Taken);
        }
        shard.insert(record.id, Arc::new(record.clone()));
        Ok(Inserted::New)
    }

    /// Takes a place for one more session, if there is one.
    fn reserve(&self) -> bool {
        let one_more = |sessions| (sessions < self.capacity).then_some(sessions + 1);
        self.sessions
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more)
            .is_ok()
    }

    fn update_now(&self, record: &Record, expected: u64, now: Timestamp) -> Result<Updated, StoreError> {
        refuse_too_large(record)?;
        let mut shard = self.shard(record.id);
        Ok(match shard.get_mut(&record.id) {
            None => Updated::Gone,
            Some(stored) if stored.expiry(now).is_some() => Updated::Gone,
            Some(stored) if stored.version != expected => Updated::Stale,
            Some(stored) => {
                let last_seen_at = stored.last_seen_at.max(record.last_seen_at);
                *stored = Arc::new(Record {
                    last_seen_at,
                    ..record.clone()
                });
                Updated::Saved
            }
        })
    }

    fn remove_now(&self, id: SessionId) -> bool {
        let removed = self.shard(id).remove(&id).is_some();
        self.sessions.fetch_sub(usize::from(removed), Ordering::Relaxed);
        removed
    }

    fn list_now(&self, owner: &Owner, now: Timestamp) -> Vec<Record> {
        let mut found = Vec::new();
        for shard in &self.shards {
            let shard = locked(shard);
            let alive = shard
                .values()
                .filter(|record| record.owner.as_ref() == Some(owner) && record.expiry(now).is_none());
            found.extend(alive.map(|record| without_data(Record::clone(record))));
        }
        found.sort_by_key(|record| std::cmp::Reverse(record.last_seen_at));
        found
    }

    fn remove_where(&self, limit: u32, mut condemned: impl FnMut(&Record) -> bool) -> u64 {
        let mut removed = 0;
        for shard in &self.shards {
            locked(shard).retain(|_, record| {
                let goes = removed < u64::from(limit) && condemned(record);
                removed += u64::from(goes);
                !goes
            });
        }
        self.sessions.fetch_sub(removed as usize, Ordering::Relaxed);
        removed
    }

    fn page_now(&self, after: Option<&Cursor>, limit: u32) -> Result<Page, StoreError> {
        let after = after.map(position).transpose()?;
        let limit = limit.max(1) as usize;
        let mut records: Vec<Record> = Vec::new();
        for (number, shard) in self.shards.iter().enumerate() {
            if after.is_some_and(|after| number < shard_of(after)) {
                continue;
            }
            let shard = locked(shard);
            let mut ids: Vec<_> = shard.keys().copied().collect();
            ids.retain(|id| after.is_none_or(|after| number > shard_of(after) || *id > after));
            ids.sort_unstable();
            for id in ids {
                if records.len() == limit {
                    let next = records.last().map(|last| Cursor::from_bytes(*last.id.as_bytes()));
                    return Ok(Page { records, next });
                }
                records.push(without_data(Record::clone(&shard[&id])));
            }
        }
        Ok(Page { records, next: None })
    }

    fn count_now(&self, now: Timestamp) -> u64 {
        let alive = |record: &&Arc<Record>| record.expiry(now).is_none();
        let in_shard = |shard: &Mutex<Shard>| locked(shard).values().filter(alive).count() as u64;
        self.shards.iter().map(in_shard).sum()
    }

    fn save_attempts_now(
        &self,
        key: AttemptsKey,
        attempts: Attempts,
        expected: u64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut table = locked(&self.attempts);
        table
            .save(key, attempts, expected, now, self.capacity)
            .map_err(|Full| StoreError::Full {
                store: NAME,
                sessions: self.len(),
            })
    }

    fn sweep_now(&self, moment: Timestamp, limit: u32) -> Swept {
        Swept {
            attempts: locked(&self.attempts).sweep(moment, limit),
            sessions: self.remove_where(limit, |record| record.expires_at() <= moment),
        }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("sessions", &self.len())
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}

impl Store for MemoryStore {
    fn name(&self) -> &'static str {
        NAME
    }

    fn persistence(&self) -> Persistence {
        Persistence::Process
    }

    fn load(&self, id: SessionId, touch: Touch) -> StoreFuture<'_, Option<Arc<Record>>> {
        Box::pin(async move { Ok(self.load_now(id, touch)) })
    }

    fn insert<'a>(&'a self, record: &'a Record) -> StoreFuture<'a, Inserted> {
        Box::pin(async move { self.insert_now(record) })
    }

    fn update<'a>(&'a self, record: &'a Record, expected: u64, now: Timestamp) -> StoreFuture<'a, Updated> {
        Box::pin(async move { self.update_now(record, expected, now) })
    }

    fn remove(&self, id: SessionId) -> StoreFuture<'_, bool> {
        Box::pin(async move { Ok(self.remove_now(id)) })
    }

    fn list_by_owner<'a>(&'a self, owner: &'a Owner, now: Timestamp) -> StoreFuture<'a, Vec<Record>> {
        Box::pin(async move { Ok(self.list_now(owner, now)) })
    }

    fn remove_by_owner<'a>(&'a self, owner: &'a Owner, except: Option<SessionId>) -> StoreFuture<'a, u64> {
        Box::pin(async move {
            let others = |record: &Record| record.owner.as_ref() == Some(owner) && Some(record.id) != except;
            Ok(self.remove_where(u32::MAX, others))
        })
    }

    fn sweep_expired(&self, moment: Timestamp, limit: u32) -> StoreFuture<'_, Swept> {
        Box::pin(async move { Ok(self.sweep_now(moment, limit)) })
    }

    fn load_attempts(&self, key: AttemptsKey) -> StoreFuture<'_, Option<Attempts>> {
        Box::pin(async move { Ok(locked(&self.attempts).load(key)) })
    }

    fn save_attempts<'a>(
        &'a self,
        key: AttemptsKey,
        attempts: &'a Attempts,
        expected: u64,
        now: Timestamp,
    ) -> StoreFuture<'a, bool> {
        Box::pin(async move { self.save_attempts_now(key, *attempts, expected, now) })
    }

    fn remove_attempts(&self, key: AttemptsKey) -> StoreFuture<'_, bool> {
        Box::pin(async move { Ok(locked(&self.attempts).remove(key)) })
    }

    fn page<'a>(&'a self, after: Option<&'a Cursor>, limit: u32) -> StoreFuture<'a, Page> {
        Box::pin(async move { self.page_now(after, limit) })
    }

    fn count(&self, now: Timestamp) -> StoreFuture<'_, u64> {
        Box::pin(async move { Ok(self.count_now(now)) })
    }

    fn ping(&self) -> StoreFuture<'_, ()> {
        Box::pin(async move { Ok(()) })
    }
}

fn shard_of(id: SessionId) -> usize {
    usize::from(id.as_bytes()[0]) % SHARDS
}

fn position(cursor: &Cursor) -> Result<SessionId, StoreError> {
    let bytes = cursor.as_bytes().try_into().map_err(|_| StoreError::Corrupt {
        store: NAME,
        what: "cursor",
    })?;
    Ok(SessionId::from_bytes(bytes))
}

fn refuse_too_large(record: &Record) -> Result<(), StoreError> {
    match record.data.len() {
        bytes if bytes > MAX_DATA_BYTES => Err(StoreError::TooLarge { store: NAME, bytes }),
        _ => Ok(()),
    }
}

fn locked<T>(shard: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that runs under the lock leaves a shard half changed, so a panic there spoils nothing.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
