//! Several processes on one file, and processes that are killed.
//!
//! A test starts this same program again, as another process that runs one of the ignored tests.

mod common;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use common::file::File;
use common::*;
use tenure_core::store::{Touch, Updated};
use tenure_core::{Record, Store};
use tenure_sql::sqlite::SqliteStore;
use tenure_testkit::instances;

const FILE: &str = "TENURE_TEST_FILE";
const COUNTS_PER_PROCESS: u64 = 200;

fn start(test: &str, path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env(FILE, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn path_from_parent() -> PathBuf {
    std::env::var_os(FILE)
        .expect("the path that the parent gives")
        .into()
}

async fn count_one_more_in_the_record(store: &SqliteStore) -> Option<u64> {
    loop {
        let read = look(store, id(1)).await?;
        let counted = Record {
            version: read.version + 1,
            ..read
        };
        match store.update(&counted, read.version, START).await.unwrap() {
            Updated::Saved => return Some(counted.version),
            Updated::Gone => return None,
            Updated::Stale => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_count_in_one_record_lose_nothing() {
    let file = File::new();
    let store = file.store().await;
    insert(&store, &record(1)).await;
    let children = [(), ()].map(|()| start("child_counts", &file.path()));
    for _ in 0..COUNTS_PER_PROCESS {
        count_one_more_in_the_record(&store).await.unwrap();
    }
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let kept = look(&store, id(1)).await.unwrap();
    assert_eq!(kept.version, 1 + 3 * COUNTS_PER_PROCESS);
}

#[tokio::test]
#[ignore = "the other process of a test above"]
async fn child_counts() {
    let store = SqliteStore::open(path_from_parent()).await.unwrap();
    for _ in 0..COUNTS_PER_PROCESS {
        count_one_more_in_the_record(&store).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_process_had_acknowledged_is_there_and_the_file_goes_on() {
    const ENOUGH: usize = 50;
    let file = File::new();
    insert(&file.store().await, &record(1)).await;
    let mut child = start("child_acknowledges_until_it_is_killed", &file.path());
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // Beside what the test runner says.
    let versions = lines.filter_map(|line| line.unwrap().strip_prefix("acknowledged ")?.parse().ok());
    let acknowledged: u64 = versions.take(ENOUGH).last().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();

    let store = file.store().await;
    assert!(look(&store, id(1)).await.unwrap().version >= acknowledged);
    assert!(count_one_more_in_the_record(&store).await.unwrap() > acknowledged);
    assert!(store.remove(id(1)).await.unwrap());
    assert_eq!(look(&file.store().await, id(1)).await, None);
}

#[tokio::test]
#[ignore = "the other process of a test above"]
async fn child_acknowledges_until_it_is_killed() {
    let store = SqliteStore::open(path_from_parent()).await.unwrap();
    let mut parent = std::io::stdout();
    while let Some(version) = count_one_more_in_the_record(&store).await {
        if writeln!(parent, "acknowledged {version}").is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_to_two_applications_lose_no_count() {
    let file = File::new();
    instances::lose_no_count([file.store().await, file.store().await]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_in_one_application_is_final_in_the_other() {
    let file = File::new();
    instances::sign_out_finally([file.store().await, file.store().await]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn revoking_an_owner_in_one_application_is_final_in_the_other() {
    let file = File::new();
    instances::revoke_finally([file.store().await, file.store().await]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_ins_at_once_at_several_instances_keep_to_the_limit_of_sessions() {
    let file = File::new();
    instances::keep_to_the_limit([file.store().await, file.store().await]).await;
}

#[tokio::test]
async fn a_write_waits_for_another_programs_transaction_and_reads_do_not() {
    let file = File::new();
    let store = file.store().await;
    insert(&store, &record(1)).await;
    let mut other = file.connection().await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();

    let writer = store.clone();
    let removal = tokio::spawn(async move { writer.remove(id(1)).await });
    assert_eq!(look(&store, id(1)).await, Some(record(1)));
    store.load(id(2), Touch::No).await.unwrap();
    assert!(!removal.is_finished());
    sqlx::query("COMMIT").execute(&mut other).await.unwrap();
    assert!(removal.await.unwrap().unwrap());
}

#[tokio::test]
async fn a_file_that_stays_locked_is_unavailable_and_not_empty() {
    let file = File::new();
    let store = SqliteStore::options(file.path())
        .busy_timeout(std::time::Duration::from_millis(1))
        .open()
        .await
        .unwrap();
    insert(&store, &record(1)).await;
    let mut other = file.connection().await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    assert!(store.remove(id(1)).await.is_err());
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    assert!(store.remove(id(1)).await.unwrap());
}
