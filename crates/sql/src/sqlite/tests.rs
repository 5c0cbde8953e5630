use std::task::Poll;

use sqlx::{AssertSqlSafe, Row};
use tenure_core::{Device, Lifetime, Lineage};

use super::*;

const START: Timestamp = Timestamp::from_millis(1_767_225_600_000);
const MINUTE: Duration = Duration::from_secs(60);
const BEARER: SecretHash = SecretHash::from_bytes([7; SecretHash::LENGTH]);

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

fn session() -> Record {
    Record {
        id: SessionId::from_bytes([1; SessionId::LENGTH]),
        version: 1,
        secret_hash: BEARER,
        previous_secret_hash: None,
        lineage: Lineage::begun(START),
        owner: None,
        created_at: START,
        signed_in_at: None,
        last_seen_at: START,
        idle_timeout: MINUTE,
        absolute_deadline: START.plus(10 * MINUTE),
        lifetime: Lifetime::Standard,
        device: Device::default(),
        data: Default::default(),
    }
}

/// What a load does after its look, when another request came in between.
#[tokio::test]
async fn sliding_checks_again_what_may_have_changed_since_the_look() {
    let (_directory, store) = store().await;
    let record = session();
    let due = START.plus(MINUTE / 2);
    let slide = async |now, bearer, at_most_every| {
        let slid = store.slide(record.id, now, bearer, at_most_every).await.unwrap();
        slid.map(|record| record.last_seen_at)
    };
    assert_eq!(slide(due, BEARER, MINUTE / 2).await, None, "it is gone");
    store.insert(&record).await.unwrap();
    assert_eq!(
        slide(record.expires_at(), BEARER, MINUTE / 2).await,
        Some(START),
        "it has expired"
    );
    let other = SecretHash::from_bytes([8; SecretHash::LENGTH]);
    assert_eq!(slide(due, other, MINUTE / 2).await, Some(START), "it was renewed");
    assert_eq!(slide(due, BEARER, MINUTE).await, Some(START), "it was slid");
    assert_eq!(slide(due, BEARER, MINUTE / 2).await, Some(due));
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
            .fetch_one(store.writer.pool())
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
    assert_eq!(store.writer.pool().options().get_max_connections(), 1);
    assert_eq!(store.readers.options().get_max_connections(), 4);
    let path = directory.path().join("app.db");
    let one = SqliteStore::options(path).readers(0).open().await.unwrap();
    assert_eq!(one.readers.options().get_max_connections(), 1);
}

/// Of those that are flushed together each has an answer of its own.
#[tokio::test]
async fn a_write_that_fails_takes_none_of_those_with_it_that_came_at_once() {
    let (_directory, store) = store().await;
    sqlx::query(
        "CREATE TRIGGER refusal BEFORE INSERT ON tenure_sessions WHEN new.id = zeroblob(16) \
         BEGIN SELECT RAISE(ABORT, 'refused'); END",
    )
    .execute(store.writer.pool())
    .await
    .unwrap();
    let inserts: Vec<_> = (0..100)
        .map(|number: u8| {
            let store = store.clone();
            tokio::spawn(async move {
                let id = SessionId::from_bytes([number; SessionId::LENGTH]);
                store.insert(&Record { id, ..session() }).await
            })
        })
        .collect();
    for (number, insert) in inserts.into_iter().enumerate() {
        match insert.await.unwrap() {
            Ok(Inserted::New) => assert_ne!(number, 0),
            Ok(Inserted::Taken) => panic!("{number} is taken"),
            Err(error) => assert_eq!(number, 0, "{error}"),
        }
    }
    assert_eq!(store.count(START).await.unwrap(), 99);
}

/// They are given to SQLite by kind, several in one text.
#[tokio::test]
async fn each_of_the_writes_that_come_at_once_has_its_own_answer() {
    let (_directory, store) = store().await;
    let numbered = |number: u8| Record {
        id: SessionId::from_bytes([number; SessionId::LENGTH]),
        version: u64::from(number),
        ..session()
    };
    for number in (0..90).step_by(2) {
        store.insert(&numbered(number)).await.unwrap();
    }
    let writes: Vec<_> = (0..90)
        .map(|number: u8| {
            let (store, record) = (store.clone(), numbered(number));
            tokio::spawn(async move {
                match number % 6 {
                    0 | 1 => format!("{:?}", store.insert(&record).await.unwrap()),
                    2 | 3 => format!(
                        "{:?}",
                        store.update(&record, record.version, START).await.unwrap()
                    ),
                    4 => format!("{:?}", store.update(&record, 255, START).await.unwrap()),
                    _ => format!("{:?}", store.remove(record.id).await.unwrap()),
                }
            })
        })
        .collect();
    let slides: Vec<_> = (0..90)
        .filter(|number| number % 6 > 1)
        .map(|number: u8| {
            let (store, id) = (store.clone(), numbered(number).id);
            tokio::spawn(async move {
                let slid = store.slide(id, START.plus(MINUTE / 2), BEARER, MINUTE / 2).await;
                slid.unwrap().map(|record| record.id)
            })
        })
        .collect();
    for (number, write) in writes.into_iter().enumerate() {
        let expected = ["Taken", "New", "Saved", "Gone", "Stale", "false"][number % 6];
        assert_eq!(write.await.unwrap(), expected, "{number}");
    }
    for (slide, number) in slides.into_iter().zip((0..90).filter(|number| number % 6 > 1)) {
        let expected = (number % 2 == 0).then_some(numbered(number).id);
        assert_eq!(slide.await.unwrap(), expected, "{number}");
    }
}

#[tokio::test]
async fn a_write_whose_request_is_cancelled_holds_up_nobody() {
    let (_directory, store) = store().await;
    let record = session();
    {
        let mut insert = std::pin::pin!(store.insert(&record));
        let is_pending =
            std::future::poll_fn(|context| Poll::Ready(insert.as_mut().poll(context).is_pending())).await;
        assert!(is_pending, "it was just begun");
    }
    let other = Record {
        id: SessionId::from_bytes([2; SessionId::LENGTH]),
        ..session()
    };
    assert_eq!(store.insert(&other).await.unwrap(), Inserted::New);
}

/// An application's tests open it in one runtime and use it in the next.
#[test]
fn a_store_outlives_the_runtime_that_it_was_opened_in() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let first = runtime();
    let (_directory, store) = first.block_on(async {
        let (directory, store) = store().await;
        store.insert(&session()).await.unwrap();
        (directory, store)
    });
    drop(first);
    let removed = runtime().block_on(store.remove(session().id));
    assert!(removed.unwrap());
}
