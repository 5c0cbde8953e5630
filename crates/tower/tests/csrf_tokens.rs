//! Tokens through the layer: in headers, in forms, and the handlers that ask for one themselves.

mod common;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Form, Router};
use common::{Browser, client, faulty_store, keyring, policy, serve, text};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, COOKIE, SET_COOKIE};
use http::{Method, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use serde::Deserialize;
use tenure_core::store::Operation;
use tenure_core::{CsrfTokens, Key, MemoryStore, Policy, Sessions, Store};
use tenure_tower::{CsrfForm, CsrfToken, Session, SessionError, SessionLayer, SignedIn};
use tower::ServiceExt;

const COUNT: Key<u64> = Key::new("count");
const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=xyz";

#[derive(Deserialize)]
struct Transfer {
    amount: u64,
}

#[derive(Clone)]
struct App {
    router: Router,
    effects: Arc<AtomicUsize>,
}

impl App {
    fn new(policy: Policy, store: impl Store) -> Self {
        let effects = Arc::new(AtomicUsize::new(0));
        let sent = Arc::clone(&effects);
        let transfer = async move |_: SignedIn, Form(transfer): Form<Transfer>| {
            sent.fetch_add(1, Ordering::SeqCst);
            transfer.amount.to_string()
        };
        let checked = Arc::clone(&effects);
        let checked = async move |CsrfForm(transfer): CsrfForm<Transfer>| {
            checked.fetch_add(1, Ordering::SeqCst);
            transfer.amount.to_string()
        };
        let any = Arc::clone(&effects);
        let any = async move |body: Bytes| {
            any.fetch_add(1, Ordering::SeqCst);
            body
        };
        let sign_in = async |session: Session| -> Result<(), SessionError> { Ok(session.sign_in("ada")?) };
        let renew = async |session: Session| session.renew();
        let sign_in_with_page = async |session: Session| -> Result<String, SessionError> {
            session.sign_in("ada")?;
            session.insert(COUNT, &1)?;
            Ok(session.csrf_token().await?.to_string())
        };
        let router = Router::new()
            .route("/token", get(async |token: CsrfToken| token.to_string()))
            .route("/sign-in", post(sign_in))
            .route("/sign-in-with-page", post(sign_in_with_page))
            .route("/renew", get(renew))
            .route("/sign-out", get(async |session: Session| session.sign_out()))
            .route("/transfer", post(transfer))
            .route("/checked", post(checked))
            .fallback(any)
            .layer(SessionLayer::new(
                Sessions::new(policy, keyring(), store).unwrap(),
            ));
        Self { router, effects }
    }

    fn demanding() -> Self {
        Self::new(policy().csrf_tokens(CsrfTokens::Demanded), MemoryStore::new())
    }

    fn offering() -> Self {
        Self::new(policy(), MemoryStore::new())
    }

    async fn ada(&self) -> Browser {
        let browser = Browser::default();
        let signed_in = self
            .send(&browser, Method::POST, "/sign-in", &[], Body::empty())
            .await;
        assert_eq!(signed_in.status(), StatusCode::OK);
        browser
    }

    async fn token(&self, browser: &Browser) -> String {
        text(browser.visit(&self.router, "/token").await).await
    }

    async fn send(
        &self,
        browser: &Browser,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Response {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(cookie) = browser.cookie() {
            request = request.header(COOKIE, cookie);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        browser.take_in(response.headers());
        response
    }

    async fn form(&self, browser: &Browser, path: &str, body: impl Into<Body>) -> Response {
        let form = [(CONTENT_TYPE.as_str(), FORM)];
        self.send(browser, Method::POST, path, &form, body).await
    }

    fn effects(&self) -> usize {
        self.effects.load(Ordering::SeqCst)
    }
}

fn upload(first: &str, second: &str) -> String {
    let part = |disposition: &str| format!("--xyz\r\nContent-Disposition: form-data; {disposition}");
    format!("{}{}--xyz--\r\n", part(first), part(second))
}

#[tokio::test]
async fn a_demanded_token_is_taken_from_the_header_for_every_unsafe_method() {
    let app = App::demanding();
    let ada = app.ada().await;
    let token = app.token(&ada).await;
    for (at, method) in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE]
        .into_iter()
        .enumerate()
    {
        let good = [("x-csrf-token", &*token)];
        let sent = app.send(&ada, method.clone(), "/api", &good, "{}").await;
        assert_eq!(sent.status(), StatusCode::OK, "{method}");
        assert_eq!(app.effects(), at + 1);
        let wrong = app.token(&Browser::default()).await;
        for headers in [
            &[][..],
            &[("x-csrf-token", "")],
            &[("x-csrf-token", &wrong)],
            &[("x-csrf-token", &token[..85])],
            &[("x-csrf-token", &token), ("x-csrf-token", &token)],
            &[("x-csrf-token", &wrong), ("x-csrf-token", &token)],
            &[("content-type", "application/json")],
            &[("content-type", "text/plain")],
        ] {
            let refused = app.send(&ada, method.clone(), "/api", headers, "{}").await;
            assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{method} {headers:?}");
        }
        assert_eq!(app.effects(), at + 1);
    }
    let read = app.send(&ada, Method::GET, "/api", &[], "").await;
    assert_eq!(read.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_demanded_token_is_taken_from_a_form_and_the_handler_gets_the_form_whole() {
    let app = App::demanding();
    let ada = app.ada().await;
    let token = app.token(&ada).await;
    for body in [
        format!("_csrf={token}&amount=7"),
        format!("amount=7&_csrf={token}"),
        format!("filler={}&_csrf={token}&amount=7", "a".repeat(60_000)),
        format!("_csrf={token}&amount=7&filler={}", "a".repeat(200_000)),
    ] {
        let sent = app.form(&ada, "/transfer", body.clone()).await;
        assert_eq!(text(sent).await, "7");
        let echoed = app.form(&ada, "/echo", body.clone()).await;
        assert_eq!(text(echoed).await, body);
    }
    let effects = app.effects();
    let other = app.token(&Browser::default()).await;
    for body in [
        String::new(),
        "amount=7".to_owned(),
        "amount=7&_csrf=".to_owned(),
        format!("amount=7&_csrf={other}"),
        format!("amount=7&_csrf={other}&_csrf={token}"),
        format!("filler={}&_csrf={token}&amount=7", "a".repeat(70_000)),
    ] {
        let refused = app.form(&ada, "/transfer", body).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        assert_eq!(
            text(refused).await,
            "This page is out of date. Please go back, reload it and try again.\n"
        );
    }
    assert_eq!(app.effects(), effects);
}

#[tokio::test]
async fn an_upload_is_read_as_far_as_its_first_field_and_streams_on() {
    let app = App::demanding();
    let ada = app.ada().await;
    let token = app.token(&ada).await;
    let field = format!("name=\"_csrf\"\r\n\r\n{token}\r\n");
    let file = format!("name=\"f\"; filename=\"a\"\r\n\r\n{}\r\n", "x".repeat(1_000_000));
    let send = async |body: String| {
        let multipart = [(CONTENT_TYPE.as_str(), MULTIPART)];
        app.send(&ada, Method::POST, "/echo", &multipart, body).await
    };
    let good = upload(&field, &file);
    assert!(
        text(send(good.clone()).await).await == good,
        "the upload arrives whole"
    );
    let late = upload(&file, &field);
    assert_eq!(send(late).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(app.effects(), 1);
}

#[tokio::test]
async fn a_form_in_many_pieces_with_trailers_arrives_as_it_was_sent() {
    let app = App::demanding();
    let ada = app.ada().await;
    let whole = format!(
        "amount=7&note={}&_csrf={}&more=1",
        "n".repeat(500),
        app.token(&ada).await
    );
    let pieces: Vec<Bytes> = whole.as_bytes().chunks(3).map(Bytes::copy_from_slice).collect();
    let stream = async_stream(pieces);
    let echoed = app.form(&ada, "/echo", Body::new(stream)).await;
    assert_eq!(text(echoed).await, whole);
}

/// A body that comes in these pieces, and then a trailer.
fn async_stream(pieces: Vec<Bytes>) -> impl http_body::Body<Data = Bytes, Error = Infallible> + Send {
    let mut trailers = http::HeaderMap::new();
    trailers.insert("x-sum", "1".parse().unwrap());
    let frames = pieces
        .into_iter()
        .map(http_body::Frame::data)
        .chain([http_body::Frame::trailers(trailers)])
        .map(Ok);
    StreamBody::new(Frames(frames.collect::<std::collections::VecDeque<_>>()))
}

struct Frames(std::collections::VecDeque<Result<http_body::Frame<Bytes>, Infallible>>);

impl futures_core::Stream for Frames {
    type Item = Result<http_body::Frame<Bytes>, Infallible>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.pop_front())
    }
}

#[tokio::test]
async fn a_form_that_breaks_off_never_reaches_its_handler() {
    let app = App::demanding();
    let ada = app.ada().await;
    let start = format!("amount=7&_csrf={}", app.token(&ada).await);
    let breaks_off = StreamBody::new(BreaksOff(Some(start.into())));
    let refused = app.form(&ada, "/transfer", Body::new(breaks_off)).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert_eq!(app.effects(), 0);
}

struct BreaksOff(Option<Bytes>);

impl futures_core::Stream for BreaksOff {
    type Item = Result<http_body::Frame<Bytes>, std::io::Error>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        let next = self.0.take().map(http_body::Frame::data);
        std::task::Poll::Ready(Some(next.ok_or(std::io::ErrorKind::ConnectionReset.into())))
    }
}

#[tokio::test]
async fn over_the_wire_a_form_and_its_length_arrive() {
    let app = App::demanding();
    let ada = app.ada().await;
    let body = format!("amount=7&_csrf={}", app.token(&ada).await);
    let url = serve(app.router.clone()).await;
    let sent = client()
        .post(format!("{url}/transfer"))
        .header(COOKIE, ada.cookie().unwrap())
        .header(CONTENT_TYPE, FORM)
        .header(CONTENT_LENGTH, body.len())
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(sent.text().await.unwrap(), "7");
    assert_eq!(app.effects(), 1);
}

#[tokio::test]
async fn a_request_without_a_session_needs_no_token_and_one_with_needs_it_though_nobody_is_signed_in() {
    let app = App::demanding();
    let nobody = Browser::default();
    assert_eq!(app.form(&nobody, "/echo", "a=1").await.status(), StatusCode::OK);
    let visitor = Browser::default();
    let token = app.token(&visitor).await;
    assert!(visitor.cookie().is_some(), "a token begins a session");
    assert_eq!(
        app.form(&visitor, "/echo", "a=1").await.status(),
        StatusCode::FORBIDDEN
    );
    let with_token = app.form(&visitor, "/echo", format!("_csrf={token}")).await;
    assert_eq!(with_token.status(), StatusCode::OK);
    let forged = Browser::bearing("__Host-session=forged");
    assert_eq!(app.form(&forged, "/echo", "a=1").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn exempt_paths_need_no_token() {
    let demanding = policy()
        .csrf_tokens(CsrfTokens::Demanded)
        .csrf_exempt_paths(["/hooks/*"]);
    let app = App::new(demanding, MemoryStore::new());
    let ada = app.ada().await;
    assert_eq!(app.form(&ada, "/hooks/pay", "a=1").await.status(), StatusCode::OK);
    assert_eq!(
        app.form(&ada, "/hooks", "a=1").await.status(),
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn a_token_ends_with_renewal_sign_in_and_sign_out() {
    let app = App::demanding();
    for ending in ["/renew", "/sign-out"] {
        let ada = app.ada().await;
        let token = app.token(&ada).await;
        ada.visit(&app.router, ending).await;
        let fresh = app.token(&ada).await;
        let old = app.form(&ada, "/echo", format!("_csrf={token}")).await;
        assert_eq!(old.status(), StatusCode::FORBIDDEN, "{ending}");
        let new = app.form(&ada, "/echo", format!("_csrf={fresh}")).await;
        assert_eq!(new.status(), StatusCode::OK, "{ending}");
    }
    let visitor = Browser::default();
    let token = app.token(&visitor).await;
    let sign_in = [("x-csrf-token", &*token)];
    let signed_in = app.send(&visitor, Method::POST, "/sign-in", &sign_in, "").await;
    assert_eq!(signed_in.status(), StatusCode::OK);
    let old = app.form(&visitor, "/echo", format!("_csrf={token}")).await;
    assert_eq!(old.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_token_that_is_asked_for_after_signing_in_is_of_the_session_as_it_will_be() {
    let app = App::demanding();
    let browser = Browser::default();
    let answer = app
        .send(&browser, Method::POST, "/sign-in-with-page", &[], "")
        .await;
    assert_eq!(answer.headers().get_all(SET_COOKIE).iter().count(), 1);
    let token = text(answer).await;
    let sent = app
        .form(&browser, "/transfer", format!("_csrf={token}&amount=7"))
        .await;
    assert_eq!(text(sent).await, "7");
}

#[tokio::test]
async fn nothing_is_looked_at_unless_a_policy_or_a_handler_asks() {
    let app = App::offering();
    let ada = app.ada().await;
    let wrong = [("x-csrf-token", "wrong"), (CONTENT_TYPE.as_str(), FORM)];
    let sent = app
        .send(&ada, Method::POST, "/transfer", &wrong, "amount=7")
        .await;
    assert_eq!(sent.status(), StatusCode::OK);
    assert_eq!(app.effects(), 1);
}

#[tokio::test]
async fn a_handler_that_takes_a_csrf_form_gets_none_without_a_token_of_a_living_session() {
    for app in [App::offering(), App::demanding()] {
        let ada = app.ada().await;
        let token = app.token(&ada).await;
        let sent = app
            .form(&ada, "/checked", format!("amount=7&_csrf={token}"))
            .await;
        assert_eq!(text(sent).await, "7");
        let by_header = [("x-csrf-token", &*token), (CONTENT_TYPE.as_str(), FORM)];
        let sent = app
            .send(&ada, Method::POST, "/checked", &by_header, "amount=8")
            .await;
        assert_eq!(text(sent).await, "8");
        let effects = app.effects();

        for body in ["amount=7", "amount=7&_csrf=wrong", ""] {
            let refused = app.form(&ada, "/checked", body).await;
            assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{body}");
        }
        let old = Browser::bearing(&ada.cookie().unwrap());
        ada.visit(&app.router, "/sign-out").await;
        for nobody in [&ada, &old, &Browser::default()] {
            let refused = app
                .form(nobody, "/checked", format!("amount=7&_csrf={token}"))
                .await;
            assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        }
        assert_eq!(app.effects(), effects);
    }
}

#[tokio::test]
async fn a_wrong_form_is_the_forms_error_and_not_the_tokens() {
    let app = App::offering();
    let ada = app.ada().await;
    let token = app.token(&ada).await;
    let wrong = app
        .form(&ada, "/checked", format!("amount=x&_csrf={token}"))
        .await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_failing_store_gives_no_token_and_503() {
    let store = faulty_store();
    let app = App::new(policy(), store.clone());
    store.fail(Operation::Insert);
    let visitor = Browser::default();
    let answer = visitor.visit(&app.router, "/token").await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(visitor.cookie(), None);
}

#[tokio::test]
async fn refusing_and_checking_a_token_cost_no_look_at_the_store() {
    let store = faulty_store();
    let app = App::new(policy().csrf_tokens(CsrfTokens::Demanded), store.clone());
    let ada = app.ada().await;
    let token = app.token(&ada).await;
    store.reset_counts();
    app.form(&ada, "/echo", format!("_csrf={token}")).await;
    app.form(&ada, "/echo", "a=1").await;
    assert_eq!((store.total_calls(), app.effects()), (0, 1));
}

#[tokio::test]
async fn a_body_that_is_not_axums_takes_its_token_from_the_header_only() {
    let sessions = Sessions::new(
        policy().csrf_tokens(CsrfTokens::Demanded),
        keyring(),
        MemoryStore::new(),
    )
    .unwrap();
    let app = App::new(policy(), MemoryStore::new());
    let ada = app.ada().await;
    let token = app.token(&ada).await;
    let layer = SessionLayer::new(sessions);
    let service = tower::ServiceBuilder::new().layer(layer).service_fn(
        async |request: Request<http_body_util::Full<Bytes>>| {
            let read = request.into_body().collect().await.unwrap().to_bytes();
            Ok::<_, Infallible>(Response::new(Body::from(read)))
        },
    );
    let request = |name: &str, value: &str| {
        Request::post("/")
            .header(COOKIE, ada.cookie().unwrap())
            .header(name, value)
            .body(http_body_util::Full::from(format!("_csrf={token}")))
            .unwrap()
    };
    let by_form = service
        .clone()
        .oneshot(request("content-type", FORM))
        .await
        .unwrap();
    assert_eq!(by_form.status(), StatusCode::FORBIDDEN);
    let by_header = service.oneshot(request("x-csrf-token", &token)).await.unwrap();
    assert_eq!(by_header.status(), StatusCode::OK);
}
