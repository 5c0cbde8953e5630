//! Several processes of an application, each with a pool of its own, on one server.

mod common;

use common::*;
use tenure_mongodb::MongoStore;
use tenure_testkit::instances;

async fn stores(database: &MongoDatabase) -> [MongoStore; 3] {
    [
        database.store().await,
        database.store().await,
        database.store().await,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn counting_in_many_processes_loses_nothing_that_was_answered() {
    let database = MongoDatabase::new();
    instances::lose_no_count(stores(&database).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_in_one_process_ends_the_session_under_the_writes_of_others() {
    let database = MongoDatabase::new();
    instances::sign_out_finally(stores(&database).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_everywhere_ends_the_sessions_of_every_process() {
    let database = MongoDatabase::new();
    instances::revoke_finally(stores(&database).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_ins_at_once_at_several_instances_keep_to_the_limit_of_sessions() {
    let database = MongoDatabase::new();
    instances::keep_to_the_limit(stores(&database).await).await;
}
