//! A form that is read only if it has the session's token.

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Form};
use actix_web::{Error, FromRequest, HttpRequest, HttpResponse, ResponseError};
use futures_util::future::LocalBoxFuture;
use futures_util::{StreamExt, stream};
use serde::de::DeserializeOwned;
use tenure_core::{CsrfRefusal, FormCsrfField};

use crate::error::SessionError;
use crate::extract::innermost;
use crate::headers;

/// [`actix_web::web::Form`] for handlers that want a token though the [policy](tenure_core::Policy::csrf_tokens) does not
/// demand one: fails with 403 unless the form's field `_csrf`, or the header `X-CSRF-Token`, has a token of the request's
/// session as it is in the store. The field is taken out before the form is read, so `T` does not name it.
///
/// For `application/x-www-form-urlencoded` bodies, as large as
/// [`PayloadConfig`](actix_web::web::PayloadConfig) lets them be; a request without a session has no token, and is
/// refused.
///
/// ```
/// use serde::Deserialize;
/// use tenure_actix::{CsrfForm, SignedIn};
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
    #[error("{0}")]
    Body(Error),
    /// The form is not one, or not of the type.
    #[error("{0}")]
    Form(Error),
}

impl<T: DeserializeOwned + 'static> FromRequest for CsrfForm<T> {
    type Error = CsrfFormRejection;
    type Future = LocalBoxFuture<'static, Result<Self, CsrfFormRejection>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let current = innermost(request);
        let headers = headers::looked_at(request.headers());
        let body = Bytes::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let session = current?.load().await?;
            let body = body.await.map_err(CsrfFormRejection::Body)?;
            let token = token(&headers, &body).ok_or(SessionError::from(CsrfRefusal::TokenMissing))?;
            session.verify_csrf_token(&token).map_err(SessionError::from)?;
            let rest = Bytes::from(FormCsrfField::without(&body));
            let rest = stream::once(async { Ok(rest) }).boxed_local();
            let mut rest = Payload::Stream { payload: rest };
            let form = Form::<T>::from_request(&request, &mut rest).await;
            Ok(Self(form.map_err(CsrfFormRejection::Form)?.into_inner()))
        })
    }
}

fn token(headers: &http::HeaderMap, body: &[u8]) -> Option<Vec<u8>> {
    if let Some(token) = headers.get(tenure_core::CsrfToken::HEADER) {
        return Some(token.as_bytes().to_vec());
    }
    let mut field = FormCsrfField::of(content_type(headers))?;
    let _ = field.read(body);
    let _ = field.end();
    field.value().map(<[u8]>::to_vec)
}

fn content_type(headers: &http::HeaderMap) -> &str {
    let content_type = headers.get(http::header::CONTENT_TYPE);
    content_type
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

impl ResponseError for CsrfFormRejection {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Session(error) => error.status_code(),
            Self::Body(error) | Self::Form(error) => error.as_response_error().status_code(),
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::Session(error) => error.error_response(),
            Self::Body(error) | Self::Form(error) => error.as_response_error().error_response(),
        }
    }
}
