//! Requests of one session at once, saves in the middle, and clients that go away.

mod common;

use std::sync::{Arc, Mutex};

use common::*;
use tenure_core::store::Operation;
use tenure_core::{CommitError, DataError, Dropped, EventKind, Key, MemoryStore, Saved, Session, Status};
use tenure_testkit::{FaultyStore, YieldingStore};

/// A store whose calls have await points of their own.
type PausingStore = FaultyStore<YieldingStore<MemoryStore>>;

fn pausing(seed: u64) -> App<PausingStore> {
    let store = FaultyStore::new(YieldingStore::new(MemoryStore::new(), seed));
    App::over(store, policy())
}

fn increment(session: &Session) {
    session.update(COUNT, |count| count.unwrap_or(0) + 1).unwrap();
}

fn text(value: &str) -> String {
    value.to_owned()
}

/// Two requests that have loaded the same session; the first is committed first.
async fn race(
    app: &App,
    browser: &mut Browser,
    first: impl FnOnce(&Session),
    second: impl FnOnce(&Session),
) -> (SentCookie, SentCookie) {
    let mut other_tab = browser.clone();
    let (first_opened, first_session) = app.load(browser).await;
    let (second_opened, second_session) = app.load(&other_tab).await;
    first(&first_session);
    second(&second_session);
    let first = app.answer(&first_opened, browser).await;
    let second = app.answer(&second_opened, &mut other_tab).await;
    (first, second)
}

#[tokio::test]
async fn requests_that_write_different_keys_both_win() {
    let app = App::new();
    let mut browser = app.visitor().await;
    app.store.reset_counts();
    app.events.clear();
    race(
        &app,
        &mut browser,
        |session| session.insert(LEFT, &text("l")).unwrap(),
        |session| {
            session.insert(RIGHT, &text("r")).unwrap();
            session.remove(COUNT);
        },
    )
    .await;
    assert_eq!(app.store.calls(Operation::Load), 3);
    assert_eq!(app.store.calls(Operation::Update), 3);
    assert_eq!(app.events.kinds(), [EventKind::ConflictReplayed]);
    assert_eq!(app.load(&browser).await.1.keys(), ["left", "right"]);
}

#[tokio::test]
async fn of_two_that_write_the_same_key_the_later_wins() {
    let app = App::new();
    let mut browser = app.visitor().await;
    race(
        &app,
        &mut browser,
        |session| session.insert(COUNT, &10).unwrap(),
        |session| session.insert(COUNT, &20).unwrap(),
    )
    .await;
    assert_eq!(app.count(&browser).await, Some(20));
    race(
        &app,
        &mut browser,
        |session| session.insert(COUNT, &30).unwrap(),
        |session| session.remove(COUNT),
    )
    .await;
    assert_eq!(app.count(&browser).await, None);
}

#[tokio::test]
async fn updates_are_run_again_on_the_newer_value() {
    let app = App::new();
    let mut browser = app.visitor().await;
    race(&app, &mut browser, increment, |session| {
        increment(session);
        increment(session);
        assert_eq!(session.get(COUNT).unwrap(), Some(3));
    })
    .await;
    assert_eq!(app.count(&browser).await, Some(4));
    race(&app, &mut browser, |session| session.remove(COUNT), increment).await;
    assert_eq!(app.count(&browser).await, Some(1));
}

#[tokio::test]
async fn clearing_and_removing_hold_against_what_another_request_wrote() {
    let app = App::new();
    let mut browser = app.visitor().await;
    race(
        &app,
        &mut browser,
        |session| session.insert(LEFT, &text("l")).unwrap(),
        |session| session.clear(),
    )
    .await;
    assert_eq!(app.load(&browser).await.1.keys(), Vec::<String>::new());

    app.visit(&mut browser, increment).await;
    race(
        &app,
        &mut browser,
        |session| session.clear(),
        |session| session.insert(LEFT, &text("l")).unwrap(),
    )
    .await;
    assert_eq!(app.load(&browser).await.1.keys(), ["left"]);

    race(
        &app,
        &mut browser,
        |session| session.insert(LEFT, &text("newer")).unwrap(),
        |session| session.remove(LEFT),
    )
    .await;
    assert_eq!(app.load(&browser).await.1.keys(), Vec::<String>::new());
}

#[tokio::test]
async fn a_write_that_turns_out_to_be_there_already_is_no_write() {
    let app = App::new();
    let mut browser = app.visitor().await;
    app.store.reset_counts();
    let same = |session: &Session| session.insert(LEFT, &text("same")).unwrap();
    race(&app, &mut browser, same, same).await;
    assert_eq!(app.store.calls(Operation::Update), 2);
    let version = app.record(app.id(&browser).await).await.unwrap().version;
    assert_eq!(version, 2);
}

#[tokio::test]
async fn of_two_renewals_at_once_one_wins_and_only_its_cookie_lives() {
    let app = App::new();
    let acts: [Act; 2] = [Session::renew, |session| session.sign_in("ada").unwrap()];
    for first in acts {
        for second in acts {
            let mut browser = app.visitor().await;
            let before = browser.clone();
            app.events.clear();
            let (won, lost) = race(&app, &mut browser, first, second).await;
            won.new_cookie();
            assert_eq!(lost, SentCookie::None);
            assert!(
                app.events
                    .kinds()
                    .contains(&EventKind::WriteDropped(Dropped::Superseded))
            );
            assert_eq!(app.count(&browser).await, Some(1));
            assert_eq!(app.count(&before).await, None);
        }
    }
}

#[tokio::test]
async fn what_a_renewal_left_behind_writes_nothing() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let (_, late) = race(&app, &mut browser, Session::renew, increment).await;
    assert_eq!(late, SentCookie::None);
    assert_eq!(app.count(&browser).await, Some(1));
}

#[tokio::test]
async fn a_renewal_keeps_what_others_wrote_before_it() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let (_, renewed) = race(&app, &mut browser, increment, |session| {
        increment(session);
        session.sign_in("ada").unwrap();
    })
    .await;
    let renewed = renewed.new_cookie();
    let browser = Browser::with_cookie(&renewed.name, &renewed.value);
    assert_eq!(app.count(&browser).await, Some(3));
    assert_eq!(app.owner(&browser).await.as_deref(), Some("ada"));
}

#[tokio::test]
async fn a_replay_that_does_not_fit_the_newer_data_fails_and_writes_nothing() {
    const COUNT_AS_TEXT: Key<String> = Key::new("count");
    let app = App::new();
    let mut browser = app.visitor().await;
    let (opened, session) = app.load(&browser).await;
    increment(&session);
    app.visit(&mut browser, |session| {
        session.insert(COUNT_AS_TEXT, &text("many")).unwrap();
    })
    .await;
    let error = app.sessions.commit(&opened).await.unwrap_err();
    assert!(matches!(
        error,
        CommitError::Data(DataError::Deserialize { key, .. }) if key == "count"
    ));
    assert_eq!(
        app.load(&browser).await.1.get(COUNT_AS_TEXT).unwrap().as_deref(),
        Some("many")
    );
}

#[tokio::test]
async fn a_replay_that_grows_over_the_limit_fails_and_writes_nothing() {
    let app = App::with_policy(policy().max_data_bytes(100));
    let mut browser = app.visitor().await;
    let (opened, session) = app.load(&browser).await;
    session.insert(LEFT, &"x".repeat(60)).unwrap();
    app.visit(&mut browser, |session| {
        session.insert(RIGHT, &"y".repeat(60)).unwrap();
    })
    .await;
    let error = app.sessions.commit(&opened).await.unwrap_err();
    assert!(matches!(error, CommitError::TooLarge { limit: 100, .. }));
    assert_eq!(app.load(&browser).await.1.keys(), ["count", "right"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_counter_loses_nothing_to_64_tasks_of_50_increments() {
    const TASKS: u64 = 64;
    const INCREMENTS: u64 = 50;
    let app = Arc::new(App::over(YieldingStore::new(MemoryStore::new(), 64), policy()));
    let mut browser = Browser::new();
    app.visit(&mut browser, |session| session.insert(COUNT, &0).unwrap())
        .await;
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let (app, mut browser) = (Arc::clone(&app), browser.clone());
            tokio::spawn(async move {
                for _ in 0..INCREMENTS {
                    app.visit(&mut browser, increment).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(app.count(&browser).await, Some(TASKS * INCREMENTS));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_keys_written_at_once_are_all_there() {
    let app = Arc::new(App::over(YieldingStore::new(MemoryStore::new(), 100), policy()));
    let mut browser = Browser::new();
    app.visit(&mut browser, |session| session.sign_in("ada").unwrap())
        .await;
    let tasks: Vec<_> = (0..100)
        .map(|number| {
            let (app, mut browser) = (Arc::clone(&app), browser.clone());
            // Keys are constants of a program; a test may leak as many as it needs.
            let key: Key<u64> = Key::new(Box::leak(format!("key {number}").into_boxed_str()));
            tokio::spawn(async move {
                app.visit(&mut browser, |session| session.insert(key, &number).unwrap())
                    .await;
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(app.load(&browser).await.1.keys().len(), 100);
}

#[tokio::test]
async fn loads_of_one_request_at_once_ask_the_store_once() {
    let app = pausing(1);
    let mut browser = Browser::new();
    app.visit(&mut browser, increment).await;
    app.store.reset_counts();
    let opened = app.open(&browser);
    let clones: Vec<_> = (0..10).map(|_| opened.clone()).collect();
    let loads = clones
        .into_iter()
        .map(|opened| tokio::spawn(async move { opened.load().await.unwrap().get(COUNT).unwrap() }));
    for load in loads.collect::<Vec<_>>() {
        assert_eq!(load.await.unwrap(), Some(1));
    }
    assert_eq!(app.store.total_calls(), 1);
}

#[tokio::test]
async fn a_save_in_the_middle_writes_at_once_and_more_can_follow() {
    let app = App::new();
    let mut browser = Browser::new();
    let (opened, session) = app.load(&browser).await;
    increment(&session);
    assert_eq!(session.save().await.unwrap(), Saved::Written);
    assert_eq!(session.save().await.unwrap(), Saved::Unchanged);
    let id = session.id().unwrap();
    assert_eq!(app.record(id).await.unwrap().version, 1);
    increment(&session);
    session.sign_in("ada").unwrap();
    assert_eq!(session.save().await.unwrap(), Saved::Written);
    increment(&session);
    assert_eq!(session.status(), Status::Renewed);
    app.answer(&opened, &mut browser).await.new_cookie();
    assert_eq!(app.count(&browser).await, Some(3));
    assert_eq!(app.owner(&browser).await.as_deref(), Some("ada"));
    assert_eq!(app.id(&browser).await, id);
}

#[tokio::test]
async fn after_a_save_get_tells_what_was_stored() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let (_opened, session) = app.load(&browser).await;
    assert_eq!(session.update(COUNT, |count| count.unwrap_or(0) + 1).unwrap(), 2);
    app.visit(&mut browser, |session| session.insert(COUNT, &100).unwrap())
        .await;
    assert_eq!(session.save().await.unwrap(), Saved::Written);
    assert_eq!(session.get(COUNT).unwrap(), Some(101));
}

#[tokio::test]
async fn after_the_response_data_can_be_saved_but_nothing_that_needs_a_cookie() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let (opened, session) = app.load(&browser).await;
    app.answer(&opened, &mut browser).await;
    increment(&session);
    assert_eq!(session.save().await.unwrap(), Saved::Written);
    assert_eq!(app.count(&browser).await, Some(2));

    let acts: [Act; 3] = [Session::renew, Session::remember, |session| {
        session.sign_in("ada").unwrap();
    }];
    for act in acts {
        act(&session);
        assert!(matches!(session.save().await, Err(CommitError::AfterResponse)));
    }
    assert_eq!(app.owner(&browser).await, None);

    let mut nobody = Browser::new();
    let (opened, session) = app.load(&nobody).await;
    app.answer(&opened, &mut nobody).await;
    increment(&session);
    assert!(matches!(session.save().await, Err(CommitError::AfterResponse)));
}

#[tokio::test]
async fn a_write_after_the_response_that_nobody_saves_is_dropped_with_an_event() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let (opened, session) = app.load(&browser).await;
    app.answer(&opened, &mut browser).await;
    increment(&session);
    app.events.clear();
    drop((opened, session));
    assert_eq!(
        app.events.kinds(),
        [EventKind::WriteDropped(Dropped::AfterResponse)]
    );
    assert_eq!(app.count(&browser).await, Some(1));
}

#[tokio::test]
async fn a_request_that_is_given_up_leaves_nothing_behind() {
    let app = App::new();
    let browser = app.visitor().await;
    let before = app.record(app.id(&browser).await).await;
    app.events.clear();
    let (opened, session) = app.load(&browser).await;
    increment(&session);
    session.sign_in("ada").unwrap();
    drop((opened, session));
    assert_eq!(app.record(app.id(&browser).await).await, before);
    assert_eq!(app.events.kinds(), []);
}

/// Gives a save up at every point where it waits, and commits afterwards.
#[tokio::test]
async fn a_save_that_is_cancelled_loses_nothing_and_writes_nothing_twice() {
    for seed in 0..20 {
        for polls in 1.. {
            let app = pausing(seed);
            let mut browser = Browser::new();
            app.visit(&mut browser, |session| session.insert(COUNT, &1).unwrap())
                .await;
            let (opened, session) = app.load(&browser).await;
            increment(&session);
            session.insert(LEFT, &text("l")).unwrap();
            let id = session.id().unwrap();
            let ended = poll_at_most(polls, session.save()).is_some();
            let reached = app.version(id).await == Some(2);
            assert_eq!(session.get(COUNT).unwrap(), Some(2));
            increment(&session);
            app.answer(&opened, &mut browser).await;

            let (_, session) = app.load(&browser).await;
            assert_eq!(session.get(LEFT).unwrap().as_deref(), Some("l"));
            let count = session.get(COUNT).unwrap().unwrap();
            if reached && !ended {
                // Nobody can tell whether the store has done it: the update is replayed on what it wrote.
                assert!((3..=4).contains(&count), "seed {seed}, {polls} polls: {count}");
            } else {
                assert_eq!(count, 3, "seed {seed}, {polls} polls");
            }
            if ended {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_cancelled_load_or_commit_can_be_called_again() {
    for seed in 0..20 {
        for polls in 1..12 {
            let app = pausing(seed);
            let mut browser = Browser::new();
            app.visit(&mut browser, |session| session.sign_in("ada").unwrap())
                .await;
            let opened = app.open(&browser);
            let _ = poll_at_most(polls, opened.load());
            let session = opened.load().await.unwrap();
            session.insert(LEFT, &text("l")).unwrap();
            let _ = poll_at_most(polls, app.sessions.commit(&opened));
            app.answer(&opened, &mut browser).await;
            let (_, session) = app.load(&browser).await;
            assert_eq!(session.get(LEFT).unwrap().as_deref(), Some("l"));
        }
    }
}

#[tokio::test]
async fn a_cancelled_sign_out_signs_out_with_the_commit() {
    for seed in 0..20 {
        for polls in 1..12 {
            let app = pausing(seed);
            let mut browser = Browser::new();
            app.visit(&mut browser, |session| session.sign_in("ada").unwrap())
                .await;
            let thief = browser.clone();
            let (opened, session) = app.load(&browser).await;
            session.sign_out();
            let _ = poll_at_most(polls, session.save());
            app.answer(&opened, &mut browser).await.removal();
            assert_eq!(app.owner(&thief).await, None);
        }
    }
}

#[tokio::test]
async fn a_session_that_is_ended_while_it_is_saved_stays_ended() {
    for seed in 0..20 {
        for arrives_with_session in [true, false] {
            for polls in 1..12 {
                let app = pausing(seed);
                let mut browser = Browser::new();
                if arrives_with_session {
                    app.visit(&mut browser, increment).await;
                }
                let (opened, session) = app.load(&browser).await;
                session.sign_in("ada").unwrap();
                let mut save = Box::pin(session.save());
                let saved = (0..polls).any(|_| poll_once(save.as_mut()).is_some());
                session.sign_out();
                session.insert(LEFT, &text("signed out")).unwrap();
                if !saved {
                    let _ = save.await.unwrap();
                }
                let mut after = browser.clone();
                app.answer(&opened, &mut after).await.new_cookie();
                let (_, session) = app.load(&after).await;
                assert_eq!(session.owner(), None, "seed {seed}, {polls} polls");
                assert_eq!(session.keys(), ["left"]);
                assert_eq!(
                    app.store.inner().inner().len(),
                    1,
                    "nothing of the ended session is left"
                );
                assert_eq!(app.count(&browser).await, None);
            }
        }
    }
}

#[tokio::test]
async fn signing_out_while_a_superseded_request_signs_in_ends_both_sessions() {
    for seed in 0..10 {
        for polls in 1..12 {
            let app = pausing(seed);
            let mut browser = Browser::new();
            app.visit(&mut browser, |session| session.sign_in("ada").unwrap())
                .await;
            let mut late = browser.clone();
            app.visit(&mut browser, Session::renew).await;
            let (opened, session) = app.load(&late).await;
            session.sign_in("ada").unwrap();
            let mut save = Box::pin(session.save());
            let saved = (0..polls).any(|_| poll_once(save.as_mut()).is_some());
            session.sign_out();
            if !saved {
                let _ = save.await.unwrap();
                // Of the one it had just begun, it had not been told yet.
                assert!(app.store.inner().inner().is_empty(), "seed {seed}, {polls} polls");
            }
            app.answer(&opened, &mut late).await.removal();
        }
    }
}

#[tokio::test]
async fn updates_made_while_a_save_replays_are_run_on_what_it_wrote() {
    for seed in 0..20 {
        for polls in 1..30 {
            let app = pausing(seed);
            let mut browser = Browser::new();
            app.visit(&mut browser, increment).await;
            let (opened, session) = app.load(&browser).await;
            app.visit(&mut browser.clone(), |session| {
                session.insert(COUNT, &100).unwrap();
            })
            .await;
            increment(&session);
            let mut save = Box::pin(session.save());
            let saved = (0..polls).any(|_| poll_once(save.as_mut()).is_some());
            increment(&session);
            if !saved {
                let _ = save.await.unwrap();
            }
            app.answer(&opened, &mut browser).await;
            assert_eq!(app.count(&browser).await, Some(102), "seed {seed}, {polls} polls");
        }
    }
}

#[tokio::test]
async fn a_session_that_is_ended_while_a_load_follows_a_peek_stays_ended() {
    for seed in 0..10 {
        for polls in 1..12 {
            let app = pausing(seed);
            let mut browser = Browser::new();
            app.visit(&mut browser, increment).await;
            let opened = app.open(&browser);
            let session = opened.peek().await.unwrap();
            let mut load = Box::pin(opened.load());
            let loaded = (0..polls).any(|_| poll_once(load.as_mut()).is_some());
            session.sign_out();
            if !loaded {
                load.await.unwrap();
            }
            assert_eq!(session.status(), Status::Destroyed, "seed {seed}, {polls} polls");
            app.answer(&opened, &mut browser).await.removal();
            assert!(app.store.inner().inner().is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_runs_while_another_task_saves_is_run_again_on_what_that_one_found() {
    let app = App::new();
    let mut browser = Browser::new();
    app.visit(&mut browser, |session| session.insert(COUNT, &5).unwrap())
        .await;
    let (opened, session) = app.load(&browser).await;
    app.visit(&mut browser.clone(), |session| {
        session.insert(COUNT, &10).unwrap();
    })
    .await;
    session.insert(LEFT, &"left".to_owned()).unwrap();

    let (has_begun, begun) = std::sync::mpsc::channel();
    let (may_go_on, go_on) = std::sync::mpsc::channel();
    let go_on = Mutex::new(Some(go_on));
    let updating = session.clone();
    let updated = tokio::task::spawn_blocking(move || {
        updating.update(COUNT, move |count| {
            // The first time alone.
            let first = go_on.lock().unwrap().take();
            if let Some(go_on) = first {
                has_begun.send(()).unwrap();
                go_on.recv().unwrap();
            }
            count.unwrap_or(0) + 1
        })
    });
    let begun = tokio::task::spawn_blocking(move || begun.recv().unwrap());
    begun.await.unwrap();
    session.save().await.unwrap();
    may_go_on.send(()).unwrap();
    assert_eq!(updated.await.unwrap().unwrap(), 11);
    app.answer(&opened, &mut browser).await;
    assert_eq!(app.count(&browser).await, Some(11));
}
