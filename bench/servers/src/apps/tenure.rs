//! Tenure, with all that it does by default.

use axum::Router;
use measure::sessions;
use tenure_core::{Key, Sealing, Store};
use tenure_redis::RedisStore;
use tenure_sql::postgres::PostgresStore;
use tenure_tower::{Session, SessionLayer};

use super::CONNECTIONS;
use crate::app::{Handle, routes, serve};

pub const SEALED: Sealing = Sealing::Sealed;
pub const PLAIN: Sealing = Sealing::Plain;

const N: Key<u64> = Key::new("n");

pub fn on_redis(url: &str, sealing: Sealing) -> anyhow::Result<()> {
    serve(async { router(RedisStore::connect(url).await?, sealing) })
}

pub fn on_postgres(url: &str, sealing: Sealing) -> anyhow::Result<()> {
    serve(async {
        router(
            PostgresStore::options(url)
                .connections(CONNECTIONS)
                .connect()
                .await?,
            sealing,
        )
    })
}

fn router(store: impl Store, sealing: Sealing) -> anyhow::Result<Router> {
    Ok(routes::<Session>().layer(SessionLayer::new(sessions(sealing, store)?)))
}

impl Handle for Session {
    async fn read(&self) -> anyhow::Result<Option<u64>> {
        Ok(self.get(N)?)
    }

    async fn write(&self, number: u64) -> anyhow::Result<()> {
        Ok(self.insert(N, &number)?)
    }
}
