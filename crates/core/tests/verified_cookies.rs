//! A cookie that was verified before is not verified again. It must be as if it were.

mod common;

use std::num::NonZeroU32;

use common::*;
use tenure_core::{Absence, GuessLimit, KeyRole, Keyring, LiveKeyring, Refusal, Secret, Session, Status};

fn read(session: &Session) {
    let _ = session.get(COUNT).unwrap();
}

fn bearing(value: &str) -> Browser {
    Browser::with_cookie("__Host-session", value)
}

async fn status(app: &App, browser: &Browser) -> Status {
    app.load(browser).await.1.status()
}

/// An application whose keyring can be replaced, and a visitor whose cookie it has verified before.
async fn remembered() -> (App, LiveKeyring, Browser) {
    let keyring = LiveKeyring::new(keyring());
    let app = App::new().beside(policy(), keyring.clone());
    let mut browser = app.visitor().await;
    for _ in 0..3 {
        app.visit(&mut browser, read).await;
    }
    (app, keyring, browser)
}

#[tokio::test]
async fn once_its_key_has_left_the_keyring_it_is_refused() {
    let (app, keyring, browser) = remembered().await;
    keyring.replace(Keyring::new(Secret::new(OTHER_SECRET))).unwrap();
    assert!(matches!(
        status(&app, &browser).await,
        Status::Absent(Absence::Refused(_))
    ));
}

#[tokio::test]
async fn once_its_key_is_an_older_one_it_is_issued_anew() {
    let (app, keyring, mut browser) = remembered().await;
    let rotated = Keyring::new(Secret::new(OTHER_SECRET)).with_older(Secret::new(SECRET));
    keyring.replace(rotated).unwrap();
    for is_issued in [true, false, false] {
        let ((), sent) = app.visit_and_tell(&mut browser, read).await;
        assert_eq!(sent != SentCookie::None, is_issued);
    }
}

#[tokio::test]
async fn an_older_keys_cookie_is_issued_anew_however_often_it_comes() {
    let (app, keyring, browser) = remembered().await;
    keyring
        .replace(Keyring::new(Secret::new(OTHER_SECRET)).with_older(Secret::new(SECRET)))
        .unwrap();
    for _ in 0..3 {
        let ((), sent) = app.visit_and_tell(&mut browser.clone(), read).await;
        assert_ne!(sent, SentCookie::None);
    }
}

#[tokio::test]
async fn it_counts_as_verified_by_its_key() {
    let (app, keyring, mut browser) = remembered().await;
    let verified = || {
        let usage = keyring.usage();
        assert_eq!(usage[0].role, KeyRole::Current);
        usage[0].cookies_verified
    };
    let before = verified();
    app.visit(&mut browser, read).await;
    app.visit(&mut browser, |_| ()).await;
    assert_eq!(verified(), before + 2);
}

#[tokio::test]
async fn with_any_character_changed_it_is_refused() {
    let (app, _, browser) = remembered().await;
    let value = browser.value().to_owned();
    for at in 0..value.len() {
        let mut forged = value.clone().into_bytes();
        forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
        let forger = bearing(&String::from_utf8(forged).unwrap());
        let status = status(&app, &forger).await;
        assert!(
            matches!(status, Status::Absent(Absence::Refused(_))),
            "{at}: {status:?}"
        );
    }
    assert_eq!(status(&app, &browser).await, Status::Loaded);
}

#[tokio::test]
async fn a_forged_one_is_never_taken_for_verified_however_often_it_comes() {
    let (app, _, browser) = remembered().await;
    let (first, rest) = browser.value().split_at(20);
    let forger = bearing(&format!("{first}{}", rest.replacen(|_| true, "_", 1)));
    assert_ne!(forger.value(), browser.value());
    for _ in 0..5 {
        let refused = status(&app, &forger).await;
        assert!(matches!(
            refused,
            Status::Absent(Absence::Refused(Refusal::Forged | Refusal::Malformed))
        ));
    }
}

#[tokio::test]
async fn once_it_opens_nothing_it_counts_as_a_guess_like_any_other() {
    let few = GuessLimit::PerClient {
        refused: NonZeroU32::MIN,
        unknown: NonZeroU32::new(3).unwrap(),
    };
    let app = App::with_policy(policy().guess_limit(few));
    let mut browser = app.visitor().await;
    let left_behind = browser.clone();
    for _ in 0..3 {
        app.visit(&mut left_behind.clone(), read).await;
    }
    app.visit(&mut browser, Session::renew).await;
    let office = "192.0.2.1".parse().ok();
    let mut refused = 0;
    for _ in 0..10 {
        let opened = app.sessions.open_from(&left_behind.request(), office);
        refused += u32::from(opened.load().await.is_err());
    }
    assert!((6..=7).contains(&refused), "{refused}");
}

#[tokio::test]
async fn it_opens_nothing_once_its_session_has_ended_or_was_renewed() {
    let (app, _, browser) = remembered().await;
    let mut renewing = browser.clone();
    app.visit(&mut renewing, Session::renew).await;
    assert_eq!(status(&app, &browser).await, Status::Absent(Absence::Superseded));
    assert_eq!(status(&app, &renewing).await, Status::Loaded);
    app.visit(&mut renewing.clone(), Session::sign_out).await;
    let gone = Status::Absent(Absence::Refused(Refusal::Unknown));
    for _ in 0..2 {
        assert_eq!(status(&app, &renewing).await, gone);
    }
}
