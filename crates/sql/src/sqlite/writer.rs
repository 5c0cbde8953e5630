//! The one connection that writes, and the writes that wait for it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sqlx::pool::PoolConnection;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqlitePool, SqliteRow};
use sqlx::{Connection, Execute, SqlStr, Sqlite, SqliteConnection};
use tokio::sync::oneshot;

/// How many writes one flush of the disk takes at the most, since none of them is acknowledged before all are done.
const MOST_TOGETHER: usize = 64;

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
pub(super) struct Written {
    pub(super) rows: Vec<SqliteRow>,
    pub(super) rows_affected: u64,
}

/// Shared by all whose flush has failed.
#[derive(Clone, Debug)]
pub(super) struct WriteError(Arc<sqlx::Error>);

/// What a write is asked for.
#[derive(Clone, Copy, Debug)]
enum Wanted {
    Count,
    Rows,
}

#[derive(Debug)]
struct Write {
    statement: SqlStr,
    arguments: SqliteArguments,
    wanted: Wanted,
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
    pub(super) async fn execute(&self, query: Query<'_, Sqlite, SqliteArguments>) -> Result<u64, WriteError> {
        let written = self.write(query, Wanted::Count).await?;
        Ok(written.rows_affected)
    }

    /// What the statement returns, which is there once the statement is done with all rows.
    pub(super) async fn fetch_all(
        &self,
        query: Query<'_, Sqlite, SqliteArguments>,
    ) -> Result<Vec<SqliteRow>, WriteError> {
        let written = self.write(query, Wanted::Rows).await?;
        Ok(written.rows)
    }

    async fn write(&self, mut query: Query<'_, Sqlite, SqliteArguments>, wanted: Wanted) -> Outcome {
        let arguments = query.take_arguments().map_err(sqlx::Error::Encode)?;
        let (answer, answered) = oneshot::channel();
        let write = Write {
            statement: query.sql(),
            arguments: arguments.unwrap_or_default(),
            wanted,
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
        let outcome = run(connection, &write).await;
        // Nobody may wait any more.
        let _ = write.answer.send(outcome.map_err(WriteError::from));
    }
}

/// Gives them back where one of them failed and none is done: SQLite may have undone more than that one, and each is to
/// fail for its own reasons alone.
async fn write_together(connection: &mut SqliteConnection, batch: Vec<Write>) -> Result<(), Vec<Write>> {
    let mut transaction = match connection.begin_with("BEGIN IMMEDIATE").await {
        Ok(transaction) => transaction,
        Err(error) => {
            fail_all(batch.into_iter().map(|write| write.answer), &error.into());
            return Ok(());
        }
    };
    let mut written = Vec::with_capacity(batch.len());
    for write in &batch {
        match run(&mut transaction, write).await {
            Ok(one) => written.push(one),
            Err(_) => {
                // Where it fails there is nothing to undo.
                let _ = transaction.rollback().await;
                return Err(batch);
            }
        }
    }
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

async fn run(connection: &mut SqliteConnection, write: &Write) -> sqlx::Result<Written> {
    let query = sqlx::query_with(write.statement.clone(), write.arguments.clone());
    Ok(match write.wanted {
        Wanted::Count => Written {
            rows: Vec::new(),
            rows_affected: query.execute(connection).await?.rows_affected(),
        },
        Wanted::Rows => Written {
            rows: query.fetch_all(connection).await?,
            rows_affected: 0,
        },
    })
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
