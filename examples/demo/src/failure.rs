//! What a handler can fail with.

use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use tenure::axum::SessionError;

use crate::users::AccountError;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Account(AccountError),
    #[error(transparent)]
    Session(SessionError),
    #[error("The session was ended while this request ran.")]
    SessionEnded,
    #[error(transparent)]
    Body(JsonRejection),
    #[error(transparent)]
    Page(askama::Error),
}

/// All that a session can fail with.
impl<E> From<E> for Failure
where
    SessionError: From<E>,
{
    fn from(error: E) -> Self {
        Self::Session(error.into())
    }
}

impl From<AccountError> for Failure {
    fn from(error: AccountError) -> Self {
        Self::Account(error)
    }
}

impl Failure {
    /// The status, and what the user is told. Causes go to the log only.
    pub(crate) fn answer(&self) -> (StatusCode, String) {
        let status = match self {
            Self::Account(error) => error.status(),
            Self::Session(error) => error.status(),
            Self::SessionEnded => StatusCode::CONFLICT,
            Self::Body(rejection) => rejection.status(),
            Self::Page(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if status.is_client_error() {
            return (status, self.to_string());
        }
        tracing::error!(error = self as &dyn std::error::Error, "a request failed");
        (status, "Something went wrong. Please try again.".to_owned())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            // Answered by the session layer, as it answers its own failures.
            Self::Session(error) => error.into_response(),
            other => {
                let (status, text) = other.answer();
                with_retry_after(status, (status, text).into_response())
            }
        }
    }
}

/// 503 means "try again soon", and says how soon.
pub(crate) fn with_retry_after(status: StatusCode, response: Response) -> Response {
    if status == StatusCode::SERVICE_UNAVAILABLE {
        ([(RETRY_AFTER, "1")], response).into_response()
    } else {
        response
    }
}
