//! The axum door, by the suite that all doors pass.

use std::net::SocketAddr;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, get, post};
use axum::{Form, Router};
use http::StatusCode;
use http::header::{CACHE_CONTROL, SET_COOKIE};
use serde::Deserialize;
use tenure_core::AssuranceLevel;
use tenure_testkit::door::{COUNT, Door, DoorApp, NOTE, OUTER_COOKIE, OWN_WORDS, Rendering, TOO_LARGE};
use tenure_tower::{
    Client, CsrfForm, CsrfToken, NamedSession, PassiveSession, RecentlyAuthenticated, RenderFailure, Session,
    SessionError, SessionLayer, SessionName, SignedIn, session_routes,
};

tenure_testkit::door_suite!(Axum);

struct Axum;

impl Door for Axum {
    async fn serve(app: DoorApp) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = router(app).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        format!("http://{address}")
    }
}

fn router(app: DoorApp) -> Router {
    let inner = SessionLayer::new(app.sessions.clone())
        .trust_proxy(app.trust_proxy.clone())
        .render_failures(Failures(app.rendering));
    let outer = SessionLayer::new(app.outer.clone()).trust_proxy(app.trust_proxy.clone());
    Router::new()
        .route("/static", get(async || "static"))
        .route("/read", get(async |session: Session| shown(&session)))
        .route("/peek", get(async |session: PassiveSession| shown(&session)))
        .route("/me", get(async |user: SignedIn| user.owner().to_string()))
        .route("/maybe", get(maybe))
        .route(
            "/sensitive",
            get(async |user: RecentlyAuthenticated<5>| user.owner().to_string()),
        )
        .route(
            "/very-sensitive",
            get(async |user: RecentlyAuthenticated<5, 2>| user.owner().to_string()),
        )
        .route(
            "/confirm",
            post(async |session: Session| session.step_up(AssuranceLevel::Aal1)),
        )
        .route(
            "/confirm-twice",
            post(async |session: Session| session.step_up(AssuranceLevel::Aal2)),
        )
        .route(
            "/client",
            get(async |client: Client| format!("{:?} {:?}", client.address, client.scheme)),
        )
        .route("/token", get(async |token: CsrfToken| token.to_string()))
        .route("/own-headers", get(own_headers))
        .route("/count", post(async |session: Session| count(&session)))
        .route("/slow-count", post(slow_count))
        .route("/count-and-redirect", post(count_and_redirect))
        .route("/grow", post(grow))
        .route(
            "/sign-in",
            post(async |session: Session| session.sign_in("ada").unwrap()),
        )
        .route("/renew", post(async |session: Session| session.renew()))
        .route("/sign-out", post(async |session: Session| session.sign_out()))
        .route("/destroy", post(async |session: Session| session.destroy()))
        .route("/renew-and-fail", post(renew_and_fail))
        .route("/sign-out-and-fail", post(sign_out_and_fail))
        .route(
            "/form",
            post(async |Form(transfer): Form<Transfer>| transfer.amount),
        )
        .route(
            "/guarded-form",
            post(async |CsrfForm(transfer): CsrfForm<Transfer>| transfer.amount),
        )
        .route(
            "/outer-count",
            post(async |session: NamedSession<Outer>| count(&session)),
        )
        .route(
            "/outer-read",
            get(async |session: NamedSession<Outer>| shown(&session)),
        )
        .nest("/session", session_routes())
        .fallback(any(async |State(app): State<DoorApp>| app.reached()))
        .layer(inner)
        .layer(outer)
        .with_state(app)
}

struct Outer;

impl SessionName for Outer {
    const COOKIE: &'static str = OUTER_COOKIE;
}

#[derive(Deserialize)]
struct Transfer {
    amount: String,
}

#[derive(Clone)]
struct Failures(Rendering);

impl RenderFailure<axum::body::Body> for Failures {
    fn render(&self, error: &SessionError) -> Response {
        match self.0 {
            Rendering::Default => tenure_tower::PlainFailure.render(error),
            Rendering::Own => {
                let status = error.status();
                (status, format!("{OWN_WORDS}{}", status.as_u16())).into_response()
            }
        }
    }
}

fn shown(session: &tenure_core::Session) -> String {
    let count = session.get(COUNT).unwrap();
    count.map_or_else(|| "none".to_owned(), |count| count.to_string())
}

fn count(session: &tenure_core::Session) -> Result<String, SessionError> {
    Ok(session.update(COUNT, |count| count.unwrap_or(0) + 1)?.to_string())
}

async fn maybe(user: Option<SignedIn>) -> String {
    user.map_or_else(|| "nobody".to_owned(), |user| user.owner().to_string())
}

async fn own_headers(session: Session) -> Result<Response, SessionError> {
    session.insert(COUNT, &1)?;
    Ok([(SET_COOKIE, "theme=dark"), (CACHE_CONTROL, "private")].into_response())
}

async fn slow_count(State(app): State<DoorApp>, session: Session) -> Result<String, SessionError> {
    app.gate.pass().await;
    count(&session)
}

async fn count_and_redirect(session: Session) -> Result<Redirect, SessionError> {
    count(&session)?;
    Ok(Redirect::to("/read"))
}

async fn grow(session: Session) -> Result<(), SessionError> {
    Ok(session.insert(NOTE, &"x".repeat(TOO_LARGE))?)
}

async fn renew_and_fail(session: Session) -> StatusCode {
    session.renew();
    StatusCode::INTERNAL_SERVER_ERROR
}

async fn sign_out_and_fail(session: Session) -> StatusCode {
    session.sign_out();
    StatusCode::INTERNAL_SERVER_ERROR
}
