//! Idle and absolute timeout, to the millisecond, on the virtual clock.

mod common;

use std::time::Duration;

use common::*;
use tenure_core::{
    CookieLifetime, Dropped, EventKind, Expiry, Keyring, Lifetime, Policy, Refusal, Saved, Secret, Session,
};

fn untouchable(policy: Policy) -> Policy {
    // Every request slides, so that the deadline is exact.
    policy.touch_interval(Duration::ZERO)
}

fn sign_in_remembered(session: &Session) {
    session.sign_in("ada").unwrap();
    session.remember();
}

fn sign_in(session: &Session) {
    session.sign_in("ada").unwrap();
}

async fn refusal(app: &App, browser: &Browser) -> Option<Refusal> {
    app.events.clear();
    app.load(browser).await;
    app.events.kinds().into_iter().find_map(|kind| match kind {
        EventKind::CookieRefused(refusal) => Some(refusal),
        _ => None,
    })
}

#[tokio::test]
async fn the_idle_timeout_is_kept_to_the_millisecond_for_both_lifetimes() {
    let lifetimes: [(Act, Duration); 2] = [(sign_in, 30 * MINUTE), (sign_in_remembered, 14 * DAY)];
    for (begin, idle) in lifetimes {
        let app = App::with_policy(untouchable(policy()));
        let mut browser = Browser::new();
        app.visit(&mut browser, begin).await;
        app.clock.advance(idle - MILLISECOND);
        assert_eq!(refusal(&app, &browser).await, None);
        app.clock.advance(idle);
        assert_eq!(
            refusal(&app, &browser).await,
            Some(Refusal::Expired(Expiry::Idle))
        );
    }
}

#[tokio::test]
async fn the_absolute_timeout_is_kept_to_the_millisecond_however_active_the_user_is() {
    let lifetimes: [(Act, Duration, Duration); 2] = [
        (sign_in, 20 * MINUTE, 12 * HOUR),
        (sign_in_remembered, 10 * DAY, 30 * DAY),
    ];
    for (begin, step, absolute) in lifetimes {
        let app = App::new();
        let mut browser = Browser::new();
        app.visit(&mut browser, begin).await;
        let ends = app.now().plus(absolute);
        while app.now().plus(step) < ends {
            app.clock.advance(step);
            assert_eq!(refusal(&app, &browser).await, None);
        }
        app.clock.advance(app.now().until(ends) - MILLISECOND);
        assert_eq!(refusal(&app, &browser).await, None);
        app.clock.advance(MILLISECOND);
        assert_eq!(
            refusal(&app, &browser).await,
            Some(Refusal::Expired(Expiry::Absolute))
        );
    }
}

#[tokio::test]
async fn touches_are_coalesced_and_never_make_a_session_live_longer_than_promised() {
    let app = App::new();
    let browser = app.visitor().await;
    let id = app.id(&browser).await;
    let mut slides = 0;
    let mut last_seen = app.now();
    for _ in 0..600 {
        app.clock.advance(SECOND);
        app.load(&browser).await;
        let record = app.record(id).await.unwrap();
        assert!(record.last_seen_at <= app.now());
        assert!(record.last_seen_at.until(app.now()) < MINUTE);
        slides += u64::from(record.last_seen_at != last_seen);
        last_seen = record.last_seen_at;
    }
    assert_eq!(slides, 10, "one a minute");
    app.clock.advance(app.now().until(last_seen.plus(30 * MINUTE)));
    assert_eq!(
        refusal(&app, &browser).await,
        Some(Refusal::Expired(Expiry::Idle))
    );
}

#[tokio::test]
async fn the_default_touch_interval_is_a_tenth_of_the_idle_timeout_and_a_minute_at_most() {
    for (idle, interval) in [
        (30 * MINUTE, MINUTE),
        (5 * MINUTE, 30 * SECOND),
        (SECOND, 100 * MILLISECOND),
    ] {
        let app = App::with_policy(policy().idle_timeout(idle));
        let browser = app.visitor().await;
        let id = app.id(&browser).await;
        let created = app.now();
        app.clock.advance(interval - MILLISECOND);
        app.load(&browser).await;
        assert_eq!(app.record(id).await.unwrap().last_seen_at, created);
        app.clock.advance(MILLISECOND);
        app.load(&browser).await;
        assert_eq!(app.record(id).await.unwrap().last_seen_at, app.now());
    }
}

#[tokio::test]
async fn a_touch_changes_no_version_and_disturbs_no_writer() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let (opened, session) = app.load(&browser).await;
    session.insert(COUNT, &5).unwrap();
    app.clock.advance(10 * MINUTE);
    app.load(&browser).await;
    let slid = app.now();
    app.events.clear();
    app.answer(&opened, &mut browser).await;
    assert_eq!(app.events.kinds(), []);
    let record = app.record(session.id().unwrap()).await.unwrap();
    assert_eq!((record.version, record.last_seen_at), (2, slid));
}

#[tokio::test]
async fn what_is_written_at_the_deadline_is_dropped() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let id = app.id(&browser).await;
    let peeked = app.open(&browser);
    let session = peeked.peek().await.unwrap();
    session.insert(COUNT, &2).unwrap();
    app.clock.advance(30 * MINUTE);
    app.events.clear();
    assert_eq!(
        session.save().await.unwrap(),
        Saved::Dropped(Dropped::SessionGone)
    );
    assert_eq!(app.answer(&peeked, &mut browser).await, SentCookie::None);
    assert_eq!(
        app.events.kinds(),
        [EventKind::WriteDropped(Dropped::SessionGone)]
    );
    assert_eq!(app.record(id).await.unwrap().version, 1);

    let policy = policy().idle_timeout(HOUR).absolute_timeout(HOUR);
    let app = App::with_policy(policy);
    let acts: [Act; 4] = [
        |session| session.insert(COUNT, &2).unwrap(),
        Session::renew,
        Session::remember,
        sign_in,
    ];
    for act in acts {
        let mut browser = app.visitor().await;
        app.clock.advance(HOUR - MILLISECOND);
        let (opened, session) = app.load(&browser).await;
        act(&session);
        app.clock.advance(MILLISECOND);
        assert_eq!(app.answer(&opened, &mut browser).await, SentCookie::None);
        assert_eq!(session.id(), None);
        assert_eq!(
            refusal(&app, &browser).await,
            Some(Refusal::Expired(Expiry::Absolute))
        );
    }
}

#[tokio::test]
async fn signing_in_restarts_the_absolute_timeout_and_renewing_does_not() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let created = app.now();
    let id = app.id(&browser).await;
    app.clock.advance(20 * MINUTE);
    app.visit(&mut browser, Session::renew).await;
    let record = app.record(id).await.unwrap();
    assert_eq!(record.absolute_deadline, created.plus(12 * HOUR));
    assert_eq!(record.last_seen_at, app.now());
    app.visit(&mut browser, sign_in).await;
    let record = app.record(id).await.unwrap();
    assert_eq!(record.absolute_deadline, app.now().plus(12 * HOUR));
    assert_eq!(
        (record.created_at, record.signed_in_at),
        (created, Some(app.now()))
    );
}

#[tokio::test]
async fn remembering_extends_both_timeouts_and_reissues_the_cookie() {
    let app = App::new();
    let mut browser = app.visitor().await;
    app.visit(&mut browser, sign_in).await;
    let signed_in = app.now();
    let id = app.id(&browser).await;
    let before = browser.clone();
    app.clock.advance(20 * MINUTE);
    let ((), sent) = app.visit_and_tell(&mut browser, Session::remember).await;
    let left = 30 * DAY - 20 * MINUTE;
    assert_eq!(sent.new_cookie().max_age, Some(left.as_secs()));
    assert_eq!(browser, before, "the secret is the same");
    let record = app.record(id).await.unwrap();
    assert_eq!(record.lifetime, Lifetime::Remembered);
    assert_eq!(record.absolute_deadline, signed_in.plus(30 * DAY));
    assert_eq!(record.idle_timeout, 14 * DAY);

    let ((), sent) = app.visit_and_tell(&mut browser, Session::remember).await;
    assert_eq!(sent, SentCookie::None, "it is remembered already");
}

#[tokio::test]
async fn max_age_is_exactly_what_is_left_of_the_absolute_timeout() {
    let app = App::new();
    let mut browser = Browser::new();
    let ((), sent) = app
        .visit_and_tell(&mut browser, |session| session.insert(COUNT, &1).unwrap())
        .await;
    assert_eq!(sent.new_cookie().max_age, Some((12 * HOUR).as_secs()));
    app.clock.advance(20 * MINUTE);
    let ((), sent) = app.visit_and_tell(&mut browser, Session::renew).await;
    assert_eq!(
        sent.new_cookie().max_age,
        Some((12 * HOUR - 20 * MINUTE).as_secs())
    );

    // A part of a second is cut off: the browser never keeps the cookie longer than the session.
    app.clock.advance(MILLISECOND);
    let rotated = app.beside(
        policy(),
        Keyring::new(Secret::new(OTHER_SECRET)).with_older(Secret::new(SECRET)),
    );
    let ((), sent) = rotated.visit_and_tell(&mut browser, |_| ()).await;
    assert_eq!(
        sent.new_cookie().max_age,
        Some((12 * HOUR - 20 * MINUTE).as_secs() - 1)
    );
}

#[tokio::test]
async fn a_browser_session_has_no_max_age_unless_it_is_remembered() {
    let app = App::with_policy(policy().cookie_lifetime(CookieLifetime::BrowserSession));
    let mut browser = Browser::new();
    let ((), sent) = app.visit_and_tell(&mut browser, sign_in).await;
    assert_eq!(sent.new_cookie().max_age, None);
    let ((), sent) = app.visit_and_tell(&mut browser, Session::renew).await;
    assert_eq!(sent.new_cookie().max_age, None);
    let ((), sent) = app.visit_and_tell(&mut browser, sign_in_remembered).await;
    assert_eq!(sent.new_cookie().max_age, Some((30 * DAY).as_secs()));
    let ((), sent) = app.visit_and_tell(&mut browser, Session::sign_out).await;
    sent.removal();
}

/// What `expires` says before the commit is what the store has after it, or a moment before that.
#[tokio::test]
async fn expires_tells_the_truth() {
    let acts: [(Act, bool); 7] = [
        (|_| (), true),
        (Session::renew, true),
        (sign_in, true),
        (sign_in_remembered, true),
        (|session| session.insert(COUNT, &9).unwrap(), false),
        (Session::remember, false),
        (Session::clear, false),
    ];
    for wait in [Duration::ZERO, 30 * SECOND, 29 * MINUTE] {
        for (act, exact) in acts {
            for known in [true, false] {
                let app = App::new();
                let mut browser = if known {
                    app.visitor().await
                } else {
                    Browser::new()
                };
                app.clock.advance(wait);
                let (opened, session) = app.load(&browser).await;
                act(&session);
                let told = session.expires();
                app.answer(&opened, &mut browser).await;
                assert_eq!(session.id().is_none(), browser.cookie.is_none());
                let Some(id) = session.id() else { continue };
                let (told, stored) = (told.unwrap(), app.record(id).await.unwrap().deadlines());
                assert_eq!(told.absolute, stored.absolute);
                assert!(told.idle <= stored.idle && told.idle.until(stored.idle) < MINUTE);
                if exact {
                    assert_eq!(told, stored);
                }
                assert_eq!(session.expires(), Some(stored));
            }
        }
    }
    let app = App::new();
    let mut browser = app.visitor().await;
    app.visit(&mut browser, |session| {
        session.sign_out();
        assert_eq!(session.expires(), None);
    })
    .await;
}

#[tokio::test]
async fn the_idle_deadline_is_never_later_than_the_absolute_one() {
    let app = App::new();
    let browser = app.visitor().await;
    for _ in 0..35 {
        app.clock.advance(20 * MINUTE);
        app.load(&browser).await;
    }
    app.clock.advance(15 * MINUTE);
    let deadlines = app.load(&browser).await.1.expires().unwrap();
    assert_eq!(deadlines.idle, deadlines.absolute);
}

#[tokio::test]
async fn sweeping_removes_what_has_expired_and_nothing_else() {
    let app = App::new();
    for _ in 0..3 {
        app.visitor().await;
    }
    app.clock.advance(10 * MINUTE);
    let live = app.visitor().await;
    app.clock.advance(20 * MINUTE - MILLISECOND);
    assert_eq!(app.sessions.sweep().await.unwrap(), 0);
    app.clock.advance(MILLISECOND);
    assert_eq!(app.sessions.sweep().await.unwrap(), 3);
    assert_eq!(app.count(&live).await, Some(1));
    assert_eq!(app.store.inner().len(), 1);
}

#[tokio::test]
async fn a_superseded_cookie_keeps_no_session_alive() {
    let app = App::new();
    let mut browser = app.signed_in("ada").await;
    let late = browser.clone();
    app.visit(&mut browser, Session::renew).await;
    let promised = app.now().plus(30 * MINUTE);
    for _ in 0..29 {
        app.clock.advance(MINUTE);
        app.load(&late).await;
    }
    app.clock.advance(app.now().until(promised));
    assert_eq!(app.owner(&browser).await, None);
}
