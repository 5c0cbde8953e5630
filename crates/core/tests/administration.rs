//! Everybody's sessions, seen and ended by an administrator.

mod common;

use std::collections::HashSet;
use std::sync::Arc;

use common::*;
use tenure_core::store::{Attempts, AttemptsKey};
use tenure_core::{
    Administration, EventKind, Expiry, Lifetime, MemoryStore, Owner, SessionDetails, SessionId, Store,
};

type Shared = App<Arc<MemoryStore>>;

fn app() -> Shared {
    App::over(Arc::new(MemoryStore::new()), policy())
}

async fn signed_in(app: &Shared, owner: &str) -> Browser {
    let mut browser = Browser::new();
    app.visit(&mut browser, |session| session.sign_in(owner).unwrap())
        .await;
    browser
}

async fn id_of(app: &Shared, browser: &Browser) -> SessionId {
    app.load(browser).await.1.id().unwrap()
}

async fn all(administration: &Administration) -> Vec<SessionDetails> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = administration.page(after.as_ref(), 3).await.unwrap();
        found.extend(page.sessions);
        match page.next {
            Some(next) => after = Some(next),
            None => return found,
        }
    }
}

#[tokio::test]
async fn a_walk_over_the_pages_sees_everybodys_sessions_live_and_expired() {
    let app = app();
    let mut ids = HashSet::new();
    for number in 0..10 {
        ids.insert(id_of(&app, &signed_in(&app, &format!("user-{number}")).await).await);
    }
    app.clock.advance(30 * MINUTE);
    let live = id_of(&app, &signed_in(&app, "ada").await).await;
    let administration = app.sessions.administration();
    let seen = all(&administration).await;
    for session in &seen {
        let expired = (session.id != live).then_some(Expiry::Idle);
        assert_eq!(session.expired, expired);
    }
    ids.insert(live);
    assert_eq!(seen.iter().map(|session| session.id).collect::<HashSet<_>>(), ids);
    assert_eq!(administration.count().await.unwrap(), 1);
}

#[tokio::test]
async fn a_session_is_found_by_its_id_and_not_kept_alive_by_that() {
    let app = app();
    let browser = signed_in(&app, "ada").await;
    let id = id_of(&app, &browser).await;
    let administration = app.sessions.administration();
    app.clock.advance(10 * MINUTE);
    let found = administration.find(id).await.unwrap().unwrap();
    assert_eq!((found.id, found.owner), (id, Some(Owner::new("ada").unwrap())));
    assert_eq!(found.lifetime, Lifetime::Standard);
    assert_eq!(found.expired, None);
    app.clock.advance(20 * MINUTE);
    let found = administration.find(id).await.unwrap().unwrap();
    assert_eq!(found.expired, Some(Expiry::Idle));
    assert_eq!(
        administration.find(SessionId::from_bytes([7; 16])).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn an_administrator_ends_one_session_one_users_or_everybodys() {
    let app = app();
    let administration = app.sessions.administration();
    let ada = Owner::new("ada").unwrap();
    let (laptop, phone) = (signed_in(&app, "ada").await, signed_in(&app, "ada").await);
    let bobs = signed_in(&app, "bob").await;
    let kept = id_of(&app, &phone).await;
    app.events.clear();

    assert_eq!(administration.of_owner(&ada).await.unwrap().len(), 2);
    assert_eq!(administration.revoke_owner(&ada, Some(kept)).await.unwrap(), 1);
    assert_eq!(app.load(&laptop).await.1.id(), None);
    assert!(administration.revoke(kept).await.unwrap());
    assert!(!administration.revoke(kept).await.unwrap());
    assert_eq!(administration.revoke_owner(&ada, None).await.unwrap(), 0);
    assert_eq!(app.load(&bobs).await.1.owner(), Some(Owner::new("bob").unwrap()));
    let revoked = |event: &tenure_core::Event| matches!(event.kind, EventKind::Revoked { .. });
    let told: Vec<_> = app.events.take().into_iter().filter(revoked).collect();
    assert_eq!((told[0].owner.as_ref(), told[0].session), (Some(&ada), None));
    assert_eq!((told[1].owner.as_ref(), told[1].session), (None, Some(kept)));
    assert_eq!(told.len(), 2, "ending none is no event");

    for number in 0..1_200 {
        signed_in(&app, &format!("user-{number}")).await;
    }
    app.events.clear();
    let mut progress = Vec::new();
    let ended = administration
        .revoke_all(|so_far| progress.push(so_far))
        .await
        .unwrap();
    assert_eq!(ended, 1_201);
    assert_eq!(progress.last(), Some(&1_201));
    assert!(progress.is_sorted());
    assert_eq!(app.events.kinds(), [EventKind::Revoked { sessions: 1_201 }]);
    assert!(app.store.is_empty());
    assert_eq!(app.load(&bobs).await.1.id(), None);
}

#[tokio::test]
async fn sweeping_removes_what_has_expired_and_nothing_else() {
    let app = app();
    for number in 0..700 {
        signed_in(&app, &format!("user-{number}")).await;
    }
    app.clock.advance(30 * MINUTE);
    signed_in(&app, "ada").await;
    let mut progress = Vec::new();
    let swept = app
        .sessions
        .administration()
        .sweep(|so_far| progress.push(so_far))
        .await;
    assert_eq!(swept.unwrap(), 700);
    assert_eq!(progress, [500, 700]);
    assert_eq!(app.store.len(), 1);
}

#[tokio::test]
async fn sweeping_goes_on_as_long_as_there_are_attempts_though_no_session_has_expired() {
    const ATTEMPTS: u64 = 1_200;
    let app = app();
    let key = |number: u64| {
        let mut bytes = [0; AttemptsKey::LENGTH];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        AttemptsKey::from_bytes(bytes)
    };
    let now = app.now();
    let once = Attempts {
        version: 1,
        failures: 1,
        last_failed_at: now,
        blocked_until: now,
        expires_at: now.plus(MINUTE),
    };
    for number in 0..ATTEMPTS {
        let saved = app.store.save_attempts(key(number), &once, 0, now).await;
        assert!(saved.unwrap());
    }
    app.clock.advance(MINUTE);
    let swept = app.sessions.administration().sweep(|_| {}).await;
    assert_eq!(swept.unwrap(), 0, "sessions alone are counted");
    for number in 0..ATTEMPTS {
        assert_eq!(app.store.load_attempts(key(number)).await.unwrap(), None);
    }
}

#[tokio::test]
async fn an_operator_needs_the_store_alone() {
    let app = app();
    let browser = signed_in(&app, "ada").await;
    let id = id_of(&app, &browser).await;
    let administration = Administration::with_clock(Arc::clone(&app.store), app.clock.clone());
    assert_eq!(administration.now(), app.now());
    assert_eq!(all(&administration).await[0].id, id);
    assert_eq!(administration.revoke_all(|_| {}).await.unwrap(), 1);
    assert_eq!(app.load(&browser).await.1.id(), None);
    assert_eq!(
        format!("{administration:?}"),
        "Administration { store: \"memory\", .. }"
    );
}
