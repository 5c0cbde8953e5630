//! Measures what a million sessions cost beside a thousand, in SQLite and in PostgreSQL: the time to load, to save, to
//! list an owner's and to sweep, how the listing is planned, and the memory of this process. Fails where a figure is
//! above its limit.
//!
//! `cargo run --release -p tenure-sql --example million --all-features`; needs Linux and PostgreSQL's programs.

#![allow(clippy::print_stdout, reason = "it is what a command is for")]

mod memory;
#[path = "../../tests/common/postgres_statements.rs"]
mod postgres_statements;
mod rows;
mod speed;
#[path = "../../tests/common/sqlite_statements.rs"]
mod sqlite_statements;

use std::error::Error;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};
use tenure_sql::postgres::PostgresStore;
use tenure_sql::sqlite::{Durability, SqliteStore};
use tenure_testkit::servers::PostgresServer;

/// How many expired sessions one statement deletes: in SQLite, where the store divides a batch of the engine's, and as
/// the engine asks for them.
const SQLITE_BATCH: u32 = 100;
const POSTGRES_BATCH: u32 = 500;

const OWNERS_INDEX: &str = "tenure_sessions_owner";

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Outcome {
    memory_of_sqlite().await?;
    memory_of_postgres().await?;
    speed_of_postgres().await?;
    // The last, for its log of statements would slow down all that comes after it.
    speed_of_sqlite().await
}

/// Without a flush for each write, which takes long a million times over and no memory.
async fn memory_of_sqlite() -> Outcome {
    let folder = tempfile::tempdir()?;
    let options = SqliteStore::options(folder.path().join("sessions.db")).durability(Durability::Normal);
    memory::stays_flat("SQLite", &options.open().await?).await
}

async fn memory_of_postgres() -> Outcome {
    let server = PostgresServer::start(&["fsync=off"])?;
    let url = server.url(&server.create_database());
    memory::stays_flat("PostgreSQL", &PostgresStore::connect(&url).await?).await
}

async fn speed_of_sqlite() -> Outcome {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("sessions.db");
    let store = SqliteStore::open(&file).await?;
    let mut connection = SqliteConnectOptions::new().filename(&file).connect().await?;
    let fill = async |from, to| {
        connection
            .execute(AssertSqlSafe(rows::of_sqlite(from, to)))
            .await?;
        connection.execute("ANALYZE").await?;
        Ok(())
    };
    speed::compare("SQLite", &store, fill).await?;

    let statements = sqlite_statements::log()?;
    speed::list_one(&store).await?;
    let [listing] = statements
        .logged()
        .await
        .try_into()
        .map_err(|statements| format!("a listing is one statement, not {statements:?}"))?;
    let plan = sqlite_statements::plan(&mut connection, &listing).await?;
    planned("SQLite", &plan, plan.contains("USING INDEX"))?;
    speed::sweep("SQLite", &store, SQLITE_BATCH).await
}

async fn speed_of_postgres() -> Outcome {
    let server = PostgresServer::start(&[])?;
    let database = server.create_database();
    let store = PostgresStore::connect(&server.url(&database)).await?;
    let fill = async |from, to| {
        server.run(&database, &rows::of_postgres(from, to));
        // On its own, since it can't be part of a transaction.
        server.run(&database, "VACUUM ANALYZE tenure_sessions");
        server.run(&database, "CHECKPOINT");
        Ok(())
    };
    speed::compare("PostgreSQL", &store, fill).await?;

    postgres_statements::log(&server, &database);
    speed::list_one(&store).await?;
    let [listing] = postgres_statements::logged(&server, &database)
        .try_into()
        .map_err(|statements| format!("a listing is one statement, not {statements:?}"))?;
    let plan = postgres_statements::plan(&server, &database, &listing);
    planned("PostgreSQL", &plan, plan.contains("Index"))?;
    speed::sweep("PostgreSQL", &store, POSTGRES_BATCH).await
}

fn planned(name: &str, plan: &str, is_by_index: bool) -> Outcome {
    println!("{name}: a listing is one statement: {plan}");
    if is_by_index && plan.contains(OWNERS_INDEX) {
        return Ok(());
    }
    Err(format!("{name} does not list by the index of owners").into())
}
