//! How many sessions one user may have at once.

mod common;

use std::num::NonZeroU32;
use std::sync::Arc;

use common::*;
use tenure_core::store::Operation;
use tenure_core::{CommitError, EventKind, MemoryStore, Owner, Session, SessionLimit, Status};
use tenure_testkit::instances;

const TWO: NonZeroU32 = NonZeroU32::new(2).unwrap();

fn app(limit: SessionLimit) -> App {
    App::with_policy(policy().session_limit(limit))
}

/// A browser whose user signs in now, a second after whatever was before.
async fn sign_in(app: &App, owner: &str) -> Browser {
    app.clock.advance(SECOND);
    app.signed_in(owner).await
}

async fn number_of(app: &App, owner: &str) -> usize {
    let owner = Owner::new(owner).unwrap();
    app.sessions.of(owner).list(None).await.unwrap().len()
}

#[tokio::test]
async fn without_a_limit_a_sign_in_lists_nothing() {
    let app = App::new();
    app.signed_in("ada").await;
    assert_eq!(app.store.calls(Operation::List), 0);
}

#[tokio::test]
async fn the_session_that_signed_in_the_longest_ago_makes_room() {
    let app = app(SessionLimit::EvictOldest(TWO));
    let bystander = sign_in(&app, "bob").await;
    let first = sign_in(&app, "ada").await;
    let second = sign_in(&app, "ada").await;
    // The last seen, and the oldest all the same.
    app.clock.advance(10 * MINUTE);
    assert_eq!(app.owner(&first).await.as_deref(), Some("ada"));
    app.events.clear();
    let third = sign_in(&app, "ada").await;
    assert_eq!(
        app.events.kinds(),
        [EventKind::Created, EventKind::SignedIn, EventKind::Evicted]
    );
    assert_eq!(app.owner(&first).await, None);
    for browser in [&second, &third] {
        assert_eq!(app.owner(browser).await.as_deref(), Some("ada"));
    }
    assert_eq!(app.owner(&bystander).await.as_deref(), Some("bob"));
    assert_eq!(number_of(&app, "ada").await, 2);
}

#[tokio::test]
async fn whoever_would_be_one_too_many_is_refused_and_gets_no_cookie() {
    let app = app(SessionLimit::RefuseNewest(TWO));
    let first = sign_in(&app, "ada").await;
    let second = sign_in(&app, "ada").await;
    app.clock.advance(SECOND);
    app.events.clear();
    let mut browser = Browser::new();
    let refused = app
        .try_visit(&mut browser, |session| session.sign_in("ada").unwrap())
        .await
        .unwrap_err();
    assert!(
        matches!(refused, CommitError::TooManySessions { limit: 2 }),
        "{refused}"
    );
    assert_eq!(browser, Browser::new());
    assert_eq!(app.events.kinds().last(), Some(&EventKind::SignInRefused));
    for browser in [&first, &second] {
        assert_eq!(app.owner(browser).await.as_deref(), Some("ada"));
    }
    assert_eq!(number_of(&app, "ada").await, 2);
}

#[tokio::test]
async fn a_handler_that_saves_learns_of_the_refusal_and_goes_on_without_a_session() {
    let app = app(SessionLimit::RefuseNewest(TWO));
    sign_in(&app, "ada").await;
    sign_in(&app, "ada").await;
    let mut browser = sign_in(&app, "bob").await;
    app.clock.advance(SECOND);
    let (opened, session) = app.load(&browser).await;
    session.sign_in("ada").unwrap();
    let refused = session.save().await.unwrap_err();
    assert!(matches!(refused, CommitError::TooManySessions { .. }));
    assert_eq!(session.owner(), None);
    assert_eq!(session.status(), Status::Destroyed);
    app.answer(&opened, &mut browser).await.removal();
    assert_eq!(number_of(&app, "ada").await, 2);
}

#[tokio::test]
async fn signing_in_again_in_the_same_session_counts_once() {
    for limit in [SessionLimit::EvictOldest(TWO), SessionLimit::RefuseNewest(TWO)] {
        let app = app(limit);
        let first = sign_in(&app, "ada").await;
        let mut second = sign_in(&app, "ada").await;
        app.clock.advance(SECOND);
        app.visit(&mut second, |session: &Session| session.sign_in("ada").unwrap())
            .await;
        for browser in [&first, &second] {
            assert_eq!(app.owner(browser).await.as_deref(), Some("ada"), "{limit:?}");
        }
    }
}

#[tokio::test]
async fn a_store_that_fails_to_list_or_remove_is_an_error() {
    for operation in [Operation::List, Operation::Remove] {
        let app = app(SessionLimit::EvictOldest(TWO));
        for _ in 0..2 {
            sign_in(&app, "ada").await;
        }
        app.store.fail(operation);
        let mut browser = Browser::new();
        let failed = app
            .try_visit(&mut browser, |session| session.sign_in("ada").unwrap())
            .await;
        assert!(matches!(failed, Err(CommitError::Store(_))), "{operation:?}");
        assert_eq!(browser, Browser::new());
    }
}

#[tokio::test]
async fn nobody_bears_a_session_of_which_it_is_not_known_whether_it_may_stay() {
    for limit in [SessionLimit::EvictOldest(TWO), SessionLimit::RefuseNewest(TWO)] {
        for has_session in [false, true] {
            let app = app(limit);
            sign_in(&app, "ada").await;
            sign_in(&app, "ada").await;
            let mut browser = match has_session {
                true => app.visitor().await,
                false => Browser::new(),
            };
            app.clock.advance(SECOND);
            let (opened, session) = app.load(&browser).await;
            session.sign_in("ada").unwrap();
            app.store.fail(Operation::List);
            session.save().await.unwrap_err();
            // What follows the failure is dropped where the session has its new secret already.
            let committed = app.sessions.commit(&opened).await;
            let outgoing = committed.unwrap_or_else(|_| opened.outgoing_after_failure());
            let sent = browser.receive(&response(outgoing));
            assert_eq!(sent, SentCookie::None, "{limit:?}, {has_session}");
            app.store.heal();
            assert_eq!(app.owner(&browser).await, None, "{limit:?}, {has_session}");
        }
    }
}

#[tokio::test]
async fn a_sign_in_that_is_saved_again_is_kept_to_the_limit_then() {
    let app = app(SessionLimit::RefuseNewest(TWO));
    sign_in(&app, "ada").await;
    sign_in(&app, "ada").await;
    app.clock.advance(SECOND);
    let mut browser = Browser::new();
    let (opened, session) = app.load(&browser).await;
    session.sign_in("ada").unwrap();
    app.store.fail(Operation::List);
    session.save().await.unwrap_err();
    app.store.heal();
    let refused = app.sessions.commit(&opened).await.unwrap_err();
    assert!(matches!(refused, CommitError::TooManySessions { .. }));
    browser.receive(&response(opened.outgoing_after_failure()));
    assert_eq!(browser, Browser::new());
    assert_eq!(number_of(&app, "ada").await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_sign_ins_at_once_leave_as_many_as_the_limit() {
    let store = Arc::new(MemoryStore::new());
    for _ in 0..20 {
        instances::keep_to_the_limit([Arc::clone(&store), Arc::clone(&store)]).await;
    }
}
