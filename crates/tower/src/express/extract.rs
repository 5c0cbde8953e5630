//! The extractor for axum.

use std::ops::Deref;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use tenure_core::SessionFailure;
use tenure_core::express::ExpressOpened;

use crate::error::SessionError;

/// The request's session, which the Express application has as `req.session`. See
/// [`tenure_core::express::ExpressSession`], which it derefs to, for what it can do.
///
/// Extracting it loads the session, which lets it live on. A request without one gets a handle all the same, and the first
/// write through it makes a session; `Option<ExpressSession>` is `None` then.
///
/// Rejects with 503 if the store fails.
#[derive(Clone, Debug)]
pub struct ExpressSession(tenure_core::express::ExpressSession);

impl<S: Sync> FromRequestParts<S> for ExpressSession {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionError> {
        let opened = parts.extensions.get::<ExpressOpened>().cloned();
        let opened = opened.ok_or(SessionFailure::NoExpressLayer)?;
        Ok(Self(opened.load().await?))
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for ExpressSession {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, SessionError> {
        let session = <Self as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        Ok(session.is_loaded().then_some(session))
    }
}

impl ExpressSession {
    /// The engine's handle, for code that knows no web framework.
    #[must_use]
    pub fn into_inner(self) -> tenure_core::express::ExpressSession {
        self.0
    }
}

impl Deref for ExpressSession {
    type Target = tenure_core::express::ExpressSession;

    fn deref(&self) -> &tenure_core::express::ExpressSession {
        &self.0
    }
}
