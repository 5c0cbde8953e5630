//! Signing up, in and out.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use tenure::Key;
use tenure::axum::{ClearSiteData, Client, Session};

use super::frame::{self, Frame, Reason};
use super::render;
use crate::App;
use crate::credentials::{Credentials, DeviceCookie};
use crate::ended::Ended;
use crate::failure::Failure;
use crate::users::Name;

/// The name that was typed, so that after a wrong password nobody has to type it again.
const TYPED_NAME: Key<String> = Key::new("typed_name");

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/sign-up", get(sign_up_page).post(sign_up))
        .route("/sign-in", get(sign_in_page).post(sign_in))
        .route("/sign-out", post(sign_out))
}

#[derive(Template)]
#[template(path = "sign_up.html")]
struct SignUp {
    frame: Frame,
    name: String,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn {
    frame: Frame,
    name: String,
}

async fn sign_up_page(session: Session, reason: Query<Reason>) -> Result<Response, Failure> {
    page_for_strangers(&session, || {
        render(&SignUp {
            frame: Frame::new(&session, &reason)?,
            name: session.take(TYPED_NAME)?.unwrap_or_default(),
        })
    })
}

async fn sign_in_page(session: Session, reason: Query<Reason>) -> Result<Response, Failure> {
    page_for_strangers(&session, || {
        render(&SignIn {
            frame: Frame::new(&session, &reason)?,
            name: session.take(TYPED_NAME)?.unwrap_or_default(),
        })
    })
}

async fn sign_up(
    State(app): State<App>,
    session: Session,
    Form(credentials): Form<Credentials>,
) -> Result<Redirect, Failure> {
    let signed_up = credentials.sign_up(&app, &session).await;
    welcome(signed_up, &session, &credentials, "/sign-up", "Welcome")
}

async fn sign_in(
    State(app): State<App>,
    session: Session,
    client: Client,
    headers: HeaderMap,
    Form(credentials): Form<Credentials>,
) -> Result<(Option<DeviceCookie>, Redirect), Failure> {
    let signed_in = credentials.sign_in(&app, &session, &client, &headers).await;
    let (signed_in, device) = match signed_in {
        Ok(welcomed) => (Ok(welcomed.name), welcomed.device),
        Err(failure) => (Err(failure), None),
    };
    let redirect = welcome(signed_in, &session, &credentials, "/sign-in", "Welcome back")?;
    Ok((device, redirect))
}

async fn sign_out(State(app): State<App>, session: Session) -> impl IntoResponse {
    session.sign_out();
    let clear = app.clears_site_data.then_some(ClearSiteData);
    (clear, Ended::SignedOut.to_sign_in())
}

/// Who is signed in already has nothing to do here.
fn page_for_strangers(
    session: &Session,
    page: impl FnOnce() -> Result<Html<String>, Failure>,
) -> Result<Response, Failure> {
    if session.owner().is_some() {
        return Ok(Redirect::to("/").into_response());
    }
    page().map(IntoResponse::into_response)
}

/// Home, or back to the form with what was wrong.
fn welcome(
    result: Result<Name, Failure>,
    session: &Session,
    credentials: &Credentials,
    form: &str,
    greeting: &str,
) -> Result<Redirect, Failure> {
    match result {
        Ok(name) => {
            session.remove(TYPED_NAME);
            frame::praise(session, format!("{greeting}, {name}."))?;
            Ok(Redirect::to("/"))
        }
        Err(failure) if failure.is_the_visitors() => {
            let typed: String = credentials.name.chars().take(32).collect();
            session.insert(TYPED_NAME, &typed)?;
            frame::complain(session, failure.to_string())?;
            Ok(Redirect::to(form))
        }
        Err(failure) => Err(failure),
    }
}
