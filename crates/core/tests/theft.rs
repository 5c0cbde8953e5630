//! Stolen cookies: what the periodic renewal finds, and that it never takes the owner for a thief.

mod common;

use common::*;
use tenure_core::store::Operation;
use tenure_core::{EventKind, Policy, Session};

const INTERVAL: std::time::Duration = HOUR;
const GRACE: std::time::Duration = MINUTE;

fn renewing() -> Policy {
    policy()
        .renew_every(Some(INTERVAL))
        .renewal_grace(GRACE)
        .idle_timeout(4 * HOUR)
}

/// A browser that was given a successor, used it once and crashed before it was on the disk; started again three
/// hours later with the predecessor.
async fn restored(app: &App) -> Browser {
    let on_disk = app.signed_in("ada").await;
    app.clock.advance(INTERVAL);
    let mut browser = on_disk.clone();
    is_ada(app, &mut browser).await;
    is_ada(app, &mut browser).await;
    app.clock.advance(3 * HOUR);
    app.events.clear();
    on_disk
}

async fn is_ada(app: &App, browser: &mut Browser) -> SentCookie {
    let (owner, sent) = app.visit_and_tell(browser, Session::owner).await;
    assert_eq!(owner.as_ref().map(tenure_core::Owner::as_str), Some("ada"));
    sent
}

#[tokio::test]
async fn a_restored_browser_with_slow_parallel_requests_is_no_thief() {
    let app = App::with_policy(renewing());
    let mut browser = restored(&app).await;
    let mut slow = browser.clone();
    is_ada(&app, &mut browser).await.new_cookie();
    is_ada(&app, &mut browser).await;
    app.clock.advance(20 * SECOND);
    is_ada(&app, &mut slow).await;
    assert!(!app.events.kinds().contains(&EventKind::TokenReused));
}

#[tokio::test]
async fn a_browser_that_crashes_again_right_after_it_was_restored_is_no_thief() {
    let app = App::with_policy(renewing());
    let on_disk = restored(&app).await;
    for _ in 0..3 {
        let mut browser = on_disk.clone();
        is_ada(&app, &mut browser).await.new_cookie();
        is_ada(&app, &mut browser).await;
        app.clock.advance(30 * SECOND);
        is_ada(&app, &mut browser).await;
    }
    is_ada(&app, &mut on_disk.clone()).await;
    assert!(!app.events.kinds().contains(&EventKind::TokenReused));
}

#[tokio::test]
async fn a_copy_of_the_predecessor_that_is_used_again_and_again_puts_off_its_end_a_few_times_only() {
    let app = App::with_policy(renewing());
    let thief = app.signed_in("ada").await;
    app.clock.advance(INTERVAL);
    let mut browser = thief.clone();
    app.events.clear();
    let mut uses = 0;
    while !app.events.kinds().contains(&EventKind::TokenReused) {
        is_ada(&app, &mut browser).await;
        app.clock.advance(GRACE / 2);
        app.visit(&mut thief.clone(), |_| ()).await;
        uses += 1;
    }
    assert_eq!(uses, 11);
    assert_eq!(app.owner(&browser).await, None);
}

#[tokio::test]
async fn a_thief_who_takes_every_successor_is_not_found() {
    let app = App::with_policy(renewing());
    let mut browser = app.signed_in("ada").await;
    let mut thief = browser.clone();
    for _ in 0..5 {
        app.clock.advance(INTERVAL);
        is_ada(&app, &mut browser).await;
        is_ada(&app, &mut thief).await.new_cookie();
        is_ada(&app, &mut browser).await;
        app.clock.advance(GRACE);
        is_ada(&app, &mut browser).await;
        is_ada(&app, &mut thief).await;
    }
    assert!(!app.events.kinds().contains(&EventKind::TokenReused));
}

#[tokio::test]
async fn a_profile_from_an_old_backup_raises_the_alarm() {
    let app = App::with_policy(renewing());
    let backup = app.signed_in("ada").await;
    let mut browser = backup.clone();
    app.clock.advance(INTERVAL);
    for _ in 0..2 {
        is_ada(&app, &mut browser).await;
    }
    app.clock.advance(GRACE);
    is_ada(&app, &mut browser).await;
    assert_eq!(app.owner(&backup).await, None);
    assert!(app.events.kinds().contains(&EventKind::TokenReused));
}

#[tokio::test]
async fn a_successor_is_not_handed_on_before_it_is_on_record_that_the_predecessor_is_back() {
    let app = App::with_policy(renewing());
    let mut browser = restored(&app).await;
    let opened = app.open(&browser);
    opened.peek().await.unwrap();
    assert_eq!(app.answer(&opened, &mut browser).await, SentCookie::None);
    app.store.fail(Operation::Update);
    assert_eq!(is_ada(&app, &mut browser).await, SentCookie::None);
    let (opened, session) = app.load(&browser).await;
    session.insert(COUNT, &2).unwrap();
    assert!(app.sessions.commit(&opened).await.is_err());
    assert!(!opened.outgoing_after_failure().sets_cookie());
    app.store.heal();
    app.visit_and_tell(&mut browser, |session| session.insert(COUNT, &3).unwrap())
        .await
        .1
        .new_cookie();
    is_ada(&app, &mut browser).await;
}
