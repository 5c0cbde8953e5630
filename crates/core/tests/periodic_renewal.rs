//! New secrets by themselves, in two phases: nobody is signed out by a lost response, and a copied cookie is found.

mod common;

use common::*;
use tenure_core::store::Operation;
use tenure_core::{Absence, EventKind, Keyring, Policy, Refusal, Secret, Session, Status};

const INTERVAL: std::time::Duration = HOUR;
const GRACE: std::time::Duration = MINUTE;

fn renewing() -> Policy {
    policy()
        .renew_every(Some(INTERVAL))
        .renewal_grace(GRACE)
        .idle_timeout(4 * HOUR)
}

fn app() -> App {
    App::with_policy(renewing())
}

fn read(session: &Session) {
    let _ = session.get(COUNT).unwrap();
}

/// A signed-in browser whose session's secret is due for renewal.
async fn due(app: &App) -> Browser {
    let browser = app.signed_in("ada").await;
    app.clock.advance(INTERVAL);
    browser
}

/// The browser's next visit, which is that of the session's owner.
async fn is_ada(app: &App, browser: &mut Browser) -> SentCookie {
    let (owner, sent) = app.visit_and_tell(browser, Session::owner).await;
    assert_eq!(owner.as_ref().map(tenure_core::Owner::as_str), Some("ada"));
    sent
}

#[tokio::test]
async fn an_active_session_gets_a_new_secret_when_the_interval_has_passed() {
    let app = app();
    let mut browser = app.signed_in("ada").await;
    let before = browser.clone();
    app.clock.advance(INTERVAL - MILLISECOND);
    assert_eq!(is_ada(&app, &mut browser).await, SentCookie::None);
    app.clock.advance(MILLISECOND);
    app.events.clear();
    is_ada(&app, &mut browser).await.new_cookie();
    assert_ne!(browser, before);
    assert_eq!(app.events.kinds(), [EventKind::Renewed]);
    assert_eq!(app.id(&browser).await, app.id(&before).await);
    assert_eq!(app.count(&browser).await, Some(1));
}

#[tokio::test]
async fn nothing_is_renewed_without_an_interval_or_without_activity() {
    let app = App::with_policy(renewing().renew_every(None));
    let mut browser = due(&app).await;
    assert_eq!(is_ada(&app, &mut browser).await, SentCookie::None);

    let app = self::app();
    let mut browser = due(&app).await;
    let opened = app.open(&browser);
    opened.peek().await.unwrap();
    assert_eq!(app.answer(&opened, &mut browser).await, SentCookie::None);
    let untouched = app.open(&browser);
    assert_eq!(app.answer(&untouched, &mut browser).await, SentCookie::None);
}

#[tokio::test]
async fn a_look_before_the_load_keeps_nothing_from_being_renewed() {
    let app = app();
    let mut browser = due(&app).await;
    let opened = app.open(&browser);
    opened.peek().await.unwrap();
    opened.load().await.unwrap();
    app.answer(&opened, &mut browser).await.new_cookie();
    assert_eq!(is_ada(&app, &mut browser).await, SentCookie::None);
}

#[tokio::test]
async fn a_lost_response_signs_nobody_out_however_late_the_next_request_comes() {
    let app = app();
    let mut browser = due(&app).await;
    is_ada(&app, &mut browser.clone()).await.new_cookie();
    app.clock.advance(2 * HOUR);
    is_ada(&app, &mut browser.clone()).await.new_cookie();
    app.clock.advance(2 * HOUR);
    is_ada(&app, &mut browser).await.new_cookie();
    assert_eq!(is_ada(&app, &mut browser).await, SentCookie::None);
}

#[tokio::test]
async fn every_request_with_the_old_secret_gets_the_same_successor() {
    let app = app();
    let browser = due(&app).await;
    let mut tabs: Vec<_> = (0..5).map(|_| browser.clone()).collect();
    for tab in &mut tabs {
        is_ada(&app, tab).await.new_cookie();
    }
    assert!(tabs.iter().all(|tab| *tab == tabs[0]));
}

#[tokio::test]
async fn requests_at_once_renew_once_and_none_loses_its_writes() {
    let app = app();
    let mut browser = due(&app).await;
    let (left, left_session) = app.load(&browser).await;
    let (right, right_session) = app.load(&browser).await;
    left_session.insert(LEFT, &"left".to_owned()).unwrap();
    right_session.insert(RIGHT, &"right".to_owned()).unwrap();
    let first = app.answer(&left, &mut browser).await.new_cookie();
    let second = app.answer(&right, &mut browser).await.new_cookie();
    assert_eq!(first.value, second.value);
    app.visit(&mut browser, |session| {
        assert_eq!(session.get(LEFT).unwrap().as_deref(), Some("left"));
        assert_eq!(session.get(RIGHT).unwrap().as_deref(), Some("right"));
    })
    .await;
}

#[tokio::test]
async fn the_old_secret_stays_good_until_the_new_one_was_used_twice_a_grace_apart() {
    let app = app();
    let old = due(&app).await;
    let mut browser = old.clone();
    is_ada(&app, &mut browser).await;
    is_ada(&app, &mut old.clone()).await;
    is_ada(&app, &mut browser).await;
    app.clock.advance(GRACE - MILLISECOND);
    is_ada(&app, &mut browser).await;
    is_ada(&app, &mut old.clone()).await.new_cookie();
    is_ada(&app, &mut browser).await;
    app.clock.advance(GRACE);
    is_ada(&app, &mut browser).await;

    app.events.clear();
    let (owner, sent) = app.visit_and_tell(&mut old.clone(), Session::owner).await;
    assert_eq!(owner, None);
    sent.removal();
    assert_eq!(app.events.kinds(), [EventKind::TokenReused]);
}

#[tokio::test]
async fn a_browser_that_crashed_right_after_the_first_use_comes_back_with_its_old_cookie() {
    let app = app();
    let on_disk = due(&app).await;
    let mut browser = on_disk.clone();
    is_ada(&app, &mut browser).await;
    is_ada(&app, &mut browser).await;
    // It crashes, and is started again hours later with the cookies of before.
    app.clock.advance(3 * HOUR);
    let mut browser = on_disk;
    is_ada(&app, &mut browser).await.new_cookie();
    is_ada(&app, &mut browser).await;
}

/// A thief's copy that has retired, and the browser it was copied from.
async fn robbed(app: &App) -> (Browser, Browser) {
    let thief = due(app).await;
    let mut browser = thief.clone();
    is_ada(app, &mut browser).await;
    is_ada(app, &mut browser).await;
    app.clock.advance(GRACE);
    is_ada(app, &mut browser).await;
    (thief, browser)
}

#[tokio::test]
async fn a_retired_secret_ends_the_session_for_thief_and_owner_and_tells_both_devices() {
    let app = app();
    let (mut thief, mut browser) = robbed(&app).await;
    let id = app.id(&browser).await;
    thief.user_agent = Some("curl/8".to_owned());
    app.events.clear();
    let (opened, session) = app.load(&thief).await;
    assert_eq!(
        session.status(),
        Status::Absent(Absence::Refused(Refusal::Retired))
    );
    app.answer(&opened, &mut thief).await.removal();
    let events = app.events.take();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].kind, EventKind::TokenReused);
    assert_eq!(events[0].kind.name(), "authn_token_reuse");
    assert_eq!(events[0].session, Some(id));
    assert_eq!(events[0].owner.as_ref().unwrap().as_str(), "ada");
    assert!(events[0].device.is_some());
    let client = events[0].client.as_ref().unwrap();
    assert_eq!(client.user_agent(), Some("curl/8"));

    assert_eq!(app.record(id).await, None);
    let (owner, sent) = app.visit_and_tell(&mut browser, Session::owner).await;
    assert_eq!(owner, None);
    sent.removal();
}

#[tokio::test]
async fn a_much_older_secret_is_a_theft_too_even_while_a_renewal_goes_on() {
    let app = app();
    let (thief, mut browser) = robbed(&app).await;
    app.clock.advance(INTERVAL);
    is_ada(&app, &mut browser).await.new_cookie();
    app.events.clear();
    app.visit(&mut thief.clone(), read).await;
    assert_eq!(app.events.kinds(), [EventKind::TokenReused]);
}

#[tokio::test]
async fn a_look_with_a_retired_secret_is_a_theft_too() {
    let app = app();
    let (thief, _) = robbed(&app).await;
    app.events.clear();
    app.open(&thief).peek().await.unwrap();
    assert_eq!(app.events.kinds(), [EventKind::TokenReused]);
}

#[tokio::test]
async fn a_theft_that_the_store_cannot_end_is_an_error_and_found_again() {
    let app = app();
    let (thief, browser) = robbed(&app).await;
    app.store.fail(Operation::Remove);
    assert!(app.open(&thief).load().await.is_err());
    app.store.heal();
    app.events.clear();
    app.visit(&mut thief.clone(), read).await;
    assert_eq!(app.events.kinds(), [EventKind::TokenReused]);
    assert_eq!(app.owner(&browser).await, None);
}

#[tokio::test]
async fn a_cookie_from_before_the_sign_in_proves_no_theft() {
    let app = app();
    let planted = app.visitor().await;
    let mut browser = planted.clone();
    app.visit(&mut browser, |session| session.sign_in("ada").unwrap())
        .await;
    for _ in 0..2 {
        app.clock.advance(INTERVAL);
        is_ada(&app, &mut browser).await.new_cookie();
        is_ada(&app, &mut browser).await;
        app.clock.advance(GRACE);
        is_ada(&app, &mut browser).await;
        app.events.clear();
        let (owner, sent) = app.visit_and_tell(&mut planted.clone(), Session::owner).await;
        assert_eq!((owner, sent), (None, SentCookie::None));
        assert_eq!(app.events.kinds(), [EventKind::CookieSuperseded]);
    }
    is_ada(&app, &mut browser).await;
}

#[tokio::test]
async fn an_immediate_renewal_in_the_middle_of_a_periodic_one_leaves_neither_old_secret_good() {
    let app = app();
    let first = due(&app).await;
    let mut second = first.clone();
    is_ada(&app, &mut second).await;
    let mut browser = second.clone();
    app.visit(&mut browser, Session::renew).await;
    for old in [first, second] {
        app.events.clear();
        assert_eq!(app.owner(&old).await, None);
        assert_eq!(app.events.kinds(), [EventKind::CookieSuperseded]);
    }
    is_ada(&app, &mut browser).await;
}

#[tokio::test]
async fn a_sign_out_with_either_secret_ends_the_session() {
    for with_old in [true, false] {
        let app = app();
        let old = due(&app).await;
        let mut new = old.clone();
        is_ada(&app, &mut new).await;
        let mut leaving = if with_old { old } else { new.clone() };
        app.visit(&mut leaving, Session::sign_out).await;
        assert_eq!(app.owner(&new).await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_write_fails_no_request_and_the_next_one_renews() {
    for hang in [true, false] {
        let app = app();
        let mut browser = due(&app).await;
        if hang {
            app.store.hang(Operation::Update);
        } else {
            app.store.fail(Operation::Update);
        }
        let before = browser.clone();
        assert_eq!(is_ada(&app, &mut browser).await, SentCookie::None);
        assert_eq!(browser, before);
        app.store.heal();
        is_ada(&app, &mut browser).await.new_cookie();
        is_ada(&app, &mut browser).await;
    }
}

#[tokio::test]
async fn an_acknowledgement_of_the_offer_that_is_lost_signs_nobody_out() {
    let app = app();
    let mut browser = due(&app).await;
    app.store.fail_after(Operation::Update);
    assert_eq!(is_ada(&app, &mut browser).await, SentCookie::None);
    app.store.heal();
    is_ada(&app, &mut browser).await.new_cookie();
    is_ada(&app, &mut browser).await;
}

#[tokio::test]
async fn who_bears_the_old_secret_keeps_the_session_alive_while_it_is_good() {
    let app = app();
    let browser = due(&app).await;
    is_ada(&app, &mut browser.clone()).await;
    for _ in 0..3 {
        app.clock.advance(3 * HOUR);
        is_ada(&app, &mut browser.clone()).await;
    }
}

#[tokio::test]
async fn a_renewal_survives_a_rotation_of_the_key() {
    let app = app();
    let old = due(&app).await;
    let mut browser = old.clone();
    is_ada(&app, &mut browser).await;
    let rotated = app.beside(
        renewing(),
        Keyring::new(Secret::new(OTHER_SECRET)).with_older(Secret::new(SECRET)),
    );
    let mut lost = old.clone();
    is_ada(&rotated, &mut lost).await.new_cookie();
    is_ada(&rotated, &mut lost).await;
    is_ada(&rotated, &mut browser).await;
    let only_new = app.beside(renewing(), Keyring::new(Secret::new(OTHER_SECRET)));
    is_ada(&only_new, &mut browser).await;
}

#[tokio::test]
async fn a_full_renewal_costs_three_writes_and_a_visit_between_costs_none() {
    let app = app();
    let mut browser = due(&app).await;
    app.store.reset_counts();
    for _ in 0..5 {
        is_ada(&app, &mut browser).await;
    }
    app.clock.advance(GRACE);
    for _ in 0..5 {
        is_ada(&app, &mut browser).await;
    }
    assert_eq!(app.store.calls(Operation::Update), 3);
    assert_eq!(app.store.calls(Operation::Load), 10);
}

#[tokio::test]
async fn a_renewal_that_cannot_be_written_takes_no_cookie_away_that_the_handler_made_necessary() {
    let app = app();
    let mut browser = due(&app).await;
    let (opened, session) = app.load(&browser).await;
    session.remember();
    session.save().await.unwrap();
    app.store.fail(Operation::Update);
    let sent = app.answer(&opened, &mut browser).await.new_cookie();
    let remembered = 30 * DAY - INTERVAL;
    assert_eq!(sent.max_age, Some(remembered.as_secs()));
}
