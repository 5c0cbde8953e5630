//! The statements that SQLite was given by this process, as the driver logs them, and how it goes about them.

use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Row};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::SetGlobalDefaultError;
use tracing::{Event, Metadata, Subscriber};

/// The statements so far.
pub(crate) struct StatementLog(Mutex<Vec<String>>);

static LOG: StatementLog = StatementLog(Mutex::new(Vec::new()));

/// Begins to log. Once in a process.
pub(crate) fn log() -> Result<&'static StatementLog, SetGlobalDefaultError> {
    tracing::subscriber::set_global_default(&LOG)?;
    Ok(&LOG)
}

impl StatementLog {
    /// All statements since it began.
    pub(crate) async fn logged(&self) -> Vec<String> {
        // The thread of a connection logs a statement when it has given back its rows.
        tokio::time::sleep(Duration::from_millis(20)).await;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// How SQLite goes about a statement, in its own words.
pub(crate) async fn plan(connection: &mut SqliteConnection, statement: &str) -> Result<String, sqlx::Error> {
    let explain = format!("EXPLAIN QUERY PLAN {statement}");
    let steps = sqlx::query(AssertSqlSafe(explain)).fetch_all(connection).await?;
    let steps: Result<Vec<String>, _> = steps.iter().map(|step| step.try_get("detail")).collect();
    Ok(steps?.join("; "))
}

impl Subscriber for &'static StatementLog {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query"
    }

    fn event(&self, event: &Event<'_>) {
        let mut statement = Statement::default();
        event.record(&mut statement);
        let mut statements = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        statements.push(statement.0);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The statement in an event of the driver: in full, or as its summary where that is all of it.
#[derive(Default)]
struct Statement(String);

impl Visit for Statement {
    fn record_str(&mut self, field: &Field, value: &str) {
        let is_more = matches!(field.name(), "summary" | "db.statement") && !value.is_empty();
        if is_more {
            self.0 = value.trim().to_owned();
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}
