//! A `SELECT`, and for a write a `SELECT` and an `UPDATE`: the floor that nobody can beat.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use axum::Router;
use axum::routing::get;
use sqlx::Connection;
use sqlx::postgres::{PgConnection, PgPool, PgPoolOptions};
use tokio::sync::Semaphore;
use tower_sessions_sqlx_store::sqlx as sqlx_08;

use super::{BARE_BYTES, CONNECTIONS};
use crate::app::{answer, serve};

const CREATE: &str = "CREATE TABLE bare (id bytea PRIMARY KEY, data bytea NOT NULL)";
const INSERT: &str = "INSERT INTO bare VALUES ($1, $2)";
const SELECT: &str = "SELECT data FROM bare WHERE id = $1";
const UPDATE: &str = "UPDATE bare SET data = $2 WHERE id = $1";

/// As many rows as there are visitors, so that they do not wait for each other.
const ROWS: u8 = 64;

/// Not through sqlx's pool, which asks each connection before and after it is used whether it still stands.
pub fn bare(url: &str) -> anyhow::Result<()> {
    serve(async {
        let pool = pool(url).await?;
        sqlx::query(CREATE).execute(&pool).await?;
        for row in 0..ROWS {
            sqlx::query(INSERT)
                .bind(id(row))
                .bind(data())
                .execute(&pool)
                .await?;
        }
        pool.close().await;
        let connections = Arc::new(Connections::open(url).await?);
        let reading = Arc::clone(&connections);
        let read = get(async move || answer(read(&reading, next_row()).await));
        let write = get(async move || answer(write(&connections, next_row()).await));
        Ok(Router::new().route("/read", read).route("/write", write))
    })
}

async fn read(connections: &Connections, row: u8) -> anyhow::Result<()> {
    let _: Vec<u8> = connections
        .with(async |connection| {
            sqlx::query_scalar(SELECT)
                .bind(id(row))
                .fetch_one(connection)
                .await
        })
        .await?;
    Ok(())
}

async fn write(connections: &Connections, row: u8) -> anyhow::Result<()> {
    read(connections, row).await?;
    connections
        .with(async |connection| {
            sqlx::query(UPDATE)
                .bind(id(row))
                .bind(data())
                .execute(connection)
                .await
        })
        .await?;
    Ok(())
}

/// Connections that nobody doubts.
struct Connections {
    idle: Mutex<Vec<PgConnection>>,
    permits: Semaphore,
}

impl Connections {
    async fn open(url: &str) -> anyhow::Result<Self> {
        let mut idle = Vec::new();
        for _ in 0..CONNECTIONS {
            idle.push(PgConnection::connect(url).await?);
        }
        Ok(Self {
            permits: Semaphore::new(idle.len()),
            idle: Mutex::new(idle),
        })
    }

    async fn with<T>(
        &self,
        work: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<T>,
    ) -> anyhow::Result<T> {
        let _permit = self.permits.acquire().await?;
        let mut borrowed = Borrowed {
            connection: self.idle().pop(),
            connections: self,
        };
        let connection = borrowed.connection.as_mut();
        Ok(work(connection.context("there are as many connections as permits")?).await?)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<PgConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Goes back when its request is cancelled, too: sqlx reads what is left of an answer before it asks again.
struct Borrowed<'c> {
    connection: Option<PgConnection>,
    connections: &'c Connections,
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        self.connections.idle().extend(self.connection.take());
    }
}

pub fn bare_08(url: &str) -> anyhow::Result<()> {
    serve(async {
        let pool = pool_08(url).await?;
        sqlx_08::query(CREATE).execute(&pool).await?;
        for row in 0..ROWS {
            sqlx_08::query(INSERT)
                .bind(id(row))
                .bind(data())
                .execute(&pool)
                .await?;
        }
        let reading = pool.clone();
        let read = get(async move || answer(read_08(&reading, next_row()).await));
        let write = get(async move || answer(write_08(&pool, next_row()).await));
        Ok(Router::new().route("/read", read).route("/write", write))
    })
}

async fn read_08(pool: &sqlx_08::PgPool, row: u8) -> anyhow::Result<()> {
    let _: Vec<u8> = sqlx_08::query_scalar(SELECT)
        .bind(id(row))
        .fetch_one(pool)
        .await?;
    Ok(())
}

async fn write_08(pool: &sqlx_08::PgPool, row: u8) -> anyhow::Result<()> {
    read_08(pool, row).await?;
    sqlx_08::query(UPDATE)
        .bind(id(row))
        .bind(data())
        .execute(pool)
        .await?;
    Ok(())
}

pub async fn pool(url: &str) -> anyhow::Result<PgPool> {
    let options = PgPoolOptions::new().max_connections(CONNECTIONS);
    Ok(options.connect(url).await?)
}

pub async fn pool_08(url: &str) -> anyhow::Result<sqlx_08::PgPool> {
    let options = sqlx_08::postgres::PgPoolOptions::new().max_connections(CONNECTIONS);
    Ok(options.connect(url).await?)
}

fn next_row() -> u8 {
    let row = measure::next_number() % u64::from(ROWS);
    u8::try_from(row).unwrap_or_default()
}

fn id(row: u8) -> Vec<u8> {
    vec![row; 16]
}

fn data() -> Vec<u8> {
    vec![b'x'; BARE_BYTES]
}
