//! Sessions in PostgreSQL, from version 12 on; tested with 15.
//!
//! ```no_run
//! use tenure_sql::postgres::PostgresStore;
//!
//! # async fn example() -> Result<(), tenure_sql::OpenError> {
//! let store = PostgresStore::connect("postgres://app:password@db.example.com/app").await?;
//! # Ok(())
//! # }
//! ```
//!
//! # The URL
//!
//! `postgres://user:password@host:port/database`, with special characters percent-encoded. What it leaves out is taken
//! from the variables that PostgreSQL's own tools know, such as `PGPASSWORD`, and the password from `~/.pgpass`.
//!
//! **TLS.** A server on another machine has to show a certificate for its name by a public authority, or by the one in
//! `sslrootcert=/path/to/ca.pem`; whoever wants less than `sslmode=verify-full` has to write it into the URL. A
//! server on this machine is spoken to with or without TLS, as it likes.
//!
//! # Durability
//!
//! A write is acknowledged when the server says so: with its usual settings, once it is on the disk. With
//! `synchronous_commit = off`, or after a failover to an asynchronous replica, the last writes may be undone: a session
//! that was signed out a moment before is back.
//!
//! # Poolers
//!
//! A pooler that hands out connections by transaction has to know prepared statements: PgBouncer from 1.21 on, with
//! `max_prepared_statements` above 0. See [`behind_pooler`](PostgresOptions::behind_pooler). Older ones need pooling
//! by session; to do without prepared statements would not help, since a statement is prepared and run in two steps
//! either way, which they may send to different servers.

#[cfg(feature = "express")]
mod express;

use std::env;

use sqlx::ConnectOptions;
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow, PgSslMode};

use crate::server::{Dialect, PING, READ_LEDGER, Statements, Trouble, driver_methods, is_local, mentions};

#[cfg(feature = "express")]
pub use crate::server::ExpressServerStore;
pub use crate::server::{ServerOptions, ServerStore};
pub use crate::{Migration, OpenError};
#[cfg(feature = "express")]
pub use express::{ConnectPgSimple, PostgresExpressStore};

/// Sessions in PostgreSQL.
pub type PostgresStore = ServerStore<Postgres>;

/// How a [`PostgresStore`] works with its server.
pub type PostgresOptions = ServerOptions<Postgres>;

/// PostgreSQL, as the kind of server of a [`ServerStore`].
#[derive(Clone, Copy, Debug)]
pub enum Postgres {}

impl ServerOptions<Postgres> {
    /// The schema of the tables: lower-case letters, digits and underscores. It has to be there already.
    ///
    /// *Default*: the first of the user's `search_path`, which is `public` unless set otherwise. *Reason*: it is where
    /// the application's own tables are. *Cost*: none.
    pub fn schema(mut self, name: impl Into<String>) -> Self {
        self.schema = Some(name.into());
        self
    }

    /// Whether a pooler such as PgBouncer is between this store and the server.
    ///
    /// *Default*: no. *Reason*: a pooler refuses connections that come with settings of their own. *Cost*: of yes,
    /// that the user's own settings count: give it the [`statement_timeout`](Self::statement_timeout) and
    /// `default_transaction_isolation = 'read committed'` with `ALTER ROLE`.
    pub fn behind_pooler(mut self, pooler: bool) -> Self {
        self.pooler = pooler;
        self
    }
}

macro_rules! metadata_columns {
    () => {
        "id, version, secret_hash, previous_secret_hash, owner, created_at, signed_in_at, last_seen_at, \
         idle_timeout, absolute_deadline, lifetime, user_agent, address, lineage"
    };
}

const LOAD: &str = concat!(
    "SELECT ",
    metadata_columns!(),
    ", data FROM tenure_sessions WHERE id = $1"
);

const TOUCH: &str = "UPDATE tenure_sessions SET last_seen_at = $1 \
     WHERE id = $2 AND version = $3 AND secret_hash = $4 AND last_seen_at <= $5 AND expires_at > $6";

const INSERT: &str = concat!(
    "INSERT INTO tenure_sessions (",
    metadata_columns!(),
    ", data) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT (id) DO NOTHING"
);

const UPDATE: &str = "UPDATE tenure_sessions SET \
     version = $1, secret_hash = $2, previous_secret_hash = $3, owner = $4, created_at = $5, signed_in_at = $6, \
     last_seen_at = greatest(last_seen_at, $7), idle_timeout = $8, absolute_deadline = $9, lifetime = $10, \
     user_agent = $11, address = $12, lineage = $13, data = $14 \
     WHERE id = $15 AND version = $16 AND expires_at > $17";

const VERSION_OF_LIVING: &str = "SELECT version FROM tenure_sessions WHERE id = $1 AND expires_at > $2";

const REMOVE: &str = "DELETE FROM tenure_sessions WHERE id = $1";

const LIST_BY_OWNER: &str = concat!(
    "SELECT ",
    metadata_columns!(),
    " FROM tenure_sessions WHERE owner = $1 AND expires_at > $2 ORDER BY last_seen_at DESC"
);

const REMOVE_BY_OWNER: &str = "DELETE FROM tenure_sessions WHERE owner = $1 AND id IS DISTINCT FROM $2";

// Sweepers of several instances each take what no other has taken, and wait for nobody. An array and not IN, so that
// the rows are picked once, whatever plan is made.
const SWEEP: &str = "DELETE FROM tenure_sessions WHERE id = ANY (ARRAY(\
     SELECT id FROM tenure_sessions WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))";

const PAGE: &str = concat!(
    "SELECT ",
    metadata_columns!(),
    " FROM tenure_sessions WHERE id > $1 ORDER BY id LIMIT $2"
);

const COUNT_LIVING: &str = "SELECT count(*) FROM tenure_sessions WHERE expires_at > $1";

const LOAD_ATTEMPTS: &str = "SELECT version, failures, last_failed_at, blocked_until, expires_at \
     FROM tenure_login_attempts WHERE id = $1";

const INSERT_ATTEMPTS: &str = "INSERT INTO tenure_login_attempts (\
     version, failures, last_failed_at, blocked_until, expires_at, id\
     ) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING";

const REPLACE_EXPIRED_ATTEMPTS: &str = "UPDATE tenure_login_attempts SET version = $1, failures = $2, \
     last_failed_at = $3, blocked_until = $4, expires_at = $5 WHERE id = $6 AND expires_at <= $7";

const REPLACE_ATTEMPTS: &str = "UPDATE tenure_login_attempts SET version = $1, failures = $2, \
     last_failed_at = $3, blocked_until = $4, expires_at = $5 WHERE id = $6 AND version = $7";

const REMOVE_ATTEMPTS: &str = "DELETE FROM tenure_login_attempts WHERE id = $1";

const SWEEP_ATTEMPTS: &str = "DELETE FROM tenure_login_attempts WHERE id = ANY (ARRAY(\
     SELECT id FROM tenure_login_attempts WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))";

impl Dialect for Postgres {
    type Database = sqlx::Postgres;
    type ConnectOptions = PgConnectOptions;

    const NAME: &'static str = "postgres";

    const SCHEMES: &'static [&'static str] = &["postgres", "postgresql"];

    const MIGRATIONS: &'static [Migration] = &[
        Migration {
            version: 1,
            name: "sessions",
            sql: include_str!("../migrations/postgres/0001_sessions.sql"),
        },
        Migration {
            version: 2,
            name: "login attempts",
            sql: include_str!("../migrations/postgres/0002_login_attempts.sql"),
        },
    ];

    const CREATE_LEDGER: &'static str = "CREATE TABLE IF NOT EXISTS tenure_migrations (
    version    bigint      NOT NULL PRIMARY KEY,
    name       text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)";

    const WRITE_LEDGER: &'static str = "INSERT INTO tenure_migrations (version, name) VALUES ($1, $2)";

    // Until the end of the transaction. "tenure_m" in ASCII; locks are per database.
    const LOCK_LEDGER: &'static str = "SELECT pg_advisory_xact_lock(8387236816053264237)";

    const STATEMENTS: Statements<&'static str> = Statements {
        load: LOAD,
        touch: TOUCH,
        insert: INSERT,
        update: UPDATE,
        version_of_living: VERSION_OF_LIVING,
        remove: REMOVE,
        list_by_owner: LIST_BY_OWNER,
        remove_by_owner: REMOVE_BY_OWNER,
        sweep: SWEEP,
        page: PAGE,
        count_living: COUNT_LIVING,
        load_attempts: LOAD_ATTEMPTS,
        insert_attempts: INSERT_ATTEMPTS,
        replace_expired_attempts: REPLACE_EXPIRED_ATTEMPTS,
        replace_attempts: REPLACE_ATTEMPTS,
        remove_attempts: REMOVE_ATTEMPTS,
        sweep_attempts: SWEEP_ATTEMPTS,
        ping: PING,
        read_ledger: READ_LEDGER,
    };

    fn connect_options(options: &ServerOptions<Self>) -> Result<PgConnectOptions, sqlx::Error> {
        let connect: PgConnectOptions = options.url.parse()?;
        let connect = verified(connect, &options.url).disable_statement_logging();
        if options.pooler {
            return Ok(connect);
        }
        let timeout = options.statement_timeout.as_millis().to_string();
        Ok(connect.options([
            ("statement_timeout", timeout.as_str()),
            // With a stricter one, writes to one row fail where they have to wait.
            ("default_transaction_isolation", "read committed"),
        ]))
    }

    fn database(options: &PgConnectOptions) -> String {
        let database = options.get_database().unwrap_or(options.get_username());
        match options.get_socket() {
            Some(socket) => format!("postgres at {}, database {database}", socket.display()),
            None => format!(
                "postgres://{}:{}/{database}",
                options.get_host(),
                options.get_port()
            ),
        }
    }

    fn greeting(_: &ServerOptions<Self>) -> Option<String> {
        None
    }

    driver_methods!(PgConnection, PgRow);

    fn trouble(error: &dyn DatabaseError) -> Trouble {
        match error.code().as_deref() {
            Some("57P01" | "57P02" | "57P03" | "57P05" | "25P03") => Trouble::ConnectionEnds,
            Some("25006") => Trouble::ReadOnly,
            Some("42501") => Trouble::Denied,
            Some("53100") => Trouble::DiskFull,
            Some("53300") => Trouble::TooManyConnections,
            Some("28000" | "28P01") => Trouble::LoginRefused,
            Some("3D000") => Trouble::NoDatabase,
            Some("42P01" | "3F000") => Trouble::NoTable,
            Some("42703") => Trouble::OtherColumns,
            Some("40001" | "40P01") => Trouble::Undone,
            Some("57014") => Trouble::TookTooLong,
            Some(code) if code.starts_with("22") || code.starts_with("23") => Trouble::Values,
            _ => Trouble::Other,
        }
    }
}

/// With the server's certificate checked, unless somebody has said something about it or nobody is in between.
fn verified(options: PgConnectOptions, url: &str) -> PgConnectOptions {
    let is_chosen = mentions(url, &["sslmode", "ssl-mode"]) || env::var_os("PGSSLMODE").is_some();
    if is_chosen || options.get_socket().is_some() || is_local(options.get_host()) {
        return options;
    }
    options.ssl_mode(PgSslMode::VerifyFull)
}
