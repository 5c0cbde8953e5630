//! Guesses at a password, at once at several instances of an application on one database.

use std::time::Duration;

use http::HeaderMap;
use tenure::store::connect;
use tenure::{
    Attempt, Environment, Keyring, LoginThrottle, ManualClock, Policy, Secret, Sessions, StoreError,
};
use tenure_testkit::servers::PostgresServer;
use tenure_testkit::servers::redis::RedisServer;

const ACCOUNT: &str = "victim@example.org";
const ADDRESS: &str = "203.0.113.77";

/// An instance of the application with connections of its own.
async fn instance(url: &str, clock: &ManualClock) -> LoginThrottle {
    let policy = Policy::default()
        .environment(Environment::Development)
        // A thousand at once, on a machine that does something else as well.
        .store_deadline(Duration::from_secs(60));
    let keyring = Keyring::new(Secret::new("T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r"));
    let sessions = Sessions::builder(policy, keyring, connect(url).await.unwrap())
        .clock(clock.clone())
        .build()
        .unwrap();
    LoginThrottle::new(&sessions)
}

/// A guess that is wrong. Whether the password would have been looked at.
async fn guess(throttle: &LoginThrottle) -> Result<bool, StoreError> {
    match throttle.begin(ACCOUNT, None, &HeaderMap::new()).await? {
        Attempt::Allowed(attempt) => {
            attempt.failed();
            Ok(true)
        }
        Attempt::Refused(_) => Ok(false),
    }
}

async fn the_free_ones_get_through(url: &str) {
    let clock = ManualClock::default();
    let instances = [
        instance(url, &clock).await,
        instance(url, &clock).await,
        instance(url, &clock).await,
    ];
    let guesses = (0..1_000).map(|number| {
        let throttle = instances[number % instances.len()].clone();
        tokio::spawn(async move { guess(&throttle).await })
    });
    let mut looked_at = 0;
    for guess in guesses.collect::<Vec<_>>() {
        looked_at += u32::from(guess.await.unwrap().unwrap());
    }
    assert_eq!(looked_at, 5);

    clock.advance(Duration::from_secs(1));
    let Attempt::Allowed(attempt) = instances[0]
        .begin(ACCOUNT, None, &HeaderMap::new())
        .await
        .unwrap()
    else {
        panic!("the wait is over");
    };
    let _ = attempt.succeeded().await.unwrap();
    for throttle in instances.iter().cycle().take(5) {
        assert!(
            guess(throttle).await.unwrap(),
            "a success is known to every instance"
        );
    }
    assert!(!guess(&instances[1]).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_guesses_at_once_the_free_ones_get_through_on_sqlite_which_learns_no_name() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("sessions.db").display());
    the_free_ones_get_through(&url).await;

    let throttle = instance(&url, &ManualClock::default()).await;
    let address = Some(ADDRESS.parse().unwrap());
    let begun = throttle
        .begin("other@example.org", address, &HeaderMap::new())
        .await;
    assert!(matches!(begun, Ok(Attempt::Allowed(_))));
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for name in [ACCOUNT, "other@example.org", ADDRESS] {
            let is_there = bytes.windows(name.len()).any(|part| part == name.as_bytes());
            assert!(!is_there, "{name} is in the database");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_guesses_at_once_the_free_ones_get_through_on_postgresql() {
    let server = PostgresServer::shared().unwrap_or_else(|missing| panic!("{missing}"));
    the_free_ones_get_through(&server.url(&server.create_database())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_guesses_at_once_the_free_ones_get_through_on_redis() {
    let server = RedisServer::standalone().unwrap_or_else(|missing| panic!("{missing}"));
    the_free_ones_get_through(&server.url()).await;
}
