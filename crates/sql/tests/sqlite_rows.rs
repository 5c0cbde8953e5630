//! What the rows hold: times at the edge, rows that somebody spoiled, and how often they are written.

mod common;

use std::time::Duration;

use common::file::File;
use common::servers::touch_at_the_same_time;
use common::*;
use sqlx::sqlite::SqliteConnection;
use tenure_core::store::{Touch, Updated};
use tenure_core::{Record, Store, StoreError, Timestamp};

const LAST: Timestamp = Timestamp::from_millis(i64::MAX as u64);

/// Changes when another connection has committed a write.
async fn data_version(connection: &mut SqliteConnection) -> i64 {
    sqlx::query_scalar("PRAGMA data_version")
        .fetch_one(connection)
        .await
        .unwrap()
}

#[tokio::test]
async fn touches_within_the_interval_write_nothing() {
    let file = File::new();
    let store = file.store().await;
    insert(&store, &record(1)).await;
    let mut witness = file.connection().await;
    let mut before = data_version(&mut witness).await;
    let mut writes = 0;
    for second in 0..300 {
        let touch = Touch::Active {
            now: START.plus(Duration::from_secs(second)),
            bearer: BEARER,
            at_most_every: MINUTE,
        };
        store.load(id(1), touch).await.unwrap();
        let after = data_version(&mut witness).await;
        writes += u32::from(after != before);
        before = after;
    }
    assert_eq!(writes, 4, "one at each full minute after the first");
}

#[tokio::test]
async fn touches_at_the_same_time_write_once() {
    let file = File::new();
    let store = file.store().await;
    insert(&store, &record(1)).await;
    file.run(
        "CREATE TABLE writes (version INTEGER);
         CREATE TRIGGER witness AFTER UPDATE ON tenure_sessions BEGIN
             INSERT INTO writes VALUES (new.version);
         END;",
    )
    .await;
    touch_at_the_same_time(&store).await;
    assert_eq!(file.number("SELECT count(*) FROM writes").await, 1);
}

#[tokio::test]
async fn looking_writes_nothing() {
    let file = File::new();
    let store = file.store().await;
    insert(&store, &record(1)).await;
    let mut witness = file.connection().await;
    let before = data_version(&mut witness).await;
    look(&store, id(1)).await;
    look(&store, id(2)).await;
    store
        .list_by_owner(&record(1).owner.unwrap(), START)
        .await
        .unwrap();
    store.ping().await.unwrap();
    assert_eq!(data_version(&mut witness).await, before);
}

#[tokio::test]
async fn a_stale_update_writes_nothing() {
    let file = File::new();
    let store = file.store().await;
    insert(&store, &record(1)).await;
    let mut witness = file.connection().await;
    let before = data_version(&mut witness).await;
    assert_eq!(store.update(&record(1), 7, START).await.unwrap(), Updated::Stale);
    assert_eq!(data_version(&mut witness).await, before);
}

#[tokio::test]
async fn the_last_time_of_a_column_comes_back() {
    let file = File::new();
    let store = file.store().await;
    let endless = Record {
        created_at: LAST,
        signed_in_at: Some(LAST),
        last_seen_at: LAST,
        idle_timeout: Duration::from_millis(i64::MAX as u64),
        absolute_deadline: LAST,
        ..record(1)
    };
    insert(&store, &endless).await;
    assert_eq!(look(&store, id(1)).await, Some(endless));
    assert_eq!(
        file.number("SELECT expires_at FROM tenure_sessions").await,
        i64::MAX
    );
}

#[tokio::test]
async fn a_time_past_the_last_becomes_the_last_and_never_the_past() {
    let file = File::new();
    let store = file.store().await;
    let beyond = Record {
        idle_timeout: Duration::MAX,
        absolute_deadline: Timestamp::from_millis(u64::MAX),
        ..record(1)
    };
    insert(&store, &beyond).await;
    let kept = look(&store, id(1)).await.unwrap();
    assert_eq!(kept.absolute_deadline, LAST);
    assert_eq!(
        file.number("SELECT expires_at FROM tenure_sessions").await,
        i64::MAX
    );
    assert_eq!(store.sweep_expired(START, 10).await.unwrap().sessions, 0);
    let end_of_time = Timestamp::from_millis(u64::MAX);
    assert_eq!(store.update(&kept, 1, end_of_time).await.unwrap(), Updated::Gone);
}

#[tokio::test]
async fn a_deadline_before_the_last_activity_is_kept_as_it_is() {
    let file = File::new();
    let store = file.store().await;
    let over = Record {
        absolute_deadline: START.minus(MINUTE),
        ..record(1)
    };
    insert(&store, &over).await;
    let expires_at = file.number("SELECT expires_at FROM tenure_sessions").await;
    assert_eq!(expires_at as u64, over.absolute_deadline.as_millis());
    assert_eq!(
        store
            .sweep_expired(START.minus(MINUTE), 10)
            .await
            .unwrap()
            .sessions,
        1
    );
}

#[tokio::test]
async fn a_spoiled_row_is_corrupt_and_says_which_column() {
    for (assignment, column) in [
        ("version = -1", "version"),
        ("secret_hash = x'00'", "secret_hash"),
        ("previous_secret_hash = x'0011'", "previous_secret_hash"),
        ("owner = ''", "owner"),
        ("created_at = -5", "created_at"),
        ("signed_in_at = -5", "signed_in_at"),
        ("last_seen_at = -5", "last_seen_at"),
        ("idle_timeout = -5", "idle_timeout"),
        ("absolute_deadline = -5", "absolute_deadline"),
        ("lifetime = 'eternal'", "lifetime"),
        ("address = 'localhost'", "address"),
        ("user_agent = CAST(x'ff' AS TEXT)", "user_agent"),
    ] {
        let file = File::new();
        let store = file.store().await;
        insert(&store, &record(1)).await;
        file.run(&format!(
            "PRAGMA ignore_check_constraints = ON; UPDATE tenure_sessions SET {assignment}"
        ))
        .await;
        match store.load(id(1), Touch::No).await {
            Err(StoreError::Corrupt {
                store: "sqlite",
                what,
            }) => assert_eq!(what, column),
            other => panic!("{assignment}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_spoiled_row_is_refused_by_the_table_itself() {
    let file = File::new();
    let store = file.store().await;
    insert(&store, &record(1)).await;
    let mut connection = file.connection().await;
    for sql in [
        "UPDATE tenure_sessions SET version = -1",
        "UPDATE tenure_sessions SET secret_hash = x'00'",
        "UPDATE tenure_sessions SET owner = ''",
        "UPDATE tenure_sessions SET lifetime = 'eternal'",
        "UPDATE tenure_sessions SET last_seen_at = 'yesterday'",
        "UPDATE tenure_sessions SET data = 'text'",
        "UPDATE tenure_sessions SET data = NULL",
        "UPDATE tenure_sessions SET data = zeroblob(1048577)",
        "UPDATE tenure_sessions SET expires_at = 0",
    ] {
        assert!(sqlx::query(sql).execute(&mut connection).await.is_err(), "{sql}");
    }
}

#[tokio::test]
async fn a_database_that_is_gone_is_unavailable_and_its_error_shows_no_data() {
    let file = File::new();
    let store = file.store().await;
    file.run("DROP TABLE tenure_sessions").await;
    let record = Record {
        data: b"MARKER".to_vec().into(),
        ..record(1)
    };
    let error = store.insert(&record).await.expect_err("a failure");
    assert!(
        matches!(error, StoreError::Unavailable { store: "sqlite", .. }),
        "{error:?}"
    );
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("MARKER") && !shown.contains("alice"), "{shown}");
    assert!(store.ping().await.is_err());
}
