//! What a handler can fail with.

use std::time::Duration;

use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use tenure::RefusedAttempt;
use tenure::axum::SessionError;

use crate::times;
use crate::users::AccountError;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Account(AccountError),
    #[error(transparent)]
    Session(SessionError),
    #[error("Too many attempts to sign in. Please try again in {}.", times::left(Duration::from_secs(.0.retry_after_seconds())))]
    TooManyAttempts(RefusedAttempt),
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
    /// Whether it is something that a form can tell whoever filled it in.
    pub(crate) fn is_the_visitors(&self) -> bool {
        match self {
            Self::Account(error) => error.status().is_client_error(),
            Self::TooManyAttempts(_) => true,
            _ => false,
        }
    }

    /// In how many seconds it is worth to try again: soon after a failure of the store, and when a wait is over.
    pub(crate) fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooManyAttempts(refused) => Some(refused.retry_after_seconds()),
            Self::Session(error) if error.status() == StatusCode::SERVICE_UNAVAILABLE => Some(1),
            Self::Account(error) if error.status() == StatusCode::SERVICE_UNAVAILABLE => Some(1),
            _ => None,
        }
    }

    /// The status, and what the user is told. Causes go to the log only.
    pub(crate) fn answer(&self) -> (StatusCode, String) {
        let status = match self {
            Self::Account(error) => error.status(),
            Self::Session(error) => error.status(),
            Self::TooManyAttempts(_) => StatusCode::TOO_MANY_REQUESTS,
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
                let retry_after = other.retry_after();
                with_retry_after(retry_after, other.answer().into_response())
            }
        }
    }
}

/// Says in how many seconds it is worth to try again, if it ever is.
pub(crate) fn with_retry_after(seconds: Option<u64>, response: Response) -> Response {
    match seconds {
        Some(seconds) => ([(RETRY_AFTER, seconds.to_string())], response).into_response(),
        None => response,
    }
}
