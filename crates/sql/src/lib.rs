//! SQL stores of Tenure.
//!
//! | feature | module | database |
//! | --- | --- | --- |
//! | `sqlite` | `sqlite` | a SQLite file |
//! | `postgres` | `postgres` | PostgreSQL |
//! | `mysql` | `mysql` | MySQL and MariaDB |
//!
#![cfg_attr(feature = "sqlite", doc = include_str!("sqlite/example.md"))]
//! # Tables
//!
//! A store brings its schema up to date when it is opened, by [`Migration`]s that are recorded in
//! `tenure_migrations`. Every name begins with `tenure_`, so the database may be the application's own.
//! The metadata is in columns, for an operator to list and to revoke with plain SQL; the data is one
//! column of opaque bytes:
//!
//! ```sql
//! SELECT id, last_seen_at, user_agent, address FROM tenure_sessions WHERE owner = 'user-42';
//!
//! DELETE FROM tenure_sessions WHERE owner = 'user-42';
//! ```
//!
//! Times are milliseconds since the Unix epoch, timeouts are milliseconds. A time past the year
//! 292 million, which a signed column can't hold, is kept as the last one that it can.
//!
//! Expired rows stay until they are swept. They open no session meanwhile.

mod migrations;
#[cfg(feature = "mysql")]
pub mod mysql;
mod open_error;
#[cfg(feature = "postgres")]
pub mod postgres;
mod row;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod server;
#[cfg(feature = "sqlite")]
pub mod sqlite;

pub use migrations::Migration;
pub use open_error::OpenError;
