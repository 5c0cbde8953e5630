//! Sessions in a SQLite file.

mod migrate;
mod options;
mod writer;

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqlitePool, SqliteRow};
use tenure_core::store::{
    Attempts, AttemptsKey, Cursor, Inserted, Operation, Page, Persistence, Store, StoreError, StoreFuture,
    Swept, Touch, Updated,
};
use tenure_core::{Owner, Record, SecretHash, SessionId, Timestamp};

use crate::row::{self, Value, refuse_too_large, signed, time};

use writer::{WriteError, Writer};

pub use crate::{Migration, OpenError};
pub use options::{Durability, SqliteOptions};

const NAME: &str = "sqlite";

/// All columns but the generated one, in the order of [`row::values`].
macro_rules! columns {
    () => {
        "id, version, secret_hash, previous_secret_hash, owner, created_at, signed_in_at, last_seen_at, \
         idle_timeout, absolute_deadline, lifetime, user_agent, address, lineage, data"
    };
}

const LOAD: &str = concat!("SELECT ", columns!(), " FROM tenure_sessions WHERE id = ?1");

// The parameters of all that write go by their order alone: the writer makes several such statements one text.

// By the time this runs another request may have slid, renewed or ended it. What is given back is
// the record as this very statement left it.
const TOUCH: &str = concat!(
    "UPDATE tenure_sessions SET last_seen_at = ? \
     WHERE id = ? AND secret_hash = ? AND last_seen_at <= ? AND expires_at > ? RETURNING ",
    columns!()
);

const INSERT: &str = concat!(
    "INSERT INTO tenure_sessions (",
    columns!(),
    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"
);

const UPDATE: &str = "UPDATE tenure_sessions SET \
     version = ?, secret_hash = ?, previous_secret_hash = ?, owner = ?, created_at = ?, \
     signed_in_at = ?, last_seen_at = max(last_seen_at, ?), idle_timeout = ?, absolute_deadline = ?, \
     lifetime = ?, user_agent = ?, address = ?, lineage = ?, data = ? \
     WHERE id = ? AND version = ? AND expires_at > ?";

const VERSION_OF_LIVING: &str = "SELECT version FROM tenure_sessions WHERE id = ?1 AND expires_at > ?2";

const REMOVE: &str = "DELETE FROM tenure_sessions WHERE id = ?";

// The plus keeps SQLite from going through all that live instead of all that are one owner's.
const LIST_BY_OWNER: &str = "SELECT id, version, secret_hash, previous_secret_hash, owner, created_at, \
     signed_in_at, last_seen_at, idle_timeout, absolute_deadline, lifetime, user_agent, address, lineage \
     FROM tenure_sessions WHERE owner = ?1 AND +expires_at > ?2 ORDER BY last_seen_at DESC";

const REMOVE_BY_OWNER: &str = "DELETE FROM tenure_sessions WHERE owner = ? AND id IS NOT ?";

const SWEEP: &str = "DELETE FROM tenure_sessions WHERE rowid IN \
     (SELECT rowid FROM tenure_sessions WHERE expires_at <= ? LIMIT ?)";

const PAGE: &str = "SELECT id, version, secret_hash, previous_secret_hash, owner, created_at, \
     signed_in_at, last_seen_at, idle_timeout, absolute_deadline, lifetime, user_agent, address, lineage \
     FROM tenure_sessions WHERE id > ?1 ORDER BY id LIMIT ?2";

const COUNT_LIVING: &str = "SELECT count(*) FROM tenure_sessions WHERE expires_at > ?1";

const LOAD_ATTEMPTS: &str = "SELECT version, failures, last_failed_at, blocked_until, expires_at \
     FROM tenure_login_attempts WHERE id = ?1";

const INSERT_ATTEMPTS: &str = "INSERT INTO tenure_login_attempts \
     (id, version, failures, last_failed_at, blocked_until, expires_at) VALUES (?, ?, ?, ?, ?, ?) \
     ON CONFLICT (id) DO UPDATE SET version = excluded.version, failures = excluded.failures, \
     last_failed_at = excluded.last_failed_at, blocked_until = excluded.blocked_until, \
     expires_at = excluded.expires_at WHERE tenure_login_attempts.expires_at <= ?";

const REPLACE_ATTEMPTS: &str = "UPDATE tenure_login_attempts SET version = ?, failures = ?, \
     last_failed_at = ?, blocked_until = ?, expires_at = ? WHERE id = ? AND version = ?";

const REMOVE_ATTEMPTS: &str = "DELETE FROM tenure_login_attempts WHERE id = ?";

const SWEEP_ATTEMPTS: &str = "DELETE FROM tenure_login_attempts WHERE rowid IN \
     (SELECT rowid FROM tenure_login_attempts WHERE expires_at <= ? LIMIT ?)";

/// How many expired rows one statement deletes, since all other writes wait for it. Each is on a page of its own where
/// there are many.
const SWEPT_AT_ONCE: u32 = 100;

// Asks for a table of ours, so that it fails where the file was replaced by another.
const PING: &str = "SELECT id FROM tenure_sessions LIMIT 1";

/// Sessions in a SQLite file: nothing to install, and it survives a killed process and a power loss.
///
/// Cheap to clone; clones share the connections. Several processes on one machine may open the same
/// file. A file on a network drive is not safe: SQLite's locks don't work there.
///
/// Reads run side by side, on connections that can do nothing else. Writes take turns on one
/// connection, since SQLite has one writer at a time whatever one does; those that come at once are
/// flushed to the disk together, and none is acknowledged before that. A load is one statement; at
/// most once per touch interval a second one slides the idle deadline. A write is one statement.
///
/// A cancelled request leaves no open transaction behind: what it had begun is finished or never
/// happens.
///
/// ```
/// use std::time::Duration;
/// use tenure_sql::sqlite::{Durability, SqliteStore};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let store = SqliteStore::open("sessions.db").await?;
///
/// let faster = SqliteStore::options("sessions.db")
///     .durability(Durability::Normal)
///     .readers(8)
///     .open()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SqliteStore {
    writer: Writer,
    readers: SqlitePool,
}

impl SqliteStore {
    /// Opens the database in the file `path`, with the defaults of [`SqliteOptions`]. Creates the file
    /// if there is none, readable by this user alone, and brings Tenure's tables up to date.
    ///
    /// # Errors
    /// If the file can't be used, or holds a schema that this Tenure does not know.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::options(path).open().await
    }

    /// For other than the defaults.
    pub fn options(path: impl AsRef<Path>) -> SqliteOptions {
        SqliteOptions::new(path.as_ref())
    }

    /// What [`open`](SqliteStore::open) applies to a database that lacks it, in order: for reading, and
    /// for those who run schema changes by hand.
    #[must_use]
    pub const fn migrations() -> &'static [Migration] {
        migrate::MIGRATIONS
    }

    /// Brings everything into the one file and closes it. Every call after it fails.
    ///
    /// Nothing is lost without it: the next to open the file finds what is in the `-wal` file beside
    /// it. After it, the one file alone is a whole backup, unless another process has it open.
    pub async fn close(&self) {
        self.readers.close().await;
        // When it fails the rows stay safe in the -wal file, and the closing connection tries again.
        let _ = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(self.writer.pool())
            .await;
        self.writer.pool().close().await;
    }

    async fn load_touched(&self, id: SessionId, touch: Touch) -> Result<Option<Arc<Record>>, StoreError> {
        let Some(record) = self.look(id).await? else {
            return Ok(None);
        };
        match touch {
            Touch::Active {
                now,
                bearer,
                at_most_every,
            } if touch.due(&record).is_some() => self.slide(id, now, bearer, at_most_every).await,
            Touch::Active { .. } | Touch::No => Ok(Some(record)),
        }
    }

    async fn look(&self, id: SessionId) -> Result<Option<Arc<Record>>, StoreError> {
        let row = sqlx::query(LOAD)
            .bind(&id.as_bytes()[..])
            .fetch_optional(&self.readers)
            .await
            .map_err(failed(Operation::Load))?;
        row.as_ref().map(shared_record).transpose()
    }

    async fn slide(
        &self,
        id: SessionId,
        now: Timestamp,
        bearer: SecretHash,
        at_most_every: Duration,
    ) -> Result<Option<Arc<Record>>, StoreError> {
        let values = vec![
            integer(time(now)),
            bytes(id.as_bytes()),
            bytes(bearer.as_bytes()),
            integer(time(Touch::latest_due(now, at_most_every))),
            integer(time(now)),
        ];
        let slid = self
            .writer
            .fetch_all(TOUCH, values)
            .await
            .map_err(failed_to_write(Operation::Load))?;
        match slid.first() {
            Some(row) => shared_record(row).map(Some),
            None => self.look(id).await,
        }
    }

    async fn insert_new(&self, record: &Record) -> Result<Inserted, StoreError> {
        refuse_too_large(record, NAME)?;
        let mut values = vec![bytes(record.id.as_bytes())];
        values.extend(row::values(record));
        let inserted = self
            .writer
            .execute(INSERT, values)
            .await
            .map_err(failed_to_write(Operation::Insert))?;
        Ok(match inserted {
            0 => Inserted::Taken,
            _ => Inserted::New,
        })
    }

    async fn compare_and_set(
        &self,
        record: &Record,
        expected: u64,
        now: Timestamp,
    ) -> Result<Updated, StoreError> {
        refuse_too_large(record, NAME)?;
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
            bytes(record.id.as_bytes()),
            integer(signed(expected)),
            integer(time(now)),
        ]);
        let replaced = self
            .writer
            .execute(UPDATE, values)
            .await
            .map_err(failed_to_write(Operation::Update))?;
        Ok(replaced > 0)
    }

    async fn version_of_living(&self, id: SessionId, now: Timestamp) -> Result<Option<i64>, StoreError> {
        sqlx::query_scalar(VERSION_OF_LIVING)
            .bind(&id.as_bytes()[..])
            .bind(time(now))
            .fetch_optional(&self.readers)
            .await
            .map_err(failed(Operation::Update))
    }

    async fn living_of(&self, owner: &Owner, now: Timestamp) -> Result<Vec<Record>, StoreError> {
        let rows = sqlx::query(LIST_BY_OWNER)
            .bind(owner.as_str())
            .bind(time(now))
            .fetch_all(&self.readers)
            .await
            .map_err(failed(Operation::List))?;
        rows.iter().map(|row| row::metadata(row, NAME)).collect()
    }

    async fn sweep(&self, moment: Timestamp, limit: u32) -> Result<Swept, StoreError> {
        Ok(Swept {
            attempts: self.sweep_by(SWEEP_ATTEMPTS, moment, limit).await?,
            sessions: self.sweep_by(SWEEP, moment, limit).await?,
        })
    }

    async fn sweep_by(
        &self,
        statement: &'static str,
        moment: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let mut swept = 0;
        let mut left = limit;
        while left > 0 {
            let asked = left.min(SWEPT_AT_ONCE);
            let swept_now = self
                .writer
                .execute(statement, vec![integer(time(moment)), integer(asked.into())])
                .await
                .map_err(failed_to_write(Operation::Sweep))?;
            swept += swept_now;
            if swept_now < u64::from(asked) {
                break;
            }
            left -= asked;
        }
        Ok(swept)
    }
}

impl Store for SqliteStore {
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
        Box::pin(self.insert_new(record))
    }

    fn update<'a>(&'a self, record: &'a Record, expected: u64, now: Timestamp) -> StoreFuture<'a, Updated> {
        Box::pin(self.compare_and_set(record, expected, now))
    }

    fn remove(&self, id: SessionId) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let removed = self
                .writer
                .execute(REMOVE, vec![bytes(id.as_bytes())])
                .await
                .map_err(failed_to_write(Operation::Remove))?;
            Ok(removed > 0)
        })
    }

    fn list_by_owner<'a>(&'a self, owner: &'a Owner, now: Timestamp) -> StoreFuture<'a, Vec<Record>> {
        Box::pin(self.living_of(owner, now))
    }

    fn remove_by_owner<'a>(&'a self, owner: &'a Owner, except: Option<SessionId>) -> StoreFuture<'a, u64> {
        Box::pin(async move {
            let owner = Value::Text(Some(owner.as_str().into()));
            let except = Value::Bytes(except.as_ref().map(|id| id.as_bytes()[..].into()));
            self.writer
                .execute(REMOVE_BY_OWNER, vec![owner, except])
                .await
                .map_err(failed_to_write(Operation::RemoveByOwner))
        })
    }

    fn sweep_expired(&self, moment: Timestamp, limit: u32) -> StoreFuture<'_, Swept> {
        Box::pin(self.sweep(moment, limit))
    }

    fn load_attempts(&self, key: AttemptsKey) -> StoreFuture<'_, Option<Attempts>> {
        Box::pin(async move {
            let row = sqlx::query(LOAD_ATTEMPTS)
                .bind(&key.as_bytes()[..])
                .fetch_optional(&self.readers)
                .await
                .map_err(failed(Operation::LoadAttempts))?;
            row.map(|row| row::attempts(&row, NAME)).transpose()
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
            let key = bytes(key.as_bytes());
            let mut values = row::attempts_values(attempts);
            let statement = if expected == 0 {
                values.insert(0, key);
                values.push(integer(time(now)));
                INSERT_ATTEMPTS
            } else {
                values.extend([key, integer(signed(expected))]);
                REPLACE_ATTEMPTS
            };
            let saved = self
                .writer
                .execute(statement, values)
                .await
                .map_err(failed_to_write(Operation::SaveAttempts))?;
            Ok(saved > 0)
        })
    }

    fn remove_attempts(&self, key: AttemptsKey) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let removed = self
                .writer
                .execute(REMOVE_ATTEMPTS, vec![bytes(key.as_bytes())])
                .await
                .map_err(failed_to_write(Operation::RemoveAttempts))?;
            Ok(removed > 0)
        })
    }

    fn page<'a>(&'a self, after: Option<&'a Cursor>, limit: u32) -> StoreFuture<'a, Page> {
        Box::pin(async move {
            let limit = limit.max(1);
            let rows = sqlx::query(PAGE)
                // No id comes before the empty one.
                .bind(after.map(Cursor::as_bytes).unwrap_or_default())
                .bind(limit)
                .fetch_all(&self.readers)
                .await
                .map_err(failed(Operation::Page))?;
            let records: Result<Vec<_>, _> = rows.iter().map(|row| row::metadata(row, NAME)).collect();
            Ok(row::page(records?, limit))
        })
    }

    fn count(&self, now: Timestamp) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            let count: i64 = sqlx::query_scalar(COUNT_LIVING)
                .bind(time(now))
                .fetch_one(&self.readers)
                .await
                .map_err(failed(Operation::Count))?;
            Ok(count.try_into().unwrap_or(0))
        })
    }

    fn ping(&self) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            sqlx::query(PING)
                .fetch_optional(&self.readers)
                .await
                .map_err(failed(Operation::Ping))?;
            Ok(())
        })
    }
}

const fn integer(number: i64) -> Value<'static> {
    Value::Integer(Some(number))
}

const fn bytes(bytes: &[u8]) -> Value<'_> {
    Value::Bytes(Some(Cow::Borrowed(bytes)))
}

fn shared_record(row: &SqliteRow) -> Result<Arc<Record>, StoreError> {
    record(row).map(Arc::new)
}

fn record(row: &SqliteRow) -> Result<Record, StoreError> {
    row::record(row, NAME)
}

fn failed(operation: Operation) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |error| StoreError::Unavailable {
        store: NAME,
        operation,
        source: Box::new(error),
    }
}

fn failed_to_write(operation: Operation) -> impl FnOnce(WriteError) -> StoreError {
    move |error| StoreError::Unavailable {
        store: NAME,
        operation,
        source: error.into(),
    }
}

#[cfg(test)]
mod tests;
