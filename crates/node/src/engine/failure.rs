//! What went wrong with a session, for JavaScript to make an error of.

use std::error::Error;

use napi::Either;
use napi_derive::napi;
use tenure::{CommitError, DataError, LoadError, SessionFailure};

use super::wording::in_javascript;

/// A failure, which JavaScript throws as its own `SessionError`. It is a value here, for an error of Node-API has no room
/// for what it says.
#[napi]
pub struct Failure {
    failure: SessionFailure,
}

#[napi]
impl Failure {
    /// The status of the response that it should become.
    #[napi(getter)]
    pub fn status(&self) -> u16 {
        self.failure.status().as_u16()
    }

    /// What it is, for programs.
    #[napi(getter)]
    pub fn code(&self) -> &'static str {
        match &self.failure {
            SessionFailure::TooManyGuesses(_) | SessionFailure::Load(LoadError::TooManyGuesses(_)) => {
                "ETOOMANYGUESSES"
            }
            SessionFailure::Load(LoadError::Store(_))
            | SessionFailure::Commit(CommitError::Store(_))
            | SessionFailure::Store(_) => "ESTORE",
            SessionFailure::Commit(CommitError::Contended { .. }) => "ECONTENDED",
            SessionFailure::Commit(CommitError::TooManySessions { .. }) => "ETOOMANYSESSIONS",
            SessionFailure::Commit(CommitError::AfterResponse) => "EAFTERRESPONSE",
            SessionFailure::Commit(
                CommitError::TooLarge { .. } | CommitError::Data(DataError::TooLarge { .. }),
            )
            | SessionFailure::Data(DataError::TooLarge { .. }) => "ETOOLARGE",
            SessionFailure::Owner(_) => "EOWNER",
            SessionFailure::Csrf(refusal) if refusal.is_about_the_token() => "ECSRFTOKEN",
            SessionFailure::Csrf(_) => "ECSRFORIGIN",
            _ => "ESESSION",
        }
    }

    /// What to tell the user, in one line.
    #[napi(getter)]
    pub fn text(&self) -> String {
        self.failure.text().trim_end().to_owned()
    }

    /// What went wrong, for the log.
    #[napi(getter)]
    pub fn message(&self) -> String {
        with_causes(&self.failure)
    }

    /// After how many seconds trying again may help.
    #[napi(getter)]
    pub fn retry_after(&self) -> Option<u32> {
        let seconds = self.failure.retry_after()?;
        Some(u32::try_from(seconds).unwrap_or(u32::MAX))
    }
}

impl<E: Into<SessionFailure>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self {
            failure: error.into(),
        }
    }
}

/// What JavaScript gets: the value, or the failure that it throws.
pub(super) fn outcome<T>(result: Result<T, impl Into<SessionFailure>>) -> Either<T, Failure> {
    match result {
        Ok(value) => Either::A(value),
        Err(error) => Either::B(Failure {
            failure: error.into(),
        }),
    }
}

/// An error and what caused it, each cause once.
pub(super) fn with_causes(error: &dyn Error) -> String {
    let mut text = in_javascript(&error.to_string());
    let causes = std::iter::successors(error.source(), |cause: &&dyn Error| (*cause).source());
    for cause in causes {
        let cause = in_javascript(&cause.to_string());
        if !text.ends_with(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}
