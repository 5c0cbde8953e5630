//! The response that a failure becomes.

use std::error::Error;
use std::sync::Arc;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};

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
        let status = error.status();
        let text = match status {
            StatusCode::FORBIDDEN if is_about_the_token(error) => {
                "This page is out of date. Please go back, reload it and try again.\n"
            }
            StatusCode::FORBIDDEN => {
                "This request was refused, because it did not come from a page of this site.\n"
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                "We can't reach your session right now. Please try again in a moment.\n"
            }
            StatusCode::PAYLOAD_TOO_LARGE => "This is more than can be kept in a session.\n",
            _ => "Something went wrong with your session.\n",
        };
        let mut response = Response::new(B::from(text));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

fn is_about_the_token(error: &SessionError) -> bool {
    matches!(error, SessionError::Csrf(refusal) if refusal.is_about_the_token())
}

/// Marks a response that was made of an error inside the layer, so that the layer renders it
/// as the application wishes.
#[derive(Clone)]
pub(crate) struct Failed(pub(crate) Arc<SessionError>);

/// Tells the log what the response does not.
pub(crate) fn log(error: &SessionError) {
    if let SessionError::Csrf(_) = error {
        // There was an event, and nothing failed.
        return;
    }
    let causes = std::iter::successors(error.source(), |cause: &&dyn Error| (*cause).source());
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    tracing::error!(target: "tenure", status = error.status().as_u16(), ?causes, "{error}");
}
