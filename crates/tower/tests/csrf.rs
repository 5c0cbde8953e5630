//! Where requests may come from: the decision alone, through the layer, and over HTTP/1 and HTTP/2.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use common::{client, keyring, policy, serve, text};
use http::header::CACHE_CONTROL;
use http::{Request, StatusCode};
use tenure_core::{CsrfRequest, EventKind, MemoryStore, OriginCheck, Policy, Sessions};
use tenure_testkit::EventLog;
use tenure_testkit::door::csrf_cases::{self, CASES, Case};
use tenure_tower::{SessionError, SessionFailure, SessionLayer, TrustProxy};
use tower::ServiceExt;

fn request_of(case: &Case) -> Request<Body> {
    let mut request = Request::builder().method(case.method).uri(case.target);
    for (name, value) in case.headers {
        request = request.header(*name, *value);
    }
    // A proxy names the client, too.
    request
        .header("x-forwarded-for", "192.0.2.1")
        .body(Body::empty())
        .unwrap()
}

/// An app that counts what reaches it, and the refusals that its listener hears of.
struct App {
    router: Router,
    effects: Arc<AtomicUsize>,
    events: EventLog,
}

impl App {
    fn new(policy: Policy) -> Self {
        let effects = Arc::new(AtomicUsize::new(0));
        let events = EventLog::new();
        let sessions = events
            .build(Sessions::builder(policy, keyring(), MemoryStore::new()))
            .unwrap();
        let counter = Arc::clone(&effects);
        let handler = any(async move || {
            counter.fetch_add(1, Ordering::SeqCst);
        });
        let router = Router::new()
            .fallback(handler)
            .layer(SessionLayer::new(sessions).trust_proxy(TrustProxy::hops(1)));
        Self {
            router,
            effects,
            events,
        }
    }

    async fn answer(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    fn effects(&self) -> usize {
        self.effects.load(Ordering::SeqCst)
    }
}

#[test]
fn there_are_cases_enough() {
    assert!(CASES.len() >= 60, "{}", CASES.len());
}

#[test]
fn the_decision_alone_is_as_the_table_says() {
    let policy = csrf_cases::policy();
    for case in CASES {
        let request = request_of(case);
        let https = case.headers.iter().find(|(name, _)| *name == "x-forwarded-proto");
        let mut looked_at = CsrfRequest::new(request.method(), request.uri(), request.headers());
        if let Some((_, scheme)) = https {
            looked_at = looked_at.https(Some(*scheme == "https"));
        }
        assert_eq!(policy.check_origin(&looked_at), case.outcome, "{}", case.shown());
    }
}

#[tokio::test]
async fn through_the_layer_what_is_refused_has_no_effect_and_an_event() {
    for case in CASES {
        let app = App::new(csrf_cases::policy());
        let response = app.answer(request_of(case)).await;
        match case.outcome {
            Ok(()) => {
                assert_eq!(response.status(), StatusCode::OK, "{}", case.shown());
                assert_eq!(app.effects(), 1, "{}", case.shown());
                assert_eq!(app.events.kinds(), []);
            }
            Err(refusal) => {
                assert_eq!(response.status(), StatusCode::FORBIDDEN, "{}", case.shown());
                assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
                assert_eq!(app.effects(), 0, "{}", case.shown());
                assert_eq!(
                    app.events.kinds(),
                    [EventKind::CsrfRefused(refusal)],
                    "{}",
                    case.shown()
                );
                let said = text(response).await;
                assert_eq!(
                    said,
                    "This request was refused, because it did not come from a page of this site.\n"
                );
            }
        }
    }
}

#[tokio::test]
async fn where_it_is_switched_off_everything_gets_through() {
    for check in [OriginCheck::Off, OriginCheck::DoneElsewhere] {
        let app = App::new(policy().origin_check(check));
        for case in CASES {
            app.answer(request_of(case)).await;
        }
        assert_eq!(app.effects(), CASES.len());
    }
}

#[tokio::test]
async fn the_application_renders_refusals_as_it_likes() {
    fn render(error: &SessionError) -> Response {
        let SessionFailure::Csrf(refusal) = &**error else {
            panic!("{error}");
        };
        (error.status(), format!("No: {}", refusal.is_about_the_token())).into_response()
    }
    let sessions = Sessions::new(policy(), keyring(), MemoryStore::new()).unwrap();
    let router = Router::new()
        .fallback(any(async || "x"))
        .layer(SessionLayer::new(sessions).on_failure(render));
    let request = Request::post("/")
        .header("host", "app.example")
        .header("sec-fetch-site", "cross-site")
        .body(Body::empty())
        .unwrap();
    let response = router.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(text(response).await, "No: false");
}

#[tokio::test]
async fn over_the_wire_the_host_is_found_in_http_1_and_in_http_2() {
    let app = App::new(csrf_cases::policy());
    let url = serve(app.router.clone()).await;
    let http_2 = reqwest::Client::builder()
        .http2_prior_knowledge()
        .build()
        .unwrap();
    for client in [client(), http_2] {
        let before = app.effects();
        let post = async |origin: &str| {
            client
                .post(&url)
                .header("origin", origin)
                .send()
                .await
                .unwrap()
                .status()
        };
        assert_eq!(post(&url).await, StatusCode::OK);
        assert_eq!(post("http://127.0.0.1:1").await, StatusCode::FORBIDDEN);
        assert_eq!(post("http://evil.example").await, StatusCode::FORBIDDEN);
        assert_eq!(app.effects(), before + 1);
    }
}
