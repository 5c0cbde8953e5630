//! What clients that guess at cookies are answered, over real connections.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use common::*;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, COOKIE, RETRY_AFTER, SET_COOKIE};
use tenure_core::{
    EventKind, GuessLimit, GuessedCookie, Key, ManualClock, MemoryStore, Policy, Refusal, Sessions,
};
use tenure_testkit::{EventLog, FaultyStore};
use tenure_tower::{Session, SessionError, SessionLayer, TrustProxy};

const COUNT: Key<u64> = Key::new("count");
const REFUSED: usize = 10;

/// A server, and what happens in it.
struct Site {
    url: String,
    http: reqwest::Client,
    store: FaultyStore<MemoryStore>,
    events: EventLog,
    clock: ManualClock,
    sessions: Sessions,
    handled: Arc<AtomicUsize>,
}

impl Site {
    async fn new() -> Self {
        Self::with(policy(), |layer| layer).await
    }

    async fn with<R>(policy: Policy, layer: impl FnOnce(SessionLayer) -> SessionLayer<R>) -> Self
    where
        R: tenure_tower::RenderFailure<axum::body::Body> + Send + Sync + 'static,
    {
        let (store, events, clock) = (faulty_store(), EventLog::new(), ManualClock::default());
        let policy = policy.sweep_interval(None);
        let builder = Sessions::builder(policy, keyring(), store.clone()).clock(clock.clone());
        let sessions = events.build(builder).unwrap();
        let handled = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&handled);
        let router = Router::new()
            .route("/ignores", get(async || "x"))
            .route("/counts", get(count).post(count))
            .route("/reads", post(async |_: Option<Session>| "x"))
            .route_layer(axum::middleware::map_request(
                move |request: axum::extract::Request| {
                    counted.fetch_add(1, Ordering::Relaxed);
                    async { request }
                },
            ))
            .layer(layer(SessionLayer::new(sessions.clone())));
        Self {
            url: serve(router).await,
            http: client(),
            store,
            events,
            clock,
            sessions,
            handled,
        }
    }

    async fn get(&self, path: &str, cookie: &str) -> reqwest::Response {
        self.get_from(path, cookie, None).await
    }

    async fn get_from(&self, path: &str, cookie: &str, forwarded_for: Option<&str>) -> reqwest::Response {
        let mut request = self
            .http
            .get(format!("{}{path}", self.url))
            .header(COOKIE, cookie);
        if let Some(address) = forwarded_for {
            request = request.header("x-forwarded-for", address);
        }
        request.send().await.unwrap()
    }

    /// `name=value` of a new session.
    async fn visitor(&self) -> String {
        let browser = Browser::default();
        browser.get(&self.http, &format!("{}/counts", self.url)).await;
        browser.cookie().unwrap()
    }

    async fn exhaust(&self) {
        while self.get("/ignores", &forged(0)).await.status() != StatusCode::TOO_MANY_REQUESTS {}
    }
}

async fn count(session: Session) -> Result<String, SessionError> {
    Ok(session.update(COUNT, |count| count.unwrap_or(0) + 1)?.to_string())
}

fn forged(number: usize) -> String {
    format!("{COOKIE_NAME}={number:098}")
}

#[tokio::test]
async fn past_the_budget_the_answer_is_429_before_the_handler_and_the_store() {
    let site = Site::new().await;
    for number in 0..REFUSED {
        let response = site.get("/ignores", &forged(number)).await;
        assert_eq!(response.status(), StatusCode::OK);
    }
    let (handled, calls) = (site.handled.load(Ordering::Relaxed), site.store.total_calls());
    for path in ["/ignores", "/counts", "/nowhere"] {
        let response = site.get(path, &forged(1)).await;
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS, "{path}");
        assert_eq!(response.headers()[RETRY_AFTER], "6");
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        assert_eq!(response.headers()[CONTENT_TYPE], "text/plain; charset=utf-8");
        let removal = response.headers()[SET_COOKIE].to_str().unwrap();
        assert!(removal.starts_with(&format!("{COOKIE_NAME}=;")), "{removal}");
        assert!(removal.contains("Max-Age=0"), "{removal}");
        let text = response.text().await.unwrap();
        assert_eq!(
            text,
            "We can't check your session right now. Please try again in a moment.\n"
        );
    }
    assert_eq!(site.handled.load(Ordering::Relaxed), handled);
    assert_eq!(site.store.total_calls(), calls);

    site.clock.advance(std::time::Duration::from_secs(6));
    assert_eq!(site.get("/ignores", &forged(1)).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_forged_cookie_past_the_budget_is_429_whatever_else_is_wrong_with_the_request() {
    let site = Site::new().await;
    site.exhaust().await;
    let response = site
        .http
        .post(format!("{}/counts", site.url))
        .header(COOKIE, forged(1))
        .header("sec-fetch-site", "cross-site")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    let told = site.events.kinds();
    assert!(!told.iter().any(|kind| matches!(kind, EventKind::CsrfRefused(_))));
}

#[tokio::test]
async fn requests_of_other_sites_count_nothing() {
    let site = Site::new().await;
    for _ in 0..3 * REFUSED {
        let request = site.http.post(format!("{}/reads", site.url));
        let response = request
            .header("sec-fetch-site", "cross-site")
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
    }
    assert_eq!(site.get("/ignores", &forged(1)).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn users_and_newcomers_are_served_beside_a_guesser_at_their_address() {
    let site = Site::new().await;
    let user = site.visitor().await;
    site.exhaust().await;
    for expected in 2..5 {
        let response = site.get("/counts", &user).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.text().await.unwrap(), expected.to_string());
    }
    let newcomer = site.get("/counts", "theme=dark").await;
    assert_eq!(newcomer.status(), StatusCode::OK);
    assert!(newcomer.headers().contains_key(SET_COOKIE));
}

#[tokio::test]
async fn the_address_is_the_clients_as_the_trusted_proxy_says() {
    let site = Site::with(policy(), |layer| layer.trust_proxy(TrustProxy::hops(1))).await;
    let status = async |address| {
        site.get_from("/ignores", &forged(1), Some(address))
            .await
            .status()
    };
    while status("203.0.113.7").await == StatusCode::OK {}
    assert_eq!(status("203.0.113.8").await, StatusCode::OK);
    assert_eq!(status("::ffff:203.0.113.7").await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(
        status("198.51.100.1, 203.0.113.7").await,
        StatusCode::TOO_MANY_REQUESTS
    );
    while status("2001:db8::1").await == StatusCode::OK {}
    assert_eq!(status("2001:db8::2").await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(status("2001:db8:0:1::1").await, StatusCode::OK);
}

#[tokio::test]
async fn a_flood_is_told_of_once() {
    let site = Site::new().await;
    for number in 0..500 {
        site.get("/counts", &forged(number)).await;
    }
    let mut kinds = site.events.kinds();
    kinds.retain(|kind| *kind != EventKind::Created);
    let mut expected = vec![EventKind::CookieRefused(Refusal::Malformed); REFUSED];
    expected.push(EventKind::GuessLimitReached(GuessedCookie::Refused));
    assert_eq!(kinds, expected);
}

#[tokio::test]
async fn the_application_renders_the_refusal_of_either_kind() {
    fn page(error: &SessionError) -> Response {
        let seconds = error.retry_after().map_or(String::new(), |wait| wait.to_string());
        (error.status(), [(RETRY_AFTER, seconds)], "<h1>Slow down</h1>").into_response()
    }
    let policy = policy().guess_limit(GuessLimit::PerClient {
        refused: 1.try_into().unwrap(),
        unknown: 1.try_into().unwrap(),
    });
    let site = Site::with(policy, |layer| layer.on_failure(page)).await;
    let dead = [site.visitor().await, site.visitor().await];
    for session in site.events.take().iter().filter_map(|event| event.session) {
        assert!(site.sessions.revoke(session).await.unwrap());
    }
    // They were issued by this instance, which looks up what it has issued.
    for cookie in &dead {
        assert_eq!(site.get("/counts", cookie).await.status(), StatusCode::OK);
    }
    site.clock.advance(std::time::Duration::from_secs(61));
    assert_eq!(site.get("/counts", &dead[0]).await.status(), StatusCode::OK);
    let calls = site.store.total_calls();
    let unknown = site.get("/counts", &dead[1]).await;
    assert_eq!(site.store.total_calls(), calls);
    site.get("/ignores", &forged(1)).await;
    let refused = site.get("/ignores", &forged(1)).await;
    for (response, removes_the_cookie) in [(unknown, false), (refused, true)] {
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.headers()[RETRY_AFTER], "60");
        assert_eq!(response.headers().contains_key(SET_COOKIE), removes_the_cookie);
        assert_eq!(response.text().await.unwrap(), "<h1>Slow down</h1>");
    }
}
