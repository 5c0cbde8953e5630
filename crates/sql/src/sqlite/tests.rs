use sqlx::{AssertSqlSafe, Row};

use super::*;

async fn store() -> (tempfile::TempDir, SqliteStore) {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path().join("app.db")).await.unwrap();
    (directory, store)
}

/// How SQLite goes about a statement, in its own words.
async fn plan(store: &SqliteStore, statement: &str) -> Vec<String> {
    let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")))
        .fetch_all(&store.readers)
        .await
        .unwrap();
    rows.iter().map(|row| row.get("detail")).collect()
}

#[tokio::test]
async fn no_statement_scans_the_table() {
    let (_directory, store) = store().await;
    for statement in [
        LOAD,
        TOUCH,
        UPDATE,
        VERSION_OF_LIVING,
        REMOVE,
        LIST_BY_OWNER,
        REMOVE_BY_OWNER,
        SWEEP,
    ] {
        let plan = plan(&store, statement).await;
        assert!(
            !plan.iter().any(|step| step.starts_with("SCAN")),
            "{statement}: {plan:?}"
        );
    }
}

#[tokio::test]
async fn sessions_of_an_owner_are_found_by_the_index_of_owners() {
    let (_directory, store) = store().await;
    for statement in [LIST_BY_OWNER, REMOVE_BY_OWNER] {
        let plan = plan(&store, statement).await;
        assert!(
            plan[0].contains("INDEX tenure_sessions_owner (owner=?)"),
            "{plan:?}"
        );
    }
}

#[tokio::test]
async fn expired_sessions_are_found_by_the_index_of_deadlines() {
    let (_directory, store) = store().await;
    let plan = plan(&store, SWEEP).await;
    let by_index = "INDEX tenure_sessions_expires_at (expires_at<?)";
    assert!(plan.iter().any(|step| step.contains(by_index)), "{plan:?}");
}

#[tokio::test]
async fn a_write_is_on_the_disk_before_it_is_acknowledged_unless_told_otherwise() {
    const NORMAL: i64 = 1;
    const FULL: i64 = 2;
    let synchronous = async |store: &SqliteStore| -> i64 {
        sqlx::query_scalar("PRAGMA synchronous")
            .fetch_one(&store.writer)
            .await
            .unwrap()
    };
    let (directory, store) = store().await;
    assert_eq!(synchronous(&store).await, FULL);
    let normal = SqliteStore::options(directory.path().join("app.db"))
        .durability(Durability::Normal)
        .open()
        .await
        .unwrap();
    assert_eq!(synchronous(&normal).await, NORMAL);
}

#[tokio::test]
async fn a_reader_can_not_write() {
    let (_directory, store) = store().await;
    let attempt = sqlx::query("DELETE FROM tenure_sessions")
        .execute(&store.readers)
        .await;
    assert!(attempt.is_err());
}

#[tokio::test]
async fn there_is_one_writer_and_as_many_readers_as_asked_for_but_at_least_one() {
    let (directory, store) = store().await;
    assert_eq!(store.writer.options().get_max_connections(), 1);
    assert_eq!(store.readers.options().get_max_connections(), 4);
    let path = directory.path().join("app.db");
    let one = SqliteStore::options(path).readers(0).open().await.unwrap();
    assert_eq!(one.readers.options().get_max_connections(), 1);
}
