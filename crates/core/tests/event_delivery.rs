//! How events reach the listener: in a thread of its own, so that nothing that it does reaches a request.

mod common;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;

use common::*;
use tenure_core::{Device, Event, EventKind, ManualClock, MemoryStore, Sessions, SessionsBuilder};

/// As many as wait for a slow listener.
const QUEUED: u64 = 1024;
const PATIENCE: Duration = Duration::from_secs(30);

fn builder() -> SessionsBuilder {
    Sessions::builder(policy(), keyring(), MemoryStore::new()).clock(ManualClock::default())
}

/// A request that causes one event.
async fn create(sessions: &Sessions) {
    let opened = sessions.open(&Browser::new().request());
    let session = opened.load().await.unwrap();
    session.insert(COUNT, &1).unwrap();
    let _ = sessions.commit(&opened).await.unwrap();
}

/// A listener that says so when an event is there, and goes on when it is told to, or when nobody can.
fn stopping(events: Sender<EventKind>, go_on: Receiver<()>) -> impl Fn(&Event) + Send + Sync + 'static {
    let go_on = Mutex::new(go_on);
    move |event: &Event| {
        let _ = events.send(event.kind);
        let _ = go_on.lock().unwrap().recv();
    }
}

#[tokio::test]
async fn a_listener_that_blocks_for_ever_delays_nothing_and_what_it_misses_is_counted() {
    let (arrivals, arrived) = channel();
    let (release, go_on) = channel();
    let sessions = builder().listener(stopping(arrivals, go_on)).build().unwrap();

    create(&sessions).await;
    assert_eq!(arrived.recv().unwrap(), EventKind::Created);
    // It blocks now, and every request is answered all the same: if one waited, this test would never end.
    for _ in 0..QUEUED + 10 {
        create(&sessions).await;
    }
    assert_eq!(sessions.events_dropped(), 10);
    assert!(!sessions.flush_events(Duration::from_millis(20)));

    drop(release);
    assert!(sessions.flush_events(PATIENCE));
    assert_eq!(arrived.try_iter().count() as u64, QUEUED);
    assert_eq!(sessions.events_dropped(), 10);
}

#[tokio::test]
async fn a_listener_that_panics_is_told_of_the_next_event() {
    let heard = Arc::<Mutex<u32>>::default();
    let counter = Arc::clone(&heard);
    let listener = move |_: &Event| {
        let count = {
            let mut count = counter.lock().unwrap();
            *count += 1;
            *count
        };
        assert!(count > 2, "a fault of the listener's");
    };
    let sessions = builder().listener(listener).build().unwrap();
    for _ in 0..4 {
        create(&sessions).await;
    }
    assert!(sessions.flush_events(PATIENCE));
    assert_eq!(*heard.lock().unwrap(), 4);
    assert_eq!(sessions.events_dropped(), 0);
}

#[tokio::test]
async fn events_are_told_in_one_thread_which_is_no_request_s() {
    let threads = Arc::<Mutex<Vec<ThreadId>>>::default();
    let kept = Arc::clone(&threads);
    let listener = move |_: &Event| kept.lock().unwrap().push(thread::current().id());
    let sessions = builder().listener(listener).build().unwrap();
    for _ in 0..10 {
        create(&sessions).await;
    }
    assert!(sessions.flush_events(PATIENCE));
    let mut threads = threads.lock().unwrap().clone();
    assert_eq!(threads.len(), 10);
    threads.dedup();
    assert_eq!(threads.len(), 1);
    assert_ne!(threads[0], thread::current().id());
}

#[tokio::test]
async fn what_is_queued_is_told_even_when_the_manager_is_gone() {
    let (arrivals, arrived) = channel();
    let (release, go_on) = channel();
    let sessions = builder().listener(stopping(arrivals, go_on)).build().unwrap();
    for _ in 0..3 {
        create(&sessions).await;
    }
    drop(sessions);
    drop(release);
    // The channel ends with the listener, and the listener with its thread.
    assert_eq!(arrived.iter().count(), 3);
}

#[tokio::test]
async fn without_a_listener_nothing_is_dropped_and_a_flush_is_done_at_once() {
    let sessions = builder().build().unwrap();
    create(&sessions).await;
    assert!(sessions.flush_events(Duration::ZERO));
    assert_eq!(sessions.events_dropped(), 0);
}

#[tokio::test]
async fn an_event_of_a_request_says_which_device_sent_it() {
    let app = App::new();
    let (laptop, phone) = ("Firefox/140.0", "Safari/19");
    let mut browser = Browser {
        user_agent: Some(laptop.to_owned()),
        ..Browser::new()
    };
    app.visit(&mut browser, |session| session.sign_in("ada").unwrap())
        .await;
    let before = browser.clone();
    app.visit(&mut browser, tenure_core::Session::renew).await;
    let events = app.events.take();
    assert_eq!(events.len(), 3);
    for event in &events {
        let client = event.client.as_ref().and_then(Device::user_agent);
        assert_eq!(client, Some(laptop), "{event:?}");
    }

    let copied = Browser {
        user_agent: Some(phone.to_owned()),
        ..before
    };
    app.load(&copied).await;
    let [event] = &app.events.take()[..] else {
        panic!("one event was expected");
    };
    let agents = (
        event.device.as_ref().and_then(Device::user_agent),
        event.client.as_ref().and_then(Device::user_agent),
    );
    assert_eq!(event.kind, EventKind::CookieSuperseded);
    assert_eq!(agents, (Some(laptop), Some(phone)));
}
