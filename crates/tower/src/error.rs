//! Everything that can go wrong with a session in a handler, as one error.

use http::StatusCode;
use tenure_core::{CommitError, CsrfRefusal, DataError, LoadError, OwnerError, StoreError};

/// What a handler that uses a session can fail with: every error of a session turns into it by `?`.
///
/// As a response it is 503 with Retry-After when the store failed, 413 when the data got too large, 403
/// when the request may be a forgery or its user has too many sessions, and 500 otherwise. The text tells the user what to do and nothing of the cause; that
/// goes to the log. An application renders its own by [`SessionLayer::on_failure`].
///
/// [`SessionLayer::on_failure`]: crate::SessionLayer::on_failure
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The session could not be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The session could not be saved.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// A value could not be kept or read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The owner given to `sign_in` can't be one.
    #[error(transparent)]
    Owner(#[from] OwnerError),
    /// The store failed in a call beside the request's session, such as listing a user's sessions.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The request was refused as a possible forgery.
    #[error(transparent)]
    Csrf(#[from] CsrfRefusal),
    /// The route has no session layer.
    #[error(
        "this route has no session: put it inside the layer, \
         with Router::layer(SessionLayer::new(sessions)) after the route is added"
    )]
    NoLayer,
    /// No layer around the route has the cookie that the handler asks for.
    #[error(
        "no session layer around this route has the cookie {cookie:?}; give one's policy that cookie_name"
    )]
    NoLayerNamed {
        /// The cookie's name.
        cookie: &'static str,
    },
}

impl SessionError {
    /// The status of the response that it becomes.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Load(_)
            | Self::Store(_)
            | Self::Commit(CommitError::Store(_) | CommitError::Contended { .. }) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Data(DataError::TooLarge { .. })
            | Self::Commit(CommitError::TooLarge { .. } | CommitError::Data(DataError::TooLarge { .. })) => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Self::Csrf(_) | Self::Commit(CommitError::TooManySessions { .. }) => StatusCode::FORBIDDEN,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}
