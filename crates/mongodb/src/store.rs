//! Sessions in a MongoDB collection.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mongodb::bson::{Document, RawDocumentBuf, doc};
use mongodb::{Collection, Database};
use tenure_core::store::{
    Attempts, AttemptsKey, Cursor, Inserted, Operation, Page, Persistence, Store, StoreError, StoreFuture,
    Swept, Touch, Updated,
};
use tenure_core::{Owner, Record, SessionId, Timestamp};

use crate::attempts;
use crate::document::{self, DATA, ID, LAST_SEEN_AT, VERSION, refuse_too_large, signed};
use crate::failure::{failed, is_duplicate_key};
use crate::options::{byte_for_byte, primary};
use crate::{ConnectError, Failure, MongoOptions, NAME, command};

/// Sessions in a MongoDB collection, one document each.
///
/// Cheap to clone; clones share the connections. Any number of processes may use one collection.
///
/// A load is one command; at most once per touch interval a second one slides the idle deadline. A
/// write, a removal and "sign out everywhere" are one command each. None is a transaction: each changes
/// a document only if it still is what the command expects. What a cancelled request had begun is done
/// to its end in a task of its own, within the timeouts of [`MongoOptions`].
///
/// **Writes** are acknowledged when a majority of the servers has them in its journals, whatever the URL
/// says. A failover undoes none of them: who was told that they are signed out stays so. Where the
/// majority can't be reached, the request fails within the [operation timeout](MongoOptions::operation_timeout),
/// and its change may still happen.
///
/// **Reads** go to the primary, whatever the URL says, and see the newest state; a secondary may lag
/// behind a sign-out. See [`linearizable_reads`](MongoOptions::linearizable_reads) for a primary that
/// the network has cut off.
///
/// **Repeats.** After a broken connection the driver repeats a command once. For writes it does so on
/// replica sets and sharded clusters alone, whose servers know a repeated command by its number and give
/// the first answer again, so that a change that was made is never reported as a conflict. On a single
/// server it repeats no write. "Sign out everywhere" is never repeated by the driver; asking for it
/// again is safe.
///
/// ```
/// use tenure_mongodb::MongoStore;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MongoStore::connect("mongodb://shop:secret@db.example/shop").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct MongoStore {
    database: Database,
    sessions: Collection<Document>,
    attempts: Collection<Document>,
    read_timeout: Duration,
}

impl MongoStore {
    /// Connects to the server of this URL, `mongodb://` or `mongodb+srv://`, with the defaults of
    /// [`MongoOptions`], and creates the collection's indexes where they are missing.
    ///
    /// # Errors
    /// If the URL can't be read, no server that takes writes answers in time, or the user may not create
    /// indexes.
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        Self::options(url).connect().await
    }

    /// For other than the defaults.
    pub fn options(url: &str) -> MongoOptions {
        MongoOptions::new(url)
    }

    pub(crate) fn new(
        database: Database,
        sessions: Collection<Document>,
        attempts: Collection<Document>,
        read_timeout: Duration,
    ) -> Self {
        Self {
            database,
            sessions,
            attempts,
            read_timeout,
        }
    }

    /// The documents as they came, so that their data is copied only once.
    fn documents(&self) -> Collection<RawDocumentBuf> {
        self.sessions.clone_with_type()
    }

    async fn load_touched(&self, id: SessionId, touch: Touch) -> Result<Option<Arc<Record>>, StoreError> {
        while let Some(mut record) = self.look(id).await? {
            let (Some(now), Touch::Active { at_most_every, .. }) = (touch.due(&record), touch) else {
                return Ok(Some(record));
            };
            let due = command::due_as_read(&record, now, at_most_every);
            Arc::make_mut(&mut record).last_seen_at = now;
            if self.slide(due, &record).await? {
                return Ok(Some(record));
            }
            // Between the two commands somebody else slid, changed or ended it.
        }
        Ok(None)
    }

    async fn look(&self, id: SessionId) -> Result<Option<Arc<Record>>, StoreError> {
        let found = self
            .documents()
            .find_one(command::of_id(id))
            .max_time(self.read_timeout)
            .await
            .map_err(failed(Operation::Load))?;
        let record = found.as_deref().map(document::record).transpose()?;
        Ok(record.map(Arc::new))
    }

    async fn slide(&self, due: Document, slid: &Record) -> Result<bool, StoreError> {
        let done = self.sessions.update_one(due, command::slid_to(slid)).await;
        Ok(done.map_err(failed(Operation::Load))?.matched_count > 0)
    }

    async fn insert_new(&self, record: &Record) -> Result<Inserted, StoreError> {
        refuse_too_large(record)?;
        match self.sessions.insert_one(document::of(record)).await {
            Ok(_) => Ok(Inserted::New),
            Err(error) if is_duplicate_key(&error) => Ok(Inserted::Taken),
            Err(error) => Err(failed(Operation::Insert)(error)),
        }
    }

    async fn compare_and_set(
        &self,
        record: &Record,
        expected: u64,
        now: Timestamp,
    ) -> Result<Updated, StoreError> {
        refuse_too_large(record)?;
        loop {
            if self.replace(record, expected, now).await? {
                return Ok(Updated::Saved);
            }
            match self.version_of_living(record.id, now).await? {
                None => return Ok(Updated::Gone),
                Some(version) if version != signed(expected) => return Ok(Updated::Stale),
                // Between the two commands it came to be what was asked for.
                Some(_) => {}
            }
        }
    }

    async fn replace(&self, record: &Record, expected: u64, now: Timestamp) -> Result<bool, StoreError> {
        let filter = command::living_at_version(record.id, expected, now);
        let done = self
            .sessions
            .update_one(filter, command::replacement(record))
            .await;
        Ok(done.map_err(failed(Operation::Update))?.matched_count > 0)
    }

    async fn version_of_living(&self, id: SessionId, now: Timestamp) -> Result<Option<i64>, StoreError> {
        let version_alone = doc! { ID: 0, VERSION: 1 };
        let found = self
            .documents()
            .find_one(command::living(id, now))
            .projection(version_alone)
            .max_time(self.read_timeout)
            .await
            .map_err(failed(Operation::Update))?;
        found.as_deref().map(document::version).transpose()
    }

    async fn remove_one(&self, id: SessionId) -> Result<bool, StoreError> {
        let done = self.sessions.delete_one(command::of_id(id)).await;
        Ok(done.map_err(failed(Operation::Remove))?.deleted_count > 0)
    }

    async fn living_of(&self, owner: &Owner, now: Timestamp) -> Result<Vec<Record>, StoreError> {
        let mut cursor = self
            .documents()
            .find(command::living_of(owner, now))
            .projection(doc! { DATA: 0 })
            .sort(doc! { LAST_SEEN_AT: -1 })
            .max_time(self.read_timeout)
            .collation(byte_for_byte())
            .await
            .map_err(failed(Operation::List))?;
        let mut records = Vec::new();
        while cursor.advance().await.map_err(failed(Operation::List))? {
            records.push(document::metadata(cursor.current())?);
        }
        Ok(records)
    }

    async fn remove_of(&self, owner: &Owner, except: Option<SessionId>) -> Result<u64, StoreError> {
        let done = self
            .sessions
            .delete_many(command::all_of(owner, except))
            .collation(byte_for_byte())
            .await
            .map_err(failed(Operation::RemoveByOwner))?;
        Ok(done.deleted_count)
    }

    async fn attempts_under(&self, key: AttemptsKey) -> Result<Option<Attempts>, StoreError> {
        let found = self
            .attempts
            .clone_with_type::<RawDocumentBuf>()
            .find_one(attempts::under(key))
            .max_time(self.read_timeout)
            .await
            .map_err(failed(Operation::LoadAttempts))?;
        found.as_deref().map(attempts::read).transpose()
    }

    async fn compare_and_set_attempts(
        &self,
        key: AttemptsKey,
        new: &Attempts,
        expected: u64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let filter = attempts::as_expected(key, expected, now);
        let update = doc! { "$set": attempts::fields(new) };
        let done = self.attempts.update_one(filter, update).await;
        let replaced = done.map_err(failed(Operation::SaveAttempts))?.matched_count > 0;
        if replaced || expected > 0 {
            return Ok(replaced);
        }
        match self.attempts.insert_one(attempts::of(key, new)).await {
            Ok(_) => Ok(true),
            Err(error) if is_duplicate_key(&error) => Ok(false),
            Err(error) => Err(failed(Operation::SaveAttempts)(error)),
        }
    }

    async fn forget_attempts(&self, key: AttemptsKey) -> Result<bool, StoreError> {
        let done = self.attempts.delete_one(attempts::under(key)).await;
        Ok(done.map_err(failed(Operation::RemoveAttempts))?.deleted_count > 0)
    }

    async fn page_after(&self, after: Option<SessionId>, limit: u32) -> Result<Page, StoreError> {
        let behind = after.map_or_else(Document::new, |last| doc! { ID: { "$gt": document::id(last) } });
        let mut cursor = self
            .documents()
            .find(behind)
            .projection(doc! { DATA: 0 })
            .sort(doc! { ID: 1 })
            .limit(limit.into())
            .max_time(self.read_timeout)
            .await
            .map_err(failed(Operation::Page))?;
        let mut records = Vec::new();
        while cursor.advance().await.map_err(failed(Operation::Page))? {
            records.push(document::metadata(cursor.current())?);
        }
        let last = records.last().filter(|_| records.len() >= limit as usize);
        let next = last.map(|last: &Record| Cursor::from_bytes(*last.id.as_bytes()));
        Ok(Page { records, next })
    }

    async fn count_living(&self, now: Timestamp) -> Result<u64, StoreError> {
        let counting = self.sessions.count_documents(command::all_living(now));
        counting.await.map_err(failed(Operation::Count))
    }

    async fn answers(&self) -> Result<(), StoreError> {
        self.database
            .run_command(doc! { "ping": 1 })
            .selection_criteria(primary())
            .await
            .map_err(failed(Operation::Ping))?;
        Ok(())
    }
}

impl fmt::Debug for MongoStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MongoStore")
            .field("database", &self.database.name())
            .field("collection", &self.sessions.name())
            .finish_non_exhaustive()
    }
}

impl Store for MongoStore {
    fn name(&self) -> &'static str {
        NAME
    }

    fn persistence(&self) -> Persistence {
        Persistence::Durable
    }

    fn load(&self, id: SessionId, touch: Touch) -> StoreFuture<'_, Option<Arc<Record>>> {
        let store = self.clone();
        to_its_end(
            Operation::Load,
            async move { store.load_touched(id, touch).await },
        )
    }

    fn insert<'a>(&'a self, record: &'a Record) -> StoreFuture<'a, Inserted> {
        let (store, record) = (self.clone(), record.clone());
        to_its_end(Operation::Insert, async move { store.insert_new(&record).await })
    }

    fn update<'a>(&'a self, record: &'a Record, expected: u64, now: Timestamp) -> StoreFuture<'a, Updated> {
        let (store, record) = (self.clone(), record.clone());
        to_its_end(Operation::Update, async move {
            store.compare_and_set(&record, expected, now).await
        })
    }

    fn remove(&self, id: SessionId) -> StoreFuture<'_, bool> {
        let store = self.clone();
        to_its_end(Operation::Remove, async move { store.remove_one(id).await })
    }

    fn list_by_owner<'a>(&'a self, owner: &'a Owner, now: Timestamp) -> StoreFuture<'a, Vec<Record>> {
        let (store, owner) = (self.clone(), owner.clone());
        to_its_end(Operation::List, async move { store.living_of(&owner, now).await })
    }

    fn remove_by_owner<'a>(&'a self, owner: &'a Owner, except: Option<SessionId>) -> StoreFuture<'a, u64> {
        let (store, owner) = (self.clone(), owner.clone());
        to_its_end(Operation::RemoveByOwner, async move {
            store.remove_of(&owner, except).await
        })
    }

    /// Nothing to do: the server removes expired documents by itself, by the index on `expires_at`.
    fn sweep_expired(&self, _moment: Timestamp, _limit: u32) -> StoreFuture<'_, Swept> {
        Box::pin(async { Ok(Swept::NOTHING) })
    }

    fn load_attempts(&self, key: AttemptsKey) -> StoreFuture<'_, Option<Attempts>> {
        let store = self.clone();
        to_its_end(
            Operation::LoadAttempts,
            async move { store.attempts_under(key).await },
        )
    }

    fn save_attempts<'a>(
        &'a self,
        key: AttemptsKey,
        attempts: &'a Attempts,
        expected: u64,
        now: Timestamp,
    ) -> StoreFuture<'a, bool> {
        let (store, attempts) = (self.clone(), *attempts);
        to_its_end(Operation::SaveAttempts, async move {
            store
                .compare_and_set_attempts(key, &attempts, expected, now)
                .await
        })
    }

    fn remove_attempts(&self, key: AttemptsKey) -> StoreFuture<'_, bool> {
        let store = self.clone();
        to_its_end(Operation::RemoveAttempts, async move {
            store.forget_attempts(key).await
        })
    }

    fn page<'a>(&'a self, after: Option<&'a Cursor>, limit: u32) -> StoreFuture<'a, Page> {
        let store = self.clone();
        let after = after.map(|after| {
            let bytes = after.as_bytes().try_into();
            bytes.map(SessionId::from_bytes).map_err(|_| StoreError::Corrupt {
                store: NAME,
                what: "cursor",
            })
        });
        to_its_end(Operation::Page, async move {
            store.page_after(after.transpose()?, limit.max(1)).await
        })
    }

    fn count(&self, now: Timestamp) -> StoreFuture<'_, u64> {
        let store = self.clone();
        to_its_end(Operation::Count, async move { store.count_living(now).await })
    }

    fn ping(&self) -> StoreFuture<'_, ()> {
        let store = self.clone();
        to_its_end(Operation::Ping, async move { store.answers().await })
    }
}

/// Runs an operation in a task of its own, which goes on when the request that waits for it does not.
///
/// The driver's pool answers one waiting request for each thing that happens to it, also one that nobody
/// waits for any more. A burst of requests that were given up while they waited would thus be served at
/// the pace of its maintenance, two a second, and every later request would wait behind them. Besides, the
/// driver closes the connection of a command that is given up, and the next command needs a new one.
pub(crate) fn to_its_end<'a, T: Send + 'static>(
    operation: Operation,
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> StoreFuture<'a, T> {
    Box::pin(async move {
        let finished = tokio::spawn(work).await;
        finished.unwrap_or_else(|_| {
            Err(StoreError::Unavailable {
                store: NAME,
                operation,
                source: Box::new(Failure::Driver("its task was ended before it was done")),
            })
        })
    })
}
