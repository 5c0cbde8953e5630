//! Sessions on a database server.

use std::fmt;
use std::sync::Arc;

use tenure_core::store::{
    Attempts, AttemptsKey, Cursor, Inserted, Operation, Page, Persistence, Store, StoreError, StoreFuture,
    Swept, Touch, Updated,
};
use tenure_core::{Owner, Record, SessionId, Timestamp};

use super::error::ServerError;
use super::pool::{Count, Pool, Repeat, Rows};
use super::{Dialect, Row, ServerOptions, Statements};
use crate::row::{self, Value, refuse_too_large, signed, time};
use crate::{Migration, OpenError};

/// Sessions on a database server.
///
/// Cheap to clone; clones share the connections. Any number of instances of an application may use the same tables.
///
/// A load is one statement; at most once per touch interval a second one slides the idle deadline. A write is one
/// statement. Every statement is committed by itself, so a cancelled request leaves no open transaction behind: what
/// it had begun is finished or never happens. An acknowledged write is as durable as the server's own settings
/// make it.
///
/// A connection that turns out to be dead is replaced, and what may be repeated is repeated once: to load, to remove,
/// to list, to sweep and to ping. To insert and to update are not: nobody knows whether it was done before the
/// connection broke. So a connection that was idle for a second is asked whether it lives before a write goes out on
/// it. What is repeated may say that there was nothing to remove, when its first try has removed it.
pub struct ServerStore<D: Dialect> {
    pool: Pool<D>,
    statements: Statements,
    database: String,
}

impl<D: Dialect> ServerStore<D> {
    pub(super) fn new(pool: Pool<D>, statements: Statements, database: String) -> Self {
        Self {
            pool,
            statements,
            database,
        }
    }

    /// Connects with the defaults of [`ServerOptions`], and brings Tenure's tables up to date.
    ///
    /// # Errors
    /// If the server can't be reached or refuses, or holds a schema that this Tenure does not know.
    pub async fn connect(url: &str) -> Result<Self, OpenError> {
        Self::options(url).connect().await
    }

    /// For other than the defaults.
    pub fn options(url: &str) -> ServerOptions<D> {
        ServerOptions::new(url)
    }

    /// What [`connect`](Self::connect) applies to a database that lacks it, in order: for reading. To run them by
    /// hand there is [`ServerOptions::migration_script`].
    #[must_use]
    pub fn migrations() -> &'static [Migration] {
        D::MIGRATIONS
    }

    /// Says goodbye to the server. Every call after it fails. Nothing is lost without it.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn load_touched(&self, id: SessionId, touch: Touch) -> Result<Option<Arc<Record>>, StoreError> {
        loop {
            let Some(mut record) = self.look(id).await? else {
                return Ok(None);
            };
            let (Touch::Active { at_most_every, .. }, Some(now)) = (touch, touch.due(&record)) else {
                return Ok(Some(record));
            };
            // In a box of its own, for most loads slide nothing, and room of more than a kilobyte takes long to get.
            let slid = self.slide(&record, now, Touch::latest_due(now, at_most_every));
            if Box::pin(slid).await? {
                Arc::make_mut(&mut record).last_seen_at = now;
                return Ok(Some(record));
            }
            // Since the look another request has slid, changed or ended it.
        }
    }

    async fn look(&self, id: SessionId) -> Result<Option<Arc<Record>>, StoreError> {
        let rows = self
            .rows(Operation::Load, &self.statements.load, &[bytes(&id)])
            .await?;
        rows.first().map(|row| D::record(row).map(Arc::new)).transpose()
    }

    /// Slides `record` if it is still the same. Nothing of it has to be sent a second time then.
    async fn slide(&self, record: &Record, now: Timestamp, due: Timestamp) -> Result<bool, StoreError> {
        let now = Value::Integer(Some(time(now)));
        let values = [
            now.clone(),
            bytes(&record.id),
            Value::Integer(Some(signed(record.version))),
            Value::Bytes(Some(record.secret_hash.as_bytes()[..].into())),
            Value::Integer(Some(time(due))),
            now,
        ];
        let slid = self
            .count(Operation::Load, Repeat::Safe, &self.statements.touch, &values)
            .await?;
        Ok(slid > 0)
    }

    async fn insert_new(&self, record: &Record) -> Result<Inserted, StoreError> {
        refuse_too_large(record, D::NAME)?;
        let mut values = vec![bytes(&record.id)];
        values.extend(row::values(record));
        let work = Count(&self.statements.insert, &values);
        match self.pool.run(&work, Repeat::Never).await {
            Ok(0) => Ok(Inserted::Taken),
            Ok(_) => Ok(Inserted::New),
            Err(error) if is_taken(&error) => Ok(Inserted::Taken),
            Err(error) => Err(failed::<D>(Operation::Insert, &error)),
        }
    }

    async fn compare_and_set(
        &self,
        record: &Record,
        expected: u64,
        now: Timestamp,
    ) -> Result<Updated, StoreError> {
        refuse_too_large(record, D::NAME)?;
        loop {
            if self.replace(record, expected, now).await? {
                return Ok(Updated::Saved);
            }
            match self.version_of_living(record.id, now).await? {
                None => return Ok(Updated::Gone),
                Some(version) if version != signed(expected) => return Ok(Updated::Stale),
                // Between the two statements it came to be what was asked for.
                Some(_) => {}
            }
        }
    }

    async fn replace(&self, record: &Record, expected: u64, now: Timestamp) -> Result<bool, StoreError> {
        let mut values = row::values(record);
        values.extend([
            bytes(&record.id),
            Value::Integer(Some(signed(expected))),
            Value::Integer(Some(time(now))),
        ]);
        let replaced = self
            .count(Operation::Update, Repeat::Never, &self.statements.update, &values)
            .await?;
        Ok(replaced > 0)
    }

    async fn version_of_living(&self, id: SessionId, now: Timestamp) -> Result<Option<i64>, StoreError> {
        let values = [bytes(&id), Value::Integer(Some(time(now)))];
        let rows = self
            .rows(Operation::Update, &self.statements.version_of_living, &values)
            .await?;
        let version = rows.first().map(D::number).transpose();
        version.map_err(|error| failed::<D>(Operation::Update, &error))
    }

    async fn living_of(&self, owner: &Owner, now: Timestamp) -> Result<Vec<Record>, StoreError> {
        let values = [
            Value::Text(Some(owner.as_str().into())),
            Value::Integer(Some(time(now))),
        ];
        let rows = self
            .rows(Operation::List, &self.statements.list_by_owner, &values)
            .await?;
        rows.iter().map(D::metadata).collect()
    }

    async fn remove_one(&self, id: SessionId) -> Result<bool, StoreError> {
        let removed = self
            .count(
                Operation::Remove,
                Repeat::Safe,
                &self.statements.remove,
                &[bytes(&id)],
            )
            .await?;
        Ok(removed > 0)
    }

    async fn remove_owners(&self, owner: &Owner, except: Option<SessionId>) -> Result<u64, StoreError> {
        let values = [
            Value::Text(Some(owner.as_str().into())),
            Value::Bytes(except.as_ref().map(|id| id.as_bytes()[..].into())),
        ];
        let statement = &self.statements.remove_by_owner;
        self.count(Operation::RemoveByOwner, Repeat::Safe, statement, &values)
            .await
    }

    async fn sweep(&self, moment: Timestamp, limit: u32) -> Result<Swept, StoreError> {
        let values = [
            Value::Integer(Some(time(moment))),
            Value::Integer(Some(limit.into())),
        ];
        let sweep = async |statement| {
            self.count(Operation::Sweep, Repeat::Safe, statement, &values)
                .await
        };
        Ok(Swept {
            attempts: sweep(&self.statements.sweep_attempts).await?,
            sessions: sweep(&self.statements.sweep).await?,
        })
    }

    async fn attempts_under(&self, key: AttemptsKey) -> Result<Option<Attempts>, StoreError> {
        let statement = &self.statements.load_attempts;
        let rows = self
            .rows(Operation::LoadAttempts, statement, &[key_bytes(&key)])
            .await?;
        rows.first().map(D::attempts).transpose()
    }

    async fn compare_and_set_attempts(
        &self,
        key: AttemptsKey,
        attempts: &Attempts,
        expected: u64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut values = row::attempts_values(attempts);
        values.push(key_bytes(&key));
        let (statement, last) = match expected {
            0 => (&self.statements.replace_expired_attempts, time(now)),
            _ => (&self.statements.replace_attempts, signed(expected)),
        };
        values.push(Value::Integer(Some(last)));
        let replaced = self
            .count(Operation::SaveAttempts, Repeat::Never, statement, &values)
            .await?;
        if replaced > 0 || expected > 0 {
            return Ok(replaced > 0);
        }
        values.pop();
        let work = Count(&self.statements.insert_attempts, &values);
        match self.pool.run(&work, Repeat::Never).await {
            Ok(inserted) => Ok(inserted > 0),
            Err(error) if is_taken(&error) => Ok(false),
            Err(error) => Err(failed::<D>(Operation::SaveAttempts, &error)),
        }
    }

    async fn page_after(&self, after: Option<&Cursor>, limit: u32) -> Result<Page, StoreError> {
        // No id comes before the empty one.
        let after = after.map(Cursor::as_bytes).unwrap_or_default();
        let values = [
            Value::Bytes(Some(after.into())),
            Value::Integer(Some(limit.into())),
        ];
        let rows = self.rows(Operation::Page, &self.statements.page, &values).await?;
        let records: Result<Vec<_>, _> = rows.iter().map(D::metadata).collect();
        Ok(row::page(records?, limit))
    }

    async fn count_living(&self, now: Timestamp) -> Result<u64, StoreError> {
        let values = [Value::Integer(Some(time(now)))];
        let rows = self
            .rows(Operation::Count, &self.statements.count_living, &values)
            .await?;
        let count = rows.first().map(D::number).transpose();
        let count = count.map_err(|error| failed::<D>(Operation::Count, &error))?;
        Ok(count.and_then(|count| count.try_into().ok()).unwrap_or(0))
    }

    async fn rows(
        &self,
        operation: Operation,
        statement: &sqlx::SqlStr,
        values: &[Value<'_>],
    ) -> Result<Vec<Row<D>>, StoreError> {
        let rows = self.pool.run(&Rows(statement, values), Repeat::Safe).await;
        rows.map_err(|error| failed::<D>(operation, &error))
    }

    async fn count(
        &self,
        operation: Operation,
        repeat: Repeat,
        statement: &sqlx::SqlStr,
        values: &[Value<'_>],
    ) -> Result<u64, StoreError> {
        let count = self.pool.run(&Count(statement, values), repeat).await;
        count.map_err(|error| failed::<D>(operation, &error))
    }
}

impl<D: Dialect> Store for ServerStore<D> {
    fn name(&self) -> &'static str {
        D::NAME
    }

    fn persistence(&self) -> Persistence {
        Persistence::Durable
    }

    fn load(&self, id: SessionId, touch: Touch) -> StoreFuture<'_, Option<Arc<Record>>> {
        Box::pin(self.load_touched(id, touch))
    }

    fn insert<'a>(&'a self, record: &'a Record) -> StoreFuture<'a, Inserted> {
        Box::pin(self.insert_new(record))
    }

    fn update<'a>(&'a self, record: &'a Record, expected: u64, now: Timestamp) -> StoreFuture<'a, Updated> {
        Box::pin(self.compare_and_set(record, expected, now))
    }

    fn remove(&self, id: SessionId) -> StoreFuture<'_, bool> {
        Box::pin(self.remove_one(id))
    }

    fn list_by_owner<'a>(&'a self, owner: &'a Owner, now: Timestamp) -> StoreFuture<'a, Vec<Record>> {
        Box::pin(self.living_of(owner, now))
    }

    fn remove_by_owner<'a>(&'a self, owner: &'a Owner, except: Option<SessionId>) -> StoreFuture<'a, u64> {
        Box::pin(self.remove_owners(owner, except))
    }

    fn sweep_expired(&self, moment: Timestamp, limit: u32) -> StoreFuture<'_, Swept> {
        Box::pin(self.sweep(moment, limit))
    }

    fn load_attempts(&self, key: AttemptsKey) -> StoreFuture<'_, Option<Attempts>> {
        Box::pin(self.attempts_under(key))
    }

    fn save_attempts<'a>(
        &'a self,
        key: AttemptsKey,
        attempts: &'a Attempts,
        expected: u64,
        now: Timestamp,
    ) -> StoreFuture<'a, bool> {
        Box::pin(self.compare_and_set_attempts(key, attempts, expected, now))
    }

    fn remove_attempts(&self, key: AttemptsKey) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let (statement, values) = (&self.statements.remove_attempts, [key_bytes(&key)]);
            let removed = self
                .count(Operation::RemoveAttempts, Repeat::Safe, statement, &values)
                .await?;
            Ok(removed > 0)
        })
    }

    fn page<'a>(&'a self, after: Option<&'a Cursor>, limit: u32) -> StoreFuture<'a, Page> {
        Box::pin(self.page_after(after, limit.max(1)))
    }

    fn count(&self, now: Timestamp) -> StoreFuture<'_, u64> {
        Box::pin(self.count_living(now))
    }

    fn ping(&self) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.rows(Operation::Ping, &self.statements.ping, &[])
                .await
                .map(drop)
        })
    }
}

impl<D: Dialect> Clone for ServerStore<D> {
    fn clone(&self) -> Self {
        Self {
            pool: self.pool.clone(),
            statements: self.statements.clone(),
            database: self.database.clone(),
        }
    }
}

/// Names the database, without user and password.
impl<D: Dialect> fmt::Debug for ServerStore<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerStore")
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

fn bytes(id: &SessionId) -> Value<'_> {
    Value::Bytes(Some(id.as_bytes()[..].into()))
}

fn key_bytes(key: &AttemptsKey) -> Value<'_> {
    Value::Bytes(Some(key.as_bytes()[..].into()))
}

pub(super) fn is_taken(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|error| error.is_unique_violation())
}

fn failed<D: Dialect>(operation: Operation, error: &sqlx::Error) -> StoreError {
    StoreError::Unavailable {
        store: D::NAME,
        operation,
        source: Box::new(ServerError::new::<D>(error)),
    }
}
