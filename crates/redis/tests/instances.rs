//! Several processes of an application on one server.

mod common;

use common::*;
use tenure_redis::RedisStore;
use tenure_testkit::instances;
use tenure_testkit::servers::redis::RedisServer;

async fn stores(server: &RedisServer) -> [RedisStore; 3] {
    let url = server.url();
    [
        connected(&url).await,
        connected(&url).await,
        connected(&url).await,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn counting_in_many_processes_loses_nothing_that_was_answered() {
    let server = server();
    instances::lose_no_count(stores(&server).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_in_one_process_ends_the_session_under_the_writes_of_others() {
    let server = server();
    instances::sign_out_finally(stores(&server).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_everywhere_ends_the_sessions_of_every_process() {
    let server = server();
    instances::revoke_finally(stores(&server).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_ins_at_once_at_several_instances_keep_to_the_limit_of_sessions() {
    let server = server();
    instances::keep_to_the_limit(stores(&server).await).await;
}
