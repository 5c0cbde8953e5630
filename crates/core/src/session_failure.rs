//! Everything that can go wrong with a session in a handler, whatever the web framework.

use std::error::Error;

use crate::commit::CommitError;
use crate::csrf::CsrfRefusal;
use crate::data_error::DataError;
use crate::owner::OwnerError;
use crate::store::StoreError;
use crate::too_many_guesses::TooManyGuesses;
use crate::visit::LoadError;
use http::StatusCode;

/// What a handler that uses a session can fail with. The door into each web framework has an error of its own around it,
/// into which every error of a session turns by `?`, and which is a response.
///
/// As a response it is 503 with Retry-After when the store failed, 429 with Retry-After when the client has
/// [guessed](crate::GuessLimit) too often at cookies, 413 when the data got too large, 403
/// when the request may be a forgery or its user has too many sessions, and 500 otherwise. The text tells the user what
/// to do and nothing of the cause; that goes to the log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionFailure {
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
    /// The client brought too many cookies that were not accepted.
    #[error(transparent)]
    TooManyGuesses(#[from] TooManyGuesses),
    /// The route has no session layer.
    #[error(
        "this route has no session: put it inside the session layer, \
         in axum with Router::layer(SessionLayer::new(sessions)) after the route is added, \
         in actix-web with App::wrap(SessionLayer::new(sessions))"
    )]
    NoLayer,
    /// The route has no layer for the sessions that are shared with an Express application.
    #[cfg(feature = "express")]
    #[error(
        "this route has no session that is shared with Express: put it inside that layer, \
         in axum with Router::layer(ExpressSessionLayer::new(sessions)) after the route is added"
    )]
    NoExpressLayer,
    /// No layer around the route has the cookie that the handler asks for.
    #[error(
        "no session layer around this route has the cookie {cookie:?}; give one's policy that cookie_name"
    )]
    NoLayerNamed {
        /// The cookie's name.
        cookie: &'static str,
    },
}

impl SessionFailure {
    /// The status of the response that it becomes.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::TooManyGuesses(_) | Self::Load(LoadError::TooManyGuesses(_)) => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Self::Load(LoadError::Store(_))
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

    /// What to tell the user, in one line: what to do, and nothing of the cause.
    #[must_use]
    pub fn text(&self) -> &'static str {
        match (self, self.status()) {
            (Self::Csrf(refusal), _) if refusal.is_about_the_token() => {
                "This page is out of date. Please go back, reload it and try again.\n"
            }
            (Self::Csrf(_), _) => {
                "This request was refused, because it did not come from a page of this site.\n"
            }
            (Self::Commit(CommitError::TooManySessions { .. }), _) => {
                "You are signed in on as many devices as you may be. Please sign out on one of them and try again.\n"
            }
            (_, StatusCode::SERVICE_UNAVAILABLE) => {
                "We can't reach your session right now. Please try again in a moment.\n"
            }
            (_, StatusCode::TOO_MANY_REQUESTS) => {
                "We can't check your session right now. Please try again in a moment.\n"
            }
            (_, StatusCode::PAYLOAD_TOO_LARGE) => "This is more than can be kept in a session.\n",
            _ => "Something went wrong with your session.\n",
        }
    }

    /// After how many seconds trying again may help, for the header `Retry-After` (RFC 9110, section 10.2.3). `None`
    /// where it does not.
    #[must_use]
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooManyGuesses(refusal) | Self::Load(LoadError::TooManyGuesses(refusal)) => {
                Some(refusal.retry_after().as_secs())
            }
            _ => (self.status() == StatusCode::SERVICE_UNAVAILABLE).then_some(1),
        }
    }

    /// Tells the log what the response does not.
    pub fn log(&self) {
        if matches!(
            self.status(),
            StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS
        ) {
            // There was an event, and nothing failed. A flood of guesses must not flood the log.
            return;
        }
        let causes = std::iter::successors(self.source(), |cause: &&dyn Error| (*cause).source());
        let causes: Vec<String> = causes.map(ToString::to_string).collect();
        tracing::error!(target: "tenure", status = self.status().as_u16(), ?causes, "{self}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_too_many_sessions_is_told_so_and_not_of_another_site() {
        let failure = SessionFailure::from(CommitError::TooManySessions { limit: 3 });
        assert_eq!(failure.status(), StatusCode::FORBIDDEN);
        assert!(
            failure.text().contains("sign out on one of them"),
            "{}",
            failure.text()
        );

        let forged = SessionFailure::from(CsrfRefusal::CrossSite);
        assert_eq!(forged.status(), StatusCode::FORBIDDEN);
        assert!(forged.text().contains("this site"), "{}", forged.text());
    }
}
