//! How many commands an operation costs, counted at the server.

mod common;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use common::*;
use tenure_core::store::Touch;
use tenure_core::{Session, Store, Timestamp};
use tenure_redis::RedisStore;
use tenure_testkit::servers::FaultProxy;
use tenure_testkit::servers::redis::RedisServer;

/// How often which command ran.
type Counts = BTreeMap<String, u64>;

const MINUTE: Duration = Duration::from_secs(60);

/// Activity at this moment, which slides a deadline that last slid a minute before.
fn at(now: Timestamp) -> Touch {
    Touch::Active {
        now,
        bearer: BEARER,
        at_most_every: MINUTE,
    }
}

/// How often each command ran since the last look, those that scripts run included.
fn counted(server: &RedisServer) -> Counts {
    let stats = server.ask(&["INFO", "commandstats"]).unwrap();
    server.ask(&["CONFIG", "RESETSTAT"]).unwrap();
    let counts = stats.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        let calls = rest.split(',').next()?.parse().ok()?;
        Some((name.to_owned(), calls))
    });
    let ours = ["info", "auth", "config|resetstat"];
    counts
        .filter(|(name, _)| !ours.contains(&name.as_str()))
        .collect()
}

/// Of what clients sent, and not scripts: scripts are the only ones to be named here.
fn scripts(server: &RedisServer) -> u64 {
    let counts = counted(server);
    assert_eq!(counts.get("eval"), None, "{counts:?}");
    counts.get("evalsha").copied().unwrap_or(0)
}

/// A store on a server that has seen each script.
async fn warm() -> (RedisServer, RedisStore) {
    let server = server();
    let store = connected(&server.url()).await;
    let record = owned(0xee, "warm");
    insert(&store, &record).await;
    save(&store, &next(&record, "1")).await;
    store.load(record.id, active()).await.unwrap();
    store.list_by_owner(&owner("warm"), now()).await.unwrap();
    store.remove_by_owner(&owner("warm"), None).await.unwrap();
    counted(&server);
    (server, store)
}

#[tokio::test]
async fn a_load_is_one_command_whether_it_slides_or_not() {
    let (server, store) = warm().await;
    let session = session(1);
    insert(&store, &session).await;
    counted(&server);
    let start = session.last_seen_at;
    let only_reads = BTreeMap::from([("hmget".to_owned(), 1)]);

    // Nobody here knows yet when the session slid last.
    let loaded = store.load(id(1), at(start.plus(MINUTE / 2))).await;
    assert_eq!(loaded.unwrap().unwrap().last_seen_at, start);
    assert_eq!(scripts(&server), 1);

    store.load(id(1), at(start.plus(MINUTE / 2))).await.unwrap();
    assert_eq!(counted(&server), only_reads);

    let slid = start.plus(MINUTE);
    let loaded = store.load(id(1), at(slid)).await;
    assert_eq!(loaded.unwrap().unwrap().last_seen_at, slid);
    assert_eq!(
        counted(&server),
        BTreeMap::from(
            [("evalsha", 1), ("hmget", 1), ("hset", 1), ("pexpire", 1)]
                .map(|(name, calls)| (name.to_owned(), calls))
        )
    );

    let loaded = store.load(id(1), at(slid.plus(MINUTE / 2))).await;
    assert_eq!(loaded.unwrap().unwrap().last_seen_at, slid);
    assert_eq!(counted(&server), only_reads);

    store.load(id(1), Touch::No).await.unwrap();
    assert_eq!(counted(&server), only_reads);
}

#[tokio::test]
async fn what_this_process_remembers_of_a_slide_is_not_believed_before_the_record() {
    let (server, store) = warm().await;
    let session = session(1);
    insert(&store, &session).await;
    let start = session.last_seen_at;
    store.load(id(1), at(start.plus(MINUTE))).await.unwrap();
    // Somebody put an older state of it back.
    let key = format!("tenure:{{{}}}", session.id);
    server
        .ask(&["HSET", &key, "last_seen_at", &start.as_millis().to_string()])
        .unwrap();
    let now = start.plus(MINUTE + MINUTE / 2);
    let loaded = store.load(id(1), at(now)).await.unwrap().unwrap();
    assert_eq!(loaded.last_seen_at, now);
}

#[tokio::test]
async fn a_write_is_one_command_and_one_of_a_new_owner_writes_the_index_too() {
    let (server, store) = warm().await;
    let anonymous = session(1);
    insert(&store, &anonymous).await;
    assert_eq!(scripts(&server), 1, "an insert");

    let signed_in = tenure_core::Record {
        owner: Some(owner("alice")),
        ..next(&anonymous, "1")
    };
    save(&store, &signed_in).await;
    assert_eq!(scripts(&server), 3, "a sign-in: the look, the index, the update");

    save(&store, &next(&signed_in, "2")).await;
    assert_eq!(scripts(&server), 1, "an update of the same owner");

    insert(&store, &owned(2, "alice")).await;
    assert_eq!(scripts(&server), 2, "an insert with an owner");

    store.remove(id(1)).await.unwrap();
    assert_eq!(counted(&server), BTreeMap::from([("del".to_owned(), 1)]));
}

#[tokio::test]
async fn a_request_that_writes_is_a_load_and_one_command() {
    let (server, store) = warm().await;
    let app = Application::over(store);
    let mut browser = app.signed_in("alice").await;
    counted(&server);
    app.visit(&mut browser, |_: &Session| {}).await.unwrap();
    assert_eq!(scripts(&server), 1, "it reads");
    app.visit(&mut browser, increment).await.unwrap();
    let counts = counted(&server);
    // The script that updates looks by the same command as the load.
    let sent = (counts.get("hmget"), counts.get("evalsha"));
    assert_eq!(sent, (Some(&2), Some(&1)), "it writes: {counts:?}");
}

#[tokio::test]
async fn a_list_reads_the_index_and_then_every_session_at_once() {
    let (server, _) = warm().await;
    let proxy = FaultProxy::start(server.port()).await.unwrap();
    // However long the machine takes, an answer that is held is not the network's fault.
    let options = RedisStore::options(proxied_url(&proxy)).response_timeout(RECOVERED_WITHIN);
    let store = options.connect().await.unwrap();
    for number in 0..10 {
        insert(&store, &owned(number, "alice")).await;
    }
    for others in [0, 240] {
        for number in 10..10 + others {
            insert(&store, &owned(number, &format!("user-{number}"))).await;
        }
        counted(&server);
        // The index's, and none of the sessions'.
        proxy.hold_answers_after(1);
        let alice = owner("alice");
        let release = async {
            let began = Instant::now();
            let mut counts = Counts::new();
            while counts.get("hmget") != Some(&10) {
                assert!(
                    began.elapsed() < RECOVERED_WITHIN,
                    "{counts:?} among {others} others"
                );
                for (command, calls) in counted(&server) {
                    *counts.entry(command).or_default() += calls;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            proxy.heal();
            counts
        };
        let (listed, counts) = tokio::join!(store.list_by_owner(&alice, now()), release);
        assert_eq!(listed.unwrap().len(), 10);
        assert_eq!(
            counts.get("evalsha"),
            Some(&1),
            "{counts:?} among {others} others"
        );
        assert_eq!(counted(&server), Counts::new(), "among {others} others");
    }
}

#[tokio::test]
async fn a_key_outlives_its_session_by_a_minute_whatever_the_time_is() {
    let (server, store) = warm().await;
    // The application's clock and the server's are decades apart.
    let start = Timestamp::from_millis(4_102_444_800_000);
    let record = tenure_core::Record {
        last_seen_at: start,
        absolute_deadline: start.plus(2 * HOUR),
        ..owned(1, "alice")
    };
    insert(&store, &record).await;
    let seconds_left = |key: &str| server.ask(&["TTL", key]).unwrap().parse::<u64>().unwrap();
    let key = format!("tenure:{{{}}}", record.id);
    let about = |seconds: u64| seconds - 2..=seconds;
    assert!(about(3_660).contains(&seconds_left(&key)));
    assert!(about(7_260).contains(&seconds_left("tenure:owner:alice")));

    store.load(record.id, at(start.plus(HOUR / 2))).await.unwrap();
    assert!(about(3_660).contains(&seconds_left(&key)), "slid");
    let short = tenure_core::Record {
        absolute_deadline: start.plus(HOUR),
        ..next(&record, "1")
    };
    assert_eq!(
        store.update(&short, 1, start.plus(HOUR / 2)).await.unwrap(),
        tenure_core::store::Updated::Saved
    );
    assert!(
        about(1_860).contains(&seconds_left(&key)),
        "no later than the absolute deadline"
    );
    insert(&store, &tenure_core::Record { id: id(2), ..short }).await;
    assert!(
        about(7_260).contains(&seconds_left("tenure:owner:alice")),
        "never shortened"
    );
}

#[tokio::test]
async fn the_index_of_an_owner_who_never_looks_stays_small() {
    let (server, store) = warm().await;
    let index = "tenure:owner:robot";
    for number in 0..63_u8 {
        insert(&store, &owned(number, "robot")).await;
        store.remove(id(number)).await.unwrap();
    }
    // As if it had been eleven minutes ago.
    let old = (now().as_millis() - 11 * 60 * 1000).to_string();
    for number in 0..63_u8 {
        server
            .ask(&["ZADD", index, &old, &id(number).to_string()])
            .unwrap();
    }
    insert(&store, &owned(100, "robot")).await;
    assert_eq!(
        server.ask(&["ZRANGE", index, "0", "-1"]).unwrap(),
        id(100).to_string()
    );
}

#[tokio::test]
async fn an_entry_of_a_session_that_is_just_being_written_is_no_litter() {
    let (server, store) = warm().await;
    let index = "tenure:owner:alice";
    insert(&store, &owned(1, "alice")).await;
    let millis = now().as_millis();
    let (young, old) = (millis - 9 * 60 * 1000, millis - 11 * 60 * 1000);
    server
        .ask(&["ZADD", index, &young.to_string(), &id(2).to_string()])
        .unwrap();
    server
        .ask(&["ZADD", index, &old.to_string(), &id(3).to_string()])
        .unwrap();
    server
        .ask(&["ZADD", index, &old.to_string(), &id(1).to_string()])
        .unwrap();
    assert_eq!(
        store.list_by_owner(&owner("alice"), now()).await.unwrap().len(),
        1
    );
    let left = server.ask(&["ZRANGE", index, "0", "-1"]).unwrap();
    assert_eq!(left, format!("{}\n{}", id(1), id(2)));
}

#[tokio::test]
async fn scripts_that_the_server_forgot_are_brought_again() {
    let (server, store) = warm().await;
    let record = owned(1, "alice");
    let flush = || server.ask(&["SCRIPT", "FLUSH"]).unwrap();
    flush();
    insert(&store, &record).await;
    flush();
    save(&store, &next(&record, "1")).await;
    flush();
    assert!(store.load(record.id, active()).await.unwrap().is_some());
    flush();
    assert_eq!(
        store.list_by_owner(&owner("alice"), now()).await.unwrap().len(),
        1
    );
    flush();
    assert_eq!(store.remove_by_owner(&owner("alice"), None).await.unwrap(), 1);
}
