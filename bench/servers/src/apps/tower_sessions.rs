//! tower-sessions 0.14, which its published stores are for.

use axum::Router;
use tower_sessions_014::cookie::Key;
use tower_sessions_014::{Session, SessionManagerLayer, SessionStore};
use tower_sessions_redis_store::RedisStore;
use tower_sessions_sqlx_store::PostgresStore;

use super::{KEY, postgres, redis};
use crate::app::{Handle, routes, serve};

pub fn on_redis(url: &str) -> anyhow::Result<()> {
    serve(async { Ok(router(RedisStore::new(redis::fred_pool(url).await?))) })
}

pub fn on_postgres(url: &str) -> anyhow::Result<()> {
    serve(async {
        let store = PostgresStore::new(postgres::pool_08(url).await?);
        store.migrate().await?;
        Ok(router(store))
    })
}

fn router(store: impl SessionStore + Clone) -> Router {
    routes::<Session>().layer(SessionManagerLayer::new(store).with_signed(Key::from(KEY)))
}

impl Handle for Session {
    async fn read(&self) -> anyhow::Result<Option<u64>> {
        Ok(self.get("n").await?)
    }

    async fn write(&self, number: u64) -> anyhow::Result<()> {
        Ok(self.insert("n", number).await?)
    }
}
