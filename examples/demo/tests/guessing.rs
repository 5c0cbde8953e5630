//! The real program, and somebody who guesses at cookies.

#![cfg(unix)]

mod common;

use common::Visitor;
use common::program::Demo;
use reqwest::StatusCode;
use reqwest::header::RETRY_AFTER;
use tempfile::TempDir;

#[tokio::test]
async fn a_guesser_is_told_to_wait_and_users_at_the_same_address_are_served() {
    let folder = TempDir::new().unwrap();
    let demo = Demo::start(&folder.path().join("demo.db"), None);
    let mut ada = Visitor::of(&demo.url);
    assert_eq!(ada.sign_up("ada").await.status, StatusCode::OK);

    let mut guesser = Visitor::of(&demo.url);
    let genuine = ada.cookie.clone().unwrap();
    let mut guesses = 0;
    let refusal = loop {
        guesser.cookie = Some(format!("{}{guesses:08}{}", &genuine[..60], &genuine[68..]));
        let answer = guesser.get("/").await;
        if answer.status != StatusCode::OK {
            break answer;
        }
        guesses += 1;
        assert!(guesses < 100, "the program counts no guesses");
    };
    assert_eq!(refusal.status, StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = refusal.headers[RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert!(refusal.body.contains("try again"), "{}", refusal.body);

    assert_eq!(guesser.cookie, None, "who bears a dead cookie is rid of it");
    assert_eq!(guesser.get("/").await.status, StatusCode::OK);
    assert_eq!(ada.session().await["signed_in"], true);
}
