//! How the layer and the extractors behave in a router, without any network.

mod common;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use common::{Browser, faulty_store, keyring, policy, sessions, text};
use http::header::{CACHE_CONTROL, RETRY_AFTER, SET_COOKIE, VARY};
use tenure_core::store::Operation;
use tenure_core::{Absence, Key, MemoryStore, Sessions, Status};
use tenure_testkit::FaultyStore;
use tenure_tower::{
    Client, NamedSession, PassiveSession, Session, SessionError, SessionFailure, SessionLayer, SessionName,
    SignedIn,
};
use tower::ServiceExt;

const NOTE: Key<String> = Key::new("note");
const COUNT: Key<u64> = Key::new("count");

async fn count(session: Session) -> Result<String, SessionError> {
    Ok(session.update(COUNT, |count| count.unwrap_or(0) + 1)?.to_string())
}

async fn read(session: Session) -> Result<String, SessionError> {
    Ok(format!("{:?}", session.get(COUNT)?))
}

async fn sign_in(session: Session) -> Result<&'static str, SessionError> {
    session.sign_in("ada")?;
    Ok("in")
}

async fn sign_out(session: Session) -> &'static str {
    session.sign_out();
    "out"
}

fn routes() -> Router {
    Router::new()
        .route("/static", get(async || "static"))
        .route("/count", get(count))
        .route("/read", get(read))
        .route(
            "/peek",
            get(async |session: PassiveSession| format!("{:?}", session.get(COUNT).unwrap())),
        )
        .route("/sign-in", get(sign_in))
        .route("/sign-out", get(sign_out))
        .route("/me", get(async |user: SignedIn| user.owner().to_string()))
        .route(
            "/maybe",
            get(async |user: Option<SignedIn>| format!("{:?}", user.map(|user| user.owner().to_string()))),
        )
        .route(
            "/there",
            get(async |session: Option<Session>| session.is_some().to_string()),
        )
}

fn app() -> Router {
    routes().layer(SessionLayer::new(sessions(MemoryStore::new())))
}

#[tokio::test]
async fn a_write_makes_a_session_and_a_cookie_that_the_next_request_uses() {
    let (app, browser) = (app(), Browser::default());
    let first = browser.visit(&app, "/count").await;
    let cookie = first.headers()[SET_COOKIE].to_str().unwrap();
    let (attributes, max_age) = cookie.rsplit_once("Max-Age=").unwrap();
    assert!(attributes.ends_with("; HttpOnly; SameSite=Lax; Secure; Path=/; "));
    // A millisecond may have passed since the session began.
    assert!(["43200", "43199"].contains(&max_age), "{max_age}");
    assert_eq!(first.headers()[CACHE_CONTROL], "no-store");
    assert_eq!(first.headers()[VARY], "cookie");
    assert_eq!(text(first).await, "1");
    let second = browser.visit(&app, "/count").await;
    assert!(!second.headers().contains_key(SET_COOKIE));
    assert_eq!(text(second).await, "2");
}

#[tokio::test]
async fn a_request_that_only_reads_sets_no_cookie() {
    let response = Browser::default().visit(&app(), "/read").await;
    assert!(!response.headers().contains_key(SET_COOKIE));
    assert!(!response.headers().contains_key(VARY));
    assert_eq!(text(response).await, "None");
}

#[tokio::test]
async fn a_handler_that_does_not_ask_causes_no_store_call() {
    let store = faulty_store();
    let app = routes().layer(SessionLayer::new(sessions(store.clone())));
    let browser = Browser::default();
    browser.visit(&app, "/count").await;
    store.reset_counts();
    browser.visit(&app, "/static").await;
    assert_eq!(store.total_calls(), 0);
}

#[tokio::test]
async fn signed_in_rejects_with_401_until_somebody_signs_in() {
    let (app, browser) = (app(), Browser::default());
    assert_eq!(
        browser.visit(&app, "/me").await.status(),
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(text(browser.visit(&app, "/maybe").await).await, "None");
    browser.visit(&app, "/sign-in").await;
    assert_eq!(text(browser.visit(&app, "/me").await).await, "ada");
    assert_eq!(text(browser.visit(&app, "/maybe").await).await, "Some(\"ada\")");
    browser.visit(&app, "/sign-out").await;
    assert_eq!(browser.cookie(), None);
    assert_eq!(
        browser.visit(&app, "/me").await.status(),
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn an_optional_session_is_none_where_there_is_no_session() {
    let (app, browser) = (app(), Browser::default());
    assert_eq!(text(browser.visit(&app, "/there").await).await, "false");
    browser.visit(&app, "/count").await;
    assert_eq!(text(browser.visit(&app, "/there").await).await, "true");
}

#[tokio::test]
async fn peeking_slides_nothing_and_costs_one_look() {
    let store = faulty_store();
    let app = routes().layer(SessionLayer::new(sessions(store.clone())));
    let browser = Browser::default();
    browser.visit(&app, "/count").await;
    store.reset_counts();
    assert_eq!(text(browser.visit(&app, "/peek").await).await, "Some(1)");
    assert_eq!(store.total_calls(), 1);
}

#[tokio::test]
async fn a_route_without_the_layer_says_what_is_missing() {
    let response = Browser::default().visit(&routes(), "/read").await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(SessionFailure::NoLayer.to_string().contains("SessionLayer::new"));
}

#[tokio::test]
async fn the_layer_may_cover_part_of_the_routes() {
    let app = Router::new()
        .route("/count", get(count))
        .layer(SessionLayer::new(sessions(MemoryStore::new())))
        .route("/read", get(read));
    let browser = Browser::default();
    assert_eq!(browser.visit(&app, "/count").await.status(), StatusCode::OK);
    assert_eq!(
        browser.visit(&app, "/read").await.status(),
        StatusCode::INTERNAL_SERVER_ERROR
    );
}

struct Admin;

impl SessionName for Admin {
    const COOKIE: &'static str = "__Host-admin";
}

struct Unheard;

impl SessionName for Unheard {
    const COOKIE: &'static str = "unheard";
}

#[tokio::test]
async fn layers_with_different_cookies_work_one_inside_another() {
    let admin = Sessions::new(policy().cookie_name(Admin::COOKIE), keyring(), MemoryStore::new()).unwrap();
    let both = async |user: Session, admin: NamedSession<Admin>| {
        user.insert(NOTE, &"user".to_owned()).unwrap();
        admin.insert(NOTE, &"admin".to_owned()).unwrap();
    };
    let seen = async |user: Session, admin: NamedSession<Admin>| {
        format!("{:?} {:?}", user.get(NOTE).unwrap(), admin.get(NOTE).unwrap())
    };
    let app = Router::new()
        .route("/both", get(both))
        .route("/seen", get(seen))
        .route("/unheard", get(async |_: NamedSession<Unheard>| {}))
        .layer(SessionLayer::new(sessions(MemoryStore::new())))
        .layer(SessionLayer::new(admin));

    let response = app
        .clone()
        .oneshot(Browser::default().request("/both"))
        .await
        .unwrap();
    let pairs: Vec<_> = response
        .headers()
        .get_all(SET_COOKIE)
        .iter()
        .map(|value| value.to_str().unwrap().split(';').next().unwrap().to_owned())
        .collect();
    assert_eq!(pairs.len(), 2);
    let response = Browser::bearing(&pairs.join("; ")).visit(&app, "/seen").await;
    assert_eq!(text(response).await, "Some(\"user\") Some(\"admin\")");
    let swapped: Vec<_> = pairs.iter().map(|pair| pair.split_once('=').unwrap()).collect();
    let swapped = format!(
        "{}={}; {}={}",
        swapped[0].0, swapped[1].1, swapped[1].0, swapped[0].1
    );
    let response = Browser::bearing(&swapped).visit(&app, "/seen").await;
    assert_eq!(
        text(response).await,
        "None None",
        "a cookie of one layer is worth nothing to the other"
    );
    let response = Browser::default().visit(&app, "/unheard").await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

async fn catch_panic(request: Request, next: Next) -> Response {
    match tokio::spawn(next.run(request)).await {
        Ok(response) => response,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[tokio::test]
async fn what_a_handler_did_before_a_panic_that_is_caught_inside_is_committed() {
    let panics = async |session: Session| -> &'static str {
        session.sign_out();
        panic!("after signing out");
    };
    let app = routes()
        .route("/panics", get(panics))
        .layer(axum::middleware::from_fn(catch_panic))
        .layer(SessionLayer::new(sessions(MemoryStore::new())));
    let browser = Browser::default();
    browser.visit(&app, "/sign-in").await;
    let stolen = Browser::bearing(&browser.cookie().unwrap());
    assert_eq!(
        browser.visit(&app, "/panics").await.status(),
        StatusCode::INTERNAL_SERVER_ERROR
    );
    assert_eq!(browser.cookie(), None);
    assert_eq!(stolen.visit(&app, "/me").await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_renewal_survives_an_error_response() {
    let fails = async |session: Session| {
        session.renew();
        StatusCode::INTERNAL_SERVER_ERROR
    };
    let app = routes()
        .route("/fails", get(fails))
        .layer(SessionLayer::new(sessions(MemoryStore::new())));
    let browser = Browser::default();
    browser.visit(&app, "/count").await;
    let before = browser.cookie();
    browser.visit(&app, "/fails").await;
    assert_ne!(browser.cookie(), before);
    assert_eq!(text(browser.visit(&app, "/read").await).await, "Some(1)");
}

#[tokio::test]
async fn the_handlers_own_headers_stay() {
    let own = async |session: Session| {
        session.insert(COUNT, &1).unwrap();
        ([(SET_COOKIE, "theme=dark"), (CACHE_CONTROL, "private")], "x")
    };
    let app = Router::new()
        .route("/", get(own))
        .layer(SessionLayer::new(sessions(MemoryStore::new())));
    let response = Browser::default().visit(&app, "/").await;
    assert_eq!(response.headers().get_all(SET_COOKIE).iter().count(), 2);
    assert_eq!(response.headers()[CACHE_CONTROL], "private");
}

#[tokio::test]
async fn a_forged_cookie_is_removed_even_if_nobody_asks_for_the_session() {
    let forged = Browser::bearing("__Host-session=forged");
    let response = forged.visit(&app(), "/static").await;
    assert_eq!(forged.cookie(), None);
    assert!(
        response.headers()[SET_COOKIE]
            .to_str()
            .unwrap()
            .contains("Max-Age=0")
    );
}

fn failing(operation: Operation) -> (FaultyStore<MemoryStore>, Router) {
    let store = faulty_store();
    let app = routes().layer(SessionLayer::new(sessions(store.clone())));
    store.fail(operation);
    (store, app)
}

fn assert_unavailable(response: &Response) {
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key(RETRY_AFTER));
    assert!(
        !response.headers().contains_key(SET_COOKIE),
        "no cookie is set or removed"
    );
}

#[tokio::test]
async fn a_failing_store_is_503_for_each_operation_and_nothing_is_lost() {
    for (operation, path) in [
        (Operation::Load, "/read"),
        (Operation::Load, "/me"),
        (Operation::Load, "/maybe"),
        (Operation::Load, "/sign-out"),
        (Operation::Update, "/count"),
        (Operation::Update, "/sign-in"),
        (Operation::Remove, "/sign-out"),
    ] {
        let (store, app) = failing(operation);
        store.heal();
        let browser = Browser::default();
        browser.visit(&app, "/count").await;
        store.fail(operation);
        assert_unavailable(&browser.visit(&app, path).await);
        store.heal();
        assert_eq!(
            text(browser.visit(&app, "/read").await).await,
            "Some(1)",
            "{operation} at {path}"
        );
    }
    let (_store, app) = failing(Operation::Insert);
    assert_unavailable(&Browser::default().visit(&app, "/count").await);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_store_is_503_within_the_deadline() {
    for (operation, path) in [
        (Operation::Load, "/read"),
        (Operation::Update, "/count"),
        (Operation::Remove, "/sign-out"),
    ] {
        let (store, app) = failing(operation);
        store.heal();
        let browser = Browser::default();
        browser.visit(&app, "/count").await;
        store.hang(operation);
        let started = tokio::time::Instant::now();
        assert_unavailable(&browser.visit(&app, path).await);
        assert_eq!(started.elapsed().as_millis(), 2_000, "{operation}");
        store.heal();
        assert_eq!(text(browser.visit(&app, "/read").await).await, "Some(1)");
    }
}

#[tokio::test]
async fn the_application_renders_failures_its_own_way() {
    fn sorry(error: &SessionError) -> Response {
        (error.status(), "sorry").into_response()
    }
    let store = faulty_store();
    let app = routes().layer(SessionLayer::new(sessions(store.clone())).on_failure(sorry));
    let browser = Browser::default();
    browser.visit(&app, "/count").await;
    for (operation, path) in [(Operation::Load, "/read"), (Operation::Update, "/count")] {
        store.fail(operation);
        let response = browser.visit(&app, path).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(text(response).await, "sorry");
        store.heal();
    }
}

#[tokio::test]
async fn what_was_saved_before_a_failing_commit_reaches_the_browser() {
    let store = faulty_store();
    let control = store.clone();
    let handler = async move |session: Session| -> Result<(), SessionError> {
        session.sign_in("ada")?;
        session.save().await?;
        session.insert(COUNT, &1)?;
        control.fail(Operation::Update);
        Ok(())
    };
    let app = routes()
        .route("/", get(handler))
        .layer(SessionLayer::new(sessions(store.clone())));
    let browser = Browser::default();
    assert_eq!(
        browser.visit(&app, "/").await.status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    store.heal();
    assert_eq!(text(browser.visit(&app, "/me").await).await, "ada");
}

#[tokio::test]
async fn an_endpoint_that_outgrows_the_limit_is_413() {
    let big = async |session: Session| -> Result<(), SessionError> {
        Ok(session.insert(NOTE, &"x".repeat(70_000))?)
    };
    let app = Router::new()
        .route("/", get(big))
        .layer(SessionLayer::new(sessions(MemoryStore::new())));
    let response = Browser::default().visit(&app, "/").await;
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(!response.headers().contains_key(SET_COOKIE));
}

#[tokio::test]
async fn the_client_is_nobody_special_without_the_layer() {
    let app = Router::new().route("/", get(async |client: Client| format!("{:?}", *client)));
    let response = Browser::default().visit(&app, "/").await;
    assert_eq!(text(response).await, "Client { address: None, scheme: None }");
}

#[tokio::test]
async fn a_handler_learns_why_there_is_no_session() {
    let why = async |session: Session| match session.status() {
        Status::Absent(Absence::NoCookie) => "no cookie",
        Status::Absent(Absence::Refused(_)) => "refused",
        _ => "there",
    };
    let app = Router::new()
        .route("/", get(why))
        .layer(SessionLayer::new(sessions(MemoryStore::new())));
    assert_eq!(text(Browser::default().visit(&app, "/").await).await, "no cookie");
    assert_eq!(
        text(Browser::bearing("__Host-session=x").visit(&app, "/").await).await,
        "refused"
    );
}
