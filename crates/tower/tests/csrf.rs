//! Where requests may come from: the decision alone, through the layer, and over HTTP/1 and HTTP/2.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use common::{client, keyring, policy, serve, text};
use http::header::CACHE_CONTROL;
use http::{Request, StatusCode};
use tenure_core::CsrfRefusal::{
    self, CrossSite, NullOrigin, OtherOrigin, RepeatedHeader, SameSite, UnreadableOrigin,
};
use tenure_core::{CsrfRequest, Event, EventKind, MemoryStore, OriginCheck, Policy, Sessions};
use tenure_tower::{SessionError, SessionFailure, SessionLayer, TrustProxy};
use tower::ServiceExt;

/// A request, and what is to become of it.
struct Case {
    request: &'static str,
    target: &'static str,
    headers: &'static [(&'static str, &'static str)],
    outcome: Result<(), CsrfRefusal>,
}

const fn case(
    request: &'static str,
    target: &'static str,
    headers: &'static [(&'static str, &'static str)],
    outcome: Result<(), CsrfRefusal>,
) -> Case {
    Case {
        request,
        target,
        headers,
        outcome,
    }
}

const HOST: (&str, &str) = ("host", "app.example");
const HTTPS: (&str, &str) = ("x-forwarded-proto", "https");
const HTTP: (&str, &str) = ("x-forwarded-proto", "http");
const OURS: (&str, &str) = ("origin", "https://app.example");
const EVIL: (&str, &str) = ("origin", "https://evil.example");
const SIBLING: (&str, &str) = ("origin", "https://other.app.example");
const PARTNER: (&str, &str) = ("origin", "https://partner.example");
const SITE_OURS: (&str, &str) = ("sec-fetch-site", "same-origin");
const SITE_NONE: (&str, &str) = ("sec-fetch-site", "none");
const SITE_SAME: (&str, &str) = ("sec-fetch-site", "same-site");
const SITE_CROSS: (&str, &str) = ("sec-fetch-site", "cross-site");
const WEBSOCKET: (&str, &str) = ("upgrade", "websocket");

/// Trusted: `https://partner.example`, `https://partner.example:8443`, `http://localhost:5173`.
/// Exempt: `/hooks/*`, `/callback`.
const CASES: &[Case] = &[
    // Safe methods, wherever they come from.
    case("GET", "/", &[HOST, SITE_CROSS, EVIL], Ok(())),
    case("HEAD", "/", &[HOST, SITE_CROSS, EVIL], Ok(())),
    case("OPTIONS", "/", &[HOST, SITE_CROSS, EVIL], Ok(())),
    case("GET", "/", &[HOST, SITE_SAME], Ok(())),
    case("GET", "/", &[HOST, ("origin", "null")], Ok(())),
    case("GET", "/", &[HOST, SITE_CROSS, ("upgrade", "h2c")], Ok(())),
    // What the browser says of the site.
    case("POST", "/", &[HOST, SITE_OURS], Ok(())),
    case("POST", "/", &[HOST, SITE_OURS, OURS], Ok(())),
    case("POST", "/", &[HOST, SITE_NONE], Ok(())),
    case("PUT", "/", &[HOST, SITE_OURS], Ok(())),
    case("PATCH", "/", &[HOST, SITE_OURS], Ok(())),
    case("DELETE", "/", &[HOST, SITE_OURS], Ok(())),
    // Referrer-Policy: no-referrer makes a form's own origin null.
    case("POST", "/", &[HOST, SITE_OURS, ("origin", "null")], Ok(())),
    case("POST", "/", &[HOST, SITE_CROSS], Err(CrossSite)),
    case("POST", "/", &[HOST, SITE_SAME], Err(SameSite)),
    case("PUT", "/", &[HOST, SITE_CROSS], Err(CrossSite)),
    case("PATCH", "/", &[HOST, SITE_SAME], Err(SameSite)),
    case("DELETE", "/", &[HOST, SITE_CROSS, EVIL], Err(CrossSite)),
    case("TRACE", "/", &[HOST, SITE_CROSS], Err(CrossSite)),
    case("PROPFIND", "/", &[HOST, SITE_CROSS], Err(CrossSite)),
    case("post", "/", &[HOST, SITE_CROSS], Err(CrossSite)),
    case("get", "/", &[HOST, SITE_CROSS], Err(CrossSite)),
    case("POST", "/", &[HOST, SITE_SAME, SIBLING], Err(SameSite)),
    case("POST", "/", &[HOST, SITE_CROSS, OURS], Err(CrossSite)),
    case(
        "POST",
        "/",
        &[HOST, SITE_CROSS, ("origin", "null")],
        Err(CrossSite),
    ),
    case("POST", "/", &[HOST, ("sec-fetch-site", "")], Err(CrossSite)),
    case(
        "POST",
        "/",
        &[HOST, ("sec-fetch-site", "Same-Origin")],
        Err(CrossSite),
    ),
    case(
        "POST",
        "/",
        &[HOST, ("sec-fetch-site", "same-origin, cross-site")],
        Err(CrossSite),
    ),
    case(
        "POST",
        "/",
        &[HOST, ("sec-fetch-site", "same-origin;x")],
        Err(CrossSite),
    ),
    case(
        "POST",
        "/",
        &[HOST, ("sec-fetch-site", "same-origin-x")],
        Err(CrossSite),
    ),
    // No browser of today.
    case("POST", "/", &[HOST], Ok(())),
    case("DELETE", "/", &[HOST], Ok(())),
    case("POST", "/", &[], Ok(())),
    // By the origin, where the browser says nothing of the site.
    case("POST", "/", &[HOST, OURS], Ok(())),
    case("POST", "/", &[HOST, ("origin", "https://APP.example")], Ok(())),
    case("POST", "/", &[("host", "APP.example"), OURS], Ok(())),
    case(
        "POST",
        "/",
        &[HOST, ("origin", "https://app.example:443")],
        Ok(()),
    ),
    case("POST", "/", &[("host", "app.example:443"), OURS], Ok(())),
    case("POST", "/", &[("host", "app.example:80"), OURS], Err(OtherOrigin)),
    case(
        "POST",
        "/",
        &[("host", "app.example:80"), ("origin", "http://app.example")],
        Ok(()),
    ),
    case(
        "POST",
        "/",
        &[("host", "app.example:443"), ("origin", "http://app.example")],
        Err(OtherOrigin),
    ),
    case(
        "POST",
        "/",
        &[("host", "127.0.0.1:3000"), ("origin", "http://127.0.0.1:3000")],
        Ok(()),
    ),
    case(
        "POST",
        "/",
        &[("host", "127.0.0.1:3000"), ("origin", "http://127.0.0.1:4000")],
        Err(OtherOrigin),
    ),
    case(
        "POST",
        "/",
        &[("host", "127.0.0.1:3000"), ("origin", "http://127.0.0.1")],
        Err(OtherOrigin),
    ),
    case(
        "POST",
        "/",
        &[("host", "127.0.0.1:3000"), ("origin", "http://localhost:3000")],
        Err(OtherOrigin),
    ),
    case(
        "POST",
        "/",
        &[("host", "[::1]:3000"), ("origin", "http://[::1]:3000")],
        Ok(()),
    ),
    case(
        "POST",
        "/",
        &[("host", "[::1]:3000"), ("origin", "http://[::2]:3000")],
        Err(OtherOrigin),
    ),
    case("POST", "/", &[HOST, EVIL], Err(OtherOrigin)),
    case("POST", "/", &[HOST, SIBLING], Err(OtherOrigin)),
    case(
        "POST",
        "/",
        &[HOST, ("origin", "https://app.example:8443")],
        Err(OtherOrigin),
    ),
    case(
        "POST",
        "/",
        &[HOST, ("origin", "https://app.example.evil.example")],
        Err(OtherOrigin),
    ),
    case(
        "POST",
        "/",
        &[HOST, ("origin", "https://evilapp.example")],
        Err(OtherOrigin),
    ),
    case(
        "POST",
        "/",
        &[HOST, ("origin", "https://app.example.")],
        Err(OtherOrigin),
    ),
    case("POST", "/", &[HOST, ("origin", "null")], Err(NullOrigin)),
    case("POST", "/", &[HOST, ("origin", "")], Err(UnreadableOrigin)),
    case(
        "POST",
        "/",
        &[HOST, ("origin", "app.example")],
        Err(UnreadableOrigin),
    ),
    case(
        "POST",
        "/",
        &[HOST, ("origin", "https://app.example/")],
        Err(UnreadableOrigin),
    ),
    case(
        "POST",
        "/",
        &[HOST, ("origin", "https://app.example@evil.example")],
        Err(UnreadableOrigin),
    ),
    case(
        "POST",
        "/",
        &[HOST, ("origin", "https://app.example https://evil.example")],
        Err(UnreadableOrigin),
    ),
    case(
        "POST",
        "/",
        &[HOST, ("origin", "chrome-extension://app.example")],
        Err(UnreadableOrigin),
    ),
    case("POST", "/", &[OURS], Err(OtherOrigin)),
    case("POST", "/", &[("host", ""), OURS], Err(OtherOrigin)),
    case(
        "POST",
        "/",
        &[("host", "ada@app.example"), OURS],
        Err(OtherOrigin),
    ),
    // The scheme, where it is known.
    case("POST", "/", &[HOST, HTTPS, OURS], Ok(())),
    case(
        "POST",
        "/",
        &[HOST, HTTPS, ("origin", "http://app.example")],
        Err(OtherOrigin),
    ),
    case(
        "POST",
        "/",
        &[HOST, HTTP, ("origin", "http://app.example")],
        Ok(()),
    ),
    case("POST", "/", &[HOST, HTTP, OURS], Ok(())),
    case("POST", "/", &[HOST, ("origin", "http://app.example")], Ok(())),
    // HTTP/2 and absolute targets.
    case("POST", "https://app.example/", &[OURS], Ok(())),
    case("POST", "https://app.example/", &[HOST, OURS], Ok(())),
    case("POST", "https://app.example/", &[EVIL], Err(OtherOrigin)),
    case(
        "POST",
        "https://app.example/",
        &[("origin", "http://app.example")],
        Err(OtherOrigin),
    ),
    case(
        "POST",
        "https://app.example:8443/",
        &[("origin", "https://app.example:8443")],
        Ok(()),
    ),
    case(
        "POST",
        "https://app.example/",
        &[("host", "evil.example"), EVIL],
        Err(OtherOrigin),
    ),
    case(
        "POST",
        "https://app.example/",
        &[("host", "evil.example"), OURS],
        Err(OtherOrigin),
    ),
    case("POST", "https://app.example/", &[SITE_CROSS], Err(CrossSite)),
    // Headers that came twice.
    case("POST", "/", &[HOST, SITE_OURS, SITE_OURS], Err(RepeatedHeader)),
    case("POST", "/", &[HOST, SITE_CROSS, SITE_OURS], Err(RepeatedHeader)),
    case("POST", "/", &[HOST, OURS, OURS], Err(RepeatedHeader)),
    case("POST", "/", &[HOST, SITE_OURS, OURS, EVIL], Err(RepeatedHeader)),
    case(
        "POST",
        "/",
        &[HOST, ("host", "evil.example"), EVIL],
        Err(RepeatedHeader),
    ),
    // Trusted origins.
    case("POST", "/", &[HOST, SITE_CROSS, PARTNER], Ok(())),
    case("POST", "/", &[HOST, PARTNER], Ok(())),
    case(
        "POST",
        "/",
        &[HOST, SITE_CROSS, ("origin", "https://partner.example:443")],
        Ok(()),
    ),
    case(
        "POST",
        "/",
        &[HOST, SITE_CROSS, ("origin", "https://partner.example:8443")],
        Ok(()),
    ),
    case(
        "POST",
        "/",
        &[HOST, SITE_CROSS, ("origin", "http://localhost:5173")],
        Ok(()),
    ),
    case(
        "POST",
        "/",
        &[HOST, SITE_CROSS, ("origin", "https://partner.example:8444")],
        Err(CrossSite),
    ),
    case(
        "POST",
        "/",
        &[HOST, SITE_CROSS, ("origin", "http://partner.example")],
        Err(CrossSite),
    ),
    case(
        "POST",
        "/",
        &[HOST, SITE_CROSS, ("origin", "https://a.partner.example")],
        Err(CrossSite),
    ),
    case(
        "POST",
        "/",
        &[
            HOST,
            SITE_CROSS,
            ("origin", "https://partner.example.evil.example"),
        ],
        Err(CrossSite),
    ),
    case(
        "POST",
        "/",
        &[HOST, ("origin", "http://localhost:5174")],
        Err(OtherOrigin),
    ),
    case(
        "POST",
        "/",
        &[HOST, SITE_CROSS, PARTNER, EVIL],
        Err(RepeatedHeader),
    ),
    // Exempt paths.
    case("POST", "/hooks/pay", &[HOST, SITE_CROSS, EVIL], Ok(())),
    case("POST", "/hooks/pay/1", &[HOST, EVIL], Ok(())),
    case("POST", "/hooks/pay?x=/../", &[HOST, EVIL], Ok(())),
    case("POST", "/callback", &[HOST, SITE_CROSS, EVIL], Ok(())),
    case(
        "POST",
        "https://app.example/callback",
        &[SITE_CROSS, EVIL],
        Ok(()),
    ),
    case("POST", "/callback/", &[HOST, SITE_CROSS], Err(CrossSite)),
    case("POST", "/Callback", &[HOST, SITE_CROSS], Err(CrossSite)),
    case("POST", "//callback", &[HOST, SITE_CROSS], Err(CrossSite)),
    case("POST", "/hooks", &[HOST, SITE_CROSS], Err(CrossSite)),
    case("POST", "/hooks/", &[HOST, SITE_CROSS], Err(CrossSite)),
    case("POST", "/hooks/../account", &[HOST, SITE_CROSS], Err(CrossSite)),
    case(
        "POST",
        "/hooks/%2e%2e/account",
        &[HOST, SITE_CROSS],
        Err(CrossSite),
    ),
    case("POST", "/hooks/..%2faccount", &[HOST, SITE_CROSS], Err(CrossSite)),
    case("POST", "/hooks//account", &[HOST, SITE_CROSS], Err(CrossSite)),
    case("POST", "/hooks/..;/account", &[HOST, SITE_CROSS], Err(CrossSite)),
    case("POST", "/%68ooks/pay", &[HOST, SITE_CROSS], Err(CrossSite)),
    case("POST", "/account?/hooks/pay", &[HOST, SITE_CROSS], Err(CrossSite)),
    // The opening of a WebSocket is no safe request.
    case("GET", "/", &[HOST, WEBSOCKET, OURS], Ok(())),
    case("GET", "/", &[HOST, WEBSOCKET, SITE_OURS, OURS], Ok(())),
    case("GET", "/", &[HOST, WEBSOCKET, SITE_CROSS, OURS], Ok(())),
    case("GET", "/", &[HOST, WEBSOCKET], Ok(())),
    case("GET", "/", &[HOST, WEBSOCKET, PARTNER], Ok(())),
    case("GET", "/", &[HOST, WEBSOCKET, EVIL], Err(OtherOrigin)),
    case("GET", "/", &[HOST, WEBSOCKET, SIBLING], Err(OtherOrigin)),
    case("GET", "/", &[HOST, WEBSOCKET, SITE_CROSS, EVIL], Err(OtherOrigin)),
    case("GET", "/", &[HOST, WEBSOCKET, SITE_CROSS], Err(CrossSite)),
    case(
        "GET",
        "/",
        &[HOST, WEBSOCKET, ("origin", "null")],
        Err(NullOrigin),
    ),
    case(
        "GET",
        "/",
        &[HOST, ("upgrade", "h2c, WebSocket"), EVIL],
        Err(OtherOrigin),
    ),
    case("CONNECT", "https://app.example/", &[EVIL], Err(OtherOrigin)),
];

fn guarded() -> Policy {
    policy()
        .trusted_origins([
            "https://partner.example",
            "https://partner.example:8443",
            "http://localhost:5173",
        ])
        .csrf_exempt_paths(["/hooks/*", "/callback"])
}

impl Case {
    fn request(&self) -> Request<Body> {
        let mut request = Request::builder().method(self.request).uri(self.target);
        for (name, value) in self.headers {
            request = request.header(*name, *value);
        }
        // A proxy names the client, too.
        request
            .header("x-forwarded-for", "192.0.2.1")
            .body(Body::empty())
            .unwrap()
    }

    fn shown(&self) -> String {
        format!("{} {} {:?}", self.request, self.target, self.headers)
    }
}

/// An app that counts what reaches it, and the refusals that its listener hears of.
struct App {
    router: Router,
    effects: Arc<AtomicUsize>,
    refusals: Arc<Mutex<Vec<CsrfRefusal>>>,
}

impl App {
    fn new(policy: Policy) -> Self {
        let effects = Arc::new(AtomicUsize::new(0));
        let refusals = Arc::<Mutex<Vec<CsrfRefusal>>>::default();
        let heard = Arc::clone(&refusals);
        let sessions = Sessions::builder(policy, keyring(), MemoryStore::new())
            .listener(move |event: &Event| {
                if let EventKind::CsrfRefused(refusal) = event.kind {
                    heard.lock().unwrap().push(refusal);
                }
            })
            .build()
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
            refusals,
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
    let policy = guarded();
    for case in CASES {
        let request = case.request();
        let https = case.headers.iter().find(|(name, _)| *name == HTTPS.0);
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
        let app = App::new(guarded());
        let response = app.answer(case.request()).await;
        match case.outcome {
            Ok(()) => {
                assert_eq!(response.status(), StatusCode::OK, "{}", case.shown());
                assert_eq!(app.effects(), 1, "{}", case.shown());
                assert!(app.refusals.lock().unwrap().is_empty());
            }
            Err(refusal) => {
                assert_eq!(response.status(), StatusCode::FORBIDDEN, "{}", case.shown());
                assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
                assert_eq!(app.effects(), 0, "{}", case.shown());
                assert_eq!(*app.refusals.lock().unwrap(), [refusal], "{}", case.shown());
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
            app.answer(case.request()).await;
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
    let request = case("POST", "/", &[HOST, SITE_CROSS], Err(CrossSite)).request();
    let response = router.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(text(response).await, "No: false");
}

#[tokio::test]
async fn over_the_wire_the_host_is_found_in_http_1_and_in_http_2() {
    let app = App::new(guarded());
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
