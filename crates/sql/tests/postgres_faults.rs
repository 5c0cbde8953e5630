//! Faults of a PostgreSQL server under load.

mod common;

use std::time::Duration;

use common::faults::{fault_tests, survives};
use common::*;
use tenure_sql::postgres::PostgresStore;
use tenure_testkit::servers::PostgresServer;
use tokio::time::sleep;

/// A server of its own, with the durability that it has unless somebody takes it away.
async fn server_and_store() -> (PostgresServer, PostgresStore) {
    let server = PostgresServer::start(&["ssl=on"]).unwrap_or_else(|missing| panic!("{missing}"));
    let store = PostgresStore::connect(&server.url(&server.create_database())).await;
    (server, store.unwrap())
}

fault_tests!();

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_the_server_ends_are_replaced() {
    let (server, store) = server_and_store().await;
    survives(store, async || {
        for _ in 0..10 {
            server.run(
                "postgres",
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'check_%'",
            );
            sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}
