//! Guessing passwords is slowed down and stopped, and nobody is shut out for good.

mod common;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use common::*;
use http::HeaderMap;
use http::header::COOKIE;
use tenure_core::{
    Attempt, EventKind, KnownDevice, LoginLimit, LoginSubject, LoginThrottle, MemoryStore, Owner,
    RefusedAttempt,
};
use tenure_testkit::EventLog;

const HOME: &str = "203.0.113.7";
const ELSEWHERE: &str = "198.51.100.1";

type Shared = App<Arc<MemoryStore>>;

fn app() -> Shared {
    App::over(Arc::new(MemoryStore::new()), policy())
}

fn throttle(app: &Shared) -> LoginThrottle {
    LoginThrottle::new(&app.sessions)
}

fn address(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

async fn begin(throttle: &LoginThrottle, account: &str, from: &str) -> Attempt {
    throttle
        .begin(account, address(from), &HeaderMap::new())
        .await
        .unwrap()
}

/// A guess that is wrong, if it is allowed. `None` if it was; else how long the wait is.
async fn guess(throttle: &LoginThrottle, account: &str, from: &str) -> Option<Duration> {
    guess_with(throttle, account, from, &HeaderMap::new()).await
}

async fn guess_with(
    throttle: &LoginThrottle,
    account: &str,
    from: &str,
    headers: &HeaderMap,
) -> Option<Duration> {
    match throttle.begin(account, address(from), headers).await.unwrap() {
        Attempt::Allowed(attempt) => {
            attempt.failed();
            None
        }
        Attempt::Refused(refused) => Some(refused.retry_after),
    }
}

/// Signs in with the right password; the headers that the browser then sends.
async fn sign_in(
    throttle: &LoginThrottle,
    account: &str,
    from: &str,
    headers: &HeaderMap,
) -> Option<HeaderMap> {
    match throttle.begin(account, address(from), headers).await.unwrap() {
        Attempt::Allowed(attempt) => Some(sent_by(attempt.succeeded().await.unwrap().unwrap())),
        Attempt::Refused(_) => None,
    }
}

fn sent_by(device: KnownDevice) -> HeaderMap {
    let set_cookie = device.set_cookie();
    let pair = set_cookie.to_str().unwrap().split(';').next().unwrap();
    let mut headers = HeaderMap::new();
    headers.insert(COOKIE, header(pair));
    headers
}

/// Guesses until the limit of accounts locks, waiting as told. How many guesses that took.
async fn guess_until_locked(app: &Shared, throttle: &LoginThrottle, account: &str, from: &str) -> u32 {
    let mut guesses = 0;
    loop {
        match guess(throttle, account, from).await {
            None => guesses += 1,
            Some(wait) if wait == HOUR => return guesses,
            Some(wait) => app.clock.advance(wait),
        }
    }
}

#[tokio::test]
async fn five_attempts_are_free_and_then_each_failure_doubles_the_wait() {
    let app = app();
    let throttle = throttle(&app);
    for _ in 0..5 {
        assert_eq!(guess(&throttle, "ada", HOME).await, None);
    }
    for seconds in [1, 2, 4, 8, 16] {
        let wait = Duration::from_secs(seconds);
        assert_eq!(guess(&throttle, "ada", HOME).await, Some(wait));
        app.clock.advance(wait - MILLISECOND);
        assert_eq!(guess(&throttle, "ada", HOME).await, Some(MILLISECOND));
        app.clock.advance(MILLISECOND);
        assert_eq!(guess(&throttle, "ada", HOME).await, None);
    }
}

#[tokio::test]
async fn who_is_refused_does_not_lengthen_the_wait() {
    let app = app();
    let throttle = throttle(&app);
    for _ in 0..5 {
        guess(&throttle, "ada", HOME).await;
    }
    for _ in 0..100 {
        assert_eq!(guess(&throttle, "ada", HOME).await, Some(SECOND));
    }
}

#[tokio::test]
async fn the_lock_out_comes_after_20_failures_and_ends_after_an_hour() {
    let app = app();
    let throttle = throttle(&app);
    assert_eq!(guess_until_locked(&app, &throttle, "ada", HOME).await, 20);
    app.clock.advance(HOUR - MILLISECOND);
    assert_eq!(guess(&throttle, "ada", HOME).await, Some(MILLISECOND));
    app.clock.advance(MILLISECOND);
    assert!(sign_in(&throttle, "ada", HOME, &HeaderMap::new()).await.is_some());
    for _ in 0..5 {
        assert_eq!(
            guess(&throttle, "ada", HOME).await,
            None,
            "a success wipes the slate"
        );
    }
}

#[tokio::test]
async fn one_guess_an_hour_is_what_a_locked_account_allows() {
    let app = app();
    let throttle = throttle(&app);
    guess_until_locked(&app, &throttle, "ada", HOME).await;
    for _ in 0..10 {
        app.clock.advance(HOUR);
        assert_eq!(guess(&throttle, "ada", HOME).await, None);
        assert_eq!(guess(&throttle, "ada", ELSEWHERE).await, Some(HOUR));
    }
}

#[tokio::test]
async fn failures_are_forgotten_a_day_after_the_last_one() {
    let app = app();
    let throttle = throttle(&app);
    for _ in 0..4 {
        guess(&throttle, "ada", HOME).await;
    }
    app.clock.advance(DAY - MILLISECOND);
    assert_eq!(guess(&throttle, "ada", HOME).await, None);
    assert_eq!(guess(&throttle, "ada", HOME).await, Some(SECOND));
    app.clock.advance(DAY);
    for _ in 0..5 {
        assert_eq!(guess(&throttle, "ada", HOME).await, None);
    }
}

#[tokio::test]
async fn an_account_is_protected_from_many_addresses_together() {
    let app = app();
    let throttle = throttle(&app);
    let mut allowed = 0;
    for last in 0..50 {
        let from = format!("203.0.113.{last}");
        allowed += u32::from(guess(&throttle, "ada", &from).await.is_none());
    }
    assert_eq!(allowed, 5);
    assert_eq!(guess(&throttle, "bob", HOME).await, None);
}

#[tokio::test]
async fn an_address_is_held_to_its_limit_over_many_accounts() {
    let app = app();
    let throttle = throttle(&app);
    for account in 0..100 {
        assert_eq!(guess(&throttle, &format!("user-{account}"), HOME).await, None);
    }
    assert_eq!(guess(&throttle, "user-100", HOME).await, Some(SECOND));
    assert_eq!(guess(&throttle, "user-100", ELSEWHERE).await, None);
}

#[tokio::test]
async fn addresses_of_one_ipv6_network_are_one() {
    let app = app();
    let throttle = throttle(&app).address_limit(LoginLimit::for_addresses().free_attempts(3));
    for last in 1..=3 {
        let from = format!("2001:db8:1:2::{last}");
        assert_eq!(guess(&throttle, &format!("user-{last}"), &from).await, None);
    }
    assert_eq!(
        guess(&throttle, "ada", "2001:db8:1:2:aaaa::1").await,
        Some(SECOND)
    );
    assert_eq!(guess(&throttle, "ada", "2001:db8:1:3::1").await, None);
}

#[tokio::test]
async fn a_blocked_address_does_not_count_against_the_account() {
    let app = app();
    let throttle = throttle(&app).address_limit(LoginLimit::for_addresses().free_attempts(1));
    assert_eq!(guess(&throttle, "bob", HOME).await, None);
    for _ in 0..10 {
        assert_eq!(guess(&throttle, "ada", HOME).await, Some(SECOND));
    }
    for _ in 0..5 {
        assert_eq!(throttle_without_address(&throttle, "ada").await, None);
    }
}

async fn throttle_without_address(throttle: &LoginThrottle, account: &str) -> Option<Duration> {
    match throttle.begin(account, None, &HeaderMap::new()).await.unwrap() {
        Attempt::Allowed(attempt) => {
            attempt.failed();
            None
        }
        Attempt::Refused(refused) => Some(refused.retry_after),
    }
}

#[tokio::test]
async fn signing_in_to_an_own_account_between_guesses_gives_an_address_no_more_of_them() {
    let app = app();
    let throttle = throttle(&app).address_limit(LoginLimit::for_addresses().free_attempts(10));
    let mut guesses = 0;
    while guess(&throttle, &format!("victim-{guesses}"), HOME)
        .await
        .is_none()
    {
        guesses += 1;
        let _ = sign_in(&throttle, "mallory", HOME, &HeaderMap::new()).await;
    }
    assert_eq!(guesses, 10);
}

#[tokio::test]
async fn the_successes_of_an_office_cost_its_address_nothing() {
    let app = app();
    let throttle = throttle(&app).address_limit(LoginLimit::for_addresses().free_attempts(3));
    for person in 0..100 {
        assert!(
            sign_in(&throttle, &format!("person-{person}"), HOME, &HeaderMap::new())
                .await
                .is_some()
        );
    }
}

#[tokio::test]
async fn an_account_that_is_locked_on_purpose_opens_to_its_owners_known_device() {
    let app = app();
    let throttle = throttle(&app);
    let known = sign_in(&throttle, "ada", HOME, &HeaderMap::new()).await.unwrap();
    for _ in 0..30 {
        guess_until_locked(&app, &throttle, "ada", ELSEWHERE).await;
        assert!(sign_in(&throttle, "ada", HOME, &HeaderMap::new()).await.is_none());
        assert!(sign_in(&throttle, "ada", HOME, &known).await.is_some());
        assert!(
            guess(&throttle, "ada", ELSEWHERE).await.is_some(),
            "a sign-in from a known device gives the attacker no new guesses"
        );
        app.clock.advance(HOUR);
    }
}

#[tokio::test]
async fn a_stolen_device_cookie_is_worth_no_more_guesses_than_an_account_and_for_that_account_only() {
    let app = app();
    let throttle = throttle(&app);
    let known = sign_in(&throttle, "ada", HOME, &HeaderMap::new()).await.unwrap();
    for _ in 0..5 {
        assert_eq!(guess_with(&throttle, "ada", ELSEWHERE, &known).await, None);
    }
    assert_eq!(
        guess_with(&throttle, "ada", ELSEWHERE, &known).await,
        Some(SECOND)
    );
    assert_eq!(
        guess(&throttle, "ada", HOME).await,
        None,
        "the account itself is open"
    );
    for _ in 0..5 {
        assert_eq!(guess_with(&throttle, "bob", ELSEWHERE, &known).await, None);
    }
    assert_eq!(
        guess_with(&throttle, "bob", ELSEWHERE, &known).await,
        Some(SECOND)
    );
}

#[tokio::test]
async fn an_attempt_whose_client_left_stays_counted() {
    let app = app();
    let throttle = throttle(&app);
    for _ in 0..5 {
        let Attempt::Allowed(attempt) = begin(&throttle, "ada", HOME).await else {
            panic!("it is allowed");
        };
        drop(attempt);
    }
    assert_eq!(guess(&throttle, "ada", HOME).await, Some(SECOND));
}

#[tokio::test]
async fn a_rotation_forgets_no_failure_at_any_of_its_steps() {
    let app = app();
    let before = throttle(&app);
    for _ in 0..4 {
        assert_eq!(guess(&before, "ada", HOME).await, None);
    }
    let secret = |text| tenure_core::Secret::new(text);
    let upcoming = app.beside(policy(), keyring().with_upcoming(secret(OTHER_SECRET)));
    let rotated = app.beside(
        policy(),
        tenure_core::Keyring::new(secret(OTHER_SECRET)).with_older(secret(SECRET)),
    );
    let rotated_throttle = throttle(&rotated);
    assert_eq!(guess(&rotated_throttle, "ada", HOME).await, None, "the fifth");
    for app in [&upcoming, &rotated] {
        assert_eq!(guess(&throttle(app), "ada", HOME).await, Some(SECOND));
    }
    app.clock.advance(SECOND);
    assert!(
        sign_in(&throttle(&rotated), "ada", HOME, &HeaderMap::new())
            .await
            .is_some()
    );
    for _ in 0..5 {
        assert_eq!(
            guess(&throttle(&upcoming), "ada", HOME).await,
            None,
            "forgotten under both"
        );
    }
}

#[tokio::test]
async fn an_unknown_account_is_answered_as_a_known_one() {
    // The throttle knows nothing of accounts: the one that its owner signs in to now and then, and one that nobody has.
    let app = app();
    let throttle = throttle(&app);
    assert!(sign_in(&throttle, "ada", HOME, &HeaderMap::new()).await.is_some());
    for _ in 0..30 {
        let known = guess(&throttle, "ada", ELSEWHERE).await;
        let unknown = guess(&throttle, "nobody", ELSEWHERE).await;
        assert_eq!(known, unknown);
        app.clock.advance(known.unwrap_or_default());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_guesses_at_once_at_several_instances_the_free_ones_get_through() {
    let app = app();
    let instances = [
        app.beside(policy(), keyring()),
        app.beside(policy(), keyring()),
        app,
    ];
    let throttles: Vec<_> = instances.iter().map(throttle).collect();
    let guesses = (0..1_000).map(|number| {
        let throttle = throttles[number % throttles.len()].clone();
        tokio::spawn(async move {
            let from = format!("203.0.{}.{}", number / 250, number % 250);
            guess(&throttle, "ada", &from).await
        })
    });
    let mut allowed = 0;
    for guess in guesses.collect::<Vec<_>>() {
        allowed += u32::from(guess.await.unwrap().is_none());
    }
    assert_eq!(allowed, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_guesses_at_once_from_one_address_no_more_than_are_free_get_through() {
    let app = app();
    let throttle = throttle(&app);
    let guesses = (0..1_000).map(|number| {
        let throttle = throttle.clone();
        tokio::spawn(async move { guess(&throttle, &format!("user-{number}"), HOME).await })
    });
    let mut allowed = 0;
    for guess in guesses.collect::<Vec<_>>() {
        allowed += u32::from(guess.await.unwrap().is_none());
    }
    assert_eq!(allowed, 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn successes_and_failures_of_one_address_at_once_leave_exactly_the_failures() {
    let app = app();
    let throttle = throttle(&app).address_limit(LoginLimit::for_addresses().free_attempts(1_000));
    let visits = (0..400).map(|number| {
        let throttle = throttle.clone();
        tokio::spawn(async move {
            let Attempt::Allowed(attempt) = begin(&throttle, &format!("user-{number}"), HOME).await else {
                panic!("it is far from its limit");
            };
            tokio::task::yield_now().await;
            if number % 4 == 0 {
                attempt.failed();
            } else {
                let _ = attempt.succeeded().await.unwrap();
            }
        })
    });
    for visit in visits.collect::<Vec<_>>() {
        visit.await.unwrap();
    }
    let lower = LoginThrottle::new(&app.sessions);
    assert_eq!(
        guess(&lower, "ada", HOME).await,
        None,
        "the hundredth-and-first is counted"
    );
    assert_eq!(guess(&lower, "bob", HOME).await, Some(Duration::from_secs(2)));
}

#[tokio::test]
async fn counts_are_kept_under_names_that_only_the_secret_makes() {
    let store = Arc::new(MemoryStore::new());
    let one = App::over(Arc::clone(&store), policy());
    let other = App::over(Arc::clone(&store), policy()).beside(
        policy(),
        tenure_core::Keyring::new(tenure_core::Secret::new(OTHER_SECRET)),
    );
    for _ in 0..5 {
        guess(&throttle(&one), "ada", HOME).await;
    }
    // What is under another secret's HMAC can't even be found.
    assert!(guess(&throttle(&one), "ada", HOME).await.is_some());
    assert!(guess(&throttle(&other), "ada", HOME).await.is_none());
}

fn kinds(events: &EventLog) -> Vec<EventKind> {
    let kinds = events.kinds();
    events.clear();
    kinds
}

#[tokio::test]
async fn what_happens_is_told_by_owasps_names_and_without_the_name_that_was_typed() {
    let app = app();
    let throttle = throttle(&app).account_limit(LoginLimit::for_accounts().free_attempts(2).lock_after(3));
    let names = |events: Vec<EventKind>| -> Vec<_> { events.into_iter().map(EventKind::name).collect() };
    guess(&throttle, "hunter2", HOME).await;
    guess(&throttle, "hunter2", HOME).await;
    assert!(
        app.events
            .take()
            .iter()
            .all(|event| event.owner.is_none() && event.client.is_none())
    );
    guess(&throttle, "hunter2", HOME).await;
    assert_eq!(
        kinds(&app.events),
        [EventKind::LoginThrottled(LoginSubject::Account)]
    );
    app.clock.advance(SECOND);
    guess(&throttle, "hunter2", HOME).await;
    let told = kinds(&app.events);
    assert_eq!(
        told,
        [
            EventKind::LoginFailed { failures: 3 },
            EventKind::LoginLocked(LoginSubject::Account)
        ]
    );
    assert_eq!(names(told), ["authn_login_fail", "authn_login_lock"]);

    app.clock.advance(HOUR);
    let _ = sign_in(&throttle, "hunter2", HOME, &HeaderMap::new()).await;
    let [event] = &app.events.take()[..] else {
        panic!("one event");
    };
    assert_eq!(event.kind, EventKind::LoginSucceededAfterFailures { failures: 3 });
    assert_eq!(event.owner, Some(Owner::new("hunter2").unwrap()));
    let _ = sign_in(&throttle, "hunter2", HOME, &HeaderMap::new()).await;
    assert_eq!(app.events.kinds(), []);
}

#[tokio::test]
async fn an_address_is_told_only_where_the_policy_records_addresses() {
    let app = App::over(Arc::new(MemoryStore::new()), policy().record_client_address(true));
    guess(&throttle(&app), "ada", HOME).await;
    let events = app.events.take();
    assert_eq!(events[0].client.as_ref().unwrap().address(), address(HOME));
}

#[test]
fn retry_after_is_in_whole_seconds_rounded_up() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let refused: RefusedAttempt = runtime.unwrap().block_on(async {
        let app = app();
        let throttle = throttle(&app).account_limit(LoginLimit::for_accounts().free_attempts(1));
        guess(&throttle, "ada", HOME).await;
        app.clock.advance(MILLISECOND);
        let Attempt::Refused(refused) = begin(&throttle, "ada", HOME).await else {
            panic!("it has to wait");
        };
        refused
    });
    assert_eq!(refused.retry_after, SECOND - MILLISECOND);
    assert_eq!(refused.retry_after_seconds(), 1);
}
