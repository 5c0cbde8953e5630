//! Servers that die, hang, fail over, and connections that break, under load and with a ledger of what was
//! acknowledged.

#![allow(
    clippy::print_stdout,
    reason = "the figures are for whoever runs it with --nocapture"
)]

mod common;

use std::time::{Duration, Instant};

use common::*;
use tenure_core::Store;
use tenure_core::store::Touch;
use tenure_redis::RedisStore;
use tenure_testkit::ledger::{Load, survives};
use tenure_testkit::servers::FaultProxy;
use tenure_testkit::servers::redis::{RedisCluster, RedisSentinel, RedisServer};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// The engine's deadline for a store call.
const DEADLINE: Duration = Duration::from_secs(2);

fn key_of(number: u8) -> String {
    format!("tenure:{{{}}}", id(number))
}

/// A store that reaches the server by a proxy.
async fn proxied(server: &RedisServer) -> (FaultProxy, RedisStore) {
    let proxy = FaultProxy::start(server.port()).await.unwrap();
    let store = connected(&proxied_url(&proxy)).await;
    (proxy, store)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_comes_back_with_all_that_was_acknowledged() {
    let mut server = server();
    let store = connected(&server.url()).await;
    let ledgers = survives(store.clone(), async || {
        // The first is over before anybody gives up.
        for outage in [200, 1500] {
            server.kill();
            sleep(Duration::from_millis(outage)).await;
            server.restart().unwrap();
            recovered(&store).await;
        }
    })
    .await;
    println!("kill -9 and restart: {ledgers}");
    ledgers.assert_noticed();
    ledgers.assert_kept(store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_cut_under_load_cost_errors_and_no_session() {
    let server = server();
    let (proxy, store) = proxied(&server).await;
    let ledgers = survives(store.clone(), async || {
        proxy.cut_commands_and_answers(&[0, 1, 50, 200, 300, 1000]).await;
    })
    .await;
    println!("connections cut: {ledgers}");
    ledgers.assert_kept(store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_takes_over_from_a_killed_master_of_a_cluster() {
    let mut cluster = RedisCluster::start().unwrap_or_else(|error| panic!("{error}"));
    // Replication is asynchronous, so only what a replica has is sure to be there afterwards.
    let options = RedisStore::options(cluster.url()).wait_for_replicas(1, Duration::from_millis(500));
    let store = options.connect().await.unwrap();
    let load = Load::start(store.clone()).await;
    sleep(Duration::from_millis(300)).await;
    cluster.master_of(&key_of(1)).kill();
    let started = Instant::now();
    sleep(Duration::from_millis(50)).await;
    while store.load(id(1), active()).await.is_err() {
        assert!(started.elapsed() < RECOVERED_WITHIN, "no failover");
    }
    let recovery = started.elapsed();
    let ledgers = load.stop().await;
    println!("cluster failover: {ledgers}, recovered in {recovery:?}");
    // The new master has no replica, so nobody waits for one.
    ledgers.assert_kept(connected(&cluster.url()).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_followed_when_a_master_hangs() {
    let mut cluster = RedisCluster::start().unwrap_or_else(|error| panic!("{error}"));
    let store = connected(&cluster.url()).await;
    for number in 1..=12 {
        insert(&store, &session(number)).await;
    }
    for number in 1..=12 {
        cluster.master_of(&key_of(number)).wait_for_replicas();
    }
    cluster.master_of(&key_of(1)).freeze();
    let started = Instant::now();
    let mut slowest = Duration::ZERO;
    loop {
        let asked = Instant::now();
        let answer = store.load(id(1), active()).await;
        slowest = slowest.max(asked.elapsed());
        if matches!(answer, Ok(Some(_))) {
            break;
        }
        assert!(started.elapsed() < RECOVERED_WITHIN, "no failover: {answer:?}");
    }
    println!(
        "hanging cluster master: recovered in {:?}, slowest {slowest:?}",
        started.elapsed()
    );
    assert!(slowest < DEADLINE + Duration::from_millis(200), "{slowest:?}");
    for number in 1..=12 {
        assert!(look(&store, id(number)).await.is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_followed_to_another_node_of_the_cluster() {
    let mut cluster = RedisCluster::start().unwrap_or_else(|error| panic!("{error}"));
    let options = RedisStore::options(cluster.url()).wait_for_replicas(1, Duration::from_millis(500));
    let store = options.connect().await.unwrap();
    let record = owned(1, "alice");
    let key = key_of(1);
    let slot = cluster.nodes()[0].ask(&["CLUSTER", "KEYSLOT", &key]).unwrap();
    let from = cluster.master_of(&key).ask(&["CLUSTER", "MYID"]).unwrap();
    let of_another_node = (0..50)
        .map(key_of)
        .find(|other| cluster.master_of(other).ask(&["CLUSTER", "MYID"]).unwrap() != from)
        .expect("a key on another node");
    let to = cluster
        .master_of(&of_another_node)
        .ask(&["CLUSTER", "MYID"])
        .unwrap();
    let set = ["CLUSTER", "SETSLOT", &slot];
    let with = |words: [&'static str; 1], node: &str| [&set[..], &words, &[node]].concat().join(" ");
    let tell = |server: &RedisServer, command: String| {
        let command: Vec<&str> = command.split(' ').collect();
        assert_eq!(server.ask(&command).unwrap(), "OK");
    };
    let (importing, migrating, node) = (
        with(["IMPORTING"], &from),
        with(["MIGRATING"], &to),
        with(["NODE"], &to),
    );
    tell(cluster.master_of(&of_another_node), importing);
    tell(cluster.master_of(&key), migrating);

    // What is new in the slot is with the node that takes it over, which answers those who were sent to it.
    insert(&store, &record).await;
    save(&store, &next(&record, "1")).await;
    assert!(store.load(record.id, active()).await.unwrap().is_some());
    assert_eq!(
        store.list_by_owner(&owner("alice"), now()).await.unwrap().len(),
        1
    );

    tell(cluster.master_of(&of_another_node), node.clone());
    tell(cluster.master_of(&key), node);
    let moved = look(&store, record.id).await.expect("a session that moved");
    save(&store, &next(&moved, "2")).await;
    assert_eq!(store.remove_by_owner(&owner("alice"), None).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn sentinels_are_asked_again_when_the_master_hangs() {
    let mut sentinel = RedisSentinel::start().unwrap_or_else(|error| panic!("{error}"));
    let store = connected(&sentinel.url()).await;
    insert(&store, &session(1)).await;
    sentinel.master().wait_for_replicas();
    sentinel.master().freeze();
    let recovery = recovered(&store).await;
    println!("hanging master behind sentinels: recovered in {recovery:?}");
    assert!(look(&store, id(1)).await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn sentinels_are_asked_again_when_the_master_is_killed() {
    let mut sentinel = RedisSentinel::start().unwrap_or_else(|error| panic!("{error}"));
    let options = RedisStore::options(sentinel.url()).wait_for_replicas(2, Duration::from_millis(500));
    let store = options.connect().await.unwrap();
    let load = Load::start(store.clone()).await;
    sleep(Duration::from_millis(300)).await;
    sentinel.master().kill();
    let recovery = recovered(&store).await;
    let ledgers = load.stop().await;
    println!("sentinel failover: {ledgers}, recovered in {recovery:?}");
    // Only one replica is left, so nobody waits for two.
    ledgers.assert_kept(connected(&sentinel.url()).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_that_became_a_replica_is_left() {
    let mut sentinel = RedisSentinel::start().unwrap_or_else(|error| panic!("{error}"));
    let store = connected(&sentinel.url()).await;
    insert(&store, &session(1)).await;
    sentinel.master().wait_for_replicas();
    let before = sentinel.master().port();
    let started = Instant::now();
    sentinel.fail_over().unwrap();
    while sentinel.master().port() == before {
        assert!(started.elapsed() < RECOVERED_WITHIN, "no failover");
        sleep(Duration::from_millis(20)).await;
    }
    recovered(&store).await;
    let read = look(&store, id(1)).await.unwrap();
    let started = Instant::now();
    while store
        .update(&next(&read, "1"), read.version, now())
        .await
        .is_err()
    {
        assert!(
            started.elapsed() < RECOVERED_WITHIN,
            "it does not find the new master"
        );
    }
}

#[tokio::test]
async fn a_connection_that_is_cut_in_mid_command_costs_no_session() {
    let server = server();
    let (proxy, store) = proxied(&server).await;
    let mut record = session(1);
    insert(&store, &record).await;
    for bytes in [0, 1, 50, 200, 300] {
        proxy.cut_after(bytes);
        // Half a command is none, but the store can't know how far it got.
        let attempt = next(&record, "cut");
        let told = told(&store.update(&attempt, record.version, now()).await.unwrap_err());
        assert!(told.contains("connection was lost"), "{told}");
        assert_eq!(
            look(&store, id(1)).await.map(|kept| kept.version),
            Some(record.version)
        );
        proxy.cut_after(bytes);
        assert!(
            store.load(id(1), active()).await.unwrap().is_some(),
            "a load is tried again"
        );
        record = next(&look(&store, id(1)).await.unwrap(), "whole");
        save(&store, &record).await;
    }
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_not_repeated() {
    let server = server();
    let (proxy, store) = proxied(&server).await;
    let mut record = session(1);
    insert(&store, &record).await;
    // Or else the answer that is lost would be that the server does not know the script.
    record = next(&record, "first");
    save(&store, &record).await;
    proxy.cut_next_answer();
    let updated = store.update(&next(&record, "once"), 2, now()).await;
    assert!(updated.is_err(), "{updated:?}");
    let kept = look(&store, id(1)).await.unwrap();
    assert_eq!((kept.version, &kept.data[..]), (3, &b"once"[..]), "it was done");

    proxy.cut_next_answer();
    assert!(store.insert(&session(2)).await.is_err());
    assert!(look(&store, id(2)).await.is_some());

    proxy.cut_next_answer();
    store.remove(id(2)).await.expect("a removal is tried again");
    assert_eq!(look(&store, id(2)).await, None);
}

#[tokio::test]
async fn an_idle_connection_that_was_cut_is_replaced_before_anybody_notices() {
    let server = server();
    let (proxy, store) = proxied(&server).await;
    let mut record = session(1);
    insert(&store, &record).await;
    for _ in 0..5 {
        proxy.cut();
        sleep(Duration::from_millis(20)).await;
        proxy.heal();
        record = next(&record, "after");
        save(&store, &record).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_costs_an_error_within_the_deadline() {
    let server = server();
    let app = Application::over(connected(&server.url()).await);
    let mut browser = app.signed_in("alice").await;
    server.freeze();
    for _ in 0..2 {
        let started = Instant::now();
        let answer = app.visit(&mut browser, increment).await;
        assert!(answer.is_err());
        assert!(
            started.elapsed() < DEADLINE + Duration::from_millis(200),
            "{:?}",
            started.elapsed()
        );
    }
    server.thaw();
    let started = Instant::now();
    while app.visit(&mut browser, increment).await.is_err() {
        assert!(started.elapsed() < DEADLINE, "it does not recover");
    }
    assert_eq!(app.owner(&browser).await.as_deref(), Some("alice"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_lost_the_way_is_noticed() {
    let server = server();
    let (proxy, store) = proxied(&server).await;
    insert(&store, &session(1)).await;
    proxy.stall();
    let started = Instant::now();
    let error = store.load(id(1), Touch::No).await.unwrap_err();
    assert!(told(&error).contains("response timeout"), "{}", told(&error));
    assert!(started.elapsed() < DEADLINE, "{:?}", started.elapsed());
    proxy.heal();
    assert!(look(&store, id(1)).await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn many_requests_wait_for_one_attempt_to_connect() {
    let mut server = server();
    let store = connected(&server.url()).await;
    server.kill();
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..200 {
        let store = store.clone();
        tasks.spawn(async move { store.ping().await.unwrap_err() });
    }
    while let Some(error) = tasks.join_next().await {
        assert!(told(&error.unwrap()).contains("no connection"));
    }
    assert!(started.elapsed() < DEADLINE, "{:?}", started.elapsed());
    server.restart().unwrap();
    recovered(&store).await;
}
