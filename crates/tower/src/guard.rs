//! Requests that must show the token in their form before they go to their handlers.

use std::future::Future;
use std::pin::Pin;

use http::Request;
use tenure_core::{CsrfRefusal, FormCsrfField, Opened};

/// A request whose form is read as far as its token.
pub(crate) type Reading<Q> = Pin<Box<dyn Future<Output = Result<Request<Q>, CsrfRefusal>> + Send>>;

/// Reads the form until its token is found.
pub(crate) fn read_form<Q: 'static>(
    request: Request<Q>,
    field: FormCsrfField,
    opened: &Opened,
) -> Result<Reading<Q>, CsrfRefusal> {
    match reading(request, field, opened) {
        Some(reading) => Ok(reading),
        None => {
            opened.verify_csrf_token(None)?;
            Err(CsrfRefusal::TokenMissing)
        }
    }
}

/// Without axum no body is known that could be put together again.
#[cfg(not(feature = "axum"))]
fn reading<Q: 'static>(_: Request<Q>, _: FormCsrfField, _: &Opened) -> Option<Reading<Q>> {
    None
}

/// `None` if the body is not axum's, which is the one that can be put together again.
#[cfg(feature = "axum")]
fn reading<Q: 'static>(request: Request<Q>, field: FormCsrfField, opened: &Opened) -> Option<Reading<Q>> {
    let request: Request<axum_core::body::Body> = same_type(request)?;
    let opened = opened.clone();
    Some(Box::pin(async move {
        let request = crate::csrf::read_form(request, field, &opened).await?;
        same_type(request).ok_or(CsrfRefusal::TokenMissing)
    }))
}

/// The same value, if both types are one.
#[cfg(feature = "axum")]
fn same_type<From: 'static, To: 'static>(value: From) -> Option<To> {
    let mut value = Some(value);
    let value: &mut dyn std::any::Any = &mut value;
    value.downcast_mut::<Option<To>>()?.take()
}
