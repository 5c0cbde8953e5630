//! Data by names that only the running program knows, as JSON text.

mod common;

use common::*;
use tenure_core::{DataError, Saved, Session};

async fn count(session: &Session) -> u64 {
    loop {
        let seen = session.json_of("count");
        let next = 1 + seen.as_deref().map_or(0, |text| text.parse::<u64>().unwrap());
        let replacement = session
            .replace_json("count", seen.as_deref(), Some(&next.to_string()))
            .unwrap();
        session.save().await.unwrap();
        if replacement.happened() {
            return next;
        }
    }
}

#[tokio::test]
async fn a_value_keeps_its_spelling_and_is_the_same_to_a_key() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let (opened, session) = app.load(&browser).await;
    session.insert_json("count", " 7 ").unwrap();
    session.insert_json("left", r#""a\u0062""#).unwrap();
    session.insert_json("a \"name\"", "[1.0e0]").unwrap();
    app.answer(&opened, &mut browser).await;

    let (_, session) = app.load(&browser).await;
    assert_eq!(session.get(COUNT).unwrap(), Some(7));
    assert_eq!(session.get(LEFT).unwrap().as_deref(), Some("ab"));
    assert_eq!(session.json_of("a \"name\"").as_deref(), Some("[1.0e0]"));
    assert_eq!(
        session.json(),
        r#"{"a \"name\"":[1.0e0],"count":7,"left":"a\u0062"}"#
    );
    session.remove_json("count");
    assert_eq!(session.get(COUNT).unwrap(), None);
    assert_eq!(session.json_of("count"), None);
}

#[tokio::test]
async fn what_is_no_json_or_too_large_is_refused() {
    let app = App::new();
    let browser = app.visitor().await;
    let (_, session) = app.load(&browser).await;
    for json in ["", "{", "1 2", "undefined", "'a'", "[1,]"] {
        let refused = session.insert_json("a", json).unwrap_err();
        assert!(
            matches!(&refused, DataError::Serialize { key, .. } if key == "a"),
            "{json}: {refused}"
        );
        session.replace_json("a", None, Some(json)).unwrap_err();
    }
    let large = format!("\"{}\"", "a".repeat(1024 * 1024));
    let refused = session.insert_json("a", &large).unwrap_err();
    assert!(matches!(refused, DataError::TooLarge { .. }), "{refused}");
    assert_eq!(session.json_of("a"), None);
}

#[tokio::test]
async fn of_two_replacements_of_what_both_have_seen_one_happens() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let (opened, session) = app.load(&browser).await;
    let (_, other) = app.load(&browser).await;
    let seen = session.json_of("count");
    let first = session
        .replace_json("count", seen.as_deref(), Some("10"))
        .unwrap();
    let second = other.replace_json("count", seen.as_deref(), Some("20")).unwrap();
    other.insert(LEFT, &"beside".to_owned()).unwrap();
    session.save().await.unwrap();
    assert_eq!(other.save().await.unwrap(), Saved::Written);
    assert!(first.happened());
    assert!(!second.happened());
    assert_eq!(
        other.json_of("count").as_deref(),
        Some("10"),
        "it sees what was faster"
    );
    app.answer(&opened, &mut browser).await;
    assert_eq!(app.count(&browser).await, Some(10));
    let (_, session) = app.load(&browser).await;
    assert_eq!(session.get(LEFT).unwrap().as_deref(), Some("beside"));
}

#[tokio::test]
async fn a_value_that_another_request_changed_is_not_removed() {
    let app = App::new();
    let browser = app.visitor().await;
    let (_, session) = app.load(&browser).await;
    let (_, other) = app.load(&browser).await;
    session.insert_json("count", "10").unwrap();
    session.save().await.unwrap();
    let seen = other.json_of("count");
    let removal = other.replace_json("count", seen.as_deref(), None).unwrap();
    assert_eq!(other.json_of("count"), None);
    other.save().await.unwrap();
    assert!(!removal.happened());
    assert_eq!(app.count(&browser).await, Some(10));

    let removal = other.replace_json("count", Some("10"), None).unwrap();
    other.save().await.unwrap();
    assert!(removal.happened());
    assert_eq!(app.count(&browser).await, None);
}

#[tokio::test]
async fn a_value_that_is_not_what_was_seen_stays() {
    let app = App::new();
    let browser = app.visitor().await;
    let (_, session) = app.load(&browser).await;
    session.insert_json("count", "1").unwrap();
    let replacement = session.replace_json("count", Some("2"), Some("3")).unwrap();
    assert!(!replacement.happened());
    assert_eq!(session.json_of("count").as_deref(), Some("1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn counting_by_replacement_loses_nothing() {
    let app = std::sync::Arc::new(App::new());
    let browser = app.visitor().await;
    let before = app.count(&browser).await.unwrap_or(0);
    let counting: Vec<_> = (0..32)
        .map(|_| {
            let (app, browser) = (std::sync::Arc::clone(&app), browser.clone());
            tokio::spawn(async move {
                let (_, session) = app.load(&browser).await;
                for _ in 0..4 {
                    count(&session).await;
                }
            })
        })
        .collect();
    for counted in counting {
        counted.await.unwrap();
    }
    assert_eq!(app.count(&browser).await, Some(before + 128));
}

#[tokio::test]
async fn a_request_without_a_session_needs_no_store_to_know_it() {
    let app = App::new();
    let browser = app.visitor().await;
    let opened = app.sessions.open(&http::HeaderMap::new());
    assert!(opened.load_without_store().is_some());
    let (opened, _) = app.load(&browser).await;
    assert!(opened.load_without_store().is_some(), "it was loaded before");
    let opened = app.sessions.open(&browser.request());
    assert!(opened.load_without_store().is_none());
}
