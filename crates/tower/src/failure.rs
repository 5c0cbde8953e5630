//! The response that a failure becomes.

use std::sync::Arc;

use http::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER};

use crate::error::SessionError;

/// Makes the response that a [`SessionError`] becomes. A closure from `&SessionError` to a response is one.
pub trait RenderFailure<B>: Clone {
    /// The response in place of the one that can't be given.
    fn render(&self, error: &SessionError) -> Response<B>;
}

impl<B, F> RenderFailure<B> for F
where
    F: Fn(&SessionError) -> Response<B> + Clone,
{
    fn render(&self, error: &SessionError) -> Response<B> {
        self(error)
    }
}

/// The default: the error's status, a line of text, Retry-After where trying again helps, and no caching.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlainFailure;

impl<B: From<&'static str>> RenderFailure<B> for PlainFailure {
    fn render(&self, error: &SessionError) -> Response<B> {
        let mut response = Response::new(B::from(error.text()));
        *response.status_mut() = error.status();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = error.retry_after() {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// Marks a response that was made of an error inside the layer, so that the layer renders it
/// as the application wishes.
#[derive(Clone)]
pub(crate) struct Failed(pub(crate) Arc<SessionError>);
