//! How many statements each operation of the SQLite store is, and how an owner's sessions are found.
//!
//! One test, since the log of statements is the whole process's.

mod common;
#[path = "common/sqlite_statements.rs"]
mod sqlite_statements;

use common::file::File;
use common::servers::round_trips;
use common::*;
use tenure_core::Store;

#[tokio::test]
async fn each_operation_is_as_many_statements_as_it_says_and_listing_is_one_by_the_index_of_owners() {
    let file = File::new();
    let store = file.store().await;
    store.ping().await.unwrap();
    let log = sqlite_statements::log().unwrap();
    round_trips(&store, async || log.logged().await.len() as u32).await;

    let before = log.logged().await.len();
    store
        .list_by_owner(&record(1).owner.unwrap(), START)
        .await
        .unwrap();
    let listing = log.logged().await.split_off(before);
    assert_eq!(listing.len(), 1, "{listing:?}");
    let plan = sqlite_statements::plan(&mut file.connection().await, &listing[0]).await;
    let plan = plan.unwrap();
    assert!(plan.contains("USING INDEX tenure_sessions_owner"), "{plan}");
}
