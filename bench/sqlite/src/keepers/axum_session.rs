//! axum_session's database, on a file in WAL mode, without the memory before it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum_session::DatabasePool;
use axum_session_sqlx::SessionSqlitePool;
use futures_util::future::BoxFuture;
use measure::Payload;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use time::OffsetDateTime;

use crate::keeper::{Durability, Keep, Keeper, id};

const TABLE: &str = "sessions";

struct AxumSession {
    pool: SessionSqlitePool,
    data: String,
    /// Another one for each save: where nothing changes, SQLite writes nothing, and the time alone has whole seconds.
    expires: AtomicI64,
}

pub async fn open(file: PathBuf, durability: Durability, connections: u32) -> anyhow::Result<Keeper> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(match durability {
            Durability::Full => SqliteSynchronous::Full,
            Durability::Normal => SqliteSynchronous::Normal,
        });
    let pool = SqlitePoolOptions::new()
        .max_connections(connections)
        .connect_with(options)
        .await?;
    let pool = SessionSqlitePool::from(pool);
    pool.initiate(TABLE).await?;
    let data = serde_json::to_string(&Payload::TwentyKeys.map())?;
    let expires = (OffsetDateTime::now_utc() + time::Duration::hours(12)).unix_timestamp();
    Ok(Arc::new(AxumSession {
        pool,
        data,
        expires: expires.into(),
    }))
}

/// Of the length of its UUIDs.
fn id_of(number: u64) -> String {
    format!("{:036x}", u128::from_be_bytes(id(number)))
}

impl Keep for AxumSession {
    fn create(&self, number: u64) -> BoxFuture<'_, anyhow::Result<()>> {
        self.save(number)
    }

    fn load(&self, number: u64) -> BoxFuture<'_, anyhow::Result<()>> {
        Box::pin(async move {
            let loaded = self.pool.load(&id_of(number), TABLE).await?;
            anyhow::ensure!(loaded.is_some(), "{number} is not there");
            Ok(())
        })
    }

    fn save(&self, number: u64) -> BoxFuture<'_, anyhow::Result<()>> {
        Box::pin(async move {
            let expires = self.expires.fetch_add(1, Ordering::Relaxed);
            Ok(self
                .pool
                .store(&id_of(number), &self.data, expires, TABLE)
                .await?)
        })
    }
}
