//! Faults of a server under load, with a ledger of what was acknowledged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http::HeaderMap;
use tenure_core::{Environment, Keyring, Policy, Secret, Session, Sessions, Store};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::{COUNT, applications, visit};

/// How long a request may wait for the store, and what it may take beside that.
const DEADLINE: Duration = Duration::from_secs(2);
const TOLERANCE: Duration = Duration::from_secs(1);

const BROWSERS: usize = 4;

/// How long the load runs before the fault and after it.
const WARM_UP: Duration = Duration::from_millis(500);

/// By when an application works again after the fault.
const RECOVERED_WITHIN: Duration = Duration::from_secs(10);

/// One browser's ledger.
#[derive(Default)]
struct Ledger {
    /// The cookie, and the last count that was acknowledged with it.
    counts: Option<(HeaderMap, u64)>,
    /// Cookies whose sign-out was acknowledged.
    signed_out: Vec<HeaderMap>,
    /// How many requests were answered, and how many with an error.
    answered: u32,
    failed: u32,
    longest: Duration,
}

/// Runs browsers on the store while `fault` begins and ends, and checks what they were told.
pub(crate) async fn survives<S: Store>(store: S, fault: impl AsyncFnOnce()) {
    let application = application(store);
    let stop = Arc::new(AtomicBool::new(false));
    let mut browsers = JoinSet::new();
    for _ in 0..BROWSERS {
        browsers.spawn(browse(application.clone(), Arc::clone(&stop)));
    }
    sleep(WARM_UP).await;
    fault().await;
    recovers(&application).await;
    sleep(WARM_UP).await;
    stop.store(true, Ordering::Relaxed);
    let ledgers = browsers.join_all().await;
    assert!(
        ledgers.iter().any(|ledger| ledger.failed > 0),
        "a fault that nobody noticed"
    );
    for ledger in ledgers {
        assert!(ledger.answered > 0 && !ledger.signed_out.is_empty());
        assert!(ledger.longest <= DEADLINE + TOLERANCE, "{:?}", ledger.longest);
        nothing_is_lost(&application, ledger).await;
    }
}

fn application(store: impl Store) -> Sessions {
    let policy = Policy::default()
        .environment(Environment::Development)
        .store_deadline(DEADLINE)
        .sweep_interval(None);
    let keyring = Keyring::new(Secret::new("T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r"));
    Sessions::new(policy, keyring, store).unwrap()
}

async fn browse(application: Sessions, stop: Arc<AtomicBool>) -> Ledger {
    let mut ledger = Ledger::default();
    while !stop.load(Ordering::Relaxed) {
        count(&application, &mut ledger).await;
        sign_in_and_out(&application, &mut ledger).await;
    }
    ledger
}

async fn count(application: &Sessions, ledger: &mut Ledger) {
    let (request, acknowledged) = ledger.counts.take().unwrap_or_default();
    let mut counted = None;
    let next = attempt(application, &request, ledger, |session| {
        counted = session.update(COUNT, |count| count.unwrap_or(0) + 1).ok();
    })
    .await;
    ledger.counts = Some(match (next, counted) {
        (Some(next), Some(counted)) => {
            assert!(counted > acknowledged, "{counted} after {acknowledged}");
            (next, counted)
        }
        _ => (request, acknowledged),
    });
}

async fn sign_in_and_out(application: &Sessions, ledger: &mut Ledger) {
    let signed_in = attempt(application, &HeaderMap::new(), ledger, |session| {
        session.sign_in("alice").unwrap();
    })
    .await;
    let Some(request) = signed_in else {
        return;
    };
    if attempt(application, &request, ledger, |session| session.sign_out())
        .await
        .is_some()
    {
        ledger.signed_out.push(request);
    }
}

/// A whole request; nothing if it was answered with an error.
async fn attempt(
    application: &Sessions,
    request: &HeaderMap,
    ledger: &mut Ledger,
    handler: impl FnOnce(&Session),
) -> Option<HeaderMap> {
    let began = Instant::now();
    let opened = application.open(request);
    let answer = async {
        let session = opened.load().await.ok()?;
        handler(&session);
        application.commit(&opened).await.ok()
    };
    let answer = answer.await;
    ledger.longest = ledger.longest.max(began.elapsed());
    ledger.answered += 1;
    let Some(outgoing) = answer else {
        ledger.failed += 1;
        return None;
    };
    let mut response = HeaderMap::new();
    outgoing.apply(&mut response);
    Some(super::next_request(request, &response))
}

/// By itself: nobody starts it anew.
async fn recovers(application: &Sessions) {
    let began = Instant::now();
    let mut ledger = Ledger::default();
    while attempt(application, &HeaderMap::new(), &mut ledger, |session| {
        session.insert(COUNT, &0).unwrap();
    })
    .await
    .is_none()
    {
        assert!(began.elapsed() < RECOVERED_WITHIN, "it does not recover");
        sleep(Duration::from_millis(20)).await;
    }
}

async fn nothing_is_lost(application: &Sessions, ledger: Ledger) {
    let (request, acknowledged) = ledger.counts.unwrap();
    visit(application, &request, |session| {
        let kept = session.get(COUNT).unwrap();
        assert!(kept >= Some(acknowledged), "{kept:?} is kept of {acknowledged}");
    })
    .await;
    for request in ledger.signed_out {
        visit(application, &request, |session| assert_eq!(session.owner(), None)).await;
    }
    visit(
        application,
        &applications::signed_in(application).await,
        |session| {
            assert!(session.owner().is_some());
        },
    )
    .await;
}

/// The faults that are the same of every server, on the `server_and_store` of the file that names them.
#[allow(unused_macros, reason = "each file of tests uses a part of it")]
macro_rules! fault_tests {
    () => {
        #[tokio::test(flavor = "multi_thread")]
        async fn a_killed_server_loses_nothing_that_was_acknowledged_and_is_found_again() {
            let (server, store) = server_and_store().await;
            survives(store, async || {
                server.kill();
                sleep(Duration::from_millis(500)).await;
                server.start_again().unwrap();
            })
            .await;
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn a_frozen_server_costs_the_deadline_and_no_more() {
            let (server, store) = server_and_store().await;
            survives(store, async || {
                server.freeze();
                sleep(Duration::from_secs(4)).await;
                server.thaw();
            })
            .await;
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
