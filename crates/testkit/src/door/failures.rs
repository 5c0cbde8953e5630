//! A store that fails, and sessions that get too large.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use tenure_core::store::Operation;

use super::setup::{Setup, policy};
use super::visitor::Answer;
use super::{Door, OWN_WORDS, Rendering};

fn assert_unavailable(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(!answer.sets_cookie(), "the browser keeps its cookie");
    assert_eq!(
        answer.text,
        "We can't reach your session right now. Please try again in a moment.\n"
    );
}

/// 503, no cookie set or removed, nothing overwritten.
pub async fn a_failing_store_is_503_for_each_operation_and_nothing_is_lost<D: Door>() {
    let setup = Setup::new::<D>().await;
    setup.store.fail(Operation::Insert);
    assert_unavailable(&setup.visitor().post("/count").await);
    setup.store.heal();
    let ada = setup.ada().await;
    ada.post("/count").await;
    for (operation, path) in [
        (Operation::Load, "/count"),
        (Operation::Update, "/count"),
        (Operation::Remove, "/sign-out"),
    ] {
        setup.store.fail(operation);
        assert_unavailable(&ada.post(path).await);
        setup.store.heal();
        assert_eq!(ada.get("/me").await.text, "ada");
        assert_eq!(ada.get("/read").await.text, "1");
    }
}

/// Not even where the handler would take `None` for an answer.
pub async fn a_failing_store_makes_no_stranger_of_a_user<D: Door>() {
    let setup = Setup::new::<D>().await;
    let ada = setup.ada().await;
    setup.store.fail(Operation::Load);
    assert_unavailable(&ada.get("/maybe").await);
    setup.store.heal();
    assert_eq!(ada.get("/maybe").await.text, "ada");
}

/// Nobody waits for longer than the deadline.
pub async fn a_hanging_store_is_503_within_the_deadline<D: Door>() {
    let policy = policy().store_deadline(Duration::from_millis(100));
    let setup = Setup::with::<D>(policy, Rendering::Default).await;
    let ada = setup.ada().await;
    setup.store.hang(Operation::Load);
    let began = Instant::now();
    assert_unavailable(&ada.get("/me").await);
    assert!(began.elapsed() < Duration::from_secs(30));
}

/// Failures of loading, of committing and of a handler's own call.
pub async fn the_application_renders_failures_its_own_way<D: Door>() {
    let setup = Setup::with::<D>(policy(), Rendering::Own).await;
    let ada = setup.ada().await;
    for (operation, status) in [(Operation::Load, 503), (Operation::Update, 503)] {
        setup.store.fail(operation);
        let answer = ada.post("/count").await;
        assert_eq!(answer.status.as_u16(), status);
        assert_eq!(answer.text, format!("{OWN_WORDS}{status}"));
        setup.store.heal();
    }
    assert_eq!(ada.post("/grow").await.text, format!("{OWN_WORDS}413"));
    let forged = ada
        .post_with("/count", &[("sec-fetch-site", "cross-site")], "")
        .await;
    assert_eq!(forged.text, format!("{OWN_WORDS}403"));
}

/// And what was there before stays.
pub async fn a_session_that_outgrows_the_limit_is_413<D: Door>() {
    let visitor = Setup::new::<D>().await.visitor();
    visitor.post("/count").await;
    assert_eq!(visitor.post("/grow").await.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(visitor.get("/read").await.text, "1");
}
