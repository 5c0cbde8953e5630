//! What a page is told about time, and the one request that always slides the idle deadline.

mod common;

use common::*;
use tenure_core::{Deadlines, Keyring, Lifetime, NoSession, ReportedSession, Secret, Session, StatusReport};

fn deadlines(session: &Session) -> Deadlines {
    match StatusReport::of(session).session {
        ReportedSession::Live { deadlines, .. } => deadlines,
        ReportedSession::None(reason) => panic!("no session: {reason:?}"),
    }
}

async fn reason(app: &App, browser: &Browser) -> NoSession {
    match StatusReport::of(&app.open(browser).peek().await.unwrap()).session {
        ReportedSession::None(reason) => reason,
        live @ ReportedSession::Live { .. } => panic!("{live:?}"),
    }
}

#[tokio::test]
async fn a_report_tells_the_servers_time_both_deadlines_and_who_is_signed_in() {
    let app = App::new();
    let browser = app.signed_in("ada").await;
    let began = app.now();
    app.clock.advance(MINUTE);
    let report = StatusReport::of(&app.open(&browser).peek().await.unwrap());
    assert_eq!(report.now, began.plus(MINUTE));
    let ReportedSession::Live {
        deadlines,
        idle_timeout,
        lifetime,
        user,
    } = report.session
    else {
        panic!("{report:?}");
    };
    assert_eq!(deadlines.idle, began.plus(30 * MINUTE));
    assert_eq!(deadlines.absolute, began.plus(12 * HOUR));
    assert_eq!((idle_timeout, lifetime), (30 * MINUTE, Lifetime::Standard));
    assert!(user.is_some_and(|mark| !mark.contains("ada")));

    let anonymous = app.visitor().await;
    let json = StatusReport::of(&app.open(&anonymous).peek().await.unwrap()).to_json();
    assert!(json.contains(r#""signed_in":false"#), "{json}");
}

#[tokio::test]
async fn asking_slides_nothing_however_often() {
    let app = App::new();
    let browser = app.visitor().await;
    let began = app.now();
    for _ in 0..29 {
        app.clock.advance(MINUTE);
        let session = app.open(&browser).peek().await.unwrap();
        assert_eq!(deadlines(&session).idle, began.plus(30 * MINUTE));
    }
    app.clock.advance(MINUTE);
    assert_eq!(reason(&app, &browser).await, NoSession::IdleTimeout);
}

#[tokio::test]
async fn extending_slides_in_the_store_even_within_the_touch_interval() {
    let app = App::new();
    let browser = app.visitor().await;
    let id = app.id(&browser).await;
    app.clock.advance(SECOND);
    let (_, loaded) = app.load(&browser).await;
    assert_eq!(
        deadlines(&loaded).idle,
        app.now().plus(30 * MINUTE - SECOND),
        "an ordinary request so soon writes nothing"
    );

    let extended = app.open(&browser).extend().await.unwrap();
    let expected = app.now().plus(30 * MINUTE);
    assert_eq!(deadlines(&extended).idle, expected);
    assert_eq!(app.record(id).await.unwrap().deadlines().idle, expected);
}

#[tokio::test]
async fn extending_slides_even_after_something_in_the_same_request_has_loaded_the_session() {
    let app = App::new();
    let browser = app.visitor().await;
    let id = app.id(&browser).await;
    app.clock.advance(SECOND);
    let (opened, session) = app.load(&browser).await;
    session.insert(LEFT, &"kept".to_owned()).unwrap();
    let extended = opened.extend().await.unwrap();
    assert_eq!(deadlines(&extended).idle, app.now().plus(30 * MINUTE));
    app.answer(&opened, &mut browser.clone()).await;
    assert_eq!(
        app.record(id).await.unwrap().deadlines().idle,
        app.now().plus(30 * MINUTE)
    );
    let left = app.load(&browser).await.1.get(LEFT).unwrap();
    assert_eq!(left.as_deref(), Some("kept"));
}

#[tokio::test]
async fn extending_moves_no_absolute_deadline_and_revives_nothing() {
    let app = App::new();
    let browser = app.visitor().await;
    let ends = app.now().plus(12 * HOUR);
    for _ in 0..35 {
        app.clock.advance(20 * MINUTE);
        let extended = app.open(&browser).extend().await.unwrap();
        assert_eq!(deadlines(&extended).absolute, ends);
    }
    app.clock.advance(20 * MINUTE);
    let late = app.open(&browser).extend().await.unwrap();
    assert_eq!(
        StatusReport::of(&late).session,
        ReportedSession::None(NoSession::AbsoluteTimeout)
    );
}

#[tokio::test]
async fn every_end_has_its_reason() {
    let app = App::new();
    assert_eq!(reason(&app, &Browser::new()).await, NoSession::NoCookie);

    let browser = app.signed_in("ada").await;
    let session = app.open(&browser).peek().await.unwrap();
    session.sign_out();
    assert_eq!(
        StatusReport::of(&session).session,
        ReportedSession::None(NoSession::SignedOut)
    );

    app.sessions.revoke(app.id(&browser).await).await.unwrap();
    assert_eq!(reason(&app, &browser).await, NoSession::Ended);
}

#[tokio::test]
async fn a_request_that_crosses_a_renewal_is_told_to_ask_again() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let crossing = browser.clone();
    app.visit(&mut browser, Session::renew).await;
    assert_eq!(reason(&app, &crossing).await, NoSession::Undecided);
}

#[tokio::test]
async fn extending_a_session_of_an_older_key_gives_the_cookie_of_the_new_one() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let rotated = Keyring::new(Secret::new(OTHER_SECRET)).with_older(Secret::new(SECRET));
    let rotated = app.beside(policy(), rotated);
    let opened = rotated.open(&browser);
    opened.extend().await.unwrap();
    rotated.answer(&opened, &mut browser).await.new_cookie();
}
