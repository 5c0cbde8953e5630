//! Who is compared.

use measure::{version_of, version_of_series};

use crate::apps;
use crate::database::Database;

/// A library on a database, or the bare driver that it uses.
pub struct Contender {
    pub name: &'static str,
    pub database: Database,
    pub is_bare: bool,
    /// The bare application on the same driver and framework.
    pub floor: &'static str,
    pub is_ours: bool,
    pub version: fn() -> String,
    serve: fn(&str) -> anyhow::Result<()>,
}

pub const SEALED: &str = "Tenure, sealed";
const REDIS_RS: &str = "bare, redis";
const FRED: &str = "bare, fred";
const REDIS_ON_ACTIX: &str = "bare, redis on actix-web";
const SQLX: &str = "bare, sqlx";
const SQLX_08: &str = "bare, sqlx 0.8's pool";

pub static CONTENDERS: [Contender; 14] = [
    bare(
        Database::Redis,
        REDIS_RS,
        || version_of("redis"),
        apps::redis::bare,
    ),
    ours(Database::Redis, SEALED, REDIS_RS, |url| {
        apps::tenure::on_redis(url, apps::tenure::SEALED)
    }),
    ours(Database::Redis, "Tenure, unsealed", REDIS_RS, |url| {
        apps::tenure::on_redis(url, apps::tenure::PLAIN)
    }),
    peer(
        Database::Redis,
        "axum_session, signed, warm",
        REDIS_RS,
        || version_of("axum_session_redispool"),
        apps::axum_session::on_redis,
    ),
    bare(
        Database::Redis,
        FRED,
        || version_of("fred"),
        apps::redis::bare_fred,
    ),
    peer(
        Database::Redis,
        "tower-sessions, signed",
        FRED,
        || version_of("tower-sessions-redis-store"),
        apps::tower_sessions::on_redis,
    ),
    bare(
        Database::Redis,
        REDIS_ON_ACTIX,
        || version_of_series("redis", "0.32"),
        apps::actix::bare,
    ),
    peer(
        Database::Redis,
        "actix-session",
        REDIS_ON_ACTIX,
        || version_of("actix-session"),
        apps::actix::sessions,
    ),
    bare(
        Database::Postgres,
        SQLX,
        || version_of("sqlx"),
        apps::postgres::bare,
    ),
    ours(Database::Postgres, SEALED, SQLX, |url| {
        apps::tenure::on_postgres(url, apps::tenure::SEALED)
    }),
    ours(Database::Postgres, "Tenure, unsealed", SQLX, |url| {
        apps::tenure::on_postgres(url, apps::tenure::PLAIN)
    }),
    peer(
        Database::Postgres,
        "axum_session, signed, warm",
        SQLX,
        || version_of("axum_session_sqlx"),
        apps::axum_session::on_postgres,
    ),
    bare(
        Database::Postgres,
        SQLX_08,
        || version_of_series("sqlx", "0.8"),
        apps::postgres::bare_08,
    ),
    peer(
        Database::Postgres,
        "tower-sessions, signed",
        SQLX_08,
        || version_of("tower-sessions-sqlx-store"),
        apps::tower_sessions::on_postgres,
    ),
];

type Serve = fn(&str) -> anyhow::Result<()>;

const fn bare(database: Database, name: &'static str, version: fn() -> String, serve: Serve) -> Contender {
    Contender {
        name,
        database,
        is_bare: true,
        floor: name,
        is_ours: false,
        version,
        serve,
    }
}

const fn ours(database: Database, name: &'static str, floor: &'static str, serve: Serve) -> Contender {
    Contender {
        name,
        database,
        is_bare: false,
        floor,
        is_ours: true,
        version: || version_of("tenure-core"),
        serve,
    }
}

const fn peer(
    database: Database,
    name: &'static str,
    floor: &'static str,
    version: fn() -> String,
    serve: Serve,
) -> Contender {
    Contender {
        name,
        database,
        is_bare: false,
        floor,
        is_ours: false,
        version,
        serve,
    }
}

impl Contender {
    /// What it is called on this program's command line.
    pub fn key(&self) -> String {
        format!("{}: {}", self.database, self.name)
    }

    /// Serves until this process is ended.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub fn serve(&self, url: &str) -> anyhow::Result<()> {
        (self.serve)(url)
    }
}

/// # Errors
/// If there is none of that name.
pub fn named(key: &str) -> anyhow::Result<&'static Contender> {
    let found = CONTENDERS.iter().find(|contender| contender.key() == key);
    found.ok_or_else(|| anyhow::anyhow!("there is no {key}"))
}
