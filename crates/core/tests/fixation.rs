//! A cookie that somebody else planted never becomes the session of its victim.

mod common;

use common::*;
use tenure_core::{Lifetime, Session, SessionId};

type NamedAct = (&'static str, Act);

const ACTS: [NamedAct; 9] = [
    ("insert", |session| {
        session.insert(LEFT, &"victim's".to_owned()).unwrap();
    }),
    ("update", |session| {
        let _ = session.update(COUNT, |count| count.unwrap_or(0) + 1).unwrap();
    }),
    ("renew", Session::renew),
    ("sign_in", |session| session.sign_in("victim").unwrap()),
    ("remember", Session::remember),
    ("clear", Session::clear),
    ("take", |session| {
        let _ = session.take(COUNT).unwrap();
    }),
    ("sign_out", Session::sign_out),
    ("read", |session| {
        let _ = (session.get(COUNT).unwrap(), session.keys());
    }),
];

/// Every way to call up to three of them in a row, with and without a save after each.
async fn for_each_handler<F>(mut check: impl FnMut(Vec<NamedAct>, bool) -> F)
where
    F: Future<Output = ()>,
{
    for first in ACTS {
        for second in ACTS {
            for third in ACTS {
                for saves in [false, true] {
                    check(vec![first, second, third], saves).await;
                }
            }
        }
    }
}

/// The victim's request with the planted cookie.
async fn victim_visits(app: &App, planted: &Browser, acts: &[NamedAct], saves: bool) -> Browser {
    let mut victim = planted.clone();
    let (opened, session) = app.load(&victim).await;
    for (_, act) in acts {
        act(&session);
        if saves {
            let _ = session.save().await.unwrap();
        }
    }
    app.answer(&opened, &mut victim).await;
    victim
}

fn names(acts: &[NamedAct]) -> Vec<&'static str> {
    acts.iter().map(|(name, _)| *name).collect()
}

async fn assert_never_adopted(app: &App, planted: &Browser, id: SessionId, acts: &[NamedAct], saves: bool) {
    let victim = victim_visits(app, planted, acts, saves).await;
    let handler = names(acts);
    assert_ne!(victim.cookie, planted.cookie, "{handler:?}");
    assert_eq!(app.record(id).await, None, "{handler:?}");
    assert_eq!(app.load(planted).await.1.id(), None, "{handler:?}");
    if victim.cookie.is_some() {
        assert_ne!(app.load(&victim).await.1.id(), Some(id), "{handler:?}");
    }
}

#[tokio::test]
async fn a_cookie_of_an_unknown_id_is_never_adopted() {
    let app = App::new();
    // Genuine in form and signature, for a session that this store never had.
    let elsewhere = App::new();
    let planted = elsewhere.visitor().await;
    let id = elsewhere.id(&planted).await;
    for_each_handler(async |acts: Vec<NamedAct>, saves| {
        assert_never_adopted(&app, &planted, id, &acts, saves).await;
    })
    .await;
}

#[tokio::test]
async fn a_cookie_of_a_session_that_was_signed_out_is_never_adopted() {
    let app = App::new();
    let mut attacker = app.signed_in("attacker").await;
    let planted = attacker.clone();
    let id = app.id(&planted).await;
    app.visit(&mut attacker, Session::sign_out).await;
    for_each_handler(async |acts: Vec<NamedAct>, saves| {
        assert_never_adopted(&app, &planted, id, &acts, saves).await;
    })
    .await;
}

#[tokio::test]
async fn a_live_session_of_the_attacker_is_out_of_reach_once_the_victim_signs_in() {
    let app = App::new();
    for_each_handler(async |acts: Vec<NamedAct>, saves| {
        let attacker = app.visitor().await;
        let victim = victim_visits(&app, &attacker, &acts, saves).await;
        let handler = names(&acts);
        let (_, seen) = app.load(&attacker).await;
        assert_eq!(seen.owner(), None, "{handler:?}");
        if handler.contains(&"sign_in") || handler.contains(&"renew") {
            // Unless nothing changed because the session was signed out first.
            assert!(
                seen.id().is_none() || seen.id() != app.load(&victim).await.1.id(),
                "{handler:?}"
            );
            assert_eq!(seen.keys(), Vec::<String>::new(), "{handler:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn requests_of_the_attacker_under_way_during_the_sign_in_reach_nothing() {
    let app = App::new();
    for (name, act) in ACTS {
        let mut attacker = app.visitor().await;
        let mut victim = attacker.clone();
        let (opened, session) = app.load(&attacker).await;
        app.visit(&mut victim, |session| session.sign_in("victim").unwrap())
            .await;
        act(&session);
        app.answer(&opened, &mut attacker).await;
        if name == "sign_out" {
            // Ends the session that both knew: a nuisance, not an intrusion.
            continue;
        }
        assert_eq!(app.load(&attacker).await.1.id(), None, "{name}");
        let (_, session) = app.load(&victim).await;
        assert_eq!(session.owner().unwrap().as_str(), "victim", "{name}");
        assert_eq!(session.get(COUNT).unwrap(), Some(1), "{name}");
        assert_eq!(session.get(LEFT).unwrap(), None, "{name}");
    }
}

#[tokio::test]
async fn the_cookie_from_before_a_sign_in_is_dead_at_the_next_request() {
    let app = App::new();
    let mut browser = app.visitor().await;
    for owner in ["ada", "ada", "bob"] {
        let before = browser.clone();
        app.visit(&mut browser, |session| session.sign_in(owner).unwrap())
            .await;
        assert_eq!(app.load(&before).await.1.id(), None);
        assert_eq!(app.owner(&browser).await.as_deref(), Some(owner));
    }
}

#[tokio::test]
async fn the_data_stays_with_its_first_owner_and_goes_when_another_signs_in() {
    let app = App::new();
    let mut browser = app.visitor().await;
    app.visit(&mut browser, |session| session.sign_in("ada").unwrap())
        .await;
    assert_eq!(app.count(&browser).await, Some(1));
    app.visit(&mut browser, |session| session.sign_in("ada").unwrap())
        .await;
    assert_eq!(app.count(&browser).await, Some(1));
    app.visit(&mut browser, |session| {
        session.insert(LEFT, &"ada's".to_owned()).unwrap();
        session.sign_in("bob").unwrap();
        assert_eq!(session.keys(), Vec::<String>::new());
        session.insert(RIGHT, &"bob's".to_owned()).unwrap();
    })
    .await;
    assert_eq!(app.load(&browser).await.1.keys(), ["right"]);
}

#[tokio::test]
async fn what_the_first_owners_requests_write_meanwhile_goes_too() {
    let app = App::new();
    let mut browser = app.signed_in("ada").await;
    let mut adas_tab = browser.clone();
    let (opened, session) = app.load(&browser).await;
    session.sign_in("bob").unwrap();
    app.visit(&mut adas_tab, |session| {
        session.insert(LEFT, &"ada's".to_owned()).unwrap();
    })
    .await;
    let (late, late_session) = app.load(&adas_tab).await;
    app.answer(&opened, &mut browser).await.new_cookie();
    late_session.insert(RIGHT, &"ada's".to_owned()).unwrap();
    assert_eq!(app.answer(&late, &mut adas_tab).await, SentCookie::None);
    let (_, session) = app.load(&browser).await;
    assert_eq!(session.owner().unwrap().as_str(), "bob");
    assert_eq!(session.keys(), Vec::<String>::new());
}

#[tokio::test]
async fn two_owners_who_sign_in_at_once_never_share_a_session() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let mut other = browser.clone();
    let (adas, session) = app.load(&browser).await;
    session.sign_in("ada").unwrap();
    session.insert(LEFT, &"ada's".to_owned()).unwrap();
    let (bobs, session) = app.load(&other).await;
    session.sign_in("bob").unwrap();
    session.insert(RIGHT, &"bob's".to_owned()).unwrap();
    app.answer(&adas, &mut browser).await.new_cookie();
    assert_eq!(app.answer(&bobs, &mut other).await, SentCookie::None);
    assert_eq!(session.owner(), None);
    let (_, session) = app.load(&browser).await;
    assert_eq!(session.owner().unwrap().as_str(), "ada");
    assert_eq!(session.keys(), ["count", "left"]);
}

#[tokio::test]
async fn being_remembered_is_not_inherited_by_the_next_sign_in() {
    let app = App::new();
    let mut browser = app.visitor().await;
    app.visit(&mut browser, |session| {
        session.remember();
        session.sign_in("ada").unwrap();
    })
    .await;
    let id = app.id(&browser).await;
    assert_eq!(app.record(id).await.unwrap().lifetime, Lifetime::Remembered);
    app.visit(&mut browser, |session| session.sign_in("bob").unwrap())
        .await;
    assert_eq!(app.record(id).await.unwrap().lifetime, Lifetime::Standard);
}
