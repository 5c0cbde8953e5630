//! The store.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use redis::Value;
use tenure_core::store::{
    Attempts, AttemptsKey, Cursor, Inserted, Operation, Page, Persistence, Store, StoreError, StoreFuture,
    Swept, Touch, Updated,
};
use tenure_core::{Owner, Record, SecretHash, SessionId, Timestamp};

use crate::attempts;
use crate::client::Client;
use crate::failure::{Cause, Failure};
use crate::fields::{self, FIELDS, Written, refuse_too_large, time};
use crate::keys::Keys;
use crate::owner_index::{IndexError, OwnerIndex};
use crate::recent_slides::RecentSlides;
use crate::request::{INSERT, Repeat, Request, SAVE_ATTEMPTS, TOUCH, UPDATE};
use crate::walk::{self, Place};
use crate::{ConnectError, NAME, RedisOptions};

/// How much longer than the session its key lives: the clocks of two machines may differ by as much, and the
/// later deadline counts.
const GRACE: Duration = Duration::from_secs(60);

/// How many sessions a walk asks for at a time that counts them all.
const COUNTED_AT_ONCE: u32 = 1_000;

/// Sessions in Redis 6.2 or Valkey 8 and newer: one server, one behind Sentinel, or a cluster.
///
/// Cheap to clone; clones share the connections. Any number of processes may use the same servers.
/// Connections that break are replaced by themselves, and after a failover the new master is found.
///
/// # Keys
///
/// A session is a hash under `tenure:{<id>}`, with the metadata in fields that can be read and the data as
/// opaque bytes. What a load reads is `record`, which has the same metadata in one value, since a client takes
/// its time over each; `last_seen_at`; and `data`. The other fields are for scripts and for people, and none is
/// to be changed by hand. An owner's sessions are in a sorted set under `tenure:owner:<owner>`, which may also
/// hold sessions that are gone:
///
/// ```text
/// ZRANGE tenure:owner:user-42 0 -1
/// HMGET tenure:{00112233445566778899aabbccddeeff} owner user_agent address last_seen_at
/// DEL tenure:{00112233445566778899aabbccddeeff}
/// ```
///
/// Times are milliseconds since the Unix epoch, timeouts are milliseconds. A time past the year 287,396,
/// which a script can't count with, is kept as the last one that it can.
///
/// Keys expire by themselves, a minute after the session. When that is, is told to the server as time that is
/// left by the application's clock; the server's clock may be wrong by hours. There is nothing to sweep.
///
/// # Commands
///
/// Each method is one script on one key, so it is atomic and works in a cluster. A load is one command: a plain
/// `HMGET` where this process knows that the idle deadline slid lately, else a script, which also slides it. A
/// write is one more; when the session gets an owner, or a later absolute deadline, one or two more for the
/// owner's index. A list is one command, then one for each session, all at once.
///
/// A user of the server's ACL needs:
///
/// ```text
/// ACL SETUSER app on >secret ~tenure:* +eval +evalsha +exists +hmget +hget +hset +hdel +del +pexpire +pttl +scan +time
///     +zadd +zcard +zrange +zscore +zrem +select +ping
/// ```
///
/// and `+role` behind Sentinel, `+cluster|slots +asking` in a cluster, `+wait` with
/// [`wait_for_replicas`](RedisOptions::wait_for_replicas).
///
/// # What the server promises
///
/// A write is as durable as the server is told to make it: with `appendonly yes` and `appendfsync always` it
/// survives a killed server, with Redis's defaults the last minutes may be lost. Replication is asynchronous,
/// so a failover may undo writes that were acknowledged, those of an owner's index included; see
/// [`wait_for_replicas`](RedisOptions::wait_for_replicas).
///
/// With a `maxmemory`, set `maxmemory-policy` to `noeviction`: any other ends live sessions, and may drop an
/// owner's index, so that sessions stay when the owner's are ended. While the memory is full sessions can be
/// read and ended, and none begins or is prolonged. While the disk is full (`MISCONF`) they can be read, and
/// nothing else.
///
/// ```no_run
/// use tenure_core::{Keyring, Policy, Secret, Sessions};
/// use tenure_redis::RedisStore;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let store = RedisStore::connect("redis://app:secret@localhost:6379").await?;
/// let keyring = Keyring::new(Secret::new("T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r"));
/// let sessions = Sessions::new(Policy::default(), keyring, store)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisStore {
    client: Arc<Client>,
    keys: Keys,
    recent_slides: Arc<RecentSlides>,
}

impl RedisStore {
    /// Connects to the servers of `url`, with the defaults of [`RedisOptions`].
    ///
    /// | URL | servers |
    /// | --- | --- |
    /// | `redis://[user:password@]host[:port][/database]` | one |
    /// | `rediss://…` | the same over TLS; so it is with the two below: `rediss+sentinel://`, `rediss-cluster://` |
    /// | `redis+sentinel://[user:password@]host[:port],…/master[/database]` | sentinels, and the name of the master that they know; user and password are the servers' |
    /// | `redis-cluster://[user:password@]host[:port],…` | some nodes of a cluster, which know the others |
    ///
    /// A `@`, `:`, `/` or `%` in the user or the password is written `%40`, `%3A`, `%2F`, `%25`.
    ///
    /// TLS takes the cryptography that the process has installed for rustls; where there is none, it installs
    /// that of aws-lc.
    ///
    /// # Errors
    /// If the URL can't be read, no server answers, TLS or the sign-in fails, or the server does not fit.
    pub async fn connect(url: impl AsRef<str>) -> Result<Self, ConnectError> {
        Self::options(url).connect().await
    }

    /// For other than the defaults.
    pub fn options(url: impl AsRef<str>) -> RedisOptions {
        RedisOptions::new(url.as_ref())
    }

    pub(crate) fn new(client: Arc<Client>, keys: Keys) -> Self {
        Self {
            client,
            keys,
            recent_slides: Arc::new(RecentSlides::new()),
        }
    }

    async fn load_touched(&self, id: SessionId, touch: Touch) -> Result<Option<Arc<Record>>, StoreError> {
        let Touch::Active {
            now,
            bearer,
            at_most_every,
        } = touch
        else {
            return self.read(id).await;
        };
        if self.recent_slides.is_recent(id, now, at_most_every) {
            let record = self.read(id).await?;
            if record.as_ref().is_none_or(|record| touch.due(record).is_none()) {
                return Ok(record);
            }
        }
        let due = Touch::latest_due(now, at_most_every);
        // In a box of its own, since most loads read.
        Box::pin(self.slide(id, now, bearer, due)).await
    }

    async fn slide(
        &self,
        id: SessionId,
        now: Timestamp,
        bearer: SecretHash,
        due: Timestamp,
    ) -> Result<Option<Arc<Record>>, StoreError> {
        let request = Request::script(&TOUCH, self.keys.session(id))
            .arg(time(now))
            .arg(time(due))
            .arg(fields::hex(bearer))
            .arg(fields::millis(GRACE));
        let record = self.loaded(id, &request).await?;
        if let Some(record) = &record {
            self.recent_slides.add(id, record.last_seen_at);
        }
        Ok(record)
    }

    async fn read(&self, id: SessionId) -> Result<Option<Arc<Record>>, StoreError> {
        self.loaded(id, &Request::plain("HMGET", self.keys.session(id), &FIELDS))
            .await
    }

    async fn loaded(&self, id: SessionId, request: &Request) -> Result<Option<Arc<Record>>, StoreError> {
        let answer = self.client.call(request).await;
        let found = fields::record(id, answer.map_err(failed(Operation::Load))?)?;
        Ok(found.map(Arc::new))
    }

    async fn insert_one(&self, record: &Record) -> Result<Inserted, StoreError> {
        refuse_too_large(record)?;
        let born = record.last_seen_at;
        let written = Written::whole(record);
        let request = Request::script(&INSERT, self.keys.session(record.id))
            .arg(fields::millis(
                born.until(record.expires_at()).saturating_add(GRACE),
            ))
            .arg(written.present)
            .writing(Repeat::Unsafe);
        let insert = async || match self.client.call(&request).await? {
            Value::Int(1) => Ok(Inserted::New),
            Value::Int(0) => Ok(Inserted::Taken),
            _ => Err(unexpected()),
        };
        let inserted = match &record.owner {
            Some(owner) => self.indexed(owner, record, born, insert).await,
            None => insert().await,
        };
        inserted.map_err(failed(Operation::Insert))
    }

    async fn update_one(
        &self,
        record: &Record,
        expected: u64,
        now: Timestamp,
    ) -> Result<Updated, StoreError> {
        refuse_too_large(record)?;
        let updated = match self.replace(record, expected, now, record.owner.is_none()).await {
            Ok(Replaced::Done(updated)) => Ok(updated),
            Ok(Replaced::Unindexed) => self.replace_indexed(record, expected, now).await,
            Err(failure) => Err(failure),
        };
        updated.map_err(failed(Operation::Update))
    }

    /// Enters the session into its owner's index and replaces it then.
    async fn replace_indexed(
        &self,
        record: &Record,
        expected: u64,
        now: Timestamp,
    ) -> Result<Updated, Failure> {
        let replace = async || match self.replace(record, expected, now, true).await? {
            Replaced::Done(updated) => Ok(updated),
            Replaced::Unindexed => Err(unexpected()),
        };
        match &record.owner {
            Some(owner) => self.indexed(owner, record, now, replace).await,
            None => replace().await,
        }
    }

    /// `indexed` says that the owner's index has the session. If it does not, the server looks whether it has
    /// to.
    async fn replace(
        &self,
        record: &Record,
        expected: u64,
        now: Timestamp,
        indexed: bool,
    ) -> Result<Replaced, Failure> {
        let written = Written::plain(record);
        let request = Request::script(&UPDATE, self.keys.session(record.id))
            .arg(expected)
            .arg(time(now))
            .arg(fields::millis(GRACE))
            .arg(u8::from(indexed))
            .arg(record.owner.as_ref().map_or("", Owner::as_str))
            .arg(time(record.last_seen_at))
            .arg(fields::millis(record.idle_timeout))
            .arg(time(record.absolute_deadline))
            .arg(written.present.len())
            .arg(written.present)
            .arg(written.absent)
            .writing(Repeat::Unsafe);
        match self.client.call(&request).await? {
            Value::BulkString(said) => match &said[..] {
                b"saved" => Ok(Replaced::Done(Updated::Saved)),
                b"stale" => Ok(Replaced::Done(Updated::Stale)),
                b"gone" => Ok(Replaced::Done(Updated::Gone)),
                b"unindexed" => Ok(Replaced::Unindexed),
                _ => Err(unexpected()),
            },
            _ => Err(unexpected()),
        }
    }

    /// Does `write` once the owner's index has the session.
    async fn indexed<T>(
        &self,
        owner: &Owner,
        record: &Record,
        now: Timestamp,
        write: impl AsyncFnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let lives = now.until(record.absolute_deadline).saturating_add(GRACE);
        let entry = self.index().add(owner, record.id, lives).await?;
        let outcome = write().await?;
        if entry.is_late() {
            self.index().add(owner, record.id, lives).await?;
        }
        Ok(outcome)
    }

    /// When the first answer was lost and the removal was tried again, it says that there was none.
    async fn delete(&self, operation: Operation, key: String) -> Result<bool, StoreError> {
        let request = Request::plain("DEL", key, &[]).writing(Repeat::Safe);
        match self.client.call(&request).await {
            Ok(Value::Int(removed)) => Ok(removed > 0),
            Ok(_) => Err(failed(operation)(unexpected())),
            Err(failure) => Err(failed(operation)(failure)),
        }
    }

    async fn page_from(
        &self,
        operation: Operation,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page, StoreError> {
        let place = match after {
            None => Place::default(),
            Some(cursor) => Place::of(cursor).ok_or(StoreError::Corrupt {
                store: NAME,
                what: "cursor",
            })?,
        };
        let step = walk::step(&self.client, &self.keys, place, limit).await;
        let step = step.map_err(failed(operation))?;
        let records = self.index().looked_up(&step.ids).await;
        Ok(Page {
            records: records.map_err(index_failed(operation))?,
            next: step.next.map(Place::cursor),
        })
    }

    /// By a walk over all of them, since nothing counts them.
    async fn count_living(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut living = HashSet::new();
        let mut next = None;
        loop {
            let page = self
                .page_from(Operation::Count, next.as_ref(), COUNTED_AT_ONCE)
                .await?;
            let alive = page.records.iter().filter(|record| record.expiry(now).is_none());
            living.extend(alive.map(|record| record.id));
            next = page.next;
            if next.is_none() {
                return Ok(living.len() as u64);
            }
        }
    }

    async fn list(&self, owner: &Owner, now: Timestamp) -> Result<Vec<Record>, StoreError> {
        let records = self.index().records(owner).await;
        let mut records = records.map_err(index_failed(Operation::List))?;
        records.retain(|record| record.expiry(now).is_none());
        records.sort_by_key(|record| Reverse(record.last_seen_at));
        Ok(records)
    }

    async fn ask_whether_it_answers(&self) -> Result<(), StoreError> {
        // For a key of ours, so that it fails where the server can be reached and nothing can be read.
        let request = Request::plain("EXISTS", self.keys.ping(), &[]);
        let answer = self.client.call(&request).await;
        answer.map(drop).map_err(failed(Operation::Ping))
    }

    fn index(&self) -> OwnerIndex<'_> {
        OwnerIndex {
            client: &self.client,
            keys: &self.keys,
        }
    }
}

/// What became of an attempt to replace a session.
enum Replaced {
    Done(Updated),
    /// The owner's index has to have the session first. Nothing changed.
    Unindexed,
}

impl std::fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisStore")
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

impl Store for RedisStore {
    fn name(&self) -> &'static str {
        NAME
    }

    fn persistence(&self) -> Persistence {
        Persistence::Durable
    }

    fn load(&self, id: SessionId, touch: Touch) -> StoreFuture<'_, Option<Arc<Record>>> {
        Box::pin(self.load_touched(id, touch))
    }

    fn insert<'a>(&'a self, record: &'a Record) -> StoreFuture<'a, Inserted> {
        Box::pin(self.insert_one(record))
    }

    fn update<'a>(&'a self, record: &'a Record, expected: u64, now: Timestamp) -> StoreFuture<'a, Updated> {
        Box::pin(self.update_one(record, expected, now))
    }

    fn remove(&self, id: SessionId) -> StoreFuture<'_, bool> {
        Box::pin(self.delete(Operation::Remove, self.keys.session(id)))
    }

    fn list_by_owner<'a>(&'a self, owner: &'a Owner, now: Timestamp) -> StoreFuture<'a, Vec<Record>> {
        Box::pin(self.list(owner, now))
    }

    fn remove_by_owner<'a>(&'a self, owner: &'a Owner, except: Option<SessionId>) -> StoreFuture<'a, u64> {
        Box::pin(async move {
            let removed = self.index().remove_records(owner, except).await;
            removed.map_err(index_failed(Operation::RemoveByOwner))
        })
    }

    /// The server expires keys by itself.
    fn sweep_expired(&self, _: Timestamp, _: u32) -> StoreFuture<'_, Swept> {
        Box::pin(std::future::ready(Ok(Swept::NOTHING)))
    }

    fn load_attempts(&self, key: AttemptsKey) -> StoreFuture<'_, Option<Attempts>> {
        Box::pin(async move {
            let request = Request::plain("HMGET", self.keys.attempts(key), &attempts::FIELDS);
            let answer = self.client.call(&request).await;
            attempts::read(answer.map_err(failed(Operation::LoadAttempts))?)
        })
    }

    fn save_attempts<'a>(
        &'a self,
        key: AttemptsKey,
        attempts: &'a Attempts,
        expected: u64,
        now: Timestamp,
    ) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let lives = now.until(attempts.expires_at).saturating_add(GRACE);
            let request = Request::script(&SAVE_ATTEMPTS, self.keys.attempts(key))
                .arg(expected)
                .arg(time(now))
                .arg(fields::millis(lives))
                .arg(attempts::written(attempts))
                .writing(Repeat::Unsafe);
            match self.client.call(&request).await {
                Ok(Value::Int(saved)) => Ok(saved > 0),
                Ok(_) => Err(failed(Operation::SaveAttempts)(unexpected())),
                Err(failure) => Err(failed(Operation::SaveAttempts)(failure)),
            }
        })
    }

    fn remove_attempts(&self, key: AttemptsKey) -> StoreFuture<'_, bool> {
        Box::pin(self.delete(Operation::RemoveAttempts, self.keys.attempts(key)))
    }

    fn page<'a>(&'a self, after: Option<&'a Cursor>, limit: u32) -> StoreFuture<'a, Page> {
        Box::pin(self.page_from(Operation::Page, after, limit))
    }

    fn count(&self, now: Timestamp) -> StoreFuture<'_, u64> {
        Box::pin(self.count_living(now))
    }

    fn ping(&self) -> StoreFuture<'_, ()> {
        Box::pin(self.ask_whether_it_answers())
    }
}

pub(crate) fn unexpected() -> Failure {
    Failure::new(Cause::Refused, "an answer is not what a script gives")
}

pub(crate) fn failed(operation: Operation) -> impl Fn(Failure) -> StoreError {
    move |failure| StoreError::Unavailable {
        store: NAME,
        operation,
        source: Box::new(failure),
    }
}

fn index_failed(operation: Operation) -> impl Fn(IndexError) -> StoreError {
    move |error| match error {
        IndexError::Failed(failure) => failed(operation)(failure),
        IndexError::Record(error) => error,
        IndexError::Corrupt => StoreError::Corrupt {
            store: NAME,
            what: "owner's index",
        },
    }
}
