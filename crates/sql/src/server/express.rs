//! Sessions in a table of one of express-session's stores, which an Express application shares.

use std::fmt;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};
use tenure_core::Timestamp;
use tenure_core::express::{ExpressExpiry, ExpressStore, Replaced};
use tenure_core::store::{Inserted, Operation, StoreError, StoreFuture};

use super::error::{ServerError, trouble};
use super::migrate::unusable;
use super::pool::{Count, Pool, Repeat, Rows};
use super::store::is_taken;
use super::{Dialect, Row, ServerOptions, Trouble};
use crate::OpenError;
use crate::row::Value;

/// A kind of server that has a layout of express-session's.
pub trait ExpressDialect: Dialect {
    /// The names in the database, and what is kept how.
    type Layout: Clone + fmt::Debug + Send + Sync + 'static;

    /// What is asked of the server before the statements can be told.
    const QUESTION: Option<&'static str>;

    /// What is said to the server, by the first column of the answer to the question.
    fn statements(schema: Option<&str>, layout: &Self::Layout, answer: Option<String>) -> ExpressStatements;

    /// The table in messages.
    fn table(schema: Option<&str>, layout: &Self::Layout) -> String;

    /// What creates the table, if it may.
    fn create(schema: Option<&str>, layout: &Self::Layout) -> Option<String>;

    /// When a session ends, as the table has it.
    fn end(layout: &Self::Layout, expiry: ExpressExpiry) -> i64;

    /// What the end of those that are alive at `now` is at the least.
    fn now(now: Timestamp) -> i64;

    /// What the content is compared with.
    fn content(json: &str) -> Value<'_>;

    /// The first column of a row.
    fn text(row: &Row<Self>) -> Result<Option<String>, sqlx::Error>;
}

/// What is said to the server. The values come in this order.
#[allow(unreachable_pub, reason = "the trait of the servers shows it")]
pub struct ExpressStatements {
    /// Fails unless the others would work.
    pub(crate) look: String,
    /// `sid`, now. Gives the JSON.
    pub(crate) load: String,
    /// `sid`, JSON, end.
    pub(crate) insert: String,
    /// JSON, end, `sid`, content, now.
    pub(crate) replace: String,
    /// End, `sid`, now.
    pub(crate) touch: String,
    /// `sid`.
    pub(crate) remove: String,
    /// `sid`, content, now.
    pub(crate) remove_unchanged: String,
    /// Now.
    pub(crate) prune: String,
}

/// The same, ready to be said.
struct Ready {
    look: SqlStr,
    load: SqlStr,
    insert: SqlStr,
    replace: SqlStr,
    touch: SqlStr,
    remove: SqlStr,
    remove_unchanged: SqlStr,
    prune: SqlStr,
}

impl From<ExpressStatements> for Ready {
    fn from(statements: ExpressStatements) -> Self {
        // Names are quoted, and everything else is bound.
        let ready = |statement: String| AssertSqlSafe(statement).into_sql_str();
        Self {
            look: ready(statements.look),
            load: ready(statements.load),
            insert: ready(statements.insert),
            replace: ready(statements.replace),
            touch: ready(statements.touch),
            remove: ready(statements.remove),
            remove_unchanged: ready(statements.remove_unchanged),
            prune: ready(statements.prune),
        }
    }
}

impl<D: ExpressDialect> ServerOptions<D> {
    /// Connects to the database in which an Express application keeps its sessions in this layout. Of these options,
    /// [`table_prefix`](Self::table_prefix) and [`migrate`](Self::migrate) count for nothing here.
    ///
    /// # Errors
    /// If the server can't be reached or refuses, or the table is not there or has other columns.
    pub async fn connect_express(self, layout: D::Layout) -> Result<ExpressServerStore<D>, OpenError> {
        let schema = self.schema.clone();
        let (pool, database) = self.pool()?;
        let answer = ask::<D>(&pool, &database).await?;
        let store = ExpressServerStore {
            statements: D::statements(schema.as_deref(), &layout, answer).into(),
            table: D::table(schema.as_deref(), &layout),
            create: D::create(schema.as_deref(), &layout),
            pool,
            layout,
            database,
        };
        store.look_at_the_table().await?;
        Ok(store)
    }
}

async fn ask<D: ExpressDialect>(pool: &Pool<D>, database: &str) -> Result<Option<String>, OpenError> {
    let Some(question) = D::QUESTION else {
        return Ok(None);
    };
    let rows = pool.run(&Rows(&question.into_sql_str(), &[]), Repeat::Safe).await;
    let answer = rows.and_then(|rows| rows.first().map_or(Ok(None), D::text));
    answer.map_err(|error| unusable::<D>(database, &error))
}

/// Sessions that an Express application keeps in this database. From
/// [`connect_express`](ServerOptions::connect_express).
///
/// Each method is one statement, and a second one where nothing was changed and it has to be told why. Connections are
/// treated as by [`ServerStore`](super::ServerStore). Expired rows stay until the Express application prunes them, or
/// [`prune`](Self::prune) does.
pub struct ExpressServerStore<D: ExpressDialect> {
    pool: Pool<D>,
    statements: Ready,
    layout: D::Layout,
    table: String,
    create: Option<String>,
    database: String,
}

impl<D: ExpressDialect> ExpressServerStore<D> {
    /// Says goodbye to the server. Every call after it fails. Nothing is lost without it.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Removes every session that has expired by `now`, as the Express application's store does every quarter of an hour. Says
    /// how many. For those who have moved all of the Express application.
    ///
    /// # Errors
    /// If the server fails.
    pub async fn prune(&self, now: Timestamp) -> Result<u64, StoreError> {
        let (prune, values) = (&self.statements.prune, [Value::Integer(Some(D::now(now)))]);
        self.count(Operation::Sweep, Repeat::Safe, prune, &values).await
    }

    async fn look_at_the_table(&self) -> Result<(), OpenError> {
        let missing = match self.look().await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        match &self.create {
            Some(create) if trouble::<D>(&missing) == Some(Trouble::NoTable) => {
                // Whoever else starts at the same moment may have been faster.
                let created = self.create_table(create).await;
                let looked = self.look().await;
                looked.map_err(|error| self.no_table(created.err().as_ref().unwrap_or(&error)))
            }
            _ => Err(self.no_table(&missing)),
        }
    }

    async fn look(&self) -> Result<(), sqlx::Error> {
        let looking = Rows(&self.statements.look, &[]);
        self.pool.run(&looking, Repeat::Safe).await.map(drop)
    }

    async fn create_table(&self, create: &str) -> Result<(), sqlx::Error> {
        let mut lease = self.pool.lease_new().await?;
        let create = AssertSqlSafe(create.to_owned()).into_sql_str();
        let created = D::script(lease.connection(), create).await;
        lease.close().await;
        created
    }

    fn no_table(&self, error: &sqlx::Error) -> OpenError {
        OpenError::ExpressTable {
            database: self.database.clone(),
            table: self.table.clone(),
            source: Box::new(ServerError::new::<D>(error)),
        }
    }

    async fn read(
        &self,
        operation: Operation,
        sid: &str,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        let values = [text(sid), Value::Integer(Some(D::now(now)))];
        let loading = Rows(&self.statements.load, &values);
        let rows = self.pool.run(&loading, Repeat::Safe).await;
        let json = rows.and_then(|rows| rows.first().map_or(Ok(None), D::text));
        json.map_err(|error| failed::<D>(operation, &error))
    }

    async fn write_new(&self, sid: &str, json: &str, expiry: ExpressExpiry) -> Result<Inserted, StoreError> {
        let values = [text(sid), text(json), self.end(expiry)];
        let inserting = Count(&self.statements.insert, &values);
        match self.pool.run(&inserting, Repeat::Never).await {
            Ok(0) => Ok(Inserted::Taken),
            Ok(_) => Ok(Inserted::New),
            Err(error) if is_taken(&error) => Ok(Inserted::Taken),
            Err(error) => Err(failed::<D>(Operation::Insert, &error)),
        }
    }

    async fn write_over(
        &self,
        sid: &str,
        seen: &str,
        json: &str,
        expiry: ExpressExpiry,
    ) -> Result<Replaced, StoreError> {
        let now = Value::Integer(Some(D::now(expiry.now)));
        let values = [text(json), self.end(expiry), text(sid), D::content(seen), now];
        self.compare(
            Operation::Update,
            &self.statements.replace,
            &values,
            (sid, seen, expiry.now),
        )
        .await
    }

    async fn delete_unchanged(&self, sid: &str, seen: &str, now: Timestamp) -> Result<Replaced, StoreError> {
        let values = [text(sid), D::content(seen), Value::Integer(Some(D::now(now)))];
        self.compare(
            Operation::Remove,
            &self.statements.remove_unchanged,
            &values,
            (sid, seen, now),
        )
        .await
    }

    async fn compare(
        &self,
        operation: Operation,
        statement: &SqlStr,
        values: &[Value<'_>],
        (sid, seen, now): (&str, &str, Timestamp),
    ) -> Result<Replaced, StoreError> {
        loop {
            if self.count(operation, Repeat::Never, statement, values).await? > 0 {
                return Ok(Replaced::Done);
            }
            match self.read(operation, sid, now).await? {
                None => return Ok(Replaced::Gone),
                Some(other) if other != seen => return Ok(Replaced::Stale),
                // Between the two statements it came to be what was asked for.
                Some(_) => {}
            }
        }
    }

    async fn count(
        &self,
        operation: Operation,
        repeat: Repeat,
        statement: &SqlStr,
        values: &[Value<'_>],
    ) -> Result<u64, StoreError> {
        let count = self.pool.run(&Count(statement, values), repeat).await;
        count.map_err(|error| failed::<D>(operation, &error))
    }

    fn end(&self, expiry: ExpressExpiry) -> Value<'static> {
        Value::Integer(Some(D::end(&self.layout, expiry)))
    }
}

/// Names the database, without user and password.
impl<D: ExpressDialect> fmt::Debug for ExpressServerStore<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExpressServerStore")
            .field("database", &self.database)
            .field("layout", &self.layout)
            .finish_non_exhaustive()
    }
}

impl<D: ExpressDialect> ExpressStore for ExpressServerStore<D> {
    fn name(&self) -> &'static str {
        D::NAME
    }

    fn load<'a>(&'a self, sid: &'a str, now: Timestamp) -> StoreFuture<'a, Option<String>> {
        Box::pin(self.read(Operation::Load, sid, now))
    }

    fn insert<'a>(&'a self, sid: &'a str, json: &'a str, expiry: ExpressExpiry) -> StoreFuture<'a, Inserted> {
        Box::pin(self.write_new(sid, json, expiry))
    }

    fn replace<'a>(
        &'a self,
        sid: &'a str,
        seen: &'a str,
        json: &'a str,
        expiry: ExpressExpiry,
    ) -> StoreFuture<'a, Replaced> {
        Box::pin(self.write_over(sid, seen, json, expiry))
    }

    fn touch<'a>(&'a self, sid: &'a str, expiry: ExpressExpiry) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let now = Value::Integer(Some(D::now(expiry.now)));
            let values = [self.end(expiry), text(sid), now];
            let touch = &self.statements.touch;
            let touched = self.count(Operation::Update, Repeat::Safe, touch, &values);
            Ok(touched.await? > 0)
        })
    }

    fn remove<'a>(&'a self, sid: &'a str) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let (remove, values) = (&self.statements.remove, [text(sid)]);
            let removed = self.count(Operation::Remove, Repeat::Safe, remove, &values);
            removed.await.map(|removed| removed > 0)
        })
    }

    fn remove_unchanged<'a>(
        &'a self,
        sid: &'a str,
        seen: &'a str,
        now: Timestamp,
    ) -> StoreFuture<'a, Replaced> {
        Box::pin(self.delete_unchanged(sid, seen, now))
    }

    /// By a look at the table, so that it fails where the server can be reached and nothing can be read.
    fn ping(&self) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let looked = self.look().await;
            looked.map_err(|error| failed::<D>(Operation::Ping, &error))
        })
    }
}

fn text(text: &str) -> Value<'_> {
    Value::Text(Some(text.into()))
}

fn failed<D: Dialect>(operation: Operation, error: &sqlx::Error) -> StoreError {
    StoreError::Unavailable {
        store: D::NAME,
        operation,
        source: Box::new(ServerError::new::<D>(error)),
    }
}
