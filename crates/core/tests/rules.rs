//! What a request does to the store and to the cookie, for every way to arrive and to act.

mod common;

use common::*;
use http::header::{CACHE_CONTROL, COOKIE, VARY};
use tenure_core::store::Operation;
use tenure_core::{
    Absence, Dropped, EventKind, Policy, Refusal, SameSite, Saved, Session, SessionId, Status,
};

const NAME: &str = "__Host-session";

/// How often the store was asked, by operation: load, insert, update, remove.
#[derive(Debug, PartialEq, Eq)]
struct Calls(u64, u64, u64, u64);

const NONE: Calls = Calls(0, 0, 0, 0);
const ONE_LOAD: Calls = Calls(1, 0, 0, 0);

fn calls(app: &App) -> Calls {
    let of = |operation| app.store.calls(operation);
    let calls = Calls(
        of(Operation::Load),
        of(Operation::Insert),
        of(Operation::Update),
        of(Operation::Remove),
    );
    assert_eq!(
        app.store.total_calls(),
        calls.0 + calls.1 + calls.2 + calls.3,
        "nothing else is asked of the store"
    );
    app.store.reset_counts();
    calls
}

/// One request, and all that it did.
async fn request(
    app: &App,
    browser: &mut Browser,
    handler: impl FnOnce(&Session),
) -> (Calls, SentCookie, Vec<EventKind>) {
    app.store.reset_counts();
    app.events.clear();
    let ((), cookie) = app.visit_and_tell(browser, handler).await;
    (calls(app), cookie, app.events.kinds())
}

async fn untouched_request(app: &App, browser: &mut Browser) -> (Calls, SentCookie, Vec<EventKind>) {
    app.store.reset_counts();
    app.events.clear();
    let opened = app.open(browser);
    let cookie = app.answer(&opened, browser).await;
    (calls(app), cookie, app.events.kinds())
}

fn read(session: &Session) {
    let _ = session.get(COUNT).unwrap();
    let _ = session.contains(LEFT);
    let _ = (
        session.keys(),
        session.owner(),
        session.expires(),
        session.status(),
    );
}

fn write(session: &Session) {
    session.insert(COUNT, &7).unwrap();
}

fn forged(genuine: &Browser) -> Browser {
    let mut value = genuine.value().to_owned();
    let other = if &value[60..61] == "A" { "Q" } else { "A" };
    value.replace_range(60..61, other);
    Browser::with_cookie(NAME, &value)
}

#[tokio::test]
async fn no_cookie_and_nothing_done_costs_nothing() {
    let app = App::new();
    let mut browser = Browser::new();
    let nothing = (NONE, SentCookie::None, vec![]);
    assert_eq!(untouched_request(&app, &mut browser).await, nothing);
    assert_eq!(request(&app, &mut browser, read).await, nothing);
    assert_eq!(
        request(&app, &mut browser, |session| session.clear()).await,
        nothing
    );
    assert_eq!(
        request(&app, &mut browser, |session| session.remove(COUNT)).await,
        nothing
    );
    assert_eq!(request(&app, &mut browser, Session::renew).await, nothing);
    assert_eq!(request(&app, &mut browser, Session::remember).await, nothing);
    assert_eq!(request(&app, &mut browser, Session::sign_out).await, nothing);
}

#[tokio::test]
async fn a_value_comes_back_however_long_it_is() {
    let app = App::new();
    let mut browser = app.visitor().await;
    for length in 0..200 {
        // Some of its characters are escaped, and some take several bytes.
        let written: String = "a\"ä\n🦀".chars().cycle().take(length).collect();
        let (opened, session) = app.load(&browser).await;
        session.insert(LEFT, &written).unwrap();
        assert_eq!(session.get(LEFT).unwrap().as_ref(), Some(&written));
        app.answer(&opened, &mut browser).await;
        let (_, session) = app.load(&browser).await;
        assert_eq!(session.get(LEFT).unwrap(), Some(written));
    }
}

#[tokio::test]
async fn no_cookie_and_a_write_inserts_and_sets_a_cookie() {
    let app = App::new();
    let mut browser = Browser::new();
    let (calls, cookie, events) = request(&app, &mut browser, write).await;
    assert_eq!(calls, Calls(0, 1, 0, 0));
    assert_eq!(events, [EventKind::Created]);
    let cookie = cookie.new_cookie();
    assert_eq!(cookie.name, NAME);
    assert_eq!(cookie.value.len(), 98);
    assert_eq!(
        cookie.attributes,
        ["HttpOnly", "SameSite=Lax", "Secure", "Path=/"]
    );
    assert_eq!(cookie.max_age, Some(12 * 60 * 60));
    assert_eq!(app.count(&browser).await, Some(7));
}

#[tokio::test]
async fn a_value_written_and_removed_again_makes_no_session() {
    let app = App::new();
    let (calls, cookie, _) = request(&app, &mut Browser::new(), |session| {
        write(session);
        session.remove(COUNT);
    })
    .await;
    assert_eq!((calls, cookie), (NONE, SentCookie::None));
}

#[tokio::test]
async fn a_sign_in_without_data_makes_a_session() {
    let app = App::new();
    let mut browser = Browser::new();
    let (calls, cookie, events) =
        request(&app, &mut browser, |session| session.sign_in("ada").unwrap()).await;
    assert_eq!(calls, Calls(0, 1, 0, 0));
    assert_eq!(events, [EventKind::Created, EventKind::SignedIn]);
    cookie.new_cookie();
    assert_eq!(app.owner(&browser).await.as_deref(), Some("ada"));
}

#[tokio::test]
async fn a_forged_or_malformed_cookie_is_removed_without_a_look_at_the_store() {
    let app = App::new();
    let genuine = app.visitor().await;
    for (cookie, refusal) in [
        (forged(&genuine), Refusal::Forged),
        (Browser::with_cookie(NAME, "garbage"), Refusal::Malformed),
        (Browser::with_cookie(NAME, ""), Refusal::Malformed),
        (Browser::with_cookie(NAME, &"A".repeat(92)), Refusal::Malformed),
        (
            Browser::with_cookie(NAME, &genuine.value()[..91]),
            Refusal::Malformed,
        ),
        (Browser::with_cookie(NAME, "s%3Aabc.def"), Refusal::Malformed),
    ] {
        let refused = [EventKind::CookieRefused(refusal)];
        let (calls, sent, events) = untouched_request(&app, &mut cookie.clone()).await;
        sent.removal();
        assert_eq!((calls, &events[..]), (NONE, &refused[..]), "{cookie:?}");

        let (calls, sent, events) = request(&app, &mut cookie.clone(), read).await;
        sent.removal();
        assert_eq!((calls, &events[..]), (NONE, &refused[..]), "{cookie:?}");

        let mut writer = cookie.clone();
        let (calls, sent, _) = request(&app, &mut writer, write).await;
        sent.new_cookie();
        assert_eq!(calls, Calls(0, 1, 0, 0));
        assert_ne!(app.id(&writer).await, app.id(&genuine).await);

        app.clock.advance(GUESSES_ARE_BACK);
    }
}

#[tokio::test]
async fn a_genuine_cookie_that_nobody_asks_for_costs_nothing() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let opened = app.open(&browser);
    assert!(
        opened
            .commit_without_store()
            .is_some_and(|outgoing| !outgoing.sets_cookie())
    );
    assert_eq!(
        untouched_request(&app, &mut browser).await,
        (NONE, SentCookie::None, vec![])
    );
}

#[tokio::test]
async fn the_cookie_of_a_removed_session_is_removed_after_one_look() {
    let app = App::new();
    let mut browser = app.visitor().await;
    assert!(app.sessions.revoke(app.id(&browser).await).await.unwrap());
    assert_eq!(
        untouched_request(&app, &mut browser).await,
        (NONE, SentCookie::None, vec![])
    );
    let (calls, sent, events) = request(&app, &mut browser, read).await;
    assert_eq!(calls, ONE_LOAD);
    assert_eq!(events, [EventKind::CookieRefused(Refusal::Unknown)]);
    sent.removal();
}

#[tokio::test]
async fn an_unknown_id_is_never_adopted() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let id = app.id(&browser).await;
    let unknown = browser.clone();
    app.sessions.revoke(id).await.unwrap();
    for act in [write, |session: &Session| session.sign_in("ada").unwrap()] {
        browser = unknown.clone();
        let (calls, sent, _) = request(&app, &mut browser, act).await;
        assert_eq!(calls, Calls(1, 1, 0, 0));
        sent.new_cookie();
        assert_ne!(app.id(&browser).await, id);
        assert_eq!(app.record(id).await, None);
        app.clock.advance(GUESSES_ARE_BACK);
    }
}

#[tokio::test]
async fn the_cookie_of_an_expired_session_is_removed_though_the_row_is_still_there() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let id = app.id(&browser).await;
    app.clock.advance(30 * MINUTE);
    let (calls, sent, events) = request(&app, &mut browser.clone(), read).await;
    assert_eq!(calls, ONE_LOAD);
    assert!(matches!(
        events[..],
        [EventKind::CookieRefused(Refusal::Expired(_))]
    ));
    sent.removal();
    assert!(app.record(id).await.is_some());

    app.clock.advance(GUESSES_ARE_BACK);
    let (calls, _, _) = request(&app, &mut browser, write).await;
    assert_eq!(calls, Calls(1, 1, 0, 0));
    assert_ne!(app.id(&browser).await, id);
}

#[tokio::test]
async fn reading_costs_one_load_and_sets_no_cookie() {
    let app = App::new();
    let mut browser = app.visitor().await;
    assert_eq!(
        request(&app, &mut browser, read).await,
        (ONE_LOAD, SentCookie::None, vec![])
    );
}

#[tokio::test]
async fn writing_costs_a_load_and_an_update_and_sets_no_cookie() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let load_and_update = (Calls(1, 0, 1, 0), SentCookie::None, vec![]);
    let acts: [Act; 5] = [
        write,
        |session| {
            let _ = session.update(COUNT, |count| count.unwrap_or(0) + 1).unwrap();
        },
        |session| {
            let _ = session.take(COUNT).unwrap();
        },
        |session| session.insert(LEFT, &"l".to_owned()).unwrap(),
        |session| session.clear(),
    ];
    for act in acts {
        assert_eq!(request(&app, &mut browser, act).await, load_and_update);
    }
}

#[tokio::test]
async fn writing_what_is_stored_is_no_write() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let version = app.record(app.id(&browser).await).await.unwrap().version;
    let acts: [Act; 7] = [
        |session| session.insert(COUNT, &1).unwrap(),
        |session| {
            let _: u64 = session.update(COUNT, Option::unwrap).unwrap();
        },
        |session| session.remove(LEFT),
        |session| {
            let _ = session.take(LEFT).unwrap();
        },
        |session| {
            session.insert(COUNT, &2).unwrap();
            session.insert(COUNT, &1).unwrap();
        },
        |session| {
            session.remove(COUNT);
            session.insert(COUNT, &1).unwrap();
        },
        |session| {
            session.clear();
            session.insert(COUNT, &1).unwrap();
        },
    ];
    for (number, act) in acts.into_iter().enumerate() {
        assert_eq!(
            request(&app, &mut browser, act).await,
            (ONE_LOAD, SentCookie::None, vec![]),
            "act {number}"
        );
    }
    assert_eq!(app.record(app.id(&browser).await).await.unwrap().version, version);
}

#[tokio::test]
async fn renewing_and_signing_in_set_a_new_cookie_and_kill_the_old_one_at_once() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let id = app.id(&browser).await;
    let acts: [(Act, &[EventKind]); 2] = [
        (Session::renew, &[EventKind::Renewed]),
        (
            |session| session.sign_in("ada").unwrap(),
            &[EventKind::SignedIn, EventKind::Renewed],
        ),
    ];
    for (act, expected) in acts {
        let before = browser.clone();
        let (calls, sent, events) = request(&app, &mut browser, act).await;
        assert_eq!((calls, &events[..]), (Calls(1, 0, 1, 0), expected));
        sent.new_cookie();
        assert_ne!(before, browser);
        assert_eq!(app.id(&browser).await, id);
        assert_eq!(app.count(&browser).await, Some(1));
        assert_eq!(app.count(&before).await, None);
    }
}

#[tokio::test]
async fn a_superseded_cookie_is_anonymous_and_left_alone() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let mut late = browser.clone();
    app.visit(&mut browser, Session::renew).await;

    let superseded = vec![EventKind::CookieSuperseded];
    assert_eq!(
        request(&app, &mut late, read).await,
        (ONE_LOAD, SentCookie::None, superseded)
    );
    let (_, session) = app.load(&late).await;
    assert_eq!(session.status(), Status::Absent(Absence::Superseded));
    assert_eq!(
        (session.id(), session.owner(), session.keys()),
        (None, None, vec![])
    );

    let (calls, sent, events) = request(&app, &mut late, write).await;
    assert_eq!((calls, sent), (ONE_LOAD, SentCookie::None));
    assert_eq!(
        events,
        [
            EventKind::CookieSuperseded,
            EventKind::WriteDropped(Dropped::Superseded)
        ]
    );
    for act in [Session::renew, Session::remember, Session::clear] {
        let (calls, sent, _) = request(&app, &mut late, act).await;
        assert_eq!((calls, sent), (ONE_LOAD, SentCookie::None));
    }
    assert_eq!(app.count(&browser).await, Some(1));
}

#[tokio::test]
async fn a_sign_out_that_crossed_a_renewal_on_its_way_is_still_a_sign_out() {
    for end in [Session::sign_out, Session::destroy] {
        let app = App::new();
        let mut browser = app.signed_in("ada").await;
        let mut late = browser.clone();
        app.visit(&mut browser, Session::renew).await;
        let (calls, sent, _) = request(&app, &mut late, end).await;
        assert_eq!(calls, Calls(1, 0, 0, 1));
        assert!(matches!(sent, SentCookie::Removal(_)), "{sent:?}");
        assert_eq!(app.owner(&browser).await, None);
    }
}

#[tokio::test]
async fn a_secret_before_the_previous_one_ends_nothing() {
    let app = App::new();
    let mut browser = app.signed_in("ada").await;
    let mut older = browser.clone();
    app.visit(&mut browser, Session::renew).await;
    app.visit(&mut browser, Session::renew).await;
    let (calls, sent, _) = request(&app, &mut older, Session::sign_out).await;
    assert_eq!((calls, sent), (ONE_LOAD, SentCookie::None));
    assert_eq!(app.owner(&browser).await.as_deref(), Some("ada"));
}

#[tokio::test]
async fn a_superseded_cookie_can_still_be_signed_in_with_as_a_session_of_its_own() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let mut late = browser.clone();
    app.visit(&mut browser, Session::renew).await;
    let (calls, sent, _) = request(&app, &mut late, |session| session.sign_in("ada").unwrap()).await;
    assert_eq!(calls, Calls(1, 1, 0, 0));
    sent.new_cookie();
    assert_ne!(app.id(&late).await, app.id(&browser).await);
    assert_eq!(app.owner(&late).await.as_deref(), Some("ada"));
    assert_eq!(app.owner(&browser).await, None);
    assert_eq!(app.count(&late).await, None);
}

#[tokio::test]
async fn ending_a_session_removes_it_and_its_cookie() {
    let app = App::new();
    let ends: [(Act, EventKind); 2] = [
        (Session::sign_out, EventKind::SignedOut),
        (Session::destroy, EventKind::Destroyed),
    ];
    for (end, event) in ends {
        let mut browser = app.signed_in("ada").await;
        let before = browser.clone();
        let id = app.id(&browser).await;
        let (calls, sent, events) = request(&app, &mut browser, end).await;
        sent.removal();
        assert_eq!((calls, &events[..]), (Calls(1, 0, 0, 1), &[event][..]));
        assert_eq!(app.record(id).await, None);
        assert_eq!(app.count(&before).await, None);
    }
}

#[tokio::test]
async fn what_is_written_after_signing_out_begins_a_new_session() {
    let app = App::new();
    let mut browser = app.signed_in("ada").await;
    let id = app.id(&browser).await;
    let (calls, sent, events) = request(&app, &mut browser, |session| {
        session.insert(COUNT, &5).unwrap();
        session.sign_out();
        assert_eq!(session.status(), Status::Destroyed);
        assert_eq!((session.owner(), session.keys()), (None, vec![]));
        session.insert(LEFT, &"signed out".to_owned()).unwrap();
    })
    .await;
    assert_eq!(calls, Calls(1, 1, 0, 1));
    assert_eq!(events, [EventKind::SignedOut, EventKind::Created]);
    sent.new_cookie();
    let (_, session) = app.load(&browser).await;
    assert_ne!(session.id(), Some(id));
    assert_eq!((session.owner(), session.keys()), (None, vec!["left".to_owned()]));
    assert_eq!(app.record(id).await, None);
}

#[tokio::test]
async fn a_removal_cookie_has_the_attributes_that_the_cookie_was_set_with() {
    let policies: [Policy; 4] = [
        policy(),
        policy()
            .cookie_name("__Secure-session")
            .cookie_path("/app")
            .cookie_domain("example.com"),
        policy().cookie_partitioned(true).cookie_same_site(SameSite::None),
        policy()
            .cookie_name("sid")
            .cookie_secure(false)
            .cookie_same_site(SameSite::Strict),
    ];
    for policy in policies {
        let app = App::with_policy(policy);
        let mut browser = Browser::new();
        let (_, set) = app.visit_and_tell(&mut browser, write).await;
        let (_, removed) = app.visit_and_tell(&mut browser, Session::sign_out).await;
        let (set, removed) = (set.new_cookie(), removed.removal());
        assert_eq!(removed.name, set.name);
        assert_eq!(removed.attributes, set.attributes);
        assert!(set.attributes.contains(&"HttpOnly".to_owned()));
    }
}

#[tokio::test]
async fn a_response_with_a_cookie_is_not_for_caches_unless_the_handler_decided() {
    let app = App::new();
    let mut browser = Browser::new();
    let acts: [Act; 3] = [write, Session::renew, Session::sign_out];
    for act in acts {
        let (opened, session) = app.load(&browser).await;
        act(&session);
        let headers = response(app.sessions.commit(&opened).await.unwrap());
        assert_eq!(headers[CACHE_CONTROL], "no-store");
        assert_eq!(headers[VARY], "cookie");
        browser.receive(&headers);
    }
    let (opened, session) = app.load(&browser).await;
    write(&session);
    let mut headers = http::HeaderMap::new();
    headers.insert(CACHE_CONTROL, header("private, max-age=1"));
    headers.insert(VARY, header("Accept-Encoding"));
    app.sessions.commit(&opened).await.unwrap().apply(&mut headers);
    assert_eq!(headers[CACHE_CONTROL], "private, max-age=1");
    let vary: Vec<_> = headers.get_all(VARY).iter().collect();
    assert_eq!(vary, ["Accept-Encoding", "cookie"]);
    browser.receive(&headers);

    let (opened, session) = app.load(&browser).await;
    read(&session);
    assert!(response(app.sessions.commit(&opened).await.unwrap()).is_empty());
}

#[tokio::test]
async fn a_peek_slides_nothing_and_a_load_after_it_does() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let id = app.id(&browser).await;
    let created = app.now();
    app.clock.advance(20 * MINUTE);

    let opened = app.open(&browser);
    let session = opened.peek().await.unwrap();
    assert_eq!(session.get(COUNT).unwrap(), Some(1));
    assert_eq!(session.last_seen_at(), Some(created));
    opened.peek().await.unwrap();
    assert_eq!(app.answer(&opened, &mut browser).await, SentCookie::None);
    assert_eq!(app.record(id).await.unwrap().last_seen_at, created);

    app.store.reset_counts();
    let opened = app.open(&browser);
    opened.peek().await.unwrap();
    let session = opened.load().await.unwrap();
    opened.load().await.unwrap();
    opened.peek().await.unwrap();
    assert_eq!(calls(&app), Calls(2, 0, 0, 0));
    assert_eq!(session.last_seen_at(), Some(app.now()));
    assert_eq!(app.record(id).await.unwrap().last_seen_at, app.now());
}

#[tokio::test]
async fn a_write_through_a_peek_is_kept_and_slides_nothing() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let created = app.now();
    app.clock.advance(20 * MINUTE);
    let opened = app.open(&browser);
    let session = opened.peek().await.unwrap();
    write(&session);
    app.answer(&opened, &mut browser).await;
    let record = app.record(session.id().unwrap()).await.unwrap();
    assert_eq!((record.version, record.last_seen_at), (2, created));
}

#[tokio::test]
async fn a_session_that_ends_between_a_peek_and_a_load_is_gone() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let opened = app.open(&browser);
    let session = opened.peek().await.unwrap();
    write(&session);
    app.sessions.revoke(session.id().unwrap()).await.unwrap();
    app.events.clear();
    let session = opened.load().await.unwrap();
    assert_eq!(session.status(), Status::Absent(Absence::Gone));
    assert_eq!(session.get(COUNT).unwrap(), None);
    assert_eq!(app.answer(&opened, &mut browser).await, SentCookie::None);
    assert_eq!(
        app.events.kinds(),
        [EventKind::WriteDropped(Dropped::SessionGone)]
    );
}

#[tokio::test]
async fn a_session_that_is_renewed_or_expires_between_a_peek_and_a_load_is_not_served() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let stale = browser.clone();
    let opened = app.open(&stale);
    opened.peek().await.unwrap();
    app.visit(&mut browser, |session| session.sign_in("ada").unwrap())
        .await;
    let session = opened.load().await.unwrap();
    assert_eq!(session.status(), Status::Absent(Absence::Superseded));

    let opened = app.open(&browser);
    opened.peek().await.unwrap();
    app.clock.advance(30 * MINUTE);
    let session = opened.load().await.unwrap();
    assert!(matches!(session.status(), Status::Absent(_)));
    assert_eq!(session.owner(), None);
}

#[tokio::test]
async fn a_genuine_cookie_is_used_though_a_planted_one_stands_before_it() {
    let app = App::new();
    let browser = app.visitor().await;
    let planted = forged(&browser);
    for before in [planted.value(), "garbage", "", "\"\""] {
        let mut headers = http::HeaderMap::new();
        headers.append(
            COOKIE,
            header(&format!("{NAME}={before}; {NAME}={}", browser.value())),
        );
        let opened = app.sessions.open(&headers);
        assert_eq!(opened.load().await.unwrap().get(COUNT).unwrap(), Some(1));
        assert!(!app.sessions.commit(&opened).await.unwrap().sets_cookie());
    }
    let mut split = http::HeaderMap::new();
    split.append(COOKIE, header(&format!("{NAME}={}", planted.value())));
    split.append(COOKIE, header(&format!("{NAME}={}", browser.value())));
    let session = app.sessions.open(&split).load().await.unwrap();
    assert_eq!(session.get(COUNT).unwrap(), Some(1));
}

#[tokio::test]
async fn a_cookie_of_one_name_is_not_accepted_under_another() {
    let app = App::new();
    let browser = app.visitor().await;
    let admin = app.beside(policy().cookie_name("__Host-admin"), keyring());
    let mut moved = Browser::with_cookie("__Host-admin", browser.value());
    let (calls, sent, events) = request(&admin, &mut moved, read).await;
    assert_eq!(calls, NONE);
    assert_eq!(events, [EventKind::CookieRefused(Refusal::Forged)]);
    sent.removal();
}

#[tokio::test]
async fn the_id_names_the_session_for_its_whole_life_and_is_not_in_reach_before_it_is_saved() {
    let app = App::new();
    let mut browser = Browser::new();
    let (opened, session) = app.load(&browser).await;
    assert_eq!(session.id(), None);
    write(&session);
    assert_eq!(session.save().await.unwrap(), Saved::Written);
    let id: SessionId = session.id().unwrap();
    app.answer(&opened, &mut browser).await.new_cookie();
    app.visit(&mut browser, |session| session.sign_in("ada").unwrap())
        .await;
    app.visit(&mut browser, Session::renew).await;
    assert_eq!(app.id(&browser).await, id);
}
