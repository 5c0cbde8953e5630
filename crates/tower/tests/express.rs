//! The door to sessions that are shared with an Express application.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::header::{CACHE_CONTROL, COOKIE, RETRY_AFTER, SET_COOKIE};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use tenure_core::express::{
    CookieSecrets, ExpressExpiry, ExpressSessions, ExpressStore, MemoryExpressStore, Replaced,
};
use tenure_core::store::{Inserted, Operation, StoreError, StoreFuture};
use tenure_core::{Key, Timestamp};
use tenure_tower::{ExpressSession, ExpressSessionLayer, SessionError};
use tower::ServiceExt;

const VISITS: Key<u32> = Key::new("visits");
const SECRET: &str = "keyboard cat";

async fn visit(session: ExpressSession) -> Result<String, SessionError> {
    let visits = session.update(VISITS, |visits| visits.unwrap_or(0) + 1)?;
    Ok(visits.to_string())
}

async fn is_there(session: Option<ExpressSession>) -> String {
    session.is_some().to_string()
}

async fn destroy(session: ExpressSession) {
    session.destroy();
}

fn routes() -> Router {
    Router::new()
        .route("/", get(async || "static"))
        .route("/visit", get(visit))
        .route("/is-there", get(is_there))
        .route("/destroy", get(destroy))
}

fn app(store: impl ExpressStore) -> Router {
    let sessions = ExpressSessions::builder(CookieSecrets::new(SECRET), store)
        .build()
        .unwrap();
    routes().layer(ExpressSessionLayer::new(sessions))
}

async fn ask(app: &Router, path: &str, cookie: Option<&str>) -> Response {
    let mut request = Request::builder().uri(path);
    if let Some(cookie) = cookie {
        request = request.header(COOKIE, cookie);
    }
    let request = request.body(Body::empty()).unwrap();
    app.clone().oneshot(request).await.unwrap()
}

fn cookie(response: &Response) -> String {
    let set_cookie = response.headers()[SET_COOKIE].to_str().unwrap();
    set_cookie.split(';').next().unwrap().to_owned()
}

async fn text(response: Response) -> String {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn what_a_handler_wrote_is_there_for_the_next_request() {
    let app = app(MemoryExpressStore::new());
    let first = ask(&app, "/visit", None).await;
    assert_eq!(first.headers()[CACHE_CONTROL], "no-store");
    let cookie = cookie(&first);
    assert_eq!(text(first).await, "1");
    assert_eq!(text(ask(&app, "/visit", Some(&cookie)).await).await, "2");
    assert_eq!(text(ask(&app, "/is-there", Some(&cookie)).await).await, "true");
}

#[tokio::test]
async fn a_request_without_a_session_gets_none_by_looking() {
    let store = Arc::new(MemoryExpressStore::new());
    let app = app(Arc::clone(&store));
    let response = ask(&app, "/is-there", None).await;
    assert!(!response.headers().contains_key(SET_COOKIE));
    assert_eq!(text(response).await, "false");
    assert!(store.is_empty());
}

#[tokio::test]
async fn a_request_that_another_site_had_the_browser_send_is_refused_before_its_handler() {
    let store = Arc::new(MemoryExpressStore::new());
    let sessions = ExpressSessions::builder(CookieSecrets::new(SECRET), Arc::clone(&store))
        .trusted_origins(["https://app.example"])
        .csrf_exempt_paths(["/hook"])
        .build()
        .unwrap();
    let app = Router::new()
        .route("/visit", post(visit))
        .route("/hook", post(visit))
        .layer(ExpressSessionLayer::new(sessions));
    for (path, origin, status) in [
        ("/visit", "https://evil.example", StatusCode::FORBIDDEN),
        ("/hook", "https://evil.example", StatusCode::OK),
        ("/visit", "https://app.example", StatusCode::OK),
    ] {
        let request = Request::post(path)
            .header("sec-fetch-site", "cross-site")
            .header("origin", origin)
            .body(Body::empty())
            .unwrap();
        let sessions_before = store.len();
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), status, "{path} {origin}");
        let ran = usize::from(status == StatusCode::OK);
        assert_eq!(store.len(), sessions_before + ran);
    }
}

#[tokio::test]
async fn ending_the_session_removes_the_cookie() {
    let app = app(MemoryExpressStore::new());
    let cookie = cookie(&ask(&app, "/visit", None).await);
    let response = ask(&app, "/destroy", Some(&cookie)).await;
    let removal = response.headers()[SET_COOKIE].to_str().unwrap();
    assert!(removal.starts_with("connect.sid=; Path=/; Expires=Thu, 01 Jan 1970"));
    assert_eq!(text(ask(&app, "/is-there", Some(&cookie)).await).await, "false");
}

#[tokio::test]
async fn a_store_that_fails_is_503_with_retry_after_and_touches_no_cookie() {
    let app = app(Failing);
    let genuine = format!("connect.sid={}", CookieSecrets::new(SECRET).cookie_value("sid"));
    // At the load, and at the commit.
    for cookie in [Some(genuine.as_str()), None] {
        let response = ask(&app, "/visit", cookie).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[RETRY_AFTER], "1");
        assert!(!response.headers().contains_key(SET_COOKIE));
    }
    let response = ask(&app, "/", Some(&genuine)).await;
    assert_eq!(response.status(), StatusCode::OK, "nobody asked for the session");
}

#[tokio::test]
async fn failures_are_rendered_as_the_application_wishes() {
    let sessions = ExpressSessions::builder(CookieSecrets::new(SECRET), Failing)
        .build()
        .unwrap();
    let sorry = |error: &SessionError| (error.status(), "Sorry!").into_response();
    let app = routes().layer(ExpressSessionLayer::new(sessions).render_failures(sorry));
    assert_eq!(text(ask(&app, "/visit", None).await).await, "Sorry!");
}

#[tokio::test]
async fn a_route_without_the_layer_is_500() {
    let response = ask(&routes(), "/visit", None).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

/// A store that is not there.
struct Failing;

fn failed<'a, T: Send + 'a>(operation: Operation) -> StoreFuture<'a, T> {
    Box::pin(async move {
        Err(StoreError::Unavailable {
            store: "failing",
            operation,
            source: "down".into(),
        })
    })
}

impl ExpressStore for Failing {
    fn name(&self) -> &'static str {
        "failing"
    }

    fn load<'a>(&'a self, _: &'a str, _: Timestamp) -> StoreFuture<'a, Option<String>> {
        failed(Operation::Load)
    }

    fn insert<'a>(&'a self, _: &'a str, _: &'a str, _: ExpressExpiry) -> StoreFuture<'a, Inserted> {
        failed(Operation::Insert)
    }

    fn replace<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        _: &'a str,
        _: ExpressExpiry,
    ) -> StoreFuture<'a, Replaced> {
        failed(Operation::Update)
    }

    fn touch<'a>(&'a self, _: &'a str, _: ExpressExpiry) -> StoreFuture<'a, bool> {
        failed(Operation::Update)
    }

    fn remove<'a>(&'a self, _: &'a str) -> StoreFuture<'a, bool> {
        failed(Operation::Remove)
    }

    fn remove_unchanged<'a>(&'a self, _: &'a str, _: &'a str, _: Timestamp) -> StoreFuture<'a, Replaced> {
        failed(Operation::Remove)
    }

    fn ping(&self) -> StoreFuture<'_, ()> {
        failed(Operation::Ping)
    }
}
