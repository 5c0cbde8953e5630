//! Signing up and in, the same for pages and programs.

use serde::Deserialize;
use tenure::axum::{Session, SessionError};

use crate::App;
use crate::failure::Failure;
use crate::users::Name;

/// What somebody gives to sign up or in, as a form or as JSON. Has no `Debug`, for it is a secret.
#[derive(Deserialize)]
pub(crate) struct Credentials {
    pub(crate) name: String,
    password: String,
    #[serde(default)]
    remember: bool,
}

impl Credentials {
    /// Makes the account and signs in.
    pub(crate) async fn sign_up(&self, app: &App, session: &Session) -> Result<Name, Failure> {
        let name = app.users.sign_up(&self.name, &self.password).await?;
        self.begin(session, &name)?;
        Ok(name)
    }

    /// Signs in, if name and password are right.
    pub(crate) async fn sign_in(&self, app: &App, session: &Session) -> Result<Name, Failure> {
        let name = app.users.sign_in(&self.name, &self.password).await?;
        self.begin(session, &name)?;
        Ok(name)
    }

    fn begin(&self, session: &Session, name: &Name) -> Result<(), SessionError> {
        session.sign_in(name.as_str())?;
        if self.remember {
            session.remember();
        }
        Ok(())
    }
}
