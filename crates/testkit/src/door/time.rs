//! Timeouts, and the routes that tell of them.

use std::time::Duration;

use reqwest::StatusCode;

use super::Door;
use super::setup::Setup;

const MINUTE: Duration = Duration::from_secs(60);
const MILLISECOND: Duration = Duration::from_millis(1);

/// 30 minutes without activity, and 12 hours whatever happens.
pub async fn both_timeouts_are_kept_to_the_millisecond<D: Door>() {
    let setup = Setup::new::<D>().await;
    let idle = setup.ada().await;
    setup.clock.advance(30 * MINUTE - MILLISECOND);
    assert_eq!(idle.copy().get("/peek").await.status, StatusCode::OK);
    setup.clock.advance(MILLISECOND);
    assert_eq!(idle.get("/me").await.status, StatusCode::UNAUTHORIZED);

    let busy = setup.ada().await;
    for _ in 0..47 {
        setup.clock.advance(15 * MINUTE);
        assert_eq!(busy.get("/me").await.text, "ada");
    }
    setup.clock.advance(15 * MINUTE - MILLISECOND);
    assert_eq!(busy.get("/me").await.text, "ada");
    setup.clock.advance(MILLISECOND);
    let over = busy.get("/me").await;
    assert_eq!(over.status, StatusCode::UNAUTHORIZED);
    assert!(over.removes_cookie());
}

/// By signing in or stepping up, for five minutes.
pub async fn sensitive_routes_want_a_recent_proof_strong_enough<D: Door>() {
    let setup = Setup::new::<D>().await;
    let visitor = setup.visitor();
    assert_eq!(visitor.get("/sensitive").await.status, StatusCode::UNAUTHORIZED);
    let ada = setup.ada().await;
    assert_eq!(ada.get("/sensitive").await.text, "ada");
    assert_eq!(ada.get("/very-sensitive").await.status, StatusCode::FORBIDDEN);
    setup.clock.advance(5 * MINUTE - MILLISECOND);
    assert_eq!(ada.get("/sensitive").await.text, "ada");
    setup.clock.advance(MILLISECOND);
    let refused = ada.get("/sensitive").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.header("cache-control"), Some("no-store"));
    assert_eq!(refused.text, "Please confirm that it is you, and try again.\n");
    let thief = ada.copy();
    ada.post("/confirm").await;
    assert_eq!(ada.get("/sensitive").await.text, "ada");
    assert_eq!(ada.get("/very-sensitive").await.status, StatusCode::FORBIDDEN);
    ada.post("/confirm-twice").await;
    assert_eq!(ada.get("/very-sensitive").await.text, "ada");
    assert_eq!(thief.get("/sensitive").await.status, StatusCode::UNAUTHORIZED);
}

/// Status is no activity, extending always is, and signing out ends the session.
pub async fn the_session_routes_tell_extend_and_sign_out<D: Door>() {
    let setup = Setup::new::<D>().await;
    let ada = setup.ada().await;
    setup.clock.advance(20 * MINUTE);
    let status = ada.get("/session/status").await;
    assert_eq!(status.header("content-type"), Some("application/json"));
    assert_eq!(status.header("cache-control"), Some("no-store"));
    let left = status.text.clone();
    setup.clock.advance(MINUTE);
    assert_ne!(
        ada.get("/session/status").await.text,
        left,
        "a look slides nothing"
    );
    let extended = ada.post("/session/extend").await;
    assert_eq!(extended.status, StatusCode::OK);
    setup.clock.advance(29 * MINUTE);
    assert_eq!(ada.copy().get("/peek").await.status, StatusCode::OK);
    assert_eq!(ada.copy().get("/me").await.text, "ada");
    let signed_out = ada.post("/session/sign-out").await;
    assert!(signed_out.removes_cookie());
    assert_eq!(signed_out.header("clear-site-data"), None);
    assert_eq!(ada.get("/me").await.status, StatusCode::UNAUTHORIZED);
    let nobody = ada.get("/session/status").await;
    assert_eq!(nobody.status, StatusCode::OK);
}

/// What changes something is for pages of the same origin, though a program may do anything else.
pub async fn the_session_routes_refuse_other_sites<D: Door>() {
    let setup = Setup::new::<D>().await;
    let ada = setup.ada().await;
    for path in ["/session/extend", "/session/sign-out"] {
        for site in ["cross-site", "same-site", "none"] {
            let refused = ada.post_with(path, &[("sec-fetch-site", site)], "").await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path} {site}");
        }
    }
    assert_eq!(ada.get("/me").await.text, "ada");
}
