//! How recently, and how strongly, the signed-in user proved who they are.

mod common;

use common::*;
use tenure_core::AssuranceLevel::{Aal1, Aal2, Aal3};
use tenure_core::{EventKind, Record, Sealing, Session};

fn is_recent(session: &Session) -> bool {
    session.authenticated_within(5 * MINUTE, Aal1)
}

#[tokio::test]
async fn a_sign_in_is_a_proof_that_ages_to_the_millisecond() {
    let app = App::new();
    let mut browser = app.signed_in("ada").await;
    assert!(app.visit(&mut browser, is_recent).await);
    app.clock.advance(5 * MINUTE - MILLISECOND);
    assert!(app.visit(&mut browser, is_recent).await);
    app.clock.advance(MILLISECOND);
    assert!(!app.visit(&mut browser, is_recent).await);
}

#[tokio::test]
async fn stepping_up_is_a_new_proof_with_a_new_secret() {
    let app = App::new();
    let mut browser = app.signed_in("ada").await;
    let signed_in_at = app.now();
    let before = browser.clone();
    app.clock.advance(10 * MINUTE);
    app.events.clear();
    app.visit(&mut browser, |session| {
        session.step_up(Aal2);
        assert!(is_recent(session), "at once");
    })
    .await;
    assert_eq!(
        app.events.kinds(),
        [EventKind::SteppedUp(Aal2), EventKind::Renewed]
    );
    assert_ne!(browser.value(), before.value());
    assert_eq!(app.owner(&before).await, None, "the old secret opens nothing");
    app.visit(&mut browser, |session| {
        assert!(is_recent(session));
        assert_eq!(session.assurance_level(), Some(Aal2));
        assert_eq!(session.signed_in_at(), Some(signed_in_at), "no new sign-in");
        assert_eq!(session.get(COUNT).unwrap(), Some(1), "the data stays");
    })
    .await;
}

#[tokio::test]
async fn a_weaker_proof_leaves_the_stronger_one_its_age() {
    let app = App::new();
    let mut browser = app.signed_in("ada").await;
    let strong = app.now();
    app.visit(&mut browser, |session| session.step_up(Aal2)).await;
    app.clock.advance(10 * MINUTE);
    app.visit(&mut browser, |session| session.step_up(Aal1)).await;
    app.visit(&mut browser, |session| {
        assert!(session.authenticated_within(MINUTE, Aal1));
        assert!(!session.authenticated_within(MINUTE, Aal2));
        assert_eq!(session.authenticated_at(Aal2), Some(strong));
        assert_eq!(session.authenticated_at(Aal3), None);
    })
    .await;
}

#[tokio::test]
async fn a_proof_survives_renewal_and_clearing_and_dies_with_the_sign_in() {
    let app = App::new();
    let mut browser = app.signed_in("ada").await;
    app.visit(&mut browser, |session| session.step_up(Aal3)).await;
    app.visit(&mut browser, Session::renew).await;
    app.visit(&mut browser, Session::clear).await;
    assert_eq!(
        app.visit(&mut browser, Session::assurance_level).await,
        Some(Aal3)
    );
    // Another user at the same browser, and the same one again.
    for owner in ["bob", "ada"] {
        app.visit(&mut browser, |session| session.sign_in(owner).unwrap())
            .await;
        assert_eq!(
            app.visit(&mut browser, Session::assurance_level).await,
            Some(Aal1)
        );
    }
    app.visit(&mut browser, |session| session.sign_in_with("ada", Aal2).unwrap())
        .await;
    assert_eq!(
        app.visit(&mut browser, Session::assurance_level).await,
        Some(Aal2)
    );
    app.visit(&mut browser, Session::sign_out).await;
    assert_eq!(app.visit(&mut browser, Session::assurance_level).await, None);
}

#[tokio::test]
async fn strangers_prove_nothing() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let before = browser.value().to_owned();
    app.visit(&mut browser, |session| session.step_up(Aal2)).await;
    assert_eq!(browser.value(), before);
    assert_eq!(app.visit(&mut browser, Session::assurance_level).await, None);
    assert!(!app.visit(&mut browser, is_recent).await);
}

#[tokio::test]
async fn a_proof_that_crosses_a_write_keeps_both() {
    let app = App::new();
    let mut browser = app.signed_in("ada").await;
    let mut other_tab = browser.clone();
    let (opened, session) = app.load(&browser).await;
    session.step_up(Aal2);
    app.visit(&mut other_tab, |session| session.insert(COUNT, &2).unwrap())
        .await;
    app.answer(&opened, &mut browser).await;
    app.visit(&mut browser, |session| {
        assert_eq!(session.assurance_level(), Some(Aal2));
        assert_eq!(session.get(COUNT).unwrap(), Some(2));
    })
    .await;
}

#[tokio::test]
async fn a_step_up_under_a_cookie_that_a_sign_in_replaced_is_dropped() {
    let app = App::new();
    let mut browser = app.signed_in("ada").await;
    let mut late = browser.clone();
    let (opened, session) = app.load(&late).await;
    session.step_up(Aal3);
    app.visit(&mut browser, |session| session.sign_in("bob").unwrap())
        .await;
    app.answer(&opened, &mut late).await;
    app.visit(&mut browser, |session| {
        assert_eq!(session.owner().unwrap().as_str(), "bob");
        assert_eq!(session.assurance_level(), Some(Aal1));
    })
    .await;
}

#[tokio::test]
async fn a_proof_that_is_forged_in_the_store_opens_nothing() {
    let app = App::new();
    let mut browser = app.signed_in("ada").await;
    let mut attacker = app.signed_in("eve").await;
    app.visit(&mut attacker, |session| session.step_up(Aal3)).await;
    let proven = app.record(app.id(&attacker).await).await.unwrap().lineage;
    let record = app.record(app.id(&browser).await).await.unwrap();
    app.plant(&Record {
        lineage: proven,
        ..record
    })
    .await;
    assert_eq!(app.visit(&mut browser, Session::assurance_level).await, None);
}

#[tokio::test]
async fn without_a_seal_a_proof_is_as_good_as_the_database() {
    let app = App::with_policy(policy().sealing(Sealing::Plain));
    let mut browser = app.signed_in("ada").await;
    app.visit(&mut browser, |session| session.step_up(Aal2)).await;
    assert_eq!(
        app.visit(&mut browser, Session::assurance_level).await,
        Some(Aal2)
    );
}
