//! What is told of a session's life: each thing once, in order, and nothing secret.

mod common;

use common::*;
use tenure_core::{EventKind, Expiry, Key, Owner, Refusal, Session};

const NOTE: Key<String> = Key::new("note");
const CONFIDENTIAL: &str = "the launch is on tuesday";

#[tokio::test]
async fn a_life_is_told_event_by_event() {
    let app = App::new();
    let mut browser = Browser::new();
    let mut cookies = Vec::new();

    // Arrives, looks around, fills a cart.
    app.visit(&mut browser, |session| session.keys().len()).await;
    app.visit(&mut browser, |session| {
        session.insert(NOTE, &CONFIDENTIAL.to_owned()).unwrap();
    })
    .await;
    cookies.push(browser.value().to_owned());
    app.visit(&mut browser, |session| session.get(NOTE).unwrap())
        .await;
    // Signs in; a request of the other tab arrives late.
    let mut late = browser.clone();
    app.visit(&mut browser, |session| session.sign_in("ada").unwrap())
        .await;
    cookies.push(browser.value().to_owned());
    app.visit(&mut late, |session| session.insert(COUNT, &1).unwrap())
        .await;
    // Two tabs write at once.
    let (opened, session) = app.load(&browser).await;
    session.insert(COUNT, &2).unwrap();
    app.visit(&mut browser, |session| {
        session.insert(LEFT, &CONFIDENTIAL.to_owned()).unwrap();
    })
    .await;
    app.answer(&opened, &mut browser).await;
    // Changes the password.
    app.visit(&mut browser, Session::renew).await;
    cookies.push(browser.value().to_owned());
    // Signs out, while a request is under way; an old tab comes back.
    let old_tab = browser.clone();
    let (opened, session) = app.load(&browser).await;
    session.insert(COUNT, &3).unwrap();
    let mut signing_out = browser.clone();
    app.visit(&mut signing_out, Session::sign_out).await;
    app.answer(&opened, &mut browser).await;
    app.load(&old_tab).await;
    // Somebody guesses cookies.
    app.load(&Browser::with_cookie("__Host-session", "guess")).await;
    // A session that the application ends, one that an operator ends, one that nobody ends.
    let mut destroyed = app.visitor().await;
    app.visit(&mut destroyed, Session::destroy).await;
    app.signed_in("bob").await;
    app.sessions
        .of(Owner::new("bob").unwrap())
        .revoke_all()
        .await
        .unwrap();
    let forgotten = app.visitor().await;
    app.clock.advance(DAY);
    app.load(&forgotten).await;

    let events = app.events.take();
    let names: Vec<_> = events.iter().map(|event| event.kind.name()).collect();
    assert_eq!(
        names,
        [
            "session_created",
            "session_signed_in",
            "session_renewed",
            "session_cookie_superseded",
            "session_write_dropped",
            "session_conflict_replayed",
            "session_renewed",
            "session_signed_out",
            "session_write_dropped",
            "session_use_after_expire",
            "session_cookie_refused",
            "session_created",
            "session_destroyed",
            "session_created",
            "session_signed_in",
            "session_revoked",
            "session_created",
            "session_expired",
        ]
    );
    let expired = Refusal::Expired(Expiry::Absolute);
    assert_eq!(events.last().unwrap().kind, EventKind::CookieRefused(expired));

    let shown = format!("{events:?}");
    cookies.push(old_tab.value().to_owned());
    cookies.push(forgotten.value().to_owned());
    for secret in cookies
        .iter()
        .map(String::as_str)
        .chain([SECRET, "launch", "guess"])
    {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[tokio::test]
async fn an_event_says_when_and_whose() {
    let app = App::new();
    let mut browser = Browser::new();
    app.visit(&mut browser, |session| session.sign_in("ada").unwrap())
        .await;
    let id = app.id(&browser).await;
    app.clock.advance(MINUTE);
    app.visit(&mut browser, Session::sign_out).await;
    let ada = Some(Owner::new("ada").unwrap());
    for event in app.events.take() {
        assert_eq!((event.session, &event.owner), (Some(id), &ada), "{event:?}");
        let minutes = u32::from(event.kind == EventKind::SignedOut);
        assert_eq!(event.at.plus(MINUTE), app.now().plus(minutes * MINUTE));
    }
}

#[tokio::test]
async fn a_request_that_does_nothing_tells_nothing() {
    let app = App::new();
    let mut browser = app.visitor().await;
    app.events.clear();
    app.visit(&mut browser, |session| session.get(COUNT).unwrap())
        .await;
    app.visit(&mut browser, |session| session.insert(COUNT, &2).unwrap())
        .await;
    app.visit(&mut Browser::new(), |session| session.keys()).await;
    assert_eq!(app.events.names(), Vec::<&str>::new());
}
