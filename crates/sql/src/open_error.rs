//! Why a store could not be opened.

use std::error::Error;
use std::fmt;

/// A store could not be opened. Nothing of the application's own in the database was touched.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// The file could not be created or reached.
    File {
        /// The path, as it was given.
        database: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The database refused to work with us.
    Database {
        /// Which database.
        database: String,
        /// What its driver said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A newer Tenure has been here, and this one can't know what its columns mean.
    NewerSchema {
        /// Which database.
        database: String,
        /// The version of its schema.
        found: i64,
        /// The newest version that this Tenure knows.
        known: i64,
    },
    /// The database lacks a migration, and the store was told not to migrate.
    OlderSchema {
        /// Which database.
        database: String,
        /// The first that is lacking: its [`Migration::version`](crate::Migration::version).
        version: u32,
        /// Its [`Migration::name`](crate::Migration::name).
        name: &'static str,
    },
    /// The URL is not one of this store.
    Url {
        /// What a URL of this store begins with.
        scheme: &'static str,
    },
    /// The schema or the prefix of the tables is not a plain name.
    Name,
    /// The table `tenure_migrations` does not tell of Tenure's migrations.
    ForeignSchema {
        /// Which database.
        database: String,
    },
    /// A migration failed. SQLite and PostgreSQL have undone what was done of it; MySQL and MariaDB can't.
    Migration {
        /// Which database.
        database: String,
        /// Which [`Migration::version`](crate::Migration::version).
        version: u32,
        /// Which [`Migration::name`](crate::Migration::name).
        name: &'static str,
        /// What the driver said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The table that an Express application's sessions are to be in can't be read as one.
    #[cfg(feature = "express")]
    ExpressTable {
        /// Which database.
        database: String,
        /// The table's name, as it is in statements.
        table: String,
        /// What the driver said.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { database, .. } => write!(
                f,
                "the session database {database} can't be created or reached; give a file in a directory that exists and that this process may write to"
            ),
            Self::Database { database, .. } => write!(
                f,
                "the session database {database} can't be used; check that it can be reached, that it is a database of the right kind, that this process may write to it, and that no other program keeps it locked"
            ),
            Self::NewerSchema {
                database,
                found,
                known,
            } => write!(
                f,
                "the session database {database} has schema version {found}, made by a newer Tenure; this one knows up to {known}: upgrade this program, or open another database"
            ),
            Self::OlderSchema {
                database,
                version,
                name,
            } => write!(
                f,
                "the session database {database} lacks migration {version} ({name}), and this store was told not to migrate; run its migration script, or let it migrate"
            ),
            Self::Url { scheme } => write!(
                f,
                "the URL of the session database has to begin with {scheme}:// for this store"
            ),
            Self::Name => f.write_str(
                "the schema or prefix of Tenure's tables is not a plain name; give lower-case letters, digits and underscores, 32 at the most and 63 for a schema",
            ),
            Self::ForeignSchema { database } => write!(
                f,
                "the table tenure_migrations in the database {database} was not written by Tenure; rename that table, or open another database"
            ),
            Self::Migration {
                database,
                version,
                name,
                ..
            } => write!(
                f,
                "migration {version} ({name}) of the session database {database} failed; check that this process may create tables, and that none there is named tenure_sessions"
            ),
            #[cfg(feature = "express")]
            Self::ExpressTable { database, table, .. } => write!(
                f,
                "the table {table} in the database {database} can't be read as one of Express sessions; give the names that the Express application's store has, or let the table be created"
            ),
        }
    }
}

impl Error for OpenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::File { source, .. } => Some(source),
            Self::Database { source, .. } | Self::Migration { source, .. } => Some(&**source),
            #[cfg(feature = "express")]
            Self::ExpressTable { source, .. } => Some(&**source),
            Self::NewerSchema { .. }
            | Self::OlderSchema { .. }
            | Self::ForeignSchema { .. }
            | Self::Url { .. }
            | Self::Name => None,
        }
    }
}
