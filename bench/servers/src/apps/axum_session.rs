//! axum_session, which keeps sessions in the process's memory besides: its sessions are warm here.

use axum::Router;
use axum_session::{DatabasePool, Key, Session, SessionConfig, SessionLayer, SessionStore};
use axum_session_redispool::SessionRedisPool;
use axum_session_sqlx::SessionPgPool;
use redis_pool::SingleRedisPool;

use super::{KEY, postgres};
use crate::app::{Handle, routes, serve};

pub fn on_redis(url: &str) -> anyhow::Result<()> {
    serve(async {
        let pool = SingleRedisPool::from(redis::Client::open(url)?);
        router(SessionRedisPool::from(pool)).await
    })
}

pub fn on_postgres(url: &str) -> anyhow::Result<()> {
    serve(async { router(SessionPgPool::from(postgres::pool(url).await?)).await })
}

async fn router<P>(pool: P) -> anyhow::Result<Router>
where
    P: DatabasePool + Clone + std::fmt::Debug + Sync + Send + 'static,
{
    let config = SessionConfig::default().with_key(Key::from(KEY));
    let store = SessionStore::new(Some(pool), config).await?;
    Ok(routes::<Session<P>>().layer(SessionLayer::new(store)))
}

impl<P> Handle for Session<P>
where
    P: DatabasePool + Clone + std::fmt::Debug + Sync + Send + 'static,
{
    async fn read(&self) -> anyhow::Result<Option<u64>> {
        Ok(self.get("n"))
    }

    async fn write(&self, number: u64) -> anyhow::Result<()> {
        self.set("n", number);
        Ok(())
    }
}
