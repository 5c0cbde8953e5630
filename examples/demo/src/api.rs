//! JSON for programs.

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use tenure::Saved;
use tenure::axum::{Client, PassiveSession, Session};

use crate::credentials::{Credentials, DeviceCookie};
use crate::failure::{Failure, with_retry_after};
use crate::users::Name;
use crate::{App, COUNT};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/api/session", get(show_session))
        .route("/api/count", post(count))
        .route("/api/sign-up", post(sign_up))
        .route("/api/sign-in", post(sign_in))
        .route("/api/sign-out", post(sign_out))
}

#[derive(Serialize)]
struct SessionState {
    signed_in: bool,
    owner: Option<String>,
    idle_expires_in: Option<u64>,
    absolute_expires_in: Option<u64>,
}

#[derive(Serialize)]
struct Counted {
    count: u64,
}

#[derive(Serialize)]
struct SignedIn {
    owner: String,
}

#[derive(Serialize)]
struct SignedOut {
    signed_in: bool,
}

/// Does not keep the session alive by asking: a page that polls would otherwise never let it expire.
async fn show_session(State(app): State<App>, session: PassiveSession) -> Json<SessionState> {
    let owner = session.owner();
    let expires = session.expires();
    let seconds_until = |deadline| app.sessions.now().until(deadline).as_secs();
    Json(SessionState {
        signed_in: owner.is_some(),
        owner: owner.map(|owner| owner.to_string()),
        idle_expires_in: expires.map(|expires| seconds_until(expires.idle)),
        absolute_expires_in: expires.map(|expires| seconds_until(expires.absolute)),
    })
}

/// Two at once both count: the closure runs again on what the other one wrote.
async fn count(session: Session) -> Result<Json<Counted>, ApiError> {
    session.update(COUNT, |count| count.unwrap_or(0) + 1)?;
    if let Saved::Dropped(_) = session.save().await? {
        return Err(Failure::SessionEnded.into());
    }
    let count = session.get(COUNT)?.unwrap_or(0);
    Ok(Json(Counted { count }))
}

async fn sign_up(
    State(app): State<App>,
    session: Session,
    credentials: Result<Json<Credentials>, JsonRejection>,
) -> Result<Json<SignedIn>, ApiError> {
    let name = credentials
        .map_err(Failure::Body)?
        .sign_up(&app, &session)
        .await?;
    Ok(signed_in(&name))
}

async fn sign_in(
    State(app): State<App>,
    session: Session,
    client: Client,
    headers: HeaderMap,
    credentials: Result<Json<Credentials>, JsonRejection>,
) -> Result<(Option<DeviceCookie>, Json<SignedIn>), ApiError> {
    let welcomed = credentials
        .map_err(Failure::Body)?
        .sign_in(&app, &session, &client, &headers)
        .await?;
    Ok((welcomed.device, signed_in(&welcomed.name)))
}

async fn sign_out(session: Session) -> Json<SignedOut> {
    session.sign_out();
    Json(SignedOut { signed_in: false })
}

fn signed_in(name: &Name) -> Json<SignedIn> {
    Json(SignedIn {
        owner: name.to_string(),
    })
}

/// A failure as JSON: `{"error": "what to tell the user"}`.
struct ApiError(Failure);

#[derive(Serialize)]
struct ErrorText {
    error: String,
}

impl<E: Into<Failure>> From<E> for ApiError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let retry_after = self.0.retry_after();
        let (status, error) = self.0.answer();
        with_retry_after(retry_after, (status, Json(ErrorText { error })).into_response())
    }
}
