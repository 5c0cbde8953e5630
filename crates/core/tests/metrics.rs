//! What a recorder of the `metrics` facade is told.

mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use common::*;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use tenure_core::store::Operation;
use tenure_core::{Key, MemoryStore, Session};
use tenure_testkit::FaultyStore;

/// Runs an application's life, and gives what was recorded: the name and labels, and the value.
fn recorded<F: Future<Output = ()>>(life: impl FnOnce() -> F) -> BTreeMap<String, f64> {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(life());
    });
    let recorded = snapshotter.snapshot().into_vec().into_iter();
    recorded
        .map(|(key, _, _, value)| {
            let (_, key) = key.into_parts();
            let labels: Vec<_> = key
                .labels()
                .map(|label| format!(" {}={}", label.key(), label.value()))
                .collect();
            let value = match value {
                DebugValue::Counter(count) => u32::try_from(count).unwrap().into(),
                DebugValue::Gauge(value) => value.into_inner(),
                // How many times; how long is another each time.
                DebugValue::Histogram(values) => u32::try_from(values.len()).unwrap().into(),
            };
            (format!("{}{}", key.name(), labels.concat()), value)
        })
        .collect()
}

#[track_caller]
fn assert_recorded(recorded: &BTreeMap<String, f64>, expected: &[(&str, u32)]) {
    for (key, value) in expected {
        assert_eq!(
            recorded.get(*key).copied(),
            Some(f64::from(*value)),
            "{key} in {recorded:#?}"
        );
    }
}

#[test]
fn a_life_is_counted() {
    let recorded = recorded(|| async {
        let app = App::new();
        let mut browser = app.visitor().await;
        let mut other_tab = browser.clone();
        app.visit(&mut browser, |session| session.sign_in("ada").unwrap())
            .await;
        app.visit(&mut other_tab, |session| session.insert(COUNT, &9).unwrap())
            .await;
        let (opened, session) = app.load(&browser).await;
        session.insert(LEFT, &"left".to_owned()).unwrap();
        app.visit(&mut browser, |session| {
            session.insert(RIGHT, &"right".to_owned()).unwrap();
        })
        .await;
        app.answer(&opened, &mut browser).await;
        app.load(&Browser::with_cookie("__Host-session", "guess")).await;
        app.visit(&mut browser, Session::sign_out).await;
    });
    assert_recorded(
        &recorded,
        &[
            ("tenure_events_total event=session_created reason=", 1),
            ("tenure_events_total event=session_signed_in reason=", 1),
            ("tenure_events_total event=session_renewed reason=", 1),
            ("tenure_events_total event=session_cookie_superseded reason=", 1),
            (
                "tenure_events_total event=session_write_dropped reason=superseded",
                1,
            ),
            ("tenure_events_total event=session_conflict_replayed reason=", 1),
            (
                "tenure_events_total event=session_cookie_refused reason=malformed",
                1,
            ),
            ("tenure_events_total event=session_signed_out reason=", 1),
            ("tenure_events_dropped_total", 0),
            // The request that was superseded found no session of its own.
            ("tenure_sessions_loaded_total", 4),
            ("tenure_store_seconds store=memory operation=insert", 1),
            ("tenure_store_seconds store=memory operation=load", 6),
            ("tenure_store_seconds store=memory operation=update", 4),
            ("tenure_store_seconds store=memory operation=remove", 1),
        ],
    );
}

#[test]
fn cookies_are_counted_by_the_key_that_signed_them() {
    let mut key = None;
    let recorded = recorded(async || {
        let app = App::new();
        let browser = app.visitor().await;
        for _ in 0..3 {
            app.load(&browser).await;
        }
        key = Some(keyring().current_key_id());
    });
    let counter = format!("tenure_cookies_verified_total key={}", key.unwrap());
    assert_recorded(&recorded, &[(&counter, 3)]);
}

#[test]
fn a_failure_of_the_store_is_counted_and_timed_as_any_answer() {
    let recorded = recorded(async || {
        let app = App::new();
        let browser = app.visitor().await;
        app.store.fail(Operation::Load);
        app.open(&browser).load().await.unwrap_err();
    });
    assert_recorded(
        &recorded,
        &[
            ("tenure_events_total event=session_store_failed reason=load", 1),
            ("tenure_store_seconds store=memory operation=load", 1),
        ],
    );
}

#[test]
fn live_sessions_are_counted_again_and_again_if_the_policy_says_so() {
    const FILLER: Key<u32> = Key::new("filler");

    let recorded = recorded(async || {
        tokio::time::pause();
        let policy = policy().count_interval(Some(MINUTE));
        let app = App::over(FaultyStore::new(MemoryStore::new()), policy);
        for _ in 0..5 {
            app.visit(&mut Browser::new(), |session| session.insert(FILLER, &1).unwrap())
                .await;
        }
        // On a clock that stands still, the first count is of those that are there when its task comes to run.
        tokio::time::sleep(Duration::from_secs(61)).await;
        assert_eq!(app.store.calls(Operation::Count), 2);
    });
    assert_recorded(&recorded, &[("tenure_sessions_live store=memory", 5)]);
}

#[test]
fn live_sessions_are_not_counted_by_default() {
    let recorded = recorded(async || {
        let app = App::new();
        app.visitor().await;
        tokio::task::yield_now().await;
        assert_eq!(app.store.calls(Operation::Count), 0);
    });
    assert!(!recorded.contains_key("tenure_sessions_live store=memory"));
}
