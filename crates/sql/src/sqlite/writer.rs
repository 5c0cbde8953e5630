//! The one connection that writes, and the writes that wait for it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::TryStreamExt;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{AssertSqlSafe, Connection, Either, Executor, Sqlite, SqliteConnection};
use tokio::sync::oneshot;

use crate::row::{self, Value};

/// How many writes one flush of the disk takes at the most, since none of them is acknowledged before all are done.
const MOST_TOGETHER: usize = 64;

/// How many writes of a kind are one text for SQLite at the most. Each text costs two switches of threads, which take
/// longer than a write; but each length is kept prepared, at some 10 KB a statement.
const MOST_IN_A_TEXT: usize = 16;

/// Writes take turns, since SQLite has one writer at a time whatever one does. Those that came while others were being
/// flushed to the disk are flushed together, and acknowledged when that is done.
///
/// Each is one statement, so it is done as a whole or not at all, whoever it shares the flush with. It fails by itself,
/// too, unless it is the flush that fails.
///
/// Cheap to clone; clones share the connection.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    pool: SqlitePool,
    queue: Arc<Queue>,
}

/// What SQLite says of a write.
#[derive(Debug)]
struct Written {
    rows: Vec<SqliteRow>,
    rows_affected: u64,
}

/// Shared by all whose flush has failed.
#[derive(Clone, Debug)]
pub(super) struct WriteError(Arc<sqlx::Error>);

/// One statement, whose parameters, all of them bare `?`, are the values in their order.
#[derive(Debug)]
struct Write {
    statement: &'static str,
    values: Vec<Value<'static>>,
    answer: Answer,
}

type Answer = oneshot::Sender<Outcome>;

type Outcome = Result<Written, WriteError>;

#[derive(Debug, Default)]
struct Queue(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Write>,
    service: Service,
}

/// Whether there is a task that sees to those who wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Service {
    #[default]
    Closed,
    Open,
}

impl Writer {
    /// Over a pool of one connection.
    pub(super) fn new(pool: SqlitePool) -> Self {
        Self {
            pool,
            queue: Arc::default(),
        }
    }

    /// The connection itself, for what is not of this kind.
    pub(super) const fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    /// How many rows the statement changed.
    pub(super) async fn execute(
        &self,
        statement: &'static str,
        values: Vec<Value<'_>>,
    ) -> Result<u64, WriteError> {
        let written = self.write(statement, values).await?;
        Ok(written.rows_affected)
    }

    /// What the statement returns, which is there once the statement is done with all rows.
    pub(super) async fn fetch_all(
        &self,
        statement: &'static str,
        values: Vec<Value<'_>>,
    ) -> Result<Vec<SqliteRow>, WriteError> {
        let written = self.write(statement, values).await?;
        Ok(written.rows)
    }

    async fn write(&self, statement: &'static str, values: Vec<Value<'_>>) -> Outcome {
        let (answer, answered) = oneshot::channel();
        let write = Write {
            statement,
            values: values.into_iter().map(Value::into_owned).collect(),
            answer,
        };
        if self.queue.push(write) == Service::Closed {
            // A task of its own, so that it goes on when the request that began it is cancelled.
            tokio::spawn(self.clone().serve());
        }
        match answered.await {
            Ok(outcome) => outcome,
            // The runtime that saw to it is gone.
            Err(_) => Err(sqlx::Error::WorkerCrashed.into()),
        }
    }

    /// Sees to those who wait, until nobody does.
    async fn serve(self) {
        let closing = Closing(&self.queue);
        let mut connection = self.pool.acquire().await.map_err(WriteError::from);
        loop {
            let batch = self.queue.take();
            if batch.is_empty() {
                // The queue has closed the service.
                std::mem::forget(closing);
                return;
            }
            match &mut connection {
                Ok(connection) => write_all(connection, batch).await,
                Err(error) => fail_all(batch.into_iter().map(|write| write.answer), error),
            }
            // Whoever has just been answered may have the next one at once.
            tokio::task::yield_now().await;
        }
    }
}

async fn write_all(connection: &mut PoolConnection<Sqlite>, batch: Vec<Write>) {
    // Whoever has gone meanwhile asks for nothing any more.
    let mut batch: Vec<_> = batch
        .into_iter()
        .filter(|write| !write.answer.is_closed())
        .collect();
    if batch.len() > 1 {
        batch = match write_together(connection, batch).await {
            Ok(()) => return,
            Err(each) => each,
        };
    }
    for write in batch {
        let outcome = run(connection, std::slice::from_ref(&write)).await;
        let outcome = outcome.and_then(|mut written| written.pop().ok_or(sqlx::Error::WorkerCrashed));
        // Nobody may wait any more.
        let _ = write.answer.send(outcome.map_err(WriteError::from));
    }
}

/// Gives them back where one of them failed and none is done: SQLite may have undone more than that one, and each is to
/// fail for its own reasons alone.
async fn write_together(connection: &mut SqliteConnection, mut batch: Vec<Write>) -> Result<(), Vec<Write>> {
    let mut transaction = match connection.begin_with("BEGIN IMMEDIATE").await {
        Ok(transaction) => transaction,
        Err(error) => {
            fail_all(batch.into_iter().map(|write| write.answer), &error.into());
            return Ok(());
        }
    };
    // Those that wait at once have no order among them.
    batch.sort_by_key(|write| write.statement);
    let Ok(written) = run_all(&mut transaction, &batch).await else {
        // Where it fails there is nothing to undo.
        let _ = transaction.rollback().await;
        return Err(batch);
    };
    let answers = batch.into_iter().map(|write| write.answer);
    match transaction.commit().await {
        Ok(()) => {
            for (answer, written) in answers.zip(written) {
                let _ = answer.send(Ok(written));
            }
        }
        Err(error) => fail_all(answers, &error.into()),
    }
    Ok(())
}

async fn run_all(connection: &mut SqliteConnection, batch: &[Write]) -> sqlx::Result<Vec<Written>> {
    let mut written = Vec::with_capacity(batch.len());
    for text in texts(batch) {
        written.extend(run(connection, text).await?);
    }
    Ok(written)
}

/// Divides them into such as are one text for SQLite. Of few lengths, so that all of those stay prepared.
fn texts(batch: &[Write]) -> impl Iterator<Item = &[Write]> {
    let alike = batch.chunk_by(|one, next| one.statement == next.statement);
    alike.flat_map(|mut left| {
        std::iter::from_fn(move || {
            let power_of_two = 1 << left.len().checked_ilog2()?;
            let (text, rest) = left.split_at(MOST_IN_A_TEXT.min(power_of_two));
            left = rest;
            Some(text)
        })
    })
}

/// Runs writes of one kind, in one way to SQLite and back, until one of them fails.
async fn run(connection: &mut SqliteConnection, writes: &[Write]) -> sqlx::Result<Vec<Written>> {
    let statements: Vec<_> = writes.iter().map(|write| write.statement).collect();
    let values = writes.iter().flat_map(|write| &write.values);
    let query = row::bind(sqlx::query(AssertSqlSafe(statements.join(";"))), values);
    let mut results = connection.fetch_many(query);
    let mut written = Vec::with_capacity(writes.len());
    let mut rows = Vec::new();
    while let Some(result) = results.try_next().await? {
        match result {
            Either::Right(row) => rows.push(row),
            Either::Left(done) => written.push(Written {
                rows: std::mem::take(&mut rows),
                rows_affected: done.rows_affected(),
            }),
        }
    }
    // The results just end where the connection's thread does.
    if written.len() == writes.len() {
        Ok(written)
    } else {
        Err(sqlx::Error::WorkerCrashed)
    }
}

fn fail_all(answers: impl Iterator<Item = Answer>, error: &WriteError) {
    for answer in answers {
        // Nobody may wait any more.
        let _ = answer.send(Err(error.clone()));
    }
}

impl Queue {
    /// Says whether somebody sees to it already; whoever hears that nobody does has to.
    fn push(&self, write: Write) -> Service {
        let mut state = self.state();
        state.waiting.push_back(write);
        std::mem::replace(&mut state.service, Service::Open)
    }

    /// The next ones; if there are none, the service is closed.
    fn take(&self) -> Vec<Write> {
        let mut state = self.state();
        let length = state.waiting.len().min(MOST_TOGETHER);
        if length == 0 {
            state.service = Service::Closed;
        }
        state.waiting.drain(..length).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes the service where its task is dropped half-way, with the runtime that it ran on. Those who wait hear of it.
struct Closing<'q>(&'q Queue);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.service = Service::Closed;
        state.waiting.clear();
    }
}

impl From<sqlx::Error> for WriteError {
    fn from(error: sqlx::Error) -> Self {
        Self(Arc::new(error))
    }
}

impl From<WriteError> for Box<dyn std::error::Error + Send + Sync> {
    fn from(error: WriteError) -> Self {
        Box::new(error.0)
    }
}
