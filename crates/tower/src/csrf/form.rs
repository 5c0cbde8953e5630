//! A form that is read only if it has the session's token.

use axum::Form;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FormRejection};
use axum_core::body::Body;
use axum_core::extract::{FromRequest, Request};
use axum_core::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use tenure_core::{CsrfRefusal, FormCsrfField};

use crate::error::SessionError;
use crate::extract::innermost;

/// [`axum::Form`] for handlers that want a token though the [policy](tenure_core::Policy::csrf_tokens) does not demand
/// one: rejects with 403 unless the form's field `_csrf`, or the header `X-CSRF-Token`, has a token of the request's
/// session as it is in the store. The field is taken out before the form is read, so `T` does not name it.
///
/// For `application/x-www-form-urlencoded` bodies; a request without a session has no token, and is rejected.
///
/// ```
/// use serde::Deserialize;
/// use tenure_tower::{CsrfForm, SignedIn};
///
/// #[derive(Deserialize)]
/// struct Transfer {
///     amount: u64,
/// }
///
/// async fn transfer(user: SignedIn, CsrfForm(transfer): CsrfForm<Transfer>) -> String {
///     format!("{} sends {}", user.owner(), transfer.amount)
/// }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct CsrfForm<T>(pub T);

/// Why a [`CsrfForm`] was not to be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CsrfFormRejection {
    /// The token was missing or wrong, or the session could not be loaded.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The body could not be read.
    #[error(transparent)]
    Body(#[from] BytesRejection),
    /// The form is not one, or not of the type.
    #[error(transparent)]
    Form(#[from] FormRejection),
}

impl<T, S> FromRequest<S> for CsrfForm<T>
where
    Form<T>: FromRequest<S, Rejection = FormRejection>,
    S: Send + Sync,
{
    type Rejection = CsrfFormRejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, CsrfFormRejection> {
        let (parts, body) = request.into_parts();
        let session = innermost(&parts)?.load().await.map_err(SessionError::from)?;
        let body = Bytes::from_request(Request::from_parts(parts.clone(), body), state).await?;
        let token = token(&parts, &body).ok_or(SessionError::from(CsrfRefusal::TokenMissing))?;
        session.verify_csrf_token(&token).map_err(SessionError::from)?;
        let form = Request::from_parts(parts, Body::from(FormCsrfField::without(&body)));
        let Form(form) = Form::from_request(form, state).await?;
        Ok(Self(form))
    }
}

fn token(parts: &Parts, body: &[u8]) -> Option<Vec<u8>> {
    if let Some(token) = parts.headers.get(tenure_core::CsrfToken::HEADER) {
        return Some(token.as_bytes().to_vec());
    }
    let content_type = parts.headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let mut field = FormCsrfField::of(content_type)?;
    let _ = field.read(body);
    let _ = field.end();
    field.value().map(<[u8]>::to_vec)
}

impl IntoResponse for CsrfFormRejection {
    fn into_response(self) -> Response {
        match self {
            Self::Session(error) => error.into_response(),
            Self::Body(rejection) => rejection.into_response(),
            Self::Form(rejection) => rejection.into_response(),
        }
    }
}
