//! The sessions of one user, seen and ended from an account page or by an operator.

mod common;

use std::net::{IpAddr, Ipv4Addr};

use common::*;
use tenure_core::store::Operation;
use tenure_core::{Device, EventKind, Lifetime, Owner, OwnerSessions, Session, SessionId, SessionInfo};

const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));

fn of<'a>(app: &'a App, owner: &str) -> OwnerSessions<'a> {
    app.sessions.of(Owner::new(owner).unwrap())
}

fn ids(infos: &[SessionInfo]) -> Vec<SessionId> {
    infos.iter().map(|info| info.id).collect()
}

#[tokio::test]
async fn a_list_has_the_owners_live_sessions_the_last_seen_first() {
    let app = App::new();
    let laptop = app.signed_in("ada").await;
    app.clock.advance(MINUTE);
    let phone = app.signed_in("ada").await;
    app.signed_in("bob").await;
    app.visitor().await;
    let (laptop_id, phone_id) = (app.id(&laptop).await, app.id(&phone).await);
    // The laptop was looked at just now, and a minute has passed since it was created.
    let infos = of(&app, "ada").list(None).await.unwrap();
    assert_eq!(infos.len(), 2);
    app.clock.advance(MINUTE);
    app.load(&laptop).await;
    let (_, session) = app.load(&phone).await;
    app.clock.advance(MINUTE);
    app.load(&laptop).await;
    let infos = of(&app, "ada").list(Some(&session)).await.unwrap();
    assert_eq!(ids(&infos), [laptop_id, phone_id]);
    assert_eq!([infos[0].is_current, infos[1].is_current], [false, true]);
    assert_eq!(infos[0].last_seen_at, app.now());
    assert_eq!(infos[1].signed_in_at, Some(infos[1].created_at));
    assert_eq!(infos[1].lifetime, Lifetime::Standard);
    assert_eq!(Some(infos[1].expires), session.expires());

    app.clock.advance(29 * MINUTE);
    assert_eq!(ids(&of(&app, "ada").list(None).await.unwrap()), [laptop_id]);
    app.clock.advance(MINUTE);
    assert_eq!(of(&app, "ada").list(None).await.unwrap(), []);
}

#[tokio::test]
async fn a_list_costs_one_call_and_carries_no_data() {
    let app = App::new();
    app.signed_in("ada").await;
    app.store.reset_counts();
    of(&app, "ada").list(None).await.unwrap();
    assert_eq!(
        (app.store.calls(Operation::List), app.store.total_calls()),
        (1, 1)
    );
    assert_eq!(of(&app, "nobody").list(None).await.unwrap(), []);
}

#[tokio::test]
async fn a_user_can_end_a_session_of_their_own_and_nobody_elses() {
    let app = App::new();
    let adas = app.signed_in("ada").await;
    let bobs = app.signed_in("bob").await;
    let anonymous = app.visitor().await;
    app.events.clear();
    for browser in [&bobs, &anonymous] {
        let id = app.id(browser).await;
        assert!(!of(&app, "ada").revoke(id).await.unwrap());
        assert_eq!(app.count(browser).await, Some(1));
    }
    assert!(
        !of(&app, "ada")
            .revoke(SessionId::from_bytes([7; 16]))
            .await
            .unwrap()
    );
    assert_eq!(app.events.kinds(), []);
    let id = app.id(&adas).await;
    assert!(of(&app, "ada").revoke(id).await.unwrap());
    assert!(!of(&app, "ada").revoke(id).await.unwrap());
    let [event] = &app.events.take()[..] else {
        panic!("one event");
    };
    assert_eq!(
        (event.kind, event.session),
        (EventKind::Revoked { sessions: 1 }, Some(id))
    );
    assert_eq!(event.owner.as_ref().map(Owner::as_str), Some("ada"));
    assert_eq!(app.load(&adas).await.1.id(), None);
}

#[tokio::test]
async fn an_operator_can_end_any_session() {
    let app = App::new();
    let browser = app.visitor().await;
    let id = app.id(&browser).await;
    assert!(app.sessions.revoke(id).await.unwrap());
    assert!(!app.sessions.revoke(id).await.unwrap());
    assert_eq!(app.count(&browser).await, None);
}

#[tokio::test]
async fn signing_out_everywhere_ends_all_of_the_owners_sessions() {
    let app = App::new();
    let devices = [app.signed_in("ada").await, app.signed_in("ada").await];
    let bobs = app.signed_in("bob").await;
    app.events.clear();
    assert_eq!(of(&app, "ada").revoke_all().await.unwrap(), 2);
    assert_eq!(of(&app, "ada").revoke_all().await.unwrap(), 0);
    let events = app.events.take();
    assert_eq!(events.len(), 1, "ending none is no event");
    assert_eq!(events[0].kind, EventKind::Revoked { sessions: 2 });
    assert_eq!(events[0].owner, Some(Owner::new("ada").unwrap()));
    for device in &devices {
        assert_eq!(app.count(device).await, None);
    }
    assert_eq!(app.owner(&bobs).await.as_deref(), Some("bob"));
}

#[tokio::test]
async fn after_a_change_of_password_only_the_session_that_asked_is_left() {
    let app = App::new();
    let mut here = app.signed_in("ada").await;
    let elsewhere = [app.signed_in("ada").await, app.signed_in("ada").await];
    let (opened, session) = app.load(&here).await;
    session.renew();
    assert_eq!(of(&app, "ada").revoke_others(&session).await.unwrap(), 2);
    app.answer(&opened, &mut here).await.new_cookie();
    assert_eq!(app.owner(&here).await.as_deref(), Some("ada"));
    for device in &elsewhere {
        assert_eq!(app.count(device).await, None);
    }
}

#[tokio::test]
async fn a_sign_in_that_is_not_saved_yet_ends_the_earlier_sessions_and_survives() {
    let app = App::new();
    let elsewhere = app.signed_in("ada").await;
    let mut here = Browser::new();
    let (opened, session) = app.load(&here).await;
    session.sign_in("ada").unwrap();
    assert_eq!(of(&app, "ada").revoke_others(&session).await.unwrap(), 1);
    app.answer(&opened, &mut here).await.new_cookie();
    assert_eq!(app.owner(&here).await.as_deref(), Some("ada"));
    assert_eq!(app.owner(&elsewhere).await, None);
}

#[tokio::test]
async fn a_request_of_a_revoked_session_that_is_under_way_writes_nothing() {
    let app = App::new();
    let mut browser = app.signed_in("ada").await;
    let (opened, session) = app.load(&browser).await;
    session.insert(COUNT, &2).unwrap();
    of(&app, "ada").revoke_all().await.unwrap();
    assert_eq!(app.answer(&opened, &mut browser).await, SentCookie::None);
    assert!(app.store.inner().is_empty());
}

async fn device_of(app: &App, user_agent: Option<&str>) -> Device {
    let mut browser = Browser::new();
    browser.user_agent = user_agent.map(str::to_owned);
    let opened = app.sessions.open_from(&browser.request(), Some(ADDRESS));
    opened.load().await.unwrap().sign_in("ada").unwrap();
    app.answer(&opened, &mut browser).await.new_cookie();
    let (_, session) = app.load(&browser).await;
    let infos = of(app, "ada").list(Some(&session)).await.unwrap();
    infos.into_iter().find(|info| info.is_current).unwrap().device
}

#[tokio::test]
async fn a_device_is_labelled_by_its_user_agent_cut_to_256_bytes() {
    let app = App::new();
    assert_eq!(
        device_of(&app, Some("Firefox/140.0")).await.user_agent(),
        Some("Firefox/140.0")
    );
    assert_eq!(device_of(&app, None).await.user_agent(), None);
    let long = device_of(&app, Some(&"x".repeat(1_000))).await;
    assert_eq!(long.user_agent(), Some(&*"x".repeat(256)));
}

#[tokio::test]
async fn an_address_is_kept_only_where_the_policy_asks_for_it() {
    assert_eq!(device_of(&App::new(), None).await.address(), None);
    let app = App::with_policy(policy().record_client_address(true));
    assert_eq!(device_of(&app, None).await.address(), Some(ADDRESS));
}

#[tokio::test]
async fn the_label_is_of_the_device_that_signed_in_last() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let id = app.id(&browser).await;
    assert_eq!(app.record(id).await.unwrap().device, Device::default());
    browser.user_agent = Some("Firefox/140.0".to_owned());
    app.visit(&mut browser, Session::renew).await;
    assert_eq!(app.record(id).await.unwrap().device, Device::default());
    app.visit(&mut browser, |session| session.sign_in("ada").unwrap())
        .await;
    let device = app.record(id).await.unwrap().device;
    assert_eq!(device.user_agent(), Some("Firefox/140.0"));
}
