//! What a handler that uses a session fails with, as a response.

use std::ops::Deref;

use tenure_core::SessionFailure;

/// What a handler that uses a session can fail with: every error of a session turns into it by `?`.
///
/// It derefs to [`SessionFailure`], which says what went wrong and has the response's status and text. An application
/// renders its own by [`SessionLayer::on_failure`](crate::SessionLayer::on_failure).
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct SessionError(SessionFailure);

impl<E: Into<SessionFailure>> From<E> for SessionError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl Deref for SessionError {
    type Target = SessionFailure;

    fn deref(&self) -> &SessionFailure {
        &self.0
    }
}
