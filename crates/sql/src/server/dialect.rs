//! What differs between the servers.

use std::future::Future;

use sqlx::SqlStr;
use sqlx::error::DatabaseError;
use sqlx::{ConnectOptions, Database};
use tenure_core::store::Attempts;
use tenure_core::{Record, StoreError};

use super::{ServerOptions, Statements, Trouble};
use crate::Migration;
use crate::migrations::Applied;
use crate::row::Value;

/// A kind of server: how it is reached, and how it speaks SQL.
pub trait Dialect: Sized + Send + Sync + 'static {
    /// The driver.
    type Database: Database<Connection: sqlx::Connection<Options = Self::ConnectOptions>>;

    /// How the driver connects.
    type ConnectOptions: ConnectOptions<Connection = Connection<Self>>;

    /// The store's name in errors.
    const NAME: &'static str;

    /// What its URLs may begin with, the usual one first.
    const SCHEMES: &'static [&'static str];

    /// Tenure's tables.
    const MIGRATIONS: &'static [Migration];

    /// The table that tells which of them a database has. Says nothing where it is there already.
    const CREATE_LEDGER: &'static str;

    /// What records a migration in it.
    const WRITE_LEDGER: &'static str;

    /// What keeps two that migrate from doing it at once, until the connection or its transaction ends.
    const LOCK_LEDGER: &'static str;

    /// What is said to it.
    const STATEMENTS: Statements<&'static str>;

    /// What the driver needs to know, from the URL and the options.
    fn connect_options(options: &ServerOptions<Self>) -> Result<Self::ConnectOptions, sqlx::Error>;

    /// The database in messages: without user and password.
    fn database(options: &Self::ConnectOptions) -> String;

    /// What is said to a new connection before its first use.
    fn greeting(options: &ServerOptions<Self>) -> Option<String>;

    /// The rows that a statement gives.
    fn rows(
        connection: &mut Connection<Self>,
        statement: SqlStr,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<Vec<Row<Self>>, sqlx::Error>> + Send;

    /// How many rows a statement inserted, matched or deleted.
    fn count(
        connection: &mut Connection<Self>,
        statement: SqlStr,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<u64, sqlx::Error>> + Send;

    /// Runs statements that take no values, some of which can't be prepared.
    fn script(
        connection: &mut Connection<Self>,
        statements: SqlStr,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// The record of a row.
    fn record(row: &Row<Self>) -> Result<Record, StoreError>;

    /// The record of a row, but for its data.
    fn metadata(row: &Row<Self>) -> Result<Record, StoreError>;

    /// The attempts of a row.
    fn attempts(row: &Row<Self>) -> Result<Attempts, StoreError>;

    /// The one number of a row.
    fn number(row: &Row<Self>) -> Result<i64, sqlx::Error>;

    /// The migration of a row.
    fn applied(row: &Row<Self>) -> Result<Applied, sqlx::Error>;

    /// What an error of the server is about, as far as anything follows from it.
    fn trouble(error: &dyn DatabaseError) -> Trouble;
}

/// A connection of the driver.
pub(crate) type Connection<D> = <<D as Dialect>::Database as Database>::Connection;

/// A row of the driver.
pub(crate) type Row<D> = <<D as Dialect>::Database as Database>::Row;

/// The methods of a [`Dialect`] that are the same but for the driver's types: to bound these would be longer.
macro_rules! driver_methods {
    ($connection:ty, $row:ty) => {
        async fn rows(
            connection: &mut $connection,
            statement: sqlx::SqlStr,
            values: &[crate::row::Value<'_>],
        ) -> Result<Vec<$row>, sqlx::Error> {
            let query = crate::row::bind(sqlx::query(statement), values);
            query.fetch_all(connection).await
        }

        async fn count(
            connection: &mut $connection,
            statement: sqlx::SqlStr,
            values: &[crate::row::Value<'_>],
        ) -> Result<u64, sqlx::Error> {
            let query = crate::row::bind(sqlx::query(statement), values);
            Ok(query.execute(connection).await?.rows_affected())
        }

        async fn script(connection: &mut $connection, statements: sqlx::SqlStr) -> Result<(), sqlx::Error> {
            sqlx::raw_sql(statements)
                .execute(connection)
                .await
                .map(drop)
        }

        fn record(row: &$row) -> Result<tenure_core::Record, tenure_core::StoreError> {
            crate::row::record(row, Self::NAME)
        }

        fn metadata(row: &$row) -> Result<tenure_core::Record, tenure_core::StoreError> {
            crate::row::metadata(row, Self::NAME)
        }

        fn attempts(row: &$row) -> Result<tenure_core::store::Attempts, tenure_core::StoreError> {
            crate::row::attempts(row, Self::NAME)
        }

        fn number(row: &$row) -> Result<i64, sqlx::Error> {
            sqlx::Row::try_get(row, 0)
        }

        fn applied(row: &$row) -> Result<crate::migrations::Applied, sqlx::Error> {
            crate::row::applied(row)
        }
    };
}

pub(crate) use driver_methods;
