//! The account page: every device that is signed in, and the ways to sign it out.

use askama::Template;
use axum::Router;
use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use tenure::axum::{ClearSiteData, Session};
use tenure::{Lifetime, Owner, SessionId, SessionInfo, Timestamp};

use super::frame::{self, Frame, Reason};
use super::render;
use crate::devices::{DeviceKind, DeviceName};
use crate::ended::Ended;
use crate::failure::Failure;
use crate::{App, times};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/account", get(account))
        .route("/account/sessions/{id}/sign-out", post(sign_out_one))
        .route("/account/sign-out-others", post(sign_out_others))
        .route("/account/sign-out-everywhere", post(sign_out_everywhere))
}

#[derive(Template)]
#[template(path = "account.html")]
struct Account {
    frame: Frame,
    owner: Owner,
    devices: Vec<Device>,
}

/// A session, as its owner recognises it.
struct Device {
    id: SessionId,
    name: DeviceName,
    last_seen: String,
    signed_in: String,
    expires: String,
    is_remembered: bool,
    is_this_one: bool,
}

/// Somebody who is signed in. Anybody else is sent to the sign-in page, which says why.
pub(super) struct Member {
    pub(super) session: Session,
    pub(super) owner: Owner,
}

impl FromRequestParts<App> for Member {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let session = <Session as FromRequestParts<App>>::from_request_parts(parts, app)
            .await
            .map_err(IntoResponse::into_response)?;
        match session.owner() {
            Some(owner) => Ok(Self { session, owner }),
            None => {
                let ended = Ended::of(session.status()).unwrap_or(Ended::NeverBegan);
                Err(ended.to_sign_in().into_response())
            }
        }
    }
}

async fn account(
    State(app): State<App>,
    Member { session, owner }: Member,
    reason: Query<Reason>,
) -> Result<Html<String>, Failure> {
    let mut sessions = app.sessions.of(owner.clone()).list(Some(&session)).await?;
    // The one that people look for first; the others stay as they are, the last seen first.
    sessions.sort_by_key(|info| !info.is_current);
    let now = app.sessions.now();
    render(&Account {
        frame: Frame::new(&session, &reason)?,
        owner,
        devices: sessions.iter().map(|info| Device::new(info, now)).collect(),
    })
}

async fn sign_out_one(
    State(app): State<App>,
    Member { session, owner }: Member,
    Path(id): Path<String>,
) -> Result<Redirect, Failure> {
    let Ok(id) = id.parse::<SessionId>() else {
        frame::complain(&session, "There is no such device.")?;
        return Ok(Redirect::to("/account"));
    };
    if session.id() == Some(id) {
        session.sign_out();
        return Ok(Ended::SignedOut.to_sign_in());
    }
    // Ends it only if it is this user's, whatever id somebody writes into the address.
    if app.sessions.of(owner).revoke(id).await? {
        frame::praise(&session, "That device is signed out.")?;
    } else {
        frame::complain(&session, "That device was signed out already.")?;
    }
    Ok(Redirect::to("/account"))
}

async fn sign_out_others(
    State(app): State<App>,
    Member { session, owner }: Member,
) -> Result<Redirect, Failure> {
    let message = match app.sessions.of(owner).revoke_others(&session).await? {
        0 => "No other device was signed in.".to_owned(),
        1 => "One other device is signed out.".to_owned(),
        others => format!("{others} other devices are signed out."),
    };
    frame::praise(&session, message)?;
    Ok(Redirect::to("/account"))
}

async fn sign_out_everywhere(
    State(app): State<App>,
    Member { session, owner }: Member,
) -> Result<(Option<ClearSiteData>, Redirect), Failure> {
    app.sessions.of(owner).revoke_all().await?;
    // It is gone already; this takes the cookie from the browser as well.
    session.sign_out();
    let clear = app.clears_site_data.then_some(ClearSiteData);
    Ok((clear, Ended::SignedOut.to_sign_in()))
}

impl Device {
    fn new(info: &SessionInfo, now: Timestamp) -> Self {
        let signed_in_at = info.signed_in_at.unwrap_or(info.created_at);
        Self {
            id: info.id,
            name: DeviceName::of(info.device.user_agent()),
            last_seen: times::ago(info.last_seen_at.until(now)),
            signed_in: times::ago(signed_in_at.until(now)),
            expires: times::left(now.until(info.expires.absolute)),
            is_remembered: info.lifetime == Lifetime::Remembered,
            is_this_one: info.is_current,
        }
    }

    fn is_handheld(&self) -> bool {
        self.name.kind == DeviceKind::Handheld
    }

    fn is_program(&self) -> bool {
        self.name.kind == DeviceKind::Program
    }
}
