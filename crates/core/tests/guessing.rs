//! What clients that guess at cookies get, and what those beside them do.

mod common;

use std::net::IpAddr;
use std::num::NonZeroU32;

use common::*;
use tenure_core::store::Operation;
use tenure_core::{
    Absence, EventKind, GuessLimit, GuessedCookie, LoadError, Opened, Owner, Refusal, Status, Store,
    TooManyGuesses,
};

const NAME: &str = "__Host-session";
/// The default's.
const REFUSED: usize = 10;
const UNKNOWN: usize = 5;

fn address(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

fn office() -> Option<IpAddr> {
    address("192.0.2.1")
}

/// Few enough unknown sessions for a test.
fn strict() -> App {
    App::with_policy(policy().guess_limit(GuessLimit::PerClient {
        refused: NonZeroU32::new(10).unwrap(),
        unknown: NonZeroU32::new(5).unwrap(),
    }))
}

fn open(app: &App, browser: &Browser, address: Option<IpAddr>) -> Opened {
    app.sessions.open_from(&browser.request(), address)
}

fn guess(app: &App, cookie: &Browser, address: Option<IpAddr>) -> Result<(), TooManyGuesses> {
    open(app, cookie, address).check_guesses()
}

/// A cookie with the form of ours, and the key id of this application, which nobody signed.
async fn forged(app: &App) -> Browser {
    let genuine = app.visitor().await;
    let (start, end) = genuine.value().split_at(60);
    let flipped = if end.starts_with('A') { 'B' } else { 'A' };
    Browser::with_cookie(NAME, &format!("{start}{flipped}{}", &end[1..]))
}

/// The status that a handler sees, or why there is none.
async fn status(app: &App, browser: &Browser, address: Option<IpAddr>) -> Result<Status, LoadError> {
    Ok(open(app, browser, address).load().await?.status())
}

/// A browser whose session another device ended.
async fn ended(app: &App) -> Browser {
    let browser = app.visitor().await;
    let id = app.id(&browser).await;
    app.store.inner().remove(id).await.unwrap();
    browser
}

#[tokio::test]
async fn refused_cookies_past_the_budget_are_refused_before_anything_is_asked_of_the_store() {
    let app = App::new();
    let forged = forged(&app).await;
    let malformed = Browser::with_cookie(NAME, "garbage");
    app.store.reset_counts();
    app.events.clear();
    for turn in 0..REFUSED {
        let cookie = if turn % 2 == 0 { &forged } else { &malformed };
        assert_eq!(guess(&app, cookie, office()), Ok(()));
    }
    for cookie in [&forged, &malformed] {
        let opened = open(&app, cookie, office());
        let refusal = opened.check_guesses().unwrap_err();
        assert_eq!(refusal.retry_after(), 6 * SECOND);
        let error = opened.load().await.unwrap_err();
        assert!(matches!(error, LoadError::TooManyGuesses(same) if same == refusal));
    }
    assert_eq!(app.store.total_calls(), 0);
}

#[tokio::test]
async fn a_browser_with_a_dead_cookie_is_rid_of_it_by_the_refusal() {
    let app = App::new();
    let mut browser = forged(&app).await;
    for _ in 0..REFUSED {
        assert_eq!(guess(&app, &browser, office()), Ok(()));
    }
    let opened = open(&app, &browser, office());
    opened.check_guesses().unwrap_err();
    browser
        .receive(&response(opened.outgoing_after_refusal()))
        .removal();
    let opened = open(&app, &browser, office());
    assert_eq!(opened.check_guesses(), Ok(()));
    assert!(!opened.outgoing_after_refusal().sets_cookie());
    opened.load().await.unwrap();
}

#[tokio::test]
async fn guesses_come_back_with_time() {
    let app = App::new();
    let forged = forged(&app).await;
    for _ in 0..3 {
        for _ in 0..REFUSED {
            assert_eq!(guess(&app, &forged, office()), Ok(()));
        }
        guess(&app, &forged, office()).unwrap_err();
        app.clock.advance(6 * SECOND - MILLISECOND);
        let refusal = guess(&app, &forged, office()).unwrap_err();
        assert_eq!(refusal.retry_after(), SECOND);
        app.clock.advance(MILLISECOND);
        assert_eq!(guess(&app, &forged, office()), Ok(()));
        guess(&app, &forged, office()).unwrap_err();
        app.clock.advance(MINUTE);
    }
}

#[tokio::test]
async fn genuine_cookies_and_none_are_served_beside_a_guesser_at_the_same_address() {
    let app = App::new();
    let (forged, genuine) = (forged(&app).await, app.signed_in("ada").await);
    let elsewhere = app.beside(policy(), keyring());
    for _ in 0..10 * REFUSED {
        let _ = guess(&app, &forged, office());
        let _ = guess(&elsewhere, &forged, office());
    }
    assert_eq!(status(&app, &genuine, office()).await.unwrap(), Status::Loaded);
    // Of an instance that has never seen it.
    assert_eq!(
        status(&elsewhere, &genuine, office()).await.unwrap(),
        Status::Loaded
    );
    let newcomer = status(&app, &Browser::new(), office()).await.unwrap();
    assert_eq!(newcomer, Status::Absent(Absence::NoCookie));
}

#[tokio::test]
async fn a_planted_cookie_beside_a_genuine_one_counts_nothing() {
    let app = App::new();
    let (forged, genuine) = (forged(&app).await, app.visitor().await);
    let mut request = forged.request();
    request.append(
        http::header::COOKIE,
        header(&format!("{NAME}={}", genuine.value())),
    );
    for _ in 0..3 * REFUSED {
        let opened = app.sessions.open_from(&request, office());
        assert_eq!(opened.check_guesses(), Ok(()));
        assert_eq!(opened.load().await.unwrap().status(), Status::Loaded);
    }
}

#[tokio::test]
async fn the_budget_is_a_networks() {
    let app = App::new();
    let forged = forged(&app).await;
    let exhaust = |address: &str| {
        let address = self::address(address);
        while guess(&app, &forged, address).is_ok() {}
    };
    exhaust("2001:db8:0:1::1");
    guess(&app, &forged, address("2001:db8:0:1:ffff:ffff:ffff:ffff")).unwrap_err();
    assert_eq!(guess(&app, &forged, address("2001:db8:0:2::1")), Ok(()));
    exhaust("::ffff:198.51.100.7");
    guess(&app, &forged, address("198.51.100.7")).unwrap_err();
    assert_eq!(guess(&app, &forged, address("198.51.100.8")), Ok(()));
}

#[tokio::test]
async fn of_a_flood_the_guesses_within_the_budget_are_told_and_the_limit_once_a_minute() {
    let app = App::new();
    let forged = forged(&app).await;
    app.events.clear();
    for _ in 0..1_000 {
        let _ = guess(&app, &forged, office());
    }
    let mut expected = vec![EventKind::CookieRefused(Refusal::Forged); REFUSED];
    expected.push(EventKind::GuessLimitReached(GuessedCookie::Refused));
    assert_eq!(app.events.kinds(), expected);
    assert_eq!(app.events.names().last(), Some(&"excess_rate_limit_exceeded"));

    app.events.clear();
    for _ in 0..1_000 {
        app.clock.advance(59 * MILLISECOND);
        let _ = guess(&app, &forged, office());
    }
    let told = app.events.kinds();
    let limit = EventKind::GuessLimitReached(GuessedCookie::Refused);
    assert_eq!(told.iter().filter(|kind| **kind == limit).count(), 0);
    assert_eq!(told.len(), 9, "those for which there was budget again");

    app.clock.advance(SECOND);
    app.events.clear();
    while guess(&app, &forged, office()).is_ok() {}
    assert_eq!(app.events.kinds().last(), Some(&limit));
}

#[tokio::test]
async fn the_event_has_the_address_only_if_the_policy_keeps_addresses() {
    for keeps in [false, true] {
        let app = App::with_policy(policy().record_client_address(keeps));
        let mut forged = forged(&app).await;
        forged.user_agent = Some("guesser/1.0".to_owned());
        while guess(&app, &forged, office()).is_ok() {}
        let client = app.events.take().pop().unwrap().client.unwrap();
        assert_eq!(client.user_agent(), Some("guesser/1.0"));
        assert_eq!(client.address(), office().filter(|_| keeps));
    }
}

#[tokio::test]
async fn an_address_that_the_limit_needs_is_not_kept_with_the_session() {
    let app = App::new();
    let browser = app.visitor().await;
    let restarted = app.beside(policy(), keyring());
    let opened = open(&restarted, &browser, office());
    opened.load().await.unwrap().sign_in("ada").unwrap();
    response(restarted.sessions.commit(&opened).await.unwrap());
    let sessions = app
        .sessions
        .of(Owner::new("ada").unwrap())
        .list(None)
        .await
        .unwrap();
    assert_eq!(sessions[0].device.address(), None);
}

#[tokio::test]
async fn where_no_address_is_known_nobody_is_shut_out_and_the_log_is_not_flooded() {
    let app = App::new();
    let forged = forged(&app).await;
    app.events.clear();
    for _ in 0..1_000 {
        assert_eq!(guess(&app, &forged, None), Ok(()));
    }
    assert_eq!(
        app.events.kinds(),
        [EventKind::CookieRefused(Refusal::Forged); REFUSED]
    );
    let strict = strict();
    for _ in 0..3 * UNKNOWN {
        let ended = ended(&strict).await;
        assert_eq!(
            status(&strict, &ended, None).await.unwrap(),
            Status::Absent(Absence::Refused(Refusal::Unknown))
        );
    }
}

#[tokio::test]
async fn without_a_limit_every_guess_is_looked_at() {
    let app = App::with_policy(policy().guess_limit(GuessLimit::Unlimited));
    let (forged, ended) = (forged(&app).await, ended(&app).await);
    app.store.reset_counts();
    for _ in 0..1_000 {
        assert_eq!(guess(&app, &forged, office()), Ok(()));
        status(&app, &ended, office()).await.unwrap();
    }
    assert_eq!(app.store.calls(Operation::Load), 1_000);
}

#[tokio::test]
async fn unknown_sessions_past_the_budget_are_not_looked_up() {
    let app = strict();
    let mut guesses = Vec::new();
    for _ in 0..2 * UNKNOWN {
        guesses.push(ended(&app).await);
    }
    // An instance that has issued none of them.
    let app = app.beside(app.sessions.policy().clone(), keyring());
    app.store.reset_counts();
    app.events.clear();
    let (within, past) = guesses.split_at(UNKNOWN);
    for guess in within {
        let unknown = Status::Absent(Absence::Refused(Refusal::Unknown));
        assert_eq!(status(&app, guess, office()).await.unwrap(), unknown);
    }
    for guess in past {
        let error = status(&app, guess, office()).await.unwrap_err();
        let LoadError::TooManyGuesses(refusal) = error else {
            panic!("a refusal was expected, not {error}");
        };
        assert_eq!(refusal.retry_after(), 12 * SECOND);
    }
    assert_eq!(app.store.total_calls(), UNKNOWN as u64);
    let mut expected = vec![EventKind::CookieRefused(Refusal::Unknown); UNKNOWN];
    expected.push(EventKind::GuessLimitReached(GuessedCookie::Unknown));
    assert_eq!(app.events.kinds(), expected);

    status(&app, &past[0], address("192.0.2.2")).await.unwrap();
    app.clock.advance(12 * SECOND);
    status(&app, &past[1], office()).await.unwrap();
    status(&app, &past[2], office()).await.unwrap_err();
}

#[tokio::test]
async fn a_cookie_that_is_not_looked_up_stays_in_the_browser_for_it_may_be_a_live_sessions() {
    let app = strict();
    let mut live = app.visitor().await;
    let mut guesses = Vec::new();
    for _ in 0..UNKNOWN {
        guesses.push(ended(&app).await);
    }
    let app = app.beside(app.sessions.policy().clone(), keyring());
    for guess in &guesses {
        status(&app, guess, office()).await.unwrap();
    }
    let opened = open(&app, &live, office());
    opened.load().await.unwrap_err();
    assert_eq!(app.answer(&opened, &mut live).await, SentCookie::None);
    app.clock.advance(12 * SECOND);
    assert_eq!(status(&app, &live, office()).await.unwrap(), Status::Loaded);
}

#[tokio::test]
async fn sessions_that_were_seen_alive_are_served_beside_a_guesser_who_knows_the_secret() {
    let app = strict();
    let (looked_up, mut newly_issued) = (app.visitor().await, Browser::new());
    let mut guesses = Vec::new();
    for _ in 0..2 * UNKNOWN {
        guesses.push(ended(&app).await);
    }
    let app = app.beside(app.sessions.policy().clone(), keyring());
    status(&app, &looked_up, office()).await.unwrap();
    app.visit(&mut newly_issued, |session| session.insert(COUNT, &1).unwrap())
        .await;
    for guess in &guesses {
        let _ = status(&app, guess, office()).await;
    }
    for browser in [&looked_up, &newly_issued] {
        assert_eq!(status(&app, browser, office()).await.unwrap(), Status::Loaded);
    }
    // A session whose secret is renewed meanwhile is seen alive with the new one.
    let opened = open(&app, &looked_up, office());
    opened.load().await.unwrap().renew();
    let mut renewed = looked_up.clone();
    app.answer(&opened, &mut renewed).await;
    assert_eq!(status(&app, &renewed, office()).await.unwrap(), Status::Loaded);
}

#[tokio::test]
async fn a_dead_cookie_that_is_sent_again_costs_neither_look_up_nor_budget_nor_a_line() {
    let app = strict();
    let (dead, expired) = (ended(&app).await, app.visitor().await);
    app.clock.advance(30 * MINUTE);
    app.store.reset_counts();
    app.events.clear();
    for _ in 0..100 {
        assert_eq!(
            status(&app, &dead, office()).await.unwrap(),
            Status::Absent(Absence::Refused(Refusal::Unknown))
        );
        assert!(matches!(
            status(&app, &expired, office()).await.unwrap(),
            Status::Absent(Absence::Refused(Refusal::Expired(_)))
        ));
        let opened = open(&app, &dead, office());
        opened.load().await.unwrap();
        app.answer(&opened, &mut dead.clone()).await.removal();
    }
    assert_eq!(app.store.calls(Operation::Load), 2);
    assert_eq!(app.events.names().len(), 2);

    app.clock.advance(MINUTE);
    status(&app, &dead, office()).await.unwrap();
    assert_eq!(app.store.calls(Operation::Load), 3);
}

#[tokio::test]
async fn a_session_that_ends_is_not_taken_for_alive_any_more() {
    let app = strict();
    let browser = app.visitor().await;
    status(&app, &browser, office()).await.unwrap();
    assert!(app.sessions.revoke(app.id(&browser).await).await.unwrap());
    app.store.reset_counts();
    for _ in 0..10 {
        assert_eq!(
            status(&app, &browser, office()).await.unwrap(),
            Status::Absent(Absence::Refused(Refusal::Unknown))
        );
    }
    assert_eq!(app.store.calls(Operation::Load), 1);
}

#[tokio::test]
async fn a_failing_store_counts_as_nobodys_guess() {
    let app = strict();
    let browser = app.visitor().await;
    let app = app.beside(app.sessions.policy().clone(), keyring());
    for _ in 0..3 * UNKNOWN {
        app.store.fail(Operation::Load);
        let error = status(&app, &browser, office()).await.unwrap_err();
        assert!(matches!(error, LoadError::Store(_)), "{error}");
    }
    app.store.heal();
    assert_eq!(status(&app, &browser, office()).await.unwrap(), Status::Loaded);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_guesses_at_once_get_no_more_than_the_budget() {
    let app = std::sync::Arc::new(App::new());
    let forged = forged(&app).await;
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let (app, forged) = (std::sync::Arc::clone(&app), forged.clone());
            tokio::spawn(async move {
                (0..100)
                    .filter(|_| guess(&app, &forged, office()).is_ok())
                    .count()
            })
        })
        .collect();
    let mut within = 0;
    for task in tasks {
        within += task.await.unwrap();
    }
    assert_eq!(within, REFUSED);
}
