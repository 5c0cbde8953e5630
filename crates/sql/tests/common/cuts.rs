//! Connections that are cut in mid-command, or in place of an answer.

use std::time::Duration;

use tenure_core::store::Updated;
use tenure_core::{Record, Store};
use tenure_testkit::servers::FaultProxy;
use tokio::time::sleep;

use super::{START, id, insert, look, record};

/// How much of a command reaches the server: nothing, and less than the shortest is long.
const CUTS: [usize; 4] = [0, 1, 7, 20];

/// Cuts connections under load, again and again.
pub(crate) async fn cut_connections(proxy: &FaultProxy) {
    for bytes in CUTS.repeat(5) {
        proxy.cut_after(bytes);
        sleep(Duration::from_millis(25)).await;
        proxy.cut_next_answer();
        sleep(Duration::from_millis(25)).await;
    }
    proxy.heal();
}

/// Cuts the one connection of a store at known places. Each statement that is to lose its answer has been prepared on
/// its connection, or it would be that answer that is lost.
pub(crate) async fn cut_commands_are_repeated_only_where_they_may_be(store: &impl Store, proxy: &FaultProxy) {
    insert(store, &record(1)).await;
    let mut version = 1;
    for bytes in CUTS {
        cut_update(store, proxy, version, bytes).await;
        proxy.cut_after(bytes);
        let loaded = look(store, id(1)).await;
        assert!(loaded.is_some(), "a load is done again");
        save(store, version).await;
        unanswered_update(store, proxy, version + 1).await;
        version += 2;
    }
    unanswered_insert(store, proxy).await;
    unanswered_removal(store, proxy).await;
}

async fn cut_update(store: &impl Store, proxy: &FaultProxy, version: u64, bytes: usize) {
    proxy.cut_after(bytes);
    let cut = store.update(&with_version(version + 1), version, START).await;
    cut.expect_err("a part of a command is none");
    assert_eq!(look(store, id(1)).await, Some(with_version(version)));
}

async fn save(store: &impl Store, version: u64) {
    let saved = store.update(&with_version(version + 1), version, START).await;
    assert_eq!(saved.unwrap(), Updated::Saved);
}

async fn unanswered_update(store: &impl Store, proxy: &FaultProxy, version: u64) {
    proxy.cut_next_answer();
    let unknown = store.update(&with_version(version + 1), version, START).await;
    unknown.expect_err("nobody knows whether it was done");
    let kept = look(store, id(1)).await;
    assert_eq!(kept, Some(with_version(version + 1)), "it was done, once");
}

async fn unanswered_insert(store: &impl Store, proxy: &FaultProxy) {
    insert(store, &record(2)).await;
    proxy.cut_next_answer();
    let unknown = store.insert(&record(3)).await;
    unknown.expect_err("nobody knows whether it was done");
    assert_eq!(look(store, id(3)).await, Some(record(3)));
}

async fn unanswered_removal(store: &impl Store, proxy: &FaultProxy) {
    assert!(store.remove(id(2)).await.unwrap());
    proxy.cut_next_answer();
    store.remove(id(3)).await.expect("a removal is done again");
    assert_eq!(look(store, id(3)).await, None);
}

fn with_version(version: u64) -> Record {
    Record { version, ..record(1) }
}
