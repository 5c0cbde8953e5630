//! How a SQLite file is opened.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use tokio::time::{Instant, sleep};

use super::SqliteStore;
use super::migrate::{migrate, unusable};
use super::writer::Writer;
use crate::OpenError;

/// How long to wait before asking again for a lock that SQLite itself does not wait for.
const RETRY_AFTER: Duration = Duration::from_millis(10);

/// How a [`SqliteStore`] works with its file. From [`SqliteStore::options`].
///
/// ```
/// use std::time::Duration;
/// use tenure_sql::sqlite::SqliteStore;
///
/// # async fn example() -> Result<(), tenure_sql::sqlite::OpenError> {
/// let store = SqliteStore::options("sessions.db")
///     .busy_timeout(Duration::from_secs(1))
///     .open()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is opened before `open`"]
pub struct SqliteOptions {
    path: PathBuf,
    readers: u32,
    busy_timeout: Duration,
    durability: Durability,
}

/// When a write is acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Once it is on the disk. It survives a killed process, a crashed machine and a power loss, as
    /// far as the disk keeps its promises.
    #[default]
    Full,
    /// Once the operating system has it. It survives a killed process; after a power loss the last
    /// writes may be undone: a session that was signed out a moment before is back.
    Normal,
}

impl SqliteOptions {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            readers: 4,
            busy_timeout: Duration::from_secs(5),
            durability: Durability::Full,
        }
    }

    /// How many connections read at once, at the least one.
    ///
    /// *Default*: 4. *Reason*: each read is one short look-up, so a few connections serve many requests.
    /// *Cost*: a thread and up to 2 MB of page cache each, once it is used.
    pub fn readers(mut self, connections: u32) -> Self {
        self.readers = connections.max(1);
        self
    }

    /// How long a statement waits while another process writes to the file, before it fails.
    ///
    /// *Default*: 5 seconds. *Reason*: long enough for any write of another process, and for its
    /// migrations. A request gives up earlier, by the policy's deadline for a store call, but what it
    /// asked for may still be done. *Cost*: for as long as one write waits, so do those behind it.
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// When a write is acknowledged.
    ///
    /// *Default*: [`Durability::Full`]. *Reason*: somebody who was told that they are signed out is
    /// signed out, whatever happens to the machine next. *Cost*: a write waits for a flush of the disk,
    /// which it shares with those that came at once; one after another there are as many writes a
    /// second as the disk flushes, and with [`Durability::Normal`] many times more.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Opens the database: creates the file if there is none, readable by this user alone, and brings
    /// Tenure's tables up to date.
    ///
    /// # Errors
    /// If the file can't be used, or holds a schema that this Tenure does not know.
    pub async fn open(self) -> Result<SqliteStore, OpenError> {
        let database = self.path.display().to_string();
        let file = existing_file(&self.path).map_err(|source| OpenError::File {
            database: database.clone(),
            source,
        })?;
        let writer = self
            .writer(&file)
            .await
            .map_err(|error| unusable(&database, error))?;
        migrate(&writer, &database).await?;
        let readers = self
            .readers_of(&file)
            .await
            .map_err(|error| unusable(&database, error))?;
        Ok(SqliteStore {
            writer: Writer::new(writer),
            readers,
        })
    }

    async fn writer(&self, file: &Path) -> Result<SqlitePool, sqlx::Error> {
        let connection = SqliteConnectOptions::new()
            .filename(file)
            .busy_timeout(self.busy_timeout)
            .journal_mode(SqliteJournalMode::Wal)
            // SQLite's own default, which a driver or a build may have changed: it bounds the file. A checkpoint is two
            // flushes of the disk, and with `Normal` there are no others, so less often is faster.
            .pragma("wal_autocheckpoint", "1000")
            .synchronous(match self.durability {
                Durability::Full => SqliteSynchronous::Full,
                Durability::Normal => SqliteSynchronous::Normal,
            });
        let gives_up_at = Instant::now() + self.busy_timeout;
        loop {
            match pool(1).connect_with(connection.clone()).await {
                // Two that switch a new file to WAL at once: SQLite refuses one of them without waiting.
                Err(error) if is_busy(&error) && Instant::now() < gives_up_at => sleep(RETRY_AFTER).await,
                outcome => return outcome,
            }
        }
    }

    async fn readers_of(&self, file: &Path) -> Result<SqlitePool, sqlx::Error> {
        let connection = SqliteConnectOptions::new()
            .filename(file)
            .busy_timeout(self.busy_timeout)
            .read_only(true);
        pool(self.readers).connect_with(connection).await
    }
}

/// A file does not go away like a network connection does, so none is replaced or tested before use.
fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

/// The absolute path of the file, which is created if there is none. Absolute, because SQLite takes
/// names such as `:memory:` for something else than a file.
fn existing_file(path: &Path) -> io::Result<PathBuf> {
    let file = std::path::absolute(path)?;
    match private_file().open(&file) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(file),
    }
}

/// SQLite gives the `-wal` and `-shm` files beside it the same mode.
fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn is_busy(error: &sqlx::Error) -> bool {
    const SQLITE_BUSY: i64 = 5;
    let code = error.as_database_error().and_then(|error| error.code());
    let extended_code: Option<i64> = code.and_then(|code| code.parse().ok());
    extended_code.is_some_and(|code| code & 0xff == SQLITE_BUSY)
}
