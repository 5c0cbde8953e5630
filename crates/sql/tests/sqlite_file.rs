//! What a store does to its file: creation, schema, and what it finds there after a restart.

mod common;

use common::file::File;
use common::*;
use tenure_core::Store;
use tenure_core::store::Updated;
use tenure_sql::sqlite::{OpenError, SqliteStore};
use tokio::task::JoinSet;

async fn refusal(file: &File) -> OpenError {
    SqliteStore::open(file.path()).await.expect_err("a refusal")
}

#[tokio::test]
async fn sessions_are_there_after_reopening_the_file() {
    let file = File::new();
    let store = file.store().await;
    insert(&store, &record(1)).await;
    store.close().await;
    assert_eq!(look(&file.store().await, id(1)).await, Some(record(1)));
}

#[tokio::test]
async fn sessions_are_there_after_a_store_was_dropped_without_closing() {
    let file = File::new();
    insert(&file.store().await, &record(1)).await;
    assert_eq!(look(&file.store().await, id(1)).await, Some(record(1)));
}

#[tokio::test]
async fn closing_leaves_one_file_that_holds_everything() {
    let file = File::new();
    let store = file.store().await;
    insert(&store, &record(1)).await;
    store.close().await;
    let names: Vec<_> = std::fs::read_dir(file.directory())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["app.db"]);

    let copy = File::new();
    std::fs::copy(file.path(), copy.path()).unwrap();
    assert_eq!(look(&copy.store().await, id(1)).await, Some(record(1)));
}

#[tokio::test]
async fn a_closed_store_fails_and_does_not_say_that_there_is_no_session() {
    let file = File::new();
    let store = file.store().await;
    insert(&store, &record(1)).await;
    store.close().await;
    assert!(store.load(id(1), tenure_core::store::Touch::No).await.is_err());
    assert!(store.remove(id(1)).await.is_err());
    assert!(store.ping().await.is_err());
}

#[cfg(unix)]
#[tokio::test]
async fn the_files_it_creates_are_for_this_user_alone() {
    use std::os::unix::fs::PermissionsExt;

    let file = File::new();
    let store = file.store().await;
    insert(&store, &record(1)).await;
    for name in ["app.db", "app.db-wal", "app.db-shm"] {
        let mode = std::fs::metadata(file.directory().join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_mode_of_a_file_that_was_there_is_left_alone() {
    use std::os::unix::fs::PermissionsExt;

    let file = File::new();
    std::fs::write(file.path(), "").unwrap();
    std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o640)).unwrap();
    file.store().await;
    let mode = std::fs::metadata(file.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[tokio::test]
async fn the_file_is_in_wal_mode() {
    let file = File::new();
    let _store = file.store().await;
    let mut connection = file.connection().await;
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(mode, "wal");
}

#[tokio::test]
async fn a_name_that_sqlite_takes_for_memory_is_a_file() {
    let file = File::new();
    let path = file.directory().join(":memory:");
    let store = SqliteStore::open(&path).await.unwrap();
    insert(&store, &record(1)).await;
    assert_eq!(
        look(&SqliteStore::open(&path).await.unwrap(), id(1)).await,
        Some(record(1))
    );
}

#[tokio::test]
async fn migrating_again_changes_nothing() {
    let file = File::new();
    file.store().await.close().await;
    let schema_version = file.number("PRAGMA schema_version").await;
    file.store().await.close().await;
    assert_eq!(file.number("PRAGMA schema_version").await, schema_version);
    let applied = file.number("SELECT count(*) FROM tenure_migrations").await;
    assert_eq!(applied, SqliteStore::migrations().len() as i64);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_may_open_a_new_file_at_once() {
    for _ in 0..10 {
        let file = File::new();
        let mut openings = JoinSet::new();
        for number in 0..8 {
            let path = file.path();
            openings.spawn(async move {
                let store = SqliteStore::open(path).await.unwrap();
                insert(&store, &record(number)).await;
            });
        }
        openings.join_all().await;
        assert_eq!(file.number("SELECT count(*) FROM tenure_sessions").await, 8);
        let applied = file.number("SELECT count(*) FROM tenure_migrations").await;
        assert_eq!(applied, SqliteStore::migrations().len() as i64);
    }
}

#[tokio::test]
async fn the_versions_of_migrations_count_from_one() {
    let versions = SqliteStore::migrations()
        .iter()
        .map(|migration| migration.version);
    assert!(versions.eq(1..=SqliteStore::migrations().len() as u32));
}

#[tokio::test]
async fn the_migrations_run_by_hand_make_the_same_schema() {
    let opened = File::new();
    opened.store().await.close().await;
    let by_hand = File::new();
    for migration in SqliteStore::migrations() {
        by_hand.run(migration.sql).await;
    }
    let schema = async |file: &File| -> Vec<String> {
        let mut connection = file.connection().await;
        sqlx::query_scalar(
            "SELECT sql FROM sqlite_schema WHERE tbl_name = 'tenure_sessions' AND sql IS NOT NULL",
        )
        .fetch_all(&mut connection)
        .await
        .unwrap()
    };
    assert_eq!(schema(&opened).await, schema(&by_hand).await);
}

#[tokio::test]
async fn the_applications_own_tables_and_migrations_are_left_alone() {
    let file = File::new();
    file.run(
        "CREATE TABLE sessions (id TEXT); INSERT INTO sessions VALUES ('mine');
         CREATE TABLE _sqlx_migrations (version BIGINT); PRAGMA user_version = 42;",
    )
    .await;
    insert(&file.store().await, &record(1)).await;
    assert_eq!(
        file.number("SELECT count(*) FROM sessions WHERE id = 'mine'")
            .await,
        1
    );
    assert_eq!(file.number("SELECT count(*) FROM _sqlx_migrations").await, 0);
    assert_eq!(file.number("PRAGMA user_version").await, 42);
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let file = File::new();
    file.store().await.close().await;
    file.run("INSERT INTO tenure_migrations (version, name) VALUES (1000, 'from the future')")
        .await;
    let refusal = refusal(&file).await;
    assert!(
        matches!(refusal, OpenError::NewerSchema { found: 1000, .. }),
        "{refusal:?}"
    );
    assert!(refusal.to_string().contains("upgrade this program"), "{refusal}");
    let migrations = SqliteStore::migrations().len() as i64;
    assert_eq!(
        file.number("SELECT count(*) FROM tenure_migrations").await,
        migrations + 1
    );
}

#[tokio::test]
async fn a_table_of_migrations_that_is_not_ours_is_refused() {
    for sql in [
        "CREATE TABLE tenure_migrations (id INTEGER)",
        "CREATE TABLE tenure_migrations (version INTEGER, name TEXT, applied_at TEXT);
         INSERT INTO tenure_migrations VALUES (1, 'landlords', '')",
        "CREATE TABLE tenure_migrations (version TEXT, name TEXT, applied_at TEXT);
         INSERT INTO tenure_migrations VALUES ('one', 'sessions', '')",
    ] {
        let file = File::new();
        file.run(sql).await;
        let refusal = refusal(&file).await;
        assert!(matches!(refusal, OpenError::ForeignSchema { .. }), "{refusal:?}");
        assert!(refusal.to_string().contains("rename that table"), "{refusal}");
    }
}

#[tokio::test]
async fn a_failing_migration_leaves_nothing_behind() {
    let file = File::new();
    file.run("CREATE TABLE tenure_sessions (id TEXT)").await;
    let refusal = refusal(&file).await;
    assert!(
        matches!(refusal, OpenError::Migration { version: 1, .. }),
        "{refusal:?}"
    );
    let ledgers = "SELECT count(*) FROM sqlite_schema WHERE name = 'tenure_migrations'";
    assert_eq!(file.number(ledgers).await, 0);
}

#[tokio::test]
async fn what_is_no_database_is_refused_and_left_alone() {
    let file = File::new();
    let diary = "Dear diary, this is not a database at all.".repeat(100);
    std::fs::write(file.path(), &diary).unwrap();
    let refusal = refusal(&file).await;
    assert!(matches!(refusal, OpenError::Database { .. }), "{refusal:?}");
    assert_eq!(std::fs::read_to_string(file.path()).unwrap(), diary);
}

#[tokio::test]
async fn a_directory_that_does_not_exist_is_named_in_the_refusal() {
    let file = File::new();
    let path = file.directory().join("nowhere").join("app.db");
    let refusal = SqliteStore::open(&path).await.expect_err("a refusal");
    assert!(matches!(refusal, OpenError::File { .. }), "{refusal:?}");
    assert!(refusal.to_string().contains(path.to_str().unwrap()), "{refusal}");
}

#[tokio::test]
async fn a_session_that_an_operator_deletes_is_gone_at_once() {
    let file = File::new();
    let store = file.store().await;
    insert(&store, &record(1)).await;
    insert(&store, &record(2)).await;
    file.run("DELETE FROM tenure_sessions WHERE id = x'01010101010101010101010101010101'")
        .await;
    assert_eq!(look(&store, id(1)).await, None);
    let late = tenure_core::Record {
        version: 2,
        ..record(1)
    };
    assert_eq!(store.update(&late, 1, START).await.unwrap(), Updated::Gone);
    file.run("DELETE FROM tenure_sessions WHERE owner = 'alice'")
        .await;
    assert_eq!(look(&store, id(2)).await, None);
}

#[tokio::test]
async fn a_timeout_that_an_operator_shortens_counts_at_once() {
    let file = File::new();
    let store = file.store().await;
    insert(&store, &record(1)).await;
    file.run("UPDATE tenure_sessions SET idle_timeout = 60000").await;
    let a_minute_later = START.plus(std::time::Duration::from_secs(60));
    assert_eq!(store.sweep_expired(a_minute_later, 10).await.unwrap().sessions, 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_of_and_once_there_is_room_the_store_goes_on() {
    full_disk::run_on_a_small_disk("child_fills_its_disk", 16);
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the other process of the test above"]
async fn child_fills_its_disk() {
    let file = File::new();
    full_disk::survives_a_full_disk(&file.store().await, "disk is full").await;
}
