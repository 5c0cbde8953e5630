//! What a handler that uses a session fails with, as a response.

use std::ops::Deref;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use tenure_core::SessionFailure;

use crate::failure::{PlainFailure, RenderFailure};
use crate::headers;

/// What a handler that uses a session can fail with: every error of a session turns into it by `?`.
///
/// It derefs to [`SessionFailure`], which says what went wrong and has the response's status and text. An application
/// renders its own by [`SessionLayer::on_failure`](crate::SessionLayer::on_failure). Cheap to clone.
#[derive(Clone, Debug, thiserror::Error)]
#[error(transparent)]
pub struct SessionError(Arc<SessionFailure>);

impl<E: Into<SessionFailure>> From<E> for SessionError {
    fn from(error: E) -> Self {
        Self(Arc::new(error.into()))
    }
}

impl Deref for SessionError {
    type Target = SessionFailure;

    fn deref(&self) -> &SessionFailure {
        &self.0
    }
}

impl ResponseError for SessionError {
    fn status_code(&self) -> StatusCode {
        headers::status(self.status())
    }

    /// What is seen outside the layer. Inside, the layer renders it as the application wishes.
    fn error_response(&self) -> HttpResponse {
        PlainFailure.render(self)
    }
}
