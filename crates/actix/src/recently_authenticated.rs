//! The extractor for routes that want the user to have just proved who they are.

use std::ops::Deref;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{FromRequest, HttpRequest, HttpResponse, ResponseError};
use futures_util::future::LocalBoxFuture;
use tenure_core::{AssuranceLevel, PROVE_AGAIN};

use crate::extract::{NotSignedIn, SignedIn};

/// The session of a user who proved who they are less than `MINUTES` ago, by signing in or by
/// [`step_up`](tenure_core::Session::step_up), at the assurance level `AAL` (1, 2 or 3) at least: for what changes a
/// password, an address or money (OWASP ASVS 5.0, 7.5.1 and 7.5.3).
///
/// Fails with 401 if nobody is signed in, and with 403 if it was too long ago or too weak. A handler that takes a
/// `Result` of it can send the user to a page that asks for the password, and come back:
///
/// ```
/// use actix_web::HttpResponse;
/// use tenure_actix::{NotRecent, RecentlyAuthenticated};
///
/// async fn change_password(user: Result<RecentlyAuthenticated<5>, NotRecent>) -> HttpResponse {
///     match user {
///         Ok(user) => HttpResponse::Ok().body(format!("The password of {} is changed.", user.owner())),
///         Err(_) => HttpResponse::SeeOther().insert_header(("location", "/confirm?then=/account")).finish(),
///     }
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

impl<const MINUTES: u64, const AAL: u8> FromRequest for RecentlyAuthenticated<MINUTES, AAL> {
    type Error = NotRecent;
    type Future = LocalBoxFuture<'static, Result<Self, NotRecent>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let level = const { AssuranceLevel::from_number(AAL).expect("AAL is 1, 2 or 3") };
        let user = SignedIn::from_request(request, payload);
        Box::pin(async move {
            let user = user.await?;
            if user.authenticated_within(Duration::from_mins(MINUTES), level) {
                Ok(Self(user))
            } else {
                Err(NotRecent::ProveAgain { level })
            }
        })
    }
}

impl<const MINUTES: u64, const AAL: u8> Deref for RecentlyAuthenticated<MINUTES, AAL> {
    type Target = SignedIn;

    fn deref(&self) -> &SignedIn {
        &self.0
    }
}

impl ResponseError for NotRecent {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotSignedIn(rejection) => rejection.status_code(),
            Self::ProveAgain { .. } => StatusCode::FORBIDDEN,
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::NotSignedIn(rejection) => rejection.error_response(),
            Self::ProveAgain { .. } => HttpResponse::Forbidden()
                .insert_header((CONTENT_TYPE, "text/plain; charset=utf-8"))
                .insert_header((CACHE_CONTROL, "no-store"))
                .body(PROVE_AGAIN),
        }
    }
}
