//! tower-sessions' store, on a file in WAL mode.

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use measure::Payload;
use time::OffsetDateTime;
use tower_sessions_core_014::SessionStore;
use tower_sessions_core_014::session::{Id, Record};
use tower_sessions_sqlx_store::SqliteStore;
use tower_sessions_sqlx_store::sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};

use crate::keeper::{Durability, Keep, Keeper, id};

struct TowerSessions(SqliteStore);

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
    let store = SqliteStore::new(pool);
    store.migrate().await?;
    Ok(Arc::new(TowerSessions(store)))
}

fn id_of(number: u64) -> Id {
    Id(i128::from_be_bytes(id(number)))
}

fn record(number: u64) -> Record {
    Record {
        id: id_of(number),
        data: Payload::TwentyKeys.map().into_iter().collect(),
        expiry_date: OffsetDateTime::now_utc() + time::Duration::hours(12),
    }
}

impl Keep for TowerSessions {
    fn create(&self, number: u64) -> BoxFuture<'_, anyhow::Result<()>> {
        Box::pin(async move { Ok(self.0.create(&mut record(number)).await?) })
    }

    fn load(&self, number: u64) -> BoxFuture<'_, anyhow::Result<()>> {
        Box::pin(async move {
            let loaded = self.0.load(&id_of(number)).await?;
            anyhow::ensure!(loaded.is_some(), "{number} is not there");
            Ok(())
        })
    }

    fn save(&self, number: u64) -> BoxFuture<'_, anyhow::Result<()>> {
        Box::pin(async move { Ok(self.0.save(&record(number)).await?) })
    }
}
