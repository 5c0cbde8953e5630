//! Faults of a server under load, with a ledger of what was acknowledged.

use tenure_core::Store;
use tenure_testkit::ledger::{self, Ledgers};

/// Runs browsers on the store while `fault` begins and ends, and checks what they were told.
pub(crate) async fn survives<S: Store + Clone>(store: S, fault: impl AsyncFnOnce()) -> Ledgers {
    let ledgers = ledger::survives(store.clone(), fault).await;
    ledgers.assert_kept(store).await;
    ledgers
}

/// The faults that are the same of every server. Beside the types of the server and the store: the options of a server
/// with the durability that it has unless somebody takes it away, a database and the statement in it that ends all
/// connections, and the megabytes of a disk that is enough for a server.
#[allow(unused_macros, reason = "each file of tests uses a part of it")]
macro_rules! fault_tests {
    ($server:ty, $store:ty, $options:expr, $end_connections:expr, $megabytes:expr) => {
        async fn server_and_store() -> ($server, $store) {
            let server = <$server>::start(&$options).unwrap_or_else(|missing| panic!("{missing}"));
            let store = <$store>::connect(&server.url(&server.create_database())).await;
            (server, store.unwrap())
        }

        /// A store with so many connections, all of them by a proxy.
        async fn behind_a_proxy(connections: u32) -> (FaultProxy, $store) {
            let server = <$server>::shared().unwrap_or_else(|missing| panic!("{missing}"));
            let proxy = FaultProxy::start(server.port()).await.unwrap();
            let [there, here] = [server.port(), proxy.port()].map(|port| format!(":{port}/"));
            let url = server.url(&server.create_database()).replace(&there, &here);
            let options = <$store>::options(&url).connections(connections);
            (proxy, options.connect().await.unwrap())
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn connections_that_are_cut_in_mid_command_lose_nothing_that_was_acknowledged() {
            let (proxy, store) = behind_a_proxy(10).await;
            survives(store, async || cut_connections(&proxy).await).await;
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn a_cut_write_is_never_done_twice_and_what_may_be_repeated_is() {
            let (proxy, store) = behind_a_proxy(1).await;
            cut_commands_are_repeated_only_where_they_may_be(&store, &proxy).await;
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn connections_that_the_server_ends_are_replaced() {
            let (server, store) = server_and_store().await;
            let (database, statement) = $end_connections;
            survives(store, async || {
                for _ in 0..10 {
                    server.run(database, statement);
                    sleep(Duration::from_millis(50)).await;
                }
            })
            .await;
        }

        #[cfg(target_os = "linux")]
        #[test]
        fn a_full_disk_is_told_of_and_once_there_is_room_the_store_goes_on() {
            full_disk::run_on_a_small_disk("child_fills_its_disk", $megabytes);
        }

        #[cfg(target_os = "linux")]
        #[tokio::test(flavor = "multi_thread")]
        #[ignore = "the other process of the test above"]
        async fn child_fills_its_disk() {
            let (_server, store) = server_and_store().await;
            full_disk::survives_a_full_disk(&store, "the server's disk or table space is full").await;
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn a_killed_server_loses_nothing_that_was_acknowledged_and_is_found_again() {
            let (server, store) = server_and_store().await;
            survives(store, async || {
                server.kill();
                sleep(Duration::from_millis(500)).await;
                server.start_again().unwrap();
            })
            .await
            .assert_noticed();
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn a_frozen_server_costs_the_deadline_and_no_more() {
            let (server, store) = server_and_store().await;
            survives(store, async || {
                server.freeze();
                sleep(Duration::from_secs(4)).await;
                server.thaw();
            })
            .await
            .assert_noticed();
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn a_restart_while_nobody_asks_fails_nobody() {
            let (server, store) = server_and_store().await;
            insert(&store, &record(1)).await;
            let restart = async || {
                server.kill();
                server.start_again().unwrap();
                // As long as a connection is trusted for a write without being asked.
                sleep(Duration::from_secs(1)).await;
            };
            restart().await;
            assert_eq!(look(&store, id(1)).await, Some(record(1)));
            restart().await;
            insert(&store, &record(2)).await;
        }
    };
}
#[allow(unused_imports, reason = "each file of tests uses a part of it")]
pub(crate) use fault_tests;
