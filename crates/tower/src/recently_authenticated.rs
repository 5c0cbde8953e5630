//! The extractor for routes that want the user to have just proved who they are.

use std::ops::Deref;
use std::time::Duration;

use axum_core::extract::FromRequestParts;
use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CACHE_CONTROL;
use http::request::Parts;
use tenure_core::{AssuranceLevel, PROVE_AGAIN};

use crate::extract::{NotSignedIn, SignedIn};

/// The session of a user who proved who they are less than `MINUTES` ago, by signing in or by
/// [`step_up`](tenure_core::Session::step_up), at the assurance level `AAL` (1, 2 or 3) at least: for what changes a
/// password, an address or money (OWASP ASVS 5.0, 7.5.1 and 7.5.3).
///
/// Rejects with 401 if nobody is signed in, and with 403 if it was too long ago or too weak. A handler that takes a
/// `Result` of it can send the user to a page that asks for the password, and come back:
///
/// ```
/// use axum::response::Redirect;
/// use tenure_tower::{NotRecent, RecentlyAuthenticated};
///
/// async fn change_password(user: Result<RecentlyAuthenticated<5>, NotRecent>) -> Result<String, Redirect> {
///     let user = user.map_err(|_| Redirect::to("/confirm?then=/account"))?;
///     Ok(format!("The password of {} is changed.", user.owner()))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct RecentlyAuthenticated<const MINUTES: u64, const AAL: u8 = 1>(SignedIn);

/// Why a [`RecentlyAuthenticated`] was not to be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotRecent {
    /// Nobody is signed in, or the session could not be loaded.
    #[error(transparent)]
    NotSignedIn(#[from] NotSignedIn),
    /// The user is to prove who they are again: 403.
    #[error("the user has to prove again who they are, by {level} at least; call step_up when they have")]
    ProveAgain {
        /// How strongly, at least.
        level: AssuranceLevel,
    },
}

impl<S: Sync, const MINUTES: u64, const AAL: u8> FromRequestParts<S> for RecentlyAuthenticated<MINUTES, AAL> {
    type Rejection = NotRecent;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, NotRecent> {
        let level = const { AssuranceLevel::from_number(AAL).expect("AAL is 1, 2 or 3") };
        let user = <SignedIn as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        if user.authenticated_within(Duration::from_mins(MINUTES), level) {
            Ok(Self(user))
        } else {
            Err(NotRecent::ProveAgain { level })
        }
    }
}

impl<const MINUTES: u64, const AAL: u8> Deref for RecentlyAuthenticated<MINUTES, AAL> {
    type Target = SignedIn;

    fn deref(&self) -> &SignedIn {
        &self.0
    }
}

impl IntoResponse for NotRecent {
    fn into_response(self) -> Response {
        match self {
            Self::NotSignedIn(rejection) => rejection.into_response(),
            Self::ProveAgain { .. } => {
                (StatusCode::FORBIDDEN, [(CACHE_CONTROL, "no-store")], PROVE_AGAIN).into_response()
            }
        }
    }
}
