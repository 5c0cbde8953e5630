//! A `GET`, and for a write a `GET` and a `SET`: the floor that nobody can beat.

use axum::Router;
use axum::routing::get;
use redis::AsyncCommands;
use tower_sessions_redis_store::fred::prelude::{ClientLike, Config, KeysInterface, Pool};

use super::{BARE_BYTES, CONNECTIONS};
use crate::app::{answer, serve};

const NAME: &str = "bare";

pub fn bare(url: &str) -> anyhow::Result<()> {
    serve(async {
        let connection = redis::Client::open(url)?
            .get_multiplexed_async_connection()
            .await?;
        let reading = connection.clone();
        let read = get(async move || answer(read(reading.clone()).await));
        let write = get(async move || answer(write(connection.clone()).await));
        Ok(Router::new().route("/read", read).route("/write", write))
    })
}

async fn read(mut connection: redis::aio::MultiplexedConnection) -> anyhow::Result<()> {
    let _: Option<Vec<u8>> = connection.get(NAME).await?;
    Ok(())
}

async fn write(mut connection: redis::aio::MultiplexedConnection) -> anyhow::Result<()> {
    read(connection.clone()).await?;
    Ok(connection.set_ex(NAME, "x".repeat(BARE_BYTES), 3_600).await?)
}

pub fn bare_fred(url: &str) -> anyhow::Result<()> {
    serve(async {
        let pool = fred_pool(url).await?;
        let reading = pool.clone();
        let read = get(async move || answer(read_by_fred(&reading).await));
        let write = get(async move || answer(write_by_fred(&pool).await));
        Ok(Router::new().route("/read", read).route("/write", write))
    })
}

async fn read_by_fred(pool: &Pool) -> anyhow::Result<()> {
    let _: Option<Vec<u8>> = pool.get(NAME).await?;
    Ok(())
}

async fn write_by_fred(pool: &Pool) -> anyhow::Result<()> {
    read_by_fred(pool).await?;
    let () = pool.set(NAME, "x".repeat(BARE_BYTES), None, None, false).await?;
    Ok(())
}

pub async fn fred_pool(url: &str) -> anyhow::Result<Pool> {
    let pool = Pool::new(
        Config::from_url(url)?,
        None,
        None,
        None,
        usize::try_from(CONNECTIONS)?,
    )?;
    pool.connect();
    pool.wait_for_connect().await?;
    Ok(pool)
}
