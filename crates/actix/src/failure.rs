//! The response that a failure becomes.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};

use crate::error::SessionError;
use crate::headers;

/// Makes the response that a [`SessionError`] becomes. A closure from `&SessionError` to a response is one.
pub trait RenderFailure: Clone {
    /// The response in place of the one that can't be given.
    fn render(&self, error: &SessionError) -> HttpResponse;
}

impl<F: Fn(&SessionError) -> HttpResponse + Clone> RenderFailure for F {
    fn render(&self, error: &SessionError) -> HttpResponse {
        self(error)
    }
}

/// The default: the error's status, a line of text, Retry-After where trying again helps, and no caching.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlainFailure;

impl RenderFailure for PlainFailure {
    fn render(&self, error: &SessionError) -> HttpResponse {
        let mut response = HttpResponse::build(headers::status(error.status()));
        response
            .insert_header((CONTENT_TYPE, "text/plain; charset=utf-8"))
            .insert_header((CACHE_CONTROL, "no-store"));
        if let Some(seconds) = error.retry_after() {
            response.insert_header((RETRY_AFTER, seconds));
        }
        response.body(error.text())
    }
}
