//! The servers, started for this run, and gone after it.

use std::fmt;
use std::time::Duration;

use anyhow::Context;
use serde::Serialize;
use tenure_testkit::servers::PostgresServer;
use tenure_testkit::servers::redis::RedisServer;

use crate::contender::Contender;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Database {
    Redis,
    Postgres,
}

/// As they are installed, but that Redis has a password and no snapshots.
pub struct Databases {
    redis: RedisServer,
    postgres: PostgresServer,
}

impl Databases {
    /// # Errors
    /// If one does not start.
    pub fn start() -> anyhow::Result<Self> {
        Ok(Self {
            redis: RedisServer::with(&["--appendonly", "no"]).context("Redis")?,
            postgres: PostgresServer::start(&[]).context("PostgreSQL")?,
        })
    }

    /// Where this contender keeps its sessions; a database of its own where there are several.
    pub fn url_for(&self, contender: &Contender) -> String {
        match contender.database {
            Database::Redis => self.redis.url(),
            Database::Postgres => self.postgres.url(&self.postgres.create_database()),
        }
    }

    /// What Redis has used of the processor so far. PostgreSQL keeps no such account.
    ///
    /// # Errors
    /// If Redis cannot be asked.
    pub fn processor_time(&self, database: Database) -> anyhow::Result<Option<Duration>> {
        if database == Database::Postgres {
            return Ok(None);
        }
        let account = self.redis.ask(&["INFO", "cpu"])?;
        let seconds = ["used_cpu_user:", "used_cpu_sys:"].map(|name| {
            let found = account.lines().find_map(|line| line.strip_prefix(name));
            found
                .and_then(|seconds| seconds.trim().parse::<f64>().ok())
                .context("Redis tells its processor time")
        });
        let [user, system] = seconds;
        Ok(Some(Duration::from_secs_f64(user? + system?)))
    }

    pub fn port_of(&self, database: Database) -> u16 {
        match database {
            Database::Redis => self.redis.port(),
            Database::Postgres => self.postgres.port(),
        }
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Redis => "Redis",
            Self::Postgres => "PostgreSQL",
        })
    }
}
