//! Measures what a million sessions cost beside a thousand: load, save and sweep, in SQLite and in PostgreSQL.
//!
//! `cargo run --release -p tenure-sql --example million --all-features`; needs PostgreSQL's programs.

#![allow(clippy::print_stdout, reason = "it is what a command is for")]

use std::error::Error;
use std::time::{Duration, Instant};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};
use tenure_core::store::{Store, Touch, Updated};
use tenure_core::{Record, SessionId, Timestamp};
use tenure_sql::postgres::PostgresStore;
use tenure_sql::sqlite::SqliteStore;
use tenure_testkit::servers::PostgresServer;

const FEW: u64 = 1_000;
const MANY: u64 = 1_000_000;

/// A prime above the number of sessions, so that multiples of another spread over all ids.
const IDS: u64 = 1_000_003;
const STEP: u64 = 7_919;

/// How many sessions are loaded and saved for one figure.
const SAMPLES: u64 = 3_000;

/// How many sessions have expired when the sweep begins.
const EXPIRED: u64 = 100_000;

/// How many of them one statement deletes: in SQLite, where the store divides a batch of the engine's, and as the engine
/// asks for them.
const SQLITE_BATCH: u32 = 100;
const POSTGRES_BATCH: u32 = 500;

const NOW: Timestamp = Timestamp::from_millis(1_000_000);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("sessions.db");
    let sqlite = SqliteStore::open(&file).await?;
    let mut connection = SqliteConnectOptions::new().filename(&file).connect().await?;
    measure("SQLite", &sqlite, SQLITE_BATCH, async |from, to| {
        connection
            .execute(AssertSqlSafe(rows_of_sqlite(from, to)))
            .await?;
        connection.execute("ANALYZE").await?;
        Ok(())
    })
    .await?;

    let server = PostgresServer::start(&[])?;
    let database = server.create_database();
    let postgres = PostgresStore::connect(&server.url(&database)).await?;
    measure("PostgreSQL", &postgres, POSTGRES_BATCH, async |from, to| {
        server.run(&database, &rows_of_postgres(from, to));
        // On its own, since it can't be part of a transaction.
        server.run(&database, "VACUUM ANALYZE tenure_sessions");
        server.run(&database, "CHECKPOINT");
        Ok(())
    })
    .await
}

async fn measure(
    name: &str,
    store: &impl Store,
    batch: u32,
    mut fill: impl AsyncFnMut(u64, u64) -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    fill(0, FEW).await?;
    load_and_save(store, FEW).await?;
    let few = load_and_save(store, FEW).await?;
    fill(FEW, MANY).await?;
    load_and_save(store, MANY).await?;
    let many = load_and_save(store, MANY).await?;
    for (what, few, many) in [("load", few.0, many.0), ("save", few.1, many.1)] {
        let ratio = many.as_secs_f64() / few.as_secs_f64();
        println!("{name}: {what}: {few:?} of {FEW}, {many:?} of {MANY}: ratio {ratio:.2}");
    }
    let (usual, longest) = sweep(store, batch).await?;
    println!("{name}: a sweep of {batch} of {EXPIRED} among {MANY}: {usual:?}, the longest {longest:?}");
    Ok(())
}

/// The medians.
async fn load_and_save(store: &impl Store, sessions: u64) -> Result<(Duration, Duration), Box<dyn Error>> {
    let mut loads = Vec::new();
    let mut saves = Vec::new();
    for sample in 0..SAMPLES {
        let began = Instant::now();
        // Those that expire first are left for the sweep.
        let number = EXPIRED.min(sessions / 10) + sample * 6_007 % (sessions - EXPIRED.min(sessions / 10));
        let record = store
            .load(id(number), Touch::No)
            .await?
            .ok_or("a session that is not there")?;
        loads.push(began.elapsed());
        let next = Record {
            version: record.version + 1,
            ..record
        };
        let began = Instant::now();
        let updated = store
            .update(&next, record.version, Timestamp::from_millis(0))
            .await?;
        saves.push(began.elapsed());
        assert_eq!(updated, Updated::Saved);
    }
    Ok((median(loads), median(saves)))
}

/// The median batch and the longest.
async fn sweep(store: &impl Store, batch: u32) -> Result<(Duration, Duration), Box<dyn Error>> {
    let mut batches = Vec::new();
    loop {
        let began = Instant::now();
        let swept = store.sweep_expired(NOW, batch).await?;
        batches.push(began.elapsed());
        if swept < u64::from(batch) {
            let longest = batches.iter().copied().max().unwrap_or_default();
            return Ok((median(batches), longest));
        }
    }
}

fn median(mut durations: Vec<Duration>) -> Duration {
    durations.sort();
    durations[durations.len() / 2]
}

/// The id of the session with this number, as the statements below make it: 16 digits.
fn id(number: u64) -> SessionId {
    let digits = format!("{:016}", number * STEP % IDS);
    SessionId::from_bytes(digits.as_bytes().try_into().expect("16 digits"))
}

fn rows_of_sqlite(from: u64, to: u64) -> String {
    format!(
        "WITH RECURSIVE numbers (n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < {to}) \
         INSERT INTO tenure_sessions (id, version, secret_hash, owner, created_at, last_seen_at, idle_timeout, \
             absolute_deadline, lifetime, data) \
         SELECT CAST(printf('%016d', n * {STEP} % {IDS}) AS BLOB), 1, zeroblob(32), 'user-' || (n / 10), 0, \
             CASE WHEN n < {EXPIRED} AND {from} > 0 THEN 0 ELSE n + 2000000 END, 1000, 1000000000, 'standard', \
             zeroblob(300) \
         FROM numbers"
    )
}

fn rows_of_postgres(from: u64, to: u64) -> String {
    format!(
        "INSERT INTO tenure_sessions (id, version, secret_hash, owner, created_at, last_seen_at, idle_timeout, \
             absolute_deadline, lifetime, data) \
         SELECT convert_to(lpad((n * {STEP} % {IDS})::text, 16, '0'), 'UTF8'), 1, sha256('x'), \
             'user-' || (n / 10), 0, CASE WHEN n < {EXPIRED} AND {from} > 0 THEN 0 ELSE n + 2000000 END, 1000, \
             1000000000, 'standard', decode(repeat('ab', 300), 'hex') \
         FROM generate_series({from}::bigint, {to} - 1) n"
    )
}
