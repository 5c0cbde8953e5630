//! Changing the password, which ends every other session of the account.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Redirect;
use axum::routing::post;
use axum::{Form, Router};
use serde::Deserialize;
use tenure::AssuranceLevel;
use tenure::axum::{Client, Session};

use super::account::Member;
use super::frame;
use crate::App;
use crate::credentials::{DeviceCookie, prove};
use crate::failure::Failure;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/account/password", post(change))
}

/// Has no `Debug`, for it is a secret.
#[derive(Deserialize)]
struct Passwords {
    current: String,
    new: String,
}

/// What a change of the password did.
struct Changed {
    sessions_ended: u64,
    device: Option<DeviceCookie>,
}

async fn change(
    State(app): State<App>,
    member: Member,
    client: Client,
    headers: HeaderMap,
    Form(passwords): Form<Passwords>,
) -> Result<(Option<DeviceCookie>, Redirect), Failure> {
    let back = Redirect::to("/account");
    match passwords.change(&app, &member, &client, &headers).await {
        Ok(changed) => {
            praise(&member.session, changed.sessions_ended)?;
            Ok((changed.device, back))
        }
        Err(failure) if failure.is_the_visitors() => {
            frame::complain(&member.session, complaint(&failure))?;
            Ok((None, back))
        }
        Err(failure) => Err(failure),
    }
}

impl Passwords {
    /// The current one is asked for and guarded like a sign-in, for whoever finds a browser open is not its user.
    async fn change(
        &self,
        app: &App,
        Member { session, owner }: &Member,
        client: &Client,
        headers: &HeaderMap,
    ) -> Result<Changed, Failure> {
        let proven = prove(app, owner.as_str(), &self.current, client, headers).await?;
        app.users.change_password(&proven.name, &self.new).await?;
        session.step_up(AssuranceLevel::Aal1);
        // Last, so that nobody comes back in by the old password after it.
        let sessions_ended = app.sessions.of(owner.clone()).revoke_others(session).await?;
        Ok(Changed {
            sessions_ended,
            device: proven.device,
        })
    }
}

fn praise(session: &Session, sessions_ended: u64) -> Result<(), Failure> {
    let others = match sessions_ended {
        0 => String::new(),
        1 => " One other device is signed out.".to_owned(),
        others => format!(" {others} other devices are signed out."),
    };
    frame::praise(session, format!("Your password is changed.{others}"))?;
    Ok(())
}

fn complaint(failure: &Failure) -> String {
    use crate::users::AccountError::WrongCredentials;

    match failure {
        Failure::Account(WrongCredentials) => "The current password is wrong.".to_owned(),
        other => other.to_string(),
    }
}
