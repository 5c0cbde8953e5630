//! A store that fails or hangs is an error: never an empty session, never a lost one.

mod common;

use std::time::Duration;

use common::*;
use tenure_core::store::Operation;
use tenure_core::{CommitError, EventKind, LoadError, Outgoing, Owner, Record, Saved, Session, StoreError};
use tokio::time::Instant;

const DEADLINE: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, Debug)]
enum Fault {
    Fails,
    Hangs,
    LosesItsAnswer,
    HangsAfterTheWork,
}

const BEFORE_THE_WORK: [Fault; 2] = [Fault::Fails, Fault::Hangs];
const AFTER_THE_WORK: [Fault; 2] = [Fault::LosesItsAnswer, Fault::HangsAfterTheWork];
const ALL: [Fault; 4] = [
    Fault::Fails,
    Fault::Hangs,
    Fault::LosesItsAnswer,
    Fault::HangsAfterTheWork,
];

impl Fault {
    fn strike(self, app: &App, operation: Operation) {
        match self {
            Self::Fails => app.store.fail(operation),
            Self::Hangs => app.store.hang(operation),
            Self::LosesItsAnswer => app.store.fail_after(operation),
            Self::HangsAfterTheWork => app.store.hang_after(operation),
        }
    }

    /// How long a request takes to learn of it.
    fn patience(self) -> Duration {
        match self {
            Self::Fails | Self::LosesItsAnswer => Duration::ZERO,
            Self::Hangs | Self::HangsAfterTheWork => DEADLINE,
        }
    }

    #[track_caller]
    fn assert_is(self, error: &StoreError, expected: Operation) {
        match (self, error) {
            (Self::Fails | Self::LosesItsAnswer, StoreError::Unavailable { operation, .. }) => {
                assert_eq!(*operation, expected);
            }
            (
                Self::Hangs | Self::HangsAfterTheWork,
                StoreError::TimedOut {
                    operation, deadline, ..
                },
            ) => {
                assert_eq!((*operation, *deadline), (expected, DEADLINE));
            }
            _ => panic!("{self:?} became {error:?}"),
        }
    }
}

/// Commits against a store that fails, and checks all that must hold of it.
async fn failed_commit(app: &App, browser: &Browser, fault: Fault, operation: Operation, act: Act) {
    let (opened, session) = app.load(browser).await;
    act(&session);
    fault.strike(app, operation);
    app.events.clear();
    let began = Instant::now();
    let error = app.sessions.commit(&opened).await.unwrap_err();
    assert_eq!(began.elapsed(), fault.patience());
    let CommitError::Store(error) = error else {
        panic!("{error:?}");
    };
    fault.assert_is(&error, operation);
    assert!(
        !opened.outgoing_after_failure().sets_cookie(),
        "no cookie set or removed"
    );
    assert_eq!(app.events.kinds(), [EventKind::StoreFailed(operation)]);
    app.store.heal();
    app.events.clear();
    drop((opened, session));
    assert_eq!(
        app.events.kinds(),
        [],
        "the failure was told; nothing is dropped on top"
    );
}

#[tokio::test(start_paused = true)]
async fn a_load_that_fails_or_hangs_is_an_error_and_touches_no_cookie() {
    for fault in ALL {
        let app = App::new();
        let mut browser = app.signed_in("ada").await;
        let before = stored(&app, &browser).await;
        let opened = app.open(&browser);
        fault.strike(&app, Operation::Load);
        app.events.clear();
        let began = Instant::now();
        for ask in [true, false] {
            let asked = if ask {
                opened.load().await
            } else {
                opened.peek().await
            };
            let LoadError::Store(error) = asked.unwrap_err() else {
                panic!("only the store can have failed");
            };
            fault.assert_is(&error, Operation::Load);
        }
        assert_eq!(began.elapsed(), 2 * fault.patience());
        assert_eq!(app.events.kinds(), [EventKind::StoreFailed(Operation::Load); 2]);
        assert!(
            opened
                .commit_without_store()
                .is_some_and(|outgoing| !outgoing.sets_cookie())
        );
        assert_eq!(app.answer(&opened, &mut browser).await, SentCookie::None);

        app.store.heal();
        assert_eq!(stored(&app, &browser).await, before);
        let session = opened.load().await.unwrap();
        assert_eq!(
            session.owner().unwrap().as_str(),
            "ada",
            "loading may be tried again"
        );
    }
}

async fn stored(app: &App, browser: &Browser) -> Record {
    let id = app.id(browser).await;
    app.record(id).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_session_that_could_not_be_inserted_does_not_exist() {
    let acts: [Act; 2] = [
        |session| session.insert(COUNT, &1).unwrap(),
        |session| session.sign_in("ada").unwrap(),
    ];
    for fault in BEFORE_THE_WORK {
        for act in acts {
            let app = App::new();
            failed_commit(&app, &Browser::new(), fault, Operation::Insert, act).await;
            assert!(app.store.inner().is_empty());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_that_fails_or_hangs_overwrites_nothing() {
    let acts: [Act; 6] = [
        |session| session.insert(COUNT, &9).unwrap(),
        |session| session.clear(),
        Session::renew,
        Session::remember,
        |session| session.sign_in("ada").unwrap(),
        |session| session.sign_in("bob").unwrap(),
    ];
    for fault in BEFORE_THE_WORK {
        for act in acts {
            let app = App::new();
            let browser = app.signed_in("ada").await;
            let before = stored(&app, &browser).await;
            failed_commit(&app, &browser, fault, Operation::Update, act).await;
            assert_eq!(stored(&app, &browser).await, before);
            assert_eq!(app.count(&browser).await, Some(1));
            assert_eq!(app.owner(&browser).await.as_deref(), Some("ada"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_sign_out_that_fails_or_hangs_is_an_error_and_the_session_stays() {
    for fault in BEFORE_THE_WORK {
        let app = App::new();
        let mut browser = app.signed_in("ada").await;
        failed_commit(&app, &browser, fault, Operation::Remove, Session::sign_out).await;
        assert_eq!(app.owner(&browser).await.as_deref(), Some("ada"));
        app.visit(&mut browser, Session::sign_out).await;
        assert!(app.store.inner().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn an_acknowledgement_that_is_lost_is_an_error_though_the_store_has_done_it() {
    for fault in AFTER_THE_WORK {
        let app = App::new();
        let mut browser = app.visitor().await;
        failed_commit(&app, &browser, fault, Operation::Update, |session| {
            session.insert(COUNT, &2).unwrap();
        })
        .await;
        assert_eq!(app.count(&browser).await, Some(2));

        failed_commit(&app, &browser, fault, Operation::Remove, Session::sign_out).await;
        let ((), sent) = app.visit_and_tell(&mut browser, |_| ()).await;
        sent.removal();

        failed_commit(&app, &browser, fault, Operation::Insert, |session| {
            session.insert(COUNT, &1).unwrap();
        })
        .await;
        assert_eq!(
            browser.cookie, None,
            "nobody bears the secret of what was inserted"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_whose_acknowledgement_is_lost_leaves_the_old_cookie_dead_and_unharmed() {
    for fault in AFTER_THE_WORK {
        let app = App::new();
        let browser = app.signed_in("ada").await;
        failed_commit(&app, &browser, fault, Operation::Update, Session::renew).await;
        let mut after = browser.clone();
        let (id, sent) = app.visit_and_tell(&mut after, Session::id).await;
        assert_eq!((id, sent), (None, SentCookie::None));
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_while_a_conflict_is_replayed_overwrites_nothing() {
    for fault in BEFORE_THE_WORK {
        let app = App::new();
        let mut browser = app.visitor().await;
        let (opened, session) = app.load(&browser).await;
        session.insert(LEFT, &"late".to_owned()).unwrap();
        app.visit(&mut browser, |session| session.insert(COUNT, &2).unwrap())
            .await;
        fault.strike(&app, Operation::Load);
        let began = Instant::now();
        let CommitError::Store(error) = app.sessions.commit(&opened).await.unwrap_err() else {
            panic!("the store failed");
        };
        fault.assert_is(&error, Operation::Load);
        assert_eq!(began.elapsed(), fault.patience());
        assert!(!opened.outgoing_after_failure().sets_cookie());
        app.store.heal();
        assert_eq!(app.load(&browser).await.1.keys(), ["count"]);
        assert_eq!(app.count(&browser).await, Some(2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_save_that_failed_can_be_tried_again_and_loses_nothing() {
    for fault in BEFORE_THE_WORK {
        let app = App::new();
        let mut browser = app.visitor().await;
        let (opened, session) = app.load(&browser).await;
        session.update(COUNT, |count| count.unwrap_or(0) + 1).unwrap();
        fault.strike(&app, Operation::Update);
        assert!(matches!(session.save().await, Err(CommitError::Store(_))));
        assert_eq!(session.get(COUNT).unwrap(), Some(2));
        session.update(COUNT, |count| count.unwrap_or(0) + 1).unwrap();
        app.store.heal();
        assert_eq!(session.save().await.unwrap(), Saved::Written);
        app.answer(&opened, &mut browser).await;
        assert_eq!(app.count(&browser).await, Some(3));
    }
}

#[tokio::test(start_paused = true)]
async fn the_cookie_of_an_earlier_save_reaches_the_browser_though_the_commit_fails() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let (opened, session) = app.load(&browser).await;
    session.sign_in("ada").unwrap();
    assert_eq!(session.save().await.unwrap(), Saved::Written);
    session.insert(COUNT, &9).unwrap();
    app.store.fail(Operation::Update);
    app.sessions.commit(&opened).await.unwrap_err();
    app.store.heal();
    browser
        .receive(&response(opened.outgoing_after_failure()))
        .new_cookie();
    assert_eq!(app.owner(&browser).await.as_deref(), Some("ada"));
    assert_eq!(app.count(&browser).await, Some(1));
}

#[tokio::test(start_paused = true)]
async fn all_retries_of_a_commit_share_one_deadline() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let (opened, session) = app.load(&browser).await;
    session.insert(LEFT, &"late".to_owned()).unwrap();
    app.visit(&mut browser, |session| session.insert(COUNT, &2).unwrap())
        .await;
    app.store.delay(Duration::from_millis(900));
    let began = Instant::now();
    // Update, load, and an update that would end at 2.7 seconds.
    let error = app.sessions.commit(&opened).await.unwrap_err();
    assert!(matches!(
        error,
        CommitError::Store(StoreError::TimedOut {
            operation: Operation::Update,
            ..
        })
    ));
    assert_eq!(began.elapsed(), DEADLINE);
    app.store.heal();
    assert_eq!(app.load(&browser).await.1.keys(), ["count"]);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_asked_for_is_written_within_the_deadline_of_the_commit() {
    let interval = HOUR;
    let app = App::with_policy(
        policy()
            .idle_timeout(2 * interval)
            .renew_every(Some(interval))
            .renewal_grace(MINUTE),
    );
    let mut browser = app.visitor().await;
    app.clock.advance(interval);
    let (opened, session) = app.load(&browser).await;
    session.insert(COUNT, &2).unwrap();
    app.store.delay(Duration::from_millis(1_900));
    let began = Instant::now();
    // An update, and the renewal's, which would end at 3.8 seconds.
    app.answer(&opened, &mut browser).await;
    assert_eq!(began.elapsed(), DEADLINE);
    assert_eq!(app.store.calls(Operation::Update), 2);
}

#[tokio::test(start_paused = true)]
async fn a_slow_store_within_the_deadline_is_no_error() {
    let app = App::new();
    let mut browser = app.visitor().await;
    app.store.delay(Duration::from_millis(1_900));
    app.visit(&mut browser, |session| session.insert(COUNT, &2).unwrap())
        .await;
    assert_eq!(app.count(&browser).await, Some(2));
}

#[tokio::test(start_paused = true)]
async fn queued_writers_of_one_session_all_learn_of_a_hang_within_the_deadline() {
    const WRITERS: usize = 64;
    let app = App::new();
    let mut browser = app.visitor().await;
    let mut requests = Vec::new();
    for _ in 0..WRITERS {
        let (opened, session) = app.load(&browser).await;
        session.update(COUNT, |count| count.unwrap_or(0) + 1).unwrap();
        requests.push((opened, session));
    }
    // Makes each of them conflict, so that they queue up behind the one that reloads.
    app.visit(&mut browser, |session| session.insert(COUNT, &100).unwrap())
        .await;
    for fault in [Operation::Load, Operation::Update] {
        app.store.hang(fault);
        let began = Instant::now();
        let commits: Vec<_> = std::mem::take(&mut requests)
            .into_iter()
            .map(|(opened, session)| {
                let sessions = app.sessions.clone();
                tokio::spawn(async move {
                    drop(session);
                    let committed: Result<Outgoing, CommitError> = sessions.commit(&opened).await;
                    (committed.unwrap_err(), Instant::now())
                })
            })
            .collect();
        for commit in commits {
            let (error, at) = commit.await.unwrap();
            assert!(matches!(error, CommitError::Store(StoreError::TimedOut { .. })));
            assert_eq!(at - began, DEADLINE);
        }
        app.store.heal();
        assert_eq!(app.count(&browser).await, Some(100));
        for _ in 0..WRITERS {
            let (opened, session) = app.load(&browser).await;
            session.update(COUNT, |count| count.unwrap_or(0) + 1).unwrap();
            requests.push((opened, session));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_deadline_is_the_policys() {
    let app = App::with_policy(policy().store_deadline(Duration::from_millis(150)));
    let browser = app.visitor().await;
    app.store.hang(Operation::Load);
    let began = Instant::now();
    app.open(&browser).load().await.unwrap_err();
    assert_eq!(began.elapsed(), Duration::from_millis(150));
}

#[tokio::test(start_paused = true)]
async fn operators_learn_of_a_failure_and_nothing_is_ended_by_halves() {
    for fault in BEFORE_THE_WORK {
        let app = App::new();
        let browser = app.signed_in("ada").await;
        let id = app.id(&browser).await;
        let ada = || app.sessions.of(Owner::new("ada").unwrap());
        let asked = [
            Operation::Load,
            Operation::Remove,
            Operation::List,
            Operation::RemoveByOwner,
            Operation::Sweep,
        ];
        for operation in asked {
            fault.strike(&app, operation);
            app.events.clear();
            let began = Instant::now();
            let error = match operation {
                Operation::Load => ada().revoke(id).await.unwrap_err(),
                Operation::Remove => app.sessions.revoke(id).await.unwrap_err(),
                Operation::List => ada().list(None).await.unwrap_err(),
                Operation::RemoveByOwner => ada().revoke_all().await.unwrap_err(),
                _ => app.sessions.sweep().await.unwrap_err(),
            };
            fault.assert_is(&error, operation);
            assert_eq!(began.elapsed(), fault.patience());
            assert_eq!(app.events.kinds(), [EventKind::StoreFailed(operation)]);
            app.store.heal();
        }
        fault.strike(&app, Operation::Ping);
        fault.assert_is(&app.sessions.ping().await.unwrap_err(), Operation::Ping);
        app.store.heal();
        assert_eq!(app.sessions.ping().await.ok(), Some(()));
        assert_eq!(app.owner(&browser).await.as_deref(), Some("ada"));
    }
}

#[tokio::test]
async fn what_an_operator_ended_is_told_though_one_removal_among_them_fails() {
    let app = App::new();
    for number in 0..16 {
        app.signed_in(&format!("user-{number}")).await;
    }
    app.events.clear();
    app.store.reset_counts();
    app.store.fail_at(Operation::Remove, 3);
    app.sessions
        .administration()
        .revoke_all(|_| {})
        .await
        .unwrap_err();
    assert_eq!(
        app.events.kinds(),
        [
            EventKind::StoreFailed(Operation::Remove),
            EventKind::Revoked { sessions: 15 }
        ]
    );
}
