//! Guessing passwords over HTTP: programs and people are told to wait, and nobody learns which accounts there are.

mod common;

use std::time::Duration;

use common::{Answer, Server, Visitor};
use reqwest::StatusCode;
use reqwest::header::RETRY_AFTER;
use serde_json::json;

async fn guess(visitor: &mut Visitor, name: &str) -> Answer {
    visitor
        .json(
            "/api/sign-in",
            json!({"name": name, "password": "wrong password"}),
        )
        .await
}

#[track_caller]
fn assert_must_wait(answer: &Answer, seconds: &str) {
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{answer:?}");
    assert_eq!(answer.headers[RETRY_AFTER], seconds);
    let text = format!("Too many attempts to sign in. Please try again in {seconds} s.");
    assert_eq!(answer.value(), json!({"error": text}));
}

#[tokio::test]
async fn after_five_wrong_passwords_programs_get_429_and_the_right_one_has_to_wait_too() {
    let server = Server::with_memory().await;
    server.visitor().sign_up("ada").await;
    let mut visitor = server.visitor();
    for spelling in ["ada", "Ada", " ada", "ADA ", "aDa"] {
        assert_eq!(
            guess(&mut visitor, spelling).await.status,
            StatusCode::UNAUTHORIZED
        );
    }
    assert_must_wait(&visitor.sign_in("ada").await, "1");
    assert_eq!(visitor.sign_in("ada").await.set_cookie(), None);
    server.advance(Duration::from_secs(1));
    let answer = visitor.sign_in("ada").await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}

#[tokio::test]
async fn an_account_that_does_not_exist_is_answered_like_one_that_does() {
    let server = Server::with_memory().await;
    server.visitor().sign_up("ada").await;
    let mut visitor = server.visitor();
    for round in 0..12 {
        let mut answers = Vec::new();
        for name in ["ada", "bob", "no name at all!"] {
            let answer = guess(&mut visitor, name).await;
            let retry_after = answer.headers.get(RETRY_AFTER).cloned();
            answers.push((answer.status, retry_after, answer.body));
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
        if round % 2 == 1 {
            server.advance(Duration::from_secs(2));
        }
    }
}

#[tokio::test]
async fn people_read_in_the_form_how_long_to_wait() {
    let server = Server::with_memory().await;
    let mut visitor = server.visitor();
    for _ in 0..6 {
        let answer = visitor.form("/sign-in", "name=ada&password=wrong+password").await;
        assert_eq!(
            (answer.status, answer.location()),
            (StatusCode::SEE_OTHER, "/sign-in")
        );
    }
    let page = visitor.get("/sign-in").await;
    assert!(
        page.body
            .contains("Too many attempts to sign in. Please try again in 1 s."),
        "{page:?}"
    );
    assert!(
        page.body.contains("value=\"ada\""),
        "the name need not be typed again: {page:?}"
    );
}

#[tokio::test]
async fn a_device_that_was_signed_in_from_gets_in_while_somebody_keeps_the_account_locked() {
    let server = Server::with_memory().await;
    let mut ada = server.visitor();
    ada.sign_up("ada").await;
    let answer = ada.sign_in("ada").await;
    let device = answer.known_device().unwrap().to_owned();
    assert!(device.starts_with("__Host-known-device="), "{device}");
    assert!(
        device.contains("HttpOnly") && device.contains("Secure"),
        "{device}"
    );

    let mut mallory = server.visitor();
    for _ in 0..5 {
        guess(&mut mallory, "ada").await;
    }
    assert_must_wait(&server.visitor().sign_in("ada").await, "1");
    let mut known = server.visitor();
    known.cookie = device.split(';').next().map(str::to_owned);
    let answer = known.sign_in("ada").await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_must_wait(&guess(&mut mallory, "ada").await, "1");
}

#[tokio::test]
async fn of_a_hundred_guesses_at_once_five_reach_the_password() {
    let server = Server::with_memory().await;
    server.visitor().sign_up("ada").await;
    let guesses = (0..100).map(|_| {
        let mut visitor = server.visitor();
        tokio::spawn(async move { guess(&mut visitor, "ada").await.status })
    });
    let mut reached = 0;
    for guess in guesses.collect::<Vec<_>>() {
        match guess.await.unwrap() {
            StatusCode::UNAUTHORIZED => reached += 1,
            status => assert_eq!(status, StatusCode::TOO_MANY_REQUESTS),
        }
    }
    assert_eq!(reached, 5);
}
