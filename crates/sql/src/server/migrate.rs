//! Tenure's tables on a server.

use sqlx::SqlSafeStr;
use sqlx::{AssertSqlSafe, Connection as _};

use super::error::{ServerError, trouble};
use super::pool::{Pool, Repeat, Rows};
use super::{Connection, Dialect, Row, Statements, Tables, Trouble};
use crate::migrations::{Applied, pending};
use crate::row::Value;
use crate::{Migration, OpenError};

/// Applies what the database lacks.
pub(super) async fn migrate<D: Dialect>(
    pool: &Pool<D>,
    statements: &Statements,
    tables: &Tables,
    database: &str,
) -> Result<(), OpenError> {
    // Most often nothing is to be done; then no lock is taken, and reading is all that the user has to be allowed.
    if lacking::<D>(pool, statements, database).await?.is_empty() {
        return Ok(());
    }
    let mut lease = pool
        .lease_new()
        .await
        .map_err(|error| unusable::<D>(database, &error))?;
    let outcome = take_turns::<D>(lease.connection(), statements, tables, database).await;
    // The lock may be the connection's.
    lease.close().await;
    outcome
}

/// Refuses a database that lacks something.
pub(super) async fn check<D: Dialect>(
    pool: &Pool<D>,
    statements: &Statements,
    database: &str,
) -> Result<(), OpenError> {
    match lacking::<D>(pool, statements, database).await? {
        [] => Ok(()),
        [first, ..] => Err(OpenError::OlderSchema {
            database: database.to_owned(),
            version: first.version,
            name: first.name,
        }),
    }
}

async fn lacking<D: Dialect>(
    pool: &Pool<D>,
    statements: &Statements,
    database: &str,
) -> Result<&'static [Migration], OpenError> {
    let rows = pool.run(&Rows(&statements.read_ledger, &[]), Repeat::Safe).await;
    let applied = match rows {
        Err(error) if trouble::<D>(&error) == Some(Trouble::NoTable) => Vec::new(),
        rows => read::<D>(rows, database)?,
    };
    pending(D::MIGRATIONS, &applied, database)
}

/// Those that start at once wait here for the first of them.
async fn take_turns<D: Dialect>(
    connection: &mut Connection<D>,
    statements: &Statements,
    tables: &Tables,
    database: &str,
) -> Result<(), OpenError> {
    let unusable = |error| unusable::<D>(database, &error);
    let mut transaction = connection.begin().await.map_err(unusable)?;
    let script = |template| AssertSqlSafe(tables.migration(template)).into_sql_str();
    if let Some(schema) = tables.schema() {
        let go_there = format!("SET LOCAL search_path TO \"{schema}\"");
        let go_there = AssertSqlSafe(go_there).into_sql_str();
        D::script(&mut transaction, go_there).await.map_err(unusable)?;
    }
    D::script(&mut transaction, script(D::LOCK_LEDGER))
        .await
        .map_err(unusable)?;
    D::script(&mut transaction, script(D::CREATE_LEDGER))
        .await
        .map_err(unusable)?;
    let rows = D::rows(&mut transaction, statements.read_ledger.clone(), &[]).await;
    let applied = read::<D>(rows, database)?;
    for migration in pending(D::MIGRATIONS, &applied, database)? {
        apply::<D>(&mut transaction, migration, tables)
            .await
            .map_err(|error| OpenError::Migration {
                database: database.to_owned(),
                version: migration.version,
                name: migration.name,
                source: Box::new(ServerError::new::<D>(&error)),
            })?;
    }
    transaction.commit().await.map_err(unusable)
}

async fn apply<D: Dialect>(
    connection: &mut Connection<D>,
    migration: &Migration,
    tables: &Tables,
) -> Result<(), sqlx::Error> {
    let statements = AssertSqlSafe(tables.migration(migration.sql)).into_sql_str();
    D::script(connection, statements).await?;
    let values = [
        Value::Integer(Some(migration.version.into())),
        Value::Text(Some(migration.name.into())),
    ];
    D::count(connection, tables.statement(D::WRITE_LEDGER), &values).await?;
    Ok(())
}

fn read<D: Dialect>(
    rows: Result<Vec<Row<D>>, sqlx::Error>,
    database: &str,
) -> Result<Vec<Applied>, OpenError> {
    let foreign = || OpenError::ForeignSchema {
        database: database.to_owned(),
    };
    match rows {
        Ok(rows) => rows
            .iter()
            .map(D::applied)
            .collect::<Result<_, _>>()
            .map_err(|_| foreign()),
        Err(error) if trouble::<D>(&error) == Some(Trouble::OtherColumns) => Err(foreign()),
        Err(error) => Err(unusable::<D>(database, &error)),
    }
}

pub(super) fn unusable<D: Dialect>(database: &str, error: &sqlx::Error) -> OpenError {
    OpenError::Database {
        database: database.to_owned(),
        source: Box::new(ServerError::new::<D>(error)),
    }
}
