//! Faults of a MariaDB server under load.

mod common;

use std::time::Duration;

use common::faults::{fault_tests, survives};
use common::*;
use tenure_sql::mysql::MySqlStore;
use tenure_testkit::servers::MariaDbServer;
use tokio::time::sleep;

/// A server of its own, with the durability that it has unless somebody takes it away.
async fn server_and_store() -> (MariaDbServer, MySqlStore) {
    let server = MariaDbServer::start(&[]).unwrap_or_else(|missing| panic!("{missing}"));
    let store = MySqlStore::connect(&server.url(&server.create_database())).await;
    (server, store.unwrap())
}

fault_tests!();

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_the_server_ends_are_replaced() {
    let (server, store) = server_and_store().await;
    survives(store, async || {
        for _ in 0..10 {
            server.run("mysql", "KILL HARD CONNECTION USER tester");
            sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}
