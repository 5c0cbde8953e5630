//! Tenure's tables in a SQLite file.

use sqlx::SqliteTransaction;
use sqlx::sqlite::{SqliteConnection, SqlitePool};

use crate::migrations::{Applied, pending};
use crate::{Migration, OpenError, row};

pub(super) const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "sessions",
        sql: include_str!("../../migrations/sqlite/0001_sessions.sql"),
    },
    Migration {
        version: 2,
        name: "login attempts",
        sql: include_str!("../../migrations/sqlite/0002_login_attempts.sql"),
    },
];

const CREATE_LEDGER: &str = "CREATE TABLE IF NOT EXISTS tenure_migrations (
    version    INTEGER NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    applied_at TEXT    NOT NULL DEFAULT CURRENT_TIMESTAMP
) STRICT";

const LEDGER_COLUMNS: &str = "SELECT count(*) FROM pragma_table_info('tenure_migrations') \
     WHERE name IN ('version', 'name', 'applied_at')";

const READ_LEDGER: &str = "SELECT version, name FROM tenure_migrations ORDER BY version";

const WRITE_LEDGER: &str = "INSERT INTO tenure_migrations (version, name) VALUES (?1, ?2)";

/// Applies what the database lacks: all of it or nothing.
pub(super) async fn migrate(writer: &SqlitePool, database: &str) -> Result<(), OpenError> {
    // Takes the write lock before it looks, so that two processes that start at once take turns.
    let mut transaction = writer
        .begin_with("BEGIN IMMEDIATE")
        .await
        .map_err(|error| unusable(database, error))?;
    let applied = applied(&mut transaction, database).await?;
    for migration in pending(MIGRATIONS, &applied, database)? {
        apply(&mut transaction, migration)
            .await
            .map_err(|source| OpenError::Migration {
                database: database.to_owned(),
                version: migration.version,
                name: migration.name,
                source: source.into(),
            })?;
    }
    transaction
        .commit()
        .await
        .map_err(|error| unusable(database, error))
}

async fn applied(transaction: &mut SqliteTransaction<'_>, database: &str) -> Result<Vec<Applied>, OpenError> {
    let connection: &mut SqliteConnection = &mut *transaction;
    let unusable = |error| unusable(database, error);
    sqlx::query(CREATE_LEDGER)
        .execute(&mut *connection)
        .await
        .map_err(unusable)?;
    let columns: i64 = sqlx::query_scalar(LEDGER_COLUMNS)
        .fetch_one(&mut *connection)
        .await
        .map_err(unusable)?;
    let foreign = || OpenError::ForeignSchema {
        database: database.to_owned(),
    };
    if columns != 3 {
        return Err(foreign());
    }
    let rows = sqlx::query(READ_LEDGER)
        .fetch_all(connection)
        .await
        .map_err(unusable)?;
    rows.iter()
        .map(|row| row::applied(row).map_err(|_| foreign()))
        .collect()
}

async fn apply(connection: &mut SqliteConnection, migration: &Migration) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(migration.sql).execute(&mut *connection).await?;
    sqlx::query(WRITE_LEDGER)
        .bind(migration.version)
        .bind(migration.name)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) fn unusable(database: &str, error: sqlx::Error) -> OpenError {
    OpenError::Database {
        database: database.to_owned(),
        source: error.into(),
    }
}
