//! Signing up and in, the same for pages and programs.

use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::AppendHeaders;
use serde::Deserialize;
use tenure::Attempt;
use tenure::axum::{Client, Session, SessionError};

use crate::App;
use crate::failure::Failure;
use crate::users::{AccountError, Name};

/// What somebody gives to sign up or in, as a form or as JSON. Has no `Debug`, for it is a secret.
#[derive(Deserialize)]
pub(crate) struct Credentials {
    pub(crate) name: String,
    password: String,
    #[serde(default)]
    remember: bool,
}

/// Who has just proved who they are, and the cookie by which the limit on guessing knows their device the next time.
pub(crate) struct Welcomed {
    pub(crate) name: Name,
    pub(crate) device: Option<DeviceCookie>,
}

/// Beside the session's cookie, not in its place.
pub(crate) type DeviceCookie = AppendHeaders<[(HeaderName, HeaderValue); 1]>;

impl Credentials {
    /// Makes the account and signs in.
    pub(crate) async fn sign_up(&self, app: &App, session: &Session) -> Result<Name, Failure> {
        let name = app.users.sign_up(&self.name, &self.password).await?;
        self.begin(session, &name)?;
        Ok(name)
    }

    /// Signs in, if name and password are right, and neither the name nor the address of who asks has been wrong too
    /// often.
    pub(crate) async fn sign_in(
        &self,
        app: &App,
        session: &Session,
        client: &Client,
        headers: &HeaderMap,
    ) -> Result<Welcomed, Failure> {
        let welcomed = prove(app, &self.name, &self.password, client, headers).await?;
        self.begin(session, &welcomed.name)?;
        Ok(welcomed)
    }

    fn begin(&self, session: &Session, name: &Name) -> Result<(), SessionError> {
        session.sign_in(name.as_str())?;
        if self.remember {
            session.remember();
        }
        Ok(())
    }
}

/// Looks at a password, unless too many were wrong lately for its account or from where it comes.
pub(crate) async fn prove(
    app: &App,
    name: &str,
    password: &str,
    client: &Client,
    headers: &HeaderMap,
) -> Result<Welcomed, Failure> {
    // In the one spelling that an account has, so that each has one count of failures.
    let account = name.trim().to_ascii_lowercase();
    let begun = app.throttle.begin(&account, client.address, headers).await?;
    let attempt = match begun {
        Attempt::Allowed(attempt) => attempt,
        Attempt::Refused(refused) => return Err(Failure::TooManyAttempts(refused)),
    };
    match app.users.sign_in(name, password).await {
        Ok(name) => {
            let device = attempt.succeeded().await?;
            Ok(Welcomed {
                name,
                device: device.map(|device| AppendHeaders([(SET_COOKIE, device.set_cookie())])),
            })
        }
        Err(error @ AccountError::WrongCredentials) => {
            attempt.failed();
            Err(error.into())
        }
        Err(error) => Err(error.into()),
    }
}
