//! Sessions in MySQL, from version 8.0.16 on, or MariaDB, from 10.6 on. Tested with MariaDB 10.11; MySQL is not, but
//! nothing is used that the two don't have in common.
//!
//! ```no_run
//! use tenure_sql::mysql::MySqlStore;
//!
//! # async fn example() -> Result<(), tenure_sql::OpenError> {
//! let store = MySqlStore::connect("mysql://app:password@db.example.com/app").await?;
//! # Ok(())
//! # }
//! ```
//!
//! # The URL
//!
//! `mysql://user:password@host:port/database`, or with `mariadb://`, with special characters percent-encoded.
//!
//! **TLS.** A server on another machine has to show a certificate for its name by a public authority, or by the one in
//! `ssl-ca=/path/to/ca.pem`; whoever wants less than `ssl-mode=VERIFY_IDENTITY` has to write it into the URL. A
//! server on this machine is spoken to with or without TLS, as it likes.
//!
//! # Durability
//!
//! A write is acknowledged when the server says so: with InnoDB's usual settings, once it is on the disk. With
//! `innodb_flush_log_at_trx_commit` other than 1, or after a failover to an asynchronous replica, the last writes may
//! be undone: a session that was signed out a moment before is back.
//!
//! # What each connection sets
//!
//! A strict `sql_mode`, so that nothing is cut to fit in silence; `READ COMMITTED`, so that writers lock the rows they
//! change and no gaps beside them; the [statement timeout](MySqlOptions::statement_timeout), in MariaDB for every
//! statement, in MySQL, which has none for writes, for reads and for the wait for a lock. The server's
//! `max_allowed_packet` has to be above 1 MiB, as it is unless somebody lowered it.

#[cfg(feature = "express")]
mod express;

use sqlx::ConnectOptions;
use sqlx::error::DatabaseError;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlDatabaseError, MySqlRow, MySqlSslMode};

use crate::server::{Dialect, PING, READ_LEDGER, Statements, Trouble, driver_methods, is_local, mentions};

#[cfg(feature = "express")]
pub use crate::server::ExpressServerStore;
pub use crate::server::{ServerOptions, ServerStore};
pub use crate::{Migration, OpenError};
#[cfg(feature = "express")]
pub use express::{ExpressMySqlSession, MySqlExpressStore};

/// Sessions in MySQL or MariaDB.
pub type MySqlStore = ServerStore<MySql>;

/// How a [`MySqlStore`] works with its server.
pub type MySqlOptions = ServerOptions<MySql>;

/// MySQL and MariaDB, as the kind of server of a [`ServerStore`].
#[derive(Clone, Copy, Debug)]
pub enum MySql {}

// The owner is kept as bytes, and read as text.
macro_rules! metadata_to_read {
    () => {
        "id, version, secret_hash, previous_secret_hash, CONVERT(owner USING utf8mb4) AS owner, created_at, \
         signed_in_at, last_seen_at, idle_timeout, absolute_deadline, lifetime, user_agent, address, lineage"
    };
}

const LOAD: &str = concat!(
    "SELECT ",
    metadata_to_read!(),
    ", data FROM tenure_sessions WHERE id = ?"
);

const TOUCH: &str = "UPDATE tenure_sessions SET last_seen_at = ? \
     WHERE id = ? AND version = ? AND secret_hash = ? AND last_seen_at <= ? AND expires_at > ?";

// To ignore a duplicate would be to ignore every other fault, too. It is told as an error, which is expected.
const INSERT: &str = "INSERT INTO tenure_sessions (\
     id, version, secret_hash, previous_secret_hash, owner, created_at, signed_in_at, last_seen_at, \
     idle_timeout, absolute_deadline, lifetime, user_agent, address, lineage, data\
     ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

const UPDATE: &str = "UPDATE tenure_sessions SET \
     version = ?, secret_hash = ?, previous_secret_hash = ?, owner = ?, created_at = ?, signed_in_at = ?, \
     last_seen_at = greatest(last_seen_at, ?), idle_timeout = ?, absolute_deadline = ?, lifetime = ?, \
     user_agent = ?, address = ?, lineage = ?, data = ? \
     WHERE id = ? AND version = ? AND expires_at > ?";

const VERSION_OF_LIVING: &str = "SELECT version FROM tenure_sessions WHERE id = ? AND expires_at > ?";

const REMOVE: &str = "DELETE FROM tenure_sessions WHERE id = ?";

const LIST_BY_OWNER: &str = concat!(
    "SELECT ",
    metadata_to_read!(),
    " FROM tenure_sessions WHERE owner = ? AND expires_at > ? ORDER BY last_seen_at DESC"
);

const REMOVE_BY_OWNER: &str = "DELETE FROM tenure_sessions WHERE owner = ? AND NOT (id <=> ?)";

// Sweepers of several instances take turns, each for the short while of a batch: MariaDB pays no heed to SKIP LOCKED
// within a DELETE, and goes through the whole table for an IN.
const SWEEP: &str = "DELETE FROM tenure_sessions WHERE expires_at <= ? ORDER BY expires_at LIMIT ?";

const PAGE: &str = concat!(
    "SELECT ",
    metadata_to_read!(),
    " FROM tenure_sessions WHERE id > ? ORDER BY id LIMIT ?"
);

const COUNT_LIVING: &str = "SELECT count(*) FROM tenure_sessions WHERE expires_at > ?";

const LOAD_ATTEMPTS: &str = "SELECT version, failures, last_failed_at, blocked_until, expires_at \
     FROM tenure_login_attempts WHERE id = ?";

const INSERT_ATTEMPTS: &str = "INSERT INTO tenure_login_attempts (\
     version, failures, last_failed_at, blocked_until, expires_at, id\
     ) VALUES (?, ?, ?, ?, ?, ?)";

const REPLACE_EXPIRED_ATTEMPTS: &str = "UPDATE tenure_login_attempts SET version = ?, failures = ?, \
     last_failed_at = ?, blocked_until = ?, expires_at = ? WHERE id = ? AND expires_at <= ?";

const REPLACE_ATTEMPTS: &str = "UPDATE tenure_login_attempts SET version = ?, failures = ?, \
     last_failed_at = ?, blocked_until = ?, expires_at = ? WHERE id = ? AND version = ?";

const REMOVE_ATTEMPTS: &str = "DELETE FROM tenure_login_attempts WHERE id = ?";

const SWEEP_ATTEMPTS: &str =
    "DELETE FROM tenure_login_attempts WHERE expires_at <= ? ORDER BY expires_at LIMIT ?";

impl Dialect for MySql {
    type Database = sqlx::MySql;
    type ConnectOptions = MySqlConnectOptions;

    const NAME: &'static str = "mysql";

    const SCHEMES: &'static [&'static str] = &["mysql", "mariadb"];

    const MIGRATIONS: &'static [Migration] = &[
        Migration {
            version: 1,
            name: "sessions",
            sql: include_str!("../migrations/mysql/0001_sessions.sql"),
        },
        Migration {
            version: 2,
            name: "login attempts",
            sql: include_str!("../migrations/mysql/0002_login_attempts.sql"),
        },
    ];

    const CREATE_LEDGER: &'static str = "CREATE TABLE IF NOT EXISTS tenure_migrations (
    version    BIGINT       NOT NULL PRIMARY KEY,
    name       VARCHAR(255) NOT NULL,
    applied_at TIMESTAMP    NOT NULL DEFAULT CURRENT_TIMESTAMP
) ENGINE = InnoDB";

    const WRITE_LEDGER: &'static str = "INSERT INTO tenure_migrations (version, name) VALUES (?, ?)";

    // The connection's, for changes of a schema end a transaction. Locks are the whole server's.
    const LOCK_LEDGER: &'static str = "DO GET_LOCK(MD5(CONCAT(DATABASE(), '.tenure_migrations')), 60)";

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

    fn connect_options(options: &ServerOptions<Self>) -> Result<MySqlConnectOptions, sqlx::Error> {
        let connect: MySqlConnectOptions = options.url.parse()?;
        let connect = verified(connect, &options.url)
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            .timezone(None);
        Ok(connect.disable_statement_logging())
    }

    fn database(options: &MySqlConnectOptions) -> String {
        let database = options.get_database().unwrap_or_default();
        match options.get_socket() {
            Some(socket) => format!("mysql at {}, database {database}", socket.display()),
            None => format!("mysql://{}:{}/{database}", options.get_host(), options.get_port()),
        }
    }

    // The last two are for MariaDB, whose limit is in seconds, and for MySQL: each takes the other's for a comment.
    fn greeting(options: &ServerOptions<Self>) -> Option<String> {
        let timeout = options.statement_timeout;
        Some(format!(
            "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
             SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', autocommit = 1, \
             innodb_lock_wait_timeout = {lock_wait} \
             /*M!100100 , max_statement_time = {seconds} */ /*!80000 , max_execution_time = {millis} */",
            lock_wait = timeout.as_secs().max(1),
            seconds = timeout.as_secs_f64(),
            millis = timeout.as_millis(),
        ))
    }

    driver_methods!(MySqlConnection, MySqlRow);

    fn trouble(error: &dyn DatabaseError) -> Trouble {
        let number = error
            .try_downcast_ref::<MySqlDatabaseError>()
            .map(MySqlDatabaseError::number);
        match number {
            // Told to stop, the connection killed, or idle for too long.
            Some(1053 | 1080 | 1927 | 3169 | 4031) => Trouble::ConnectionEnds,
            Some(1290 | 1792 | 1836) => Trouble::ReadOnly,
            Some(1044 | 1142 | 1143 | 1227) => Trouble::Denied,
            Some(1021 | 1114) => Trouble::DiskFull,
            Some(1040 | 1203 | 1226) => Trouble::TooManyConnections,
            Some(1045 | 1698) => Trouble::LoginRefused,
            Some(1046 | 1049) => Trouble::NoDatabase,
            Some(1146) => Trouble::NoTable,
            Some(1054) => Trouble::OtherColumns,
            Some(1213) => Trouble::Undone,
            Some(1205 | 1969 | 3024) => Trouble::TookTooLong,
            Some(1366 | 4025) => Trouble::Values,
            _ if error
                .code()
                .is_some_and(|code| code.starts_with("22") || code.starts_with("23")) =>
            {
                Trouble::Values
            }
            _ => Trouble::Other,
        }
    }
}

/// With the server's certificate checked, unless somebody has said something about it or nobody is in between.
fn verified(options: MySqlConnectOptions, url: &str) -> MySqlConnectOptions {
    let is_chosen = mentions(url, &["sslmode", "ssl-mode"]);
    if is_chosen || options.get_socket().is_some() || is_local(options.get_host()) {
        return options;
    }
    options.ssl_mode(MySqlSslMode::VerifyIdentity)
}
