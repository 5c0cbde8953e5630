//! What is the same of every server.

use std::future::Future;
use std::pin::Pin;

use tenure_core::store::{Attempts, AttemptsKey, StoreError, Touch};
use tenure_core::{Owner, Record, Store};
use tokio::task::JoinSet;

use super::{BEARER, MINUTE, START, id, record};

/// An error with all its causes, as somebody logs it.
pub(crate) fn shown(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let texts: Vec<String> = causes.map(|cause| format!("{cause} {cause:?}")).collect();
    texts.join(": ")
}

/// What the documentation tells the operators of a store to ask the database, in the section of this title.
pub(crate) fn documented_queries(title: &str) -> String {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations.md");
    let docs = std::fs::read_to_string(file).unwrap();
    let sections = docs.split("\n## ");
    let section = sections
        .filter(|section| section.starts_with(title))
        .collect::<String>();
    let mut blocks = section
        .split("```sql\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    let queries = blocks.find(|block| block.starts_with("-- Who is signed in"));
    queries.expect("queries in the documentation").to_owned()
}

/// Does everything that a store does; `count` tells how many statements the database has been asked so far.
pub(crate) async fn round_trips(store: &impl Store, count: impl AsyncFn() -> u32) {
    let owner = Owner::new("alice").unwrap();
    let touch = |now| Touch::Active {
        now,
        bearer: BEARER,
        at_most_every: MINUTE,
    };
    let key = AttemptsKey::from_bytes([7; AttemptsKey::LENGTH]);
    let attempts = |version| Attempts {
        version,
        failures: 1,
        last_failed_at: START,
        blocked_until: START,
        expires_at: START.plus(MINUTE),
    };
    let (some, more) = (attempts(1), attempts(2));
    // A server has no one statement for it that all of them understand.
    let first_attempts = if store.name() == "sqlite" { 1 } else { 2 };
    let first = record(1);
    let second = Record {
        version: 2,
        ..record(1)
    };
    for (operation, expected, work) in [
        ("insert", 1, done(store.insert(&first))),
        ("look", 1, done(store.load(id(1), Touch::No))),
        ("load nobody", 1, done(store.load(id(2), touch(START)))),
        ("load", 1, done(store.load(id(1), touch(START.plus(MINUTE / 2))))),
        (
            "load and touch",
            2,
            done(store.load(id(1), touch(START.plus(MINUTE)))),
        ),
        ("update", 1, done(store.update(&second, 1, START))),
        ("stale update", 2, done(store.update(&second, 1, START))),
        ("list", 1, done(store.list_by_owner(&owner, START))),
        (
            "remove by owner",
            1,
            done(store.remove_by_owner(&owner, Some(id(1)))),
        ),
        ("sweep", 2, done(store.sweep_expired(START, 100))),
        ("page", 1, done(store.page(None, 100))),
        ("count", 1, done(store.count(START))),
        (
            "first attempts",
            first_attempts,
            done(store.save_attempts(key, &some, 0, START)),
        ),
        ("attempts", 1, done(store.load_attempts(key))),
        (
            "more attempts",
            1,
            done(store.save_attempts(key, &more, 1, START)),
        ),
        ("remove attempts", 1, done(store.remove_attempts(key))),
        ("ping", 1, done(store.ping())),
        ("remove", 1, done(store.remove(id(1)))),
    ] {
        let before = count().await;
        work.await;
        assert_eq!(count().await - before, expected, "{operation}");
    }
}

fn done<'a, T: 'a>(
    work: impl Future<Output = Result<T, StoreError>> + 'a,
) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
    Box::pin(async {
        work.await.unwrap();
    })
}

/// Many loads of record 1 for all of which the touch is due.
pub(crate) async fn touch_at_the_same_time(store: &(impl Store + Clone)) {
    let now = START.plus(MINUTE);
    let mut loads = JoinSet::new();
    for _ in 0..32 {
        let store = store.clone();
        let touch = Touch::Active {
            now,
            bearer: BEARER,
            at_most_every: MINUTE,
        };
        loads.spawn(async move { store.load(id(1), touch).await.unwrap().unwrap().last_seen_at });
    }
    assert_eq!(loads.join_all().await, [now; 32]);
}

/// How many both swept, in batches that are full until nothing is left.
pub(crate) async fn sweep_at_the_same_time<S: Store>(stores: [S; 2]) -> u64 {
    let mut sweepers = JoinSet::new();
    for store in stores {
        sweepers.spawn(async move {
            let mut all = 0;
            loop {
                let swept = store.sweep_expired(START, 100).await.unwrap();
                all += swept.sessions;
                if !swept.is_full(100) {
                    return all;
                }
            }
        });
    }
    sweepers.join_all().await.into_iter().sum()
}
