//! The routes about the session itself, on a virtual clock.

mod common;

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use common::{Browser, faulty_store, keyring, policy, text};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, SET_COOKIE};
use http::{Response, StatusCode};
use serde_json::Value;
use tenure_core::store::Operation;
use tenure_core::{CsrfTokens, ManualClock, MemoryStore, Policy, Sessions, Store};
use tenure_tower::{Session, SessionLayer, SessionRoutes, session_routes};
use tower::ServiceExt;

const MINUTE: Duration = Duration::from_secs(60);

struct App {
    router: Router,
    clock: ManualClock,
}

async fn sign_in(session: Session) -> &'static str {
    session.sign_in("ada").unwrap();
    "in"
}

impl App {
    fn new() -> Self {
        Self::of(session_routes(), MemoryStore::new())
    }

    fn of(routes: Router, store: impl Store) -> Self {
        Self::by(policy(), routes, store)
    }

    fn by(policy: Policy, routes: Router, store: impl Store) -> Self {
        let clock = ManualClock::default();
        let sessions = Sessions::builder(policy, keyring(), store)
            .clock(clock.clone())
            .build()
            .unwrap();
        let router = Router::new()
            .route("/sign-in", get(sign_in))
            .nest("/session", routes)
            .layer(SessionLayer::new(sessions));
        Self { router, clock }
    }

    async fn ada(&self) -> Browser {
        let browser = Browser::default();
        browser.visit(&self.router, "/sign-in").await;
        browser
    }

    async fn status(&self, browser: &Browser) -> Value {
        json(browser.visit(&self.router, "/session/status").await).await
    }

    async fn post(&self, browser: &Browser, path: &str, headers: &[(&str, &str)]) -> Response<Body> {
        let mut request = browser.request(path);
        *request.method_mut() = http::Method::POST;
        for (name, value) in headers {
            let name: http::HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let response = self.router.clone().oneshot(request).await.unwrap();
        browser.take_in(response.headers());
        response
    }
}

const FROM_OUR_PAGE: &[(&str, &str)] = &[("sec-fetch-site", "same-origin")];

async fn json(response: Response<Body>) -> Value {
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
    assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
    serde_json::from_str(&text(response).await).unwrap()
}

#[tokio::test]
async fn the_status_tells_time_and_whether_somebody_is_signed_in_and_is_no_activity() {
    let app = App::new();
    let ada = app.ada().await;
    let before = app.status(&ada).await;
    assert_eq!(before["state"], "live");
    assert_eq!(before["signed_in"], true);
    assert_eq!(before["lifetime"], "standard");
    let now = before["now"].as_u64().unwrap();
    assert_eq!(before["idle_deadline"], now + 30 * 60 * 1_000);
    assert_eq!(before["absolute_deadline"], now + 12 * 60 * 60 * 1_000);

    app.clock.advance(29 * MINUTE);
    let later = app.status(&ada).await;
    assert_eq!(later["idle_deadline"], before["idle_deadline"]);
    app.clock.advance(MINUTE);
    let over = app.status(&ada).await;
    assert_eq!(over["state"], "none");
    assert_eq!(over["reason"], "idle-timeout");
}

#[tokio::test]
async fn extending_slides_the_idle_deadline_even_a_second_after_the_last_request() {
    let app = App::new();
    let ada = app.ada().await;
    app.clock.advance(Duration::from_secs(1));
    let extended = json(app.post(&ada, "/session/extend", FROM_OUR_PAGE).await).await;
    let now = extended["now"].as_u64().unwrap();
    assert_eq!(extended["idle_deadline"], now + 30 * 60 * 1_000);
    assert_eq!(app.status(&ada).await["idle_deadline"], extended["idle_deadline"]);
}

#[tokio::test]
async fn extending_without_a_session_makes_none() {
    let app = App::new();
    let nobody = Browser::default();
    let response = app.post(&nobody, "/session/extend", FROM_OUR_PAGE).await;
    assert!(!response.headers().contains_key(SET_COOKIE));
    assert_eq!(json(response).await["reason"], "no-cookie");
}

#[tokio::test]
async fn what_changes_something_is_refused_from_other_sites() {
    let app = App::new();
    let ada = app.ada().await;
    let before = app.status(&ada).await;
    app.clock.advance(MINUTE);
    for path in ["/session/extend", "/session/sign-out"] {
        for headers in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("origin", "https://evil.example"), ("host", "app.example")],
            &[],
        ] {
            let refused = app.post(&ada, path, headers).await;
            assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{path} {headers:?}");
        }
    }
    let after = app.status(&ada).await;
    assert_eq!(after["idle_deadline"], before["idle_deadline"]);

    let older_browser = [("origin", "https://app.example"), ("host", "app.example")];
    json(app.post(&ada, "/session/extend", &older_browser).await).await;
}

#[tokio::test]
async fn exempt_from_the_demand_for_tokens_they_still_refuse_other_sites() {
    let policy = policy()
        .csrf_tokens(CsrfTokens::Demanded)
        .csrf_exempt_paths(["/session/*"]);
    let app = App::by(policy, session_routes(), MemoryStore::new());
    let ada = app.ada().await;
    for path in ["/session/extend", "/session/sign-out"] {
        let refused = app.post(&ada, path, &[("sec-fetch-site", "cross-site")]).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{path}");
        assert_eq!(app.status(&ada).await["state"], "live");
        json(app.post(&ada, path, FROM_OUR_PAGE).await).await;
    }
}

#[tokio::test]
async fn signing_out_ends_the_session_and_clears_the_site_only_if_asked_to() {
    let app = App::new();
    let ada = app.ada().await;
    let response = app.post(&ada, "/session/sign-out", FROM_OUR_PAGE).await;
    assert!(!response.headers().contains_key("clear-site-data"));
    assert_eq!(json(response).await["reason"], "signed-out");
    assert_eq!(ada.cookie(), None);
    assert_eq!(app.status(&ada).await["reason"], "no-cookie");

    let clearing = SessionRoutes::new().clear_site_data(true).into_router();
    let app = App::of(clearing, MemoryStore::new());
    let ada = app.ada().await;
    let response = app.post(&ada, "/session/sign-out", FROM_OUR_PAGE).await;
    assert_eq!(response.headers()["clear-site-data"], "\"cache\", \"storage\"");
}

#[tokio::test]
async fn a_failing_store_is_503_and_no_end() {
    let store = faulty_store();
    let app = App::of(session_routes(), store.clone());
    let ada = app.ada().await;
    store.fail(Operation::Load);
    let status = ada.visit(&app.router, "/session/status").await;
    assert_eq!(status.status(), StatusCode::SERVICE_UNAVAILABLE);
    let extend = app.post(&ada, "/session/extend", FROM_OUR_PAGE).await;
    assert_eq!(extend.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(ada.cookie().is_some());
    store.heal();
    assert_eq!(app.status(&ada).await["state"], "live");
}

#[tokio::test]
async fn outside_the_layer_they_say_what_is_missing() {
    let router: Router = session_routes();
    let response = Browser::default().visit(&router, "/status").await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
}
