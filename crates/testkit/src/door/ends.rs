//! How a session ends, whatever comes between.

use std::time::Duration;

use reqwest::StatusCode;

use super::Door;
use super::setup::Setup;

/// The record and the cookie are gone.
pub async fn a_sign_out_ends_the_session_and_its_cookie<D: Door>() {
    for path in ["/sign-out", "/destroy"] {
        let ada = Setup::new::<D>().await.ada().await;
        let thief = ada.copy();
        let answer = ada.post(path).await;
        let removal = answer.header("set-cookie").unwrap();
        for attribute in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/", "Max-Age=0"] {
            assert!(removal.contains(attribute), "{attribute} in {removal}");
        }
        assert_eq!(ada.cookie(), None);
        assert_eq!(thief.get("/me").await.status, StatusCode::UNAUTHORIZED);
    }
}

/// A renewal holds, though the answer is 500, and the browser learns of it.
pub async fn a_renewal_survives_an_error<D: Door>() {
    let visitor = Setup::new::<D>().await.visitor();
    visitor.post("/count").await;
    let before = visitor.copy();
    let failed = visitor.post("/renew-and-fail").await;
    assert_eq!(failed.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_ne!(visitor.cookie(), before.cookie());
    assert_eq!(visitor.get("/read").await.text, "1");
    assert_eq!(before.get("/read").await.text, "none");
}

/// A sign-out holds, though the answer is 500.
pub async fn a_sign_out_before_an_error_is_a_sign_out<D: Door>() {
    let ada = Setup::new::<D>().await.ada().await;
    let thief = ada.copy();
    let failed = ada.post("/sign-out-and-fail").await;
    assert_eq!(failed.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(failed.removes_cookie());
    assert_eq!(thief.get("/me").await.status, StatusCode::UNAUTHORIZED);
}

/// A request that loaded before the sign-out and writes after it.
pub async fn a_write_that_comes_after_a_sign_out_is_dropped_without_a_cookie<D: Door>() {
    let setup = Setup::new::<D>().await;
    let ada = setup.ada().await;
    let late = ada.copy();
    let (late, signed_out) = tokio::join!(late.post("/slow-count"), async {
        setup.app.gate.until_somebody_waits().await;
        let tab = ada.copy();
        let signed_out = tab.post("/sign-out").await;
        setup.app.gate.open();
        signed_out
    });
    assert_eq!(signed_out.status, StatusCode::OK);
    assert!(!late.sets_cookie());
    assert_eq!(ada.get("/read").await.text, "none");
    assert!(setup.events.names().contains(&"session_write_dropped"));
}

/// Many rounds of a sign-out among writes, in whatever order they arrive.
pub async fn nothing_written_late_brings_a_session_back_after_sign_out<D: Door>() {
    let setup = Setup::new::<D>().await;
    for round in 0..30 {
        let ada = setup.ada().await;
        let thief = ada.copy();
        let writes = (0..4).map(|_| {
            let tab = ada.copy();
            tokio::spawn(async move { tab.post("/count").await.status })
        });
        let writes: Vec<_> = writes.collect();
        ada.post("/sign-out").await;
        for write in writes {
            assert_eq!(write.await.unwrap(), StatusCode::OK);
        }
        assert_eq!(
            thief.get("/me").await.status,
            StatusCode::UNAUTHORIZED,
            "round {round}"
        );
    }
}

/// The commit comes before the response.
pub async fn the_page_after_a_redirect_sees_the_write_however_slow_the_store<D: Door>() {
    let setup = Setup::new::<D>().await;
    setup.store.delay(Duration::from_millis(50));
    let visitor = setup.visitor();
    for round in 1..=5 {
        let redirect = visitor.post("/count-and-redirect").await;
        assert_eq!(redirect.status, StatusCode::SEE_OTHER);
        let next = redirect.header("location").unwrap();
        assert_eq!(visitor.get(next).await.text, round.to_string());
    }
}
