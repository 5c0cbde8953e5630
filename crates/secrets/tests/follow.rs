//! The keyring that follows a source: what it does as time goes by, and when the source misbehaves. Time is the
//! runtime's, which is paused, so an hour takes no time.

use std::fmt;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tenure_core::{Clock, Environment, KeyRole, Keyring, MemoryStore, Policy, Secret, Sessions, Timestamp};
use tenure_secrets::{
    FetchError, Fetched, FollowError, FollowOptions, FollowingKeyring, SecretEvent, SecretEventKind,
    SecretSource, SecretVersion, SourceFuture, Stage,
};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

const FIRST: &str = "T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r";
const SECOND_SECRET: &str = "Yb0yP2kV9rT4nXwE6uLsJ1dHfCaGzmQ7";
const THIRD: &str = "dHfCaGzmQ7Yb0yP2kV9rT4nXwE6uLsJ1";

/// What a source answers.
#[derive(Clone, Debug)]
enum Answer {
    /// Names and secrets, the one to sign with first.
    Has(Vec<(&'static str, &'static str)>),
    /// The same, with the time at which each was made.
    Dated(Vec<(&'static str, &'static str, Timestamp)>),
    Pending(Vec<(&'static str, &'static str)>),
    Down,
    Denied,
    Garbage,
    Silent,
}

/// A source that answers what it is told to.
#[derive(Clone)]
struct Scripted {
    answer: Arc<Mutex<Answer>>,
    fetches: Arc<Mutex<Vec<Instant>>>,
    changed: Arc<Notify>,
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scripted")
    }
}

impl Scripted {
    fn new(answer: Answer) -> Self {
        Self {
            answer: Arc::new(Mutex::new(answer)),
            fetches: Arc::default(),
            changed: Arc::default(),
        }
    }

    fn has(versions: &[(&'static str, &'static str)]) -> Self {
        Self::new(Answer::Has(versions.to_vec()))
    }

    fn now_answers(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    fn now_has(&self, versions: &[(&'static str, &'static str)]) {
        self.now_answers(Answer::Has(versions.to_vec()));
    }

    fn fetches(&self) -> usize {
        self.fetches.lock().unwrap().len()
    }
}

fn version(name: &str, secret: &str, stage: Stage) -> SecretVersion {
    SecretVersion {
        name: name.to_owned(),
        secret: Secret::new(secret),
        stage,
        created_at: None,
    }
}

impl SecretSource for Scripted {
    fn name(&self) -> &'static str {
        "scripted:source"
    }

    fn fetch(&self) -> SourceFuture<'_, Result<Fetched, FetchError>> {
        self.fetches.lock().unwrap().push(Instant::now());
        let answer = self.answer.lock().unwrap().clone();
        let origin = self.name().to_owned();
        Box::pin(async move {
            let versions = match answer {
                Answer::Has(versions) => versions
                    .into_iter()
                    .map(|(name, secret)| version(name, secret, Stage::Active))
                    .collect(),
                Answer::Dated(versions) => versions
                    .into_iter()
                    .map(|(name, secret, made)| SecretVersion {
                        created_at: Some(made),
                        ..version(name, secret, Stage::Active)
                    })
                    .collect(),
                Answer::Pending(versions) => versions
                    .into_iter()
                    .map(|(name, secret)| version(name, secret, Stage::Pending))
                    .collect(),
                Answer::Down => {
                    return Err(FetchError::Unreachable {
                        origin,
                        cause: "connection refused".into(),
                    });
                }
                Answer::Denied => {
                    return Err(FetchError::Denied {
                        origin,
                        reason: "the policy needs read".to_owned(),
                    });
                }
                Answer::Garbage => {
                    return Err(FetchError::Unusable {
                        origin,
                        reason: "it is no text".to_owned(),
                    });
                }
                Answer::Silent => pending().await,
            };
            Ok(Fetched {
                versions,
                look_again_in: None,
            })
        })
    }

    fn changed(&self) -> SourceFuture<'_, ()> {
        Box::pin(self.changed.notified())
    }
}

/// The runtime's clock.
#[derive(Clone, Copy)]
struct RuntimeClock(Instant);

impl Clock for RuntimeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000).plus(self.0.elapsed())
    }
}

#[derive(Clone, Default)]
struct Events(Arc<Mutex<Vec<SecretEventKind>>>);

impl Events {
    fn take(&self) -> Vec<SecretEventKind> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    fn names(&self) -> Vec<&'static str> {
        self.take().iter().map(SecretEventKind::name).collect()
    }

    /// All but the reads that brought nothing new.
    fn news(&self) -> Vec<&'static str> {
        let mut names = self.names();
        names.retain(|name| *name != "secret_fetched");
        names
    }
}

fn policy() -> Policy {
    Policy::default().environment(Environment::Development)
}

fn options(events: &Events) -> FollowOptions {
    let events = events.clone();
    FollowOptions::for_policy(&policy())
        .refresh_every(MINUTE)
        .clock(RuntimeClock(Instant::now()))
        .listener(move |event: &SecretEvent| {
            assert_eq!(event.source, "scripted:source");
            events.0.lock().unwrap().push(event.kind.clone());
        })
}

async fn following(source: &Scripted) -> (FollowingKeyring, Events) {
    let events = Events::default();
    let keyring = FollowingKeyring::start(source.clone(), options(&events))
        .await
        .unwrap();
    (keyring, events)
}

fn roles(keyring: &FollowingKeyring) -> Vec<(String, Option<KeyRole>)> {
    let versions = keyring.status().versions;
    versions
        .into_iter()
        .map(|version| (version.name, version.role))
        .collect()
}

fn named(roles: &[(&str, Option<KeyRole>)]) -> Vec<(String, Option<KeyRole>)> {
    roles
        .iter()
        .map(|(name, role)| ((*name).to_owned(), *role))
        .collect()
}

const UPCOMING: Option<KeyRole> = Some(KeyRole::Upcoming);
const CURRENT: Option<KeyRole> = Some(KeyRole::Current);
const OLDER: Option<KeyRole> = Some(KeyRole::Older);

#[tokio::test(start_paused = true)]
async fn a_new_version_verifies_at_the_next_refresh_and_signs_two_refresh_intervals_later() {
    let source = Scripted::has(&[("1", FIRST)]);
    let (keyring, events) = following(&source).await;
    assert_eq!(roles(&keyring), named(&[("1", CURRENT)]));
    assert_eq!(events.names(), ["secret_fetched", "secret_version_added"]);

    source.now_has(&[("2", SECOND_SECRET), ("1", FIRST)]);
    sleep(67 * SECOND).await;
    assert_eq!(roles(&keyring), named(&[("2", UPCOMING), ("1", CURRENT)]));
    assert_eq!(events.news(), ["secret_version_added"]);
    sleep(2 * MINUTE - 14 * SECOND).await;
    assert_eq!(roles(&keyring), named(&[("2", UPCOMING), ("1", CURRENT)]));
    sleep(14 * SECOND).await;
    assert_eq!(roles(&keyring), named(&[("2", CURRENT), ("1", OLDER)]));
    assert_eq!(events.news(), ["secret_rotated"]);
}

#[tokio::test(start_paused = true)]
async fn an_older_version_verifies_until_the_longest_session_has_ended_and_then_goes() {
    let made = RuntimeClock(Instant::now()).now();
    let source = Scripted::new(Answer::Dated(vec![
        ("2", SECOND_SECRET, made),
        ("1", FIRST, made.minus(DAY)),
    ]));
    let events = Events::default();
    let options = options(&events).refresh_every(HOUR);
    let keyring = FollowingKeyring::start(source, options).await.unwrap();
    assert_eq!(roles(&keyring), named(&[("2", UPCOMING), ("1", CURRENT)]));
    sleep(2 * HOUR + SECOND).await;
    assert_eq!(roles(&keyring), named(&[("2", CURRENT), ("1", OLDER)]));
    sleep(30 * DAY).await;
    assert_eq!(roles(&keyring), named(&[("2", CURRENT), ("1", OLDER)]));
    assert_eq!(keyring.live().usage().len(), 2);
    sleep(3 * HOUR).await;
    assert_eq!(roles(&keyring), named(&[("2", CURRENT), ("1", None)]));
    assert_eq!(keyring.live().usage().len(), 1);
    assert!(events.names().contains(&"secret_version_retired"));
    sleep(DAY).await;
    assert_eq!(roles(&keyring), named(&[("2", CURRENT), ("1", None)]));
}

#[tokio::test(start_paused = true)]
async fn without_the_sources_word_for_its_age_an_older_version_verifies_until_it_is_taken_out() {
    let source = Scripted::has(&[("3", THIRD), ("2", SECOND_SECRET), ("1", FIRST)]);
    let events = Events::default();
    let options = options(&events).refresh_every(HOUR);
    let keyring = FollowingKeyring::start(source.clone(), options).await.unwrap();
    assert_eq!(
        roles(&keyring),
        named(&[("3", UPCOMING), ("2", CURRENT), ("1", OLDER)]),
        "nobody can say who knows the third one, and others may have signed with the second for years"
    );
    sleep(60 * DAY).await;
    assert_eq!(
        roles(&keyring),
        named(&[("3", CURRENT), ("2", OLDER), ("1", OLDER)])
    );
    source.now_has(&[("3", THIRD), ("2", SECOND_SECRET)]);
    keyring.refresh().await.unwrap();
    assert_eq!(roles(&keyring), named(&[("3", CURRENT), ("2", OLDER)]));
}

#[tokio::test(start_paused = true)]
async fn refreshes_come_once_an_interval_give_or_take_a_tenth() {
    let source = Scripted::has(&[("1", FIRST)]);
    let (_keyring, _) = following(&source).await;
    sleep(HOUR).await;
    let fetches = source.fetches.lock().unwrap().clone();
    let pauses: Vec<_> = fetches.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!((54..=67).contains(&pauses.len()), "{}", pauses.len());
    assert!(
        pauses
            .iter()
            .all(|pause| (54 * SECOND..=67 * SECOND).contains(pause)),
        "{pauses:?}"
    );
    assert!(pauses.iter().any(|pause| pause.abs_diff(pauses[0]) > SECOND / 10));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_can_tell_of_a_change_is_read_at_once() {
    let source = Scripted::has(&[("1", FIRST)]);
    let (keyring, _) = following(&source).await;
    sleep(SECOND).await;
    source.now_has(&[("2", SECOND_SECRET), ("1", FIRST)]);
    source.changed.notify_one();
    sleep(SECOND).await;
    assert_eq!(roles(&keyring), named(&[("2", UPCOMING), ("1", CURRENT)]));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_down_for_an_hour_and_comes_back_with_a_new_version_signs_nobody_out() {
    let source = Scripted::has(&[("1", FIRST)]);
    let (keyring, events) = following(&source).await;
    events.take();
    source.now_answers(Answer::Down);
    sleep(HOUR).await;
    assert_eq!(roles(&keyring), named(&[("1", CURRENT)]));
    let failures = events.take();
    assert!((55..=75).contains(&failures.len()), "{}", failures.len());
    let SecretEventKind::FetchFailed { error, failing_for } = failures.last().unwrap() else {
        panic!("{failures:?}")
    };
    assert!(*failing_for > 55 * MINUTE, "{failing_for:?}");
    assert!(error.contains("connection refused"), "{error}");
    let failing = keyring.status().failing.unwrap();
    assert!(failing.since.until(keyring.status().last_success_at) < SECOND);

    source.now_has(&[("2", SECOND_SECRET), ("1", FIRST)]);
    sleep(67 * SECOND).await;
    assert_eq!(
        roles(&keyring),
        named(&[("2", UPCOMING), ("1", CURRENT)]),
        "other instances may still be waiting for the source"
    );
    assert_eq!(events.news(), ["secret_source_recovered", "secret_version_added"]);
    assert!(keyring.status().failing.is_none());
}

#[tokio::test(start_paused = true)]
async fn after_a_failure_the_source_is_tried_sooner_and_then_more_and_more_rarely() {
    let source = Scripted::has(&[("1", FIRST)]);
    let events = Events::default();
    let options = options(&events).refresh_every(10 * MINUTE);
    let _keyring = FollowingKeyring::start(source.clone(), options).await.unwrap();
    source.now_answers(Answer::Down);
    sleep(12 * MINUTE).await;
    let fetches = source.fetches.lock().unwrap().clone();
    let pauses: Vec<_> = fetches.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(pauses[0] >= 9 * MINUTE);
    for (pause, expected) in pauses[1..].iter().zip([5, 10, 20, 40]) {
        let expected = expected * SECOND;
        assert!(
            (expected * 9 / 10..=expected * 11 / 10 + SECOND / 100).contains(pause),
            "{pauses:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_a_source_answers_the_last_good_set_stays_in_service() {
    let bad = [
        Answer::Has(vec![]),
        Answer::Has(vec![("2", ""), ("1", FIRST)]),
        Answer::Has(vec![("2", "short"), ("1", FIRST)]),
        Answer::Has(vec![("2", "changeme-changeme-changeme-changeme"), ("1", FIRST)]),
        Answer::Pending(vec![("1", FIRST)]),
        Answer::Garbage,
        Answer::Denied,
        Answer::Down,
        Answer::Silent,
    ];
    for answer in bad {
        let source = Scripted::has(&[("1", FIRST)]);
        let (keyring, events) = following(&source).await;
        events.take();
        source.now_answers(answer.clone());
        sleep(10 * MINUTE).await;
        assert_eq!(roles(&keyring), named(&[("1", CURRENT)]), "{answer:?}");
        assert_eq!(keyring.live().usage().len(), 1, "{answer:?}");
        let failures = events.names();
        assert!(failures.len() >= 5, "{answer:?}: {failures:?}");
        assert!(
            failures.iter().all(|name| *name == "secret_fetch_failed"),
            "{answer:?}"
        );
        assert!(keyring.refresh().await.is_err());
        source.now_has(&[("1", FIRST)]);
        keyring.refresh().await.unwrap();
        assert!(keyring.status().failing.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_without_a_good_set_is_refused_with_what_to_do() {
    let cases = [
        (Answer::Has(vec![]), "openssl rand"),
        (Answer::Has(vec![("7", "short")]), "version 7: it is 5 bytes long"),
        (Answer::Pending(vec![("1", FIRST)]), "release one that is pending"),
        (Answer::Garbage, "no text"),
        (Answer::Denied, "the policy needs read"),
        (Answer::Down, "check its address"),
        (Answer::Silent, "within 15s"),
    ];
    for (answer, hint) in cases {
        let events = Events::default();
        let error = FollowingKeyring::start(Scripted::new(answer.clone()), options(&events))
            .await
            .unwrap_err();
        assert!(error.to_string().contains(hint), "{answer:?}: {error}");
        assert!(error.to_string().contains("scripted:source"), "{error}");
        assert_eq!(events.names(), ["secret_fetch_failed"]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_secret_twice_is_one_version() {
    let source = Scripted::has(&[("2", FIRST), ("1", FIRST)]);
    let (keyring, _) = following(&source).await;
    assert_eq!(roles(&keyring), named(&[("2", CURRENT)]));

    source.now_has(&[("3", FIRST), ("2", FIRST), ("1", FIRST)]);
    keyring.refresh().await.unwrap();
    assert_eq!(roles(&keyring), named(&[("3", CURRENT)]));
    assert_eq!(keyring.live().usage().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_version_that_the_source_no_longer_has_is_dropped_at_once() {
    let source = Scripted::has(&[("2", SECOND_SECRET), ("1", FIRST)]);
    let (keyring, events) = following(&source).await;
    sleep(HOUR).await;
    events.take();
    source.now_has(&[("2", SECOND_SECRET)]);
    keyring.refresh().await.unwrap();
    assert_eq!(roles(&keyring), named(&[("2", CURRENT)]));
    assert_eq!(keyring.live().usage().len(), 1);
    assert_eq!(events.news(), ["secret_version_dropped"]);
}

#[tokio::test(start_paused = true)]
async fn when_the_signing_version_is_dropped_the_next_one_signs_at_once() {
    let source = Scripted::has(&[("1", FIRST)]);
    let (keyring, events) = following(&source).await;
    source.now_has(&[("2", SECOND_SECRET)]);
    events.take();
    keyring.refresh().await.unwrap();
    assert_eq!(roles(&keyring), named(&[("2", CURRENT)]));
    assert_eq!(
        events.news(),
        ["secret_version_added", "secret_rotated", "secret_version_dropped"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_refused_version_is_left_out() {
    let source = Scripted::has(&[("3", THIRD), ("2", SECOND_SECRET), ("1", FIRST)]);
    let events = Events::default();
    let options = options(&events).refuse_version("2");
    let keyring = FollowingKeyring::start(source, options).await.unwrap();
    assert_eq!(roles(&keyring), named(&[("3", UPCOMING), ("1", CURRENT)]));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_knows_when_a_version_was_made_lets_an_old_one_sign_at_once_after_a_restart() {
    let now = RuntimeClock(Instant::now()).now();
    let events = Events::default();
    let source = Scripted::new(Answer::Dated(vec![
        ("3", THIRD, now.minus(MINUTE)),
        ("2", SECOND_SECRET, now.minus(HOUR)),
        ("1", FIRST, now.minus(DAY)),
    ]));
    let keyring = FollowingKeyring::start(source, options(&events)).await.unwrap();
    assert_eq!(
        roles(&keyring),
        named(&[("3", UPCOMING), ("2", CURRENT), ("1", OLDER)])
    );
    sleep(MINUTE + SECOND).await;
    assert_eq!(
        roles(&keyring),
        named(&[("3", CURRENT), ("2", OLDER), ("1", OLDER)])
    );
}

#[tokio::test(start_paused = true)]
async fn the_task_ends_with_the_last_user_of_the_keyring() {
    let source = Scripted::has(&[("1", FIRST)]);
    let (keyring, _) = following(&source).await;
    let sessions = Sessions::new(policy(), &keyring, MemoryStore::new()).unwrap();
    drop(keyring);
    sleep(10 * MINUTE).await;
    let while_used = source.fetches();
    assert!(while_used >= 9, "{while_used}");
    drop(sessions);
    sleep(HOUR).await;
    assert_eq!(source.fetches(), while_used);
}

#[tokio::test(start_paused = true)]
async fn while_the_source_is_down_cookies_under_unknown_keys_are_left_in_the_browser() {
    let source = Scripted::has(&[("1", FIRST)]);
    let (keyring, _) = following(&source).await;
    let clock = RuntimeClock(Instant::now());
    let over = |keyring: tenure_core::LiveKeyring, store: Arc<MemoryStore>| {
        Sessions::builder(policy(), keyring, store)
            .clock(clock)
            .build()
            .unwrap()
    };
    let store = Arc::new(MemoryStore::new());
    let behind = over(keyring.live().clone(), Arc::clone(&store));
    let ahead = over(
        Keyring::new(Secret::new(SECOND_SECRET))
            .with_older(Secret::new(FIRST))
            .into(),
        store,
    );
    let mut headers = http::HeaderMap::new();
    let opened = ahead.open(&headers);
    opened
        .load()
        .await
        .unwrap()
        .insert(tenure_core::Key::new("count"), &1)
        .unwrap();
    let mut response = http::HeaderMap::new();
    ahead.commit(&opened).await.unwrap().apply(&mut response);
    let cookie = response["set-cookie"]
        .to_str()
        .unwrap()
        .split(';')
        .next()
        .unwrap();
    headers.insert("cookie", cookie.parse().unwrap());

    let touches_the_cookie = async |headers: &http::HeaderMap| {
        let opened = behind.open(headers);
        opened.load().await.unwrap();
        behind.commit(&opened).await.unwrap().sets_cookie()
    };
    source.now_answers(Answer::Down);
    sleep(2 * MINUTE).await;
    assert!(!touches_the_cookie(&headers).await);
    source.now_has(&[("1", FIRST)]);
    keyring.refresh().await.unwrap();
    assert!(touches_the_cookie(&headers).await);
}

#[tokio::test(start_paused = true)]
async fn no_event_status_or_error_shows_a_secret() {
    let source = Scripted::has(&[("1", FIRST)]);
    let (keyring, events) = following(&source).await;
    source.now_has(&[("2", SECOND_SECRET), ("1", FIRST)]);
    sleep(10 * MINUTE).await;
    source.now_has(&[("3", "short-but-secret")]);
    let refused: FollowError = keyring.refresh().await.unwrap_err();
    let shown = format!(
        "{refused} {refused:?} {keyring:?} {:?} {:?}",
        keyring.status(),
        events.take()
    );
    for secret in [FIRST, SECOND_SECRET, "short-but-secret"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
