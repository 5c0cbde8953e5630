//! Keys that come, sign, grow old and go.

mod common;

use common::*;
use tenure_core::store::Operation;
use tenure_core::{EventKind, KeyRole, Keyring, LiveKeyring, Policy, Refusal, Sealing, Secret, Session};

const NEW_SECRET: &str = OTHER_SECRET;
const OLD_SECRET: &str = SECRET;

fn old() -> Secret {
    Secret::new(OLD_SECRET)
}

fn new() -> Secret {
    Secret::new(NEW_SECRET)
}

/// The key ids of three steps of a rotation.
fn step_one() -> Keyring {
    Keyring::new(old()).with_upcoming(new())
}

fn step_two() -> Keyring {
    Keyring::new(new()).with_older(old())
}

fn step_three() -> Keyring {
    Keyring::new(new())
}

fn read(session: &Session) {
    let _ = session.get(COUNT).unwrap();
}

fn write(session: &Session) {
    session.insert(COUNT, &7).unwrap();
}

/// The characters of a cookie that hold version and key id.
fn key_of(browser: &Browser) -> &str {
    &browser.value()[..6]
}

#[tokio::test]
async fn a_request_under_an_older_key_gets_a_cookie_under_the_current_one_with_the_same_secret() {
    let app = App::new();
    let before = app.visitor().await;
    let rotated = app.beside(policy(), step_two());
    let mut browser = before.clone();
    let ((), sent) = rotated.visit_and_tell(&mut browser, read).await;
    sent.new_cookie();
    assert_ne!(key_of(&browser), key_of(&before));
    assert_eq!(rotated.count(&before).await, Some(1), "the secret is the same");
    let ((), sent) = rotated.visit_and_tell(&mut browser, read).await;
    assert_eq!(sent, SentCookie::None, "once is enough");
}

#[tokio::test]
async fn the_data_is_sealed_anew_with_the_cookie_so_that_the_older_key_can_go() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let id = app.id(&browser).await;
    let rotated = app.beside(policy(), step_two());
    app.store.reset_counts();
    rotated.visit(&mut browser, read).await;
    assert_eq!(app.store.calls(Operation::Update), 1);
    rotated.visit(&mut browser, read).await;
    assert_eq!(app.store.calls(Operation::Update), 1, "once is enough");
    assert_eq!(app.version(id).await, Some(2));

    let only_new = app.beside(policy(), step_three());
    assert_eq!(only_new.count(&browser).await, Some(1));
}

#[tokio::test]
async fn data_sealed_by_an_instance_that_lags_behind_is_sealed_anew_though_the_cookie_is_current() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let ahead = app.beside(policy(), step_two());
    let behind = app.beside(policy(), step_one());
    ahead.visit(&mut browser, read).await;
    behind.visit(&mut browser, write).await;
    ahead.visit(&mut browser, read).await;
    let only_new = app.beside(policy(), step_three());
    assert_eq!(only_new.count(&browser).await, Some(7));
}

#[tokio::test]
async fn a_write_seals_anew_by_itself_and_costs_nothing_more() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let rotated = app.beside(policy(), step_two());
    app.store.reset_counts();
    rotated.visit(&mut browser, write).await;
    assert_eq!(app.store.total_calls(), 2);
    let only_new = app.beside(policy(), step_three());
    assert_eq!(only_new.count(&browser).await, Some(7));
}

#[tokio::test]
async fn a_look_that_is_no_activity_seals_nothing_anew() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let rotated = app.beside(policy(), step_two());
    app.store.reset_counts();
    let opened = rotated.open(&browser);
    opened.peek().await.unwrap();
    assert_eq!(
        rotated.answer(&opened, &mut browser).await,
        SentCookie::None,
        "the cookie goes with the seal"
    );
    assert_eq!(app.store.total_calls(), 1);
}

#[tokio::test]
async fn a_load_that_follows_a_look_seals_anew_with_the_cookie() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let rotated = app.beside(policy(), step_two());
    let opened = rotated.open(&browser);
    opened.peek().await.unwrap();
    opened.load().await.unwrap();
    rotated.answer(&opened, &mut browser).await.new_cookie();
    let only_new = app.beside(policy(), step_three());
    assert_eq!(only_new.count(&browser).await, Some(1));
}

#[tokio::test]
async fn plain_data_needs_no_new_seal() {
    let app = App::with_policy(policy().sealing(Sealing::Plain));
    let mut browser = app.visitor().await;
    let rotated = app.beside(policy().sealing(Sealing::Plain), step_two());
    app.store.reset_counts();
    let ((), sent) = rotated.visit_and_tell(&mut browser, read).await;
    sent.new_cookie();
    assert_eq!(app.store.total_calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_write_fails_no_read_and_the_next_request_tries_again() {
    for fault in ["fails", "hangs"] {
        let app = App::new();
        let mut browser = app.visitor().await;
        let rotated = app.beside(policy(), step_two());
        match fault {
            "fails" => app.store.fail(Operation::Update),
            _ => app.store.hang(Operation::Update),
        }
        let before = browser.clone();
        let (count, sent) = rotated
            .visit_and_tell(&mut browser, |session| session.get(COUNT).unwrap())
            .await;
        assert_eq!((count, sent), (Some(1), SentCookie::None), "{fault}");
        assert_eq!(browser, before);

        app.store.heal();
        let ((), sent) = rotated.visit_and_tell(&mut browser, read).await;
        sent.new_cookie();
        let only_new = app.beside(policy(), step_three());
        assert_eq!(only_new.count(&browser).await, Some(1));
    }
}

#[tokio::test]
async fn of_two_requests_at_once_one_seals_anew_and_none_loses_anything() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let rotated = app.beside(policy(), step_two());
    let (reader, reading) = rotated.load(&browser).await;
    rotated
        .visit(&mut browser.clone(), |session| {
            session.insert(LEFT, &"kept".to_owned()).unwrap();
        })
        .await;
    read(&reading);
    let sent = rotated.answer(&reader, &mut browser).await;
    assert_eq!(
        sent,
        SentCookie::None,
        "it came too late, and the next request will do it"
    );
    let left = rotated
        .visit(&mut browser, |session| session.get(LEFT).unwrap())
        .await;
    assert_eq!(left.as_deref(), Some("kept"));
    let only_new = app.beside(policy(), step_three());
    assert_eq!(only_new.count(&browser).await, Some(1));
}

#[tokio::test]
async fn instances_one_step_apart_accept_each_others_cookies_and_leave_them_as_they_are() {
    let app = App::new();
    let rings: [fn() -> Keyring; 3] = [step_one, step_two, || Keyring::new(old())];
    let first = app.beside(policy(), rings[0]());
    let second = app.beside(policy(), rings[1]());

    let mut browser = Browser::new();
    second.visit(&mut browser, write).await;
    let ((), sent) = first.visit_and_tell(&mut browser, read).await;
    assert_eq!(sent, SentCookie::None, "it is newer, not older");
    first
        .visit(&mut browser, |session| {
            session.insert(LEFT, &"from the first".to_owned()).unwrap();
        })
        .await;
    let ((), sent) = second.visit_and_tell(&mut browser, read).await;
    assert_eq!(sent, SentCookie::None);
    assert_eq!(second.count(&browser).await, Some(7));
}

#[tokio::test]
async fn dropping_a_key_signs_out_exactly_the_sessions_whose_cookie_it_signed() {
    let app = App::new();
    let rotated = app.beside(policy(), step_two());
    let mut stayed_away = Vec::new();
    let mut came_back = Vec::new();
    for number in 0..20 {
        let mut browser = app.signed_in(&format!("user {number}")).await;
        if number % 2 == 0 {
            rotated.visit(&mut browser, read).await;
            came_back.push(browser);
        } else {
            stayed_away.push(browser);
        }
    }
    for number in 0..10 {
        came_back.push(rotated.signed_in(&format!("new user {number}")).await);
    }

    let dropped = app.beside(policy(), step_three());
    for browser in &came_back {
        assert!(dropped.owner(browser).await.is_some());
    }
    for browser in &mut stayed_away {
        app.events.clear();
        let (owner, sent) = dropped.visit_and_tell(browser, Session::owner).await;
        assert_eq!(owner, None);
        sent.removal();
        assert_eq!(app.events.kinds(), [EventKind::CookieRefused(Refusal::Forged)]);
    }
}

#[tokio::test]
async fn replacing_the_keyring_in_use_takes_effect_at_the_next_request() {
    let app = App::new();
    let keyring = LiveKeyring::new(Keyring::new(old()));
    let live = app.beside(policy(), &keyring);
    let mut browser = app.visitor().await;
    keyring.replace(step_two()).unwrap();
    live.visit_and_tell(&mut browser, read).await.1.new_cookie();

    keyring.replace(step_three()).unwrap();
    assert_eq!(live.count(&browser).await, Some(1));
}

#[tokio::test]
async fn a_request_that_began_before_the_keyring_was_replaced_ends_well() {
    let app = App::new();
    let keyring = LiveKeyring::new(step_one());
    let live = app.beside(policy(), &keyring);
    let mut browser = app.visitor().await;
    let (opened, session) = live.load(&browser).await;
    keyring.replace(step_two()).unwrap();
    session.insert(COUNT, &8).unwrap();
    live.answer(&opened, &mut browser).await;
    live.visit(&mut browser, read).await;
    let only_new = app.beside(policy(), step_three());
    assert_eq!(only_new.count(&browser).await, Some(8));
}

#[tokio::test]
async fn a_weak_keyring_is_refused_and_the_one_before_stays_in_use() {
    let keyring = LiveKeyring::new(step_two());
    let refused = keyring
        .replace(Keyring::new(Secret::new("short")).with_older(new()))
        .unwrap_err();
    assert_eq!(refused.problems.len(), 1);
    assert!(refused.to_string().contains("too short") || refused.to_string().contains("5 bytes"));
    assert_eq!(keyring.usage().len(), 2);
}

#[tokio::test]
async fn the_count_of_each_key_shows_when_nobody_bears_it_any_more() {
    let app = App::new();
    let keyring = LiveKeyring::new(Keyring::new(old()));
    let live = app.beside(policy(), &keyring);
    let mut browser = app.visitor().await;
    let counts = || {
        let counted = |usage: tenure_core::KeyUsage| (usage.role, usage.cookies_verified);
        keyring.usage().into_iter().map(counted).collect::<Vec<_>>()
    };
    live.visit(&mut browser, read).await;
    assert_eq!(counts(), [(KeyRole::Current, 1)]);
    keyring.replace(step_one()).unwrap();
    live.visit(&mut browser, read).await;
    assert_eq!(counts(), [(KeyRole::Current, 2), (KeyRole::Upcoming, 0)]);
    keyring.replace(step_two()).unwrap();
    for _ in 0..3 {
        live.visit(&mut browser, read).await;
    }
    assert_eq!(counts(), [(KeyRole::Current, 2), (KeyRole::Older, 3)]);
    live.open(&forged(&browser));
    assert_eq!(
        counts(),
        [(KeyRole::Current, 2), (KeyRole::Older, 3)],
        "a forged cookie does not count"
    );
}

fn forged(genuine: &Browser) -> Browser {
    let value = genuine.value();
    let (rest, last) = value.split_at(value.len() - 4);
    let other = if last == "AAAA" { "BBBB" } else { "AAAA" };
    Browser::with_cookie("__Host-session", &format!("{rest}{other}"))
}

#[tokio::test]
async fn while_the_keys_may_be_outdated_a_cookie_under_an_unknown_key_is_left_in_the_browser() {
    let app = App::new();
    let ahead = app.beside(policy(), step_two());
    let mut browser = Browser::new();
    ahead.visit(&mut browser, write).await;

    let behind = app.beside(policy(), Keyring::new(old()));
    behind.sessions.keyring().set_may_be_outdated(true);
    app.events.clear();
    let (owner, sent) = behind.visit_and_tell(&mut browser, Session::owner).await;
    assert_eq!((owner, sent), (None, SentCookie::None));
    assert_eq!(
        app.events.kinds(),
        [EventKind::CookieRefused(Refusal::UnknownKey)]
    );
    let ((), sent) = behind.visit_and_tell(&mut browser, write).await;
    assert_eq!(sent, SentCookie::None, "a new session would wipe the good cookie");
    assert_eq!(ahead.count(&browser).await, Some(7));

    let forged = &mut forged(&app.visitor().await);
    behind.visit_and_tell(forged, read).await.1.removal();

    behind.sessions.keyring().set_may_be_outdated(false);
    behind.visit_and_tell(&mut browser, read).await.1.removal();
}

#[tokio::test]
async fn rotating_the_key_needs_no_look_at_the_store_for_requests_that_ask_for_nothing() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let rotated = app.beside(policy(), step_two());
    app.store.reset_counts();
    let opened = rotated.open(&browser);
    assert_eq!(rotated.answer(&opened, &mut browser).await, SentCookie::None);
    assert_eq!(app.store.total_calls(), 0);
}

#[test]
fn the_longest_lifetime_is_that_of_a_remembered_session_by_default() {
    assert_eq!(Policy::default().longest_lifetime(), 30 * DAY);
    let short = Policy::default()
        .remembered_absolute_timeout(HOUR)
        .remembered_idle_timeout(HOUR);
    assert_eq!(short.longest_lifetime(), 12 * HOUR);
}
