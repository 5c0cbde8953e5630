//! SQL stores of Tenure: [`SqliteStore`].
//!
//! ```
//! use tenure_core::{Keyring, Policy, Secret, Sessions};
//! use tenure_sql::SqliteStore;
//!
//! # async fn example(path: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
//! let store = SqliteStore::open(path).await?;
//! let keyring = Keyring::new(Secret::new("T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r"));
//! let sessions = Sessions::new(Policy::default(), keyring, store.clone())?;
//!
//! // Serve requests; when the application stops:
//! store.close().await;
//! # Ok(())
//! # }
//! # let directory = tempfile::tempdir()?;
//! # tokio::runtime::Runtime::new()?.block_on(example(&directory.path().join("sessions.db")))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Tables
//!
//! A store brings its schema up to date when it is opened, by [`Migration`]s that are recorded in
//! `tenure_migrations`. Every name begins with `tenure_`, so the database may be the application's own.
//! The metadata is in columns, for an operator to list and to revoke with plain SQL; the data is one
//! column of opaque bytes:
//!
//! ```sql
//! SELECT lower(hex(id)), datetime(last_seen_at / 1000, 'unixepoch'), user_agent, address
//! FROM tenure_sessions WHERE owner = 'user-42';
//!
//! DELETE FROM tenure_sessions WHERE owner = 'user-42';
//! ```
//!
//! Times are milliseconds since the Unix epoch, timeouts are milliseconds. A time past the year
//! 292 million, which a signed column can't hold, is kept as the last one that it can.
//!
//! Expired rows stay until they are swept. They open no session meanwhile.

mod migrations;
mod open_error;
mod row;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use migrations::Migration;
pub use open_error::OpenError;
#[cfg(feature = "sqlite")]
pub use sqlite::{Durability, SqliteOptions, SqliteStore};
