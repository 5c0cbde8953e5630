//! The response, once the handler has answered: failures as the application renders them, and the commit's headers.

use std::cell::RefCell;
use std::fmt;

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::web::Bytes;
use actix_web::{Error, HttpResponse, ResponseError};
use tenure_core::{Opened, Outgoing};

use crate::current::Unanswered;
use crate::error::SessionError;
use crate::extract::NotSignedIn;
use crate::failure::RenderFailure;
use crate::headers;
use crate::recently_authenticated::NotRecent;

/// What the inner service came to.
pub(crate) type Answer<B> = Result<ServiceResponse<B>, Error>;

/// Puts the application's rendering in place of a session's failure, commits, and adds the headers.
pub(crate) async fn finish<B: MessageBody + 'static>(
    answer: Answer<B>,
    opened: &Opened,
    failures: &impl RenderFailure,
    unanswered: &Unanswered,
) -> Answer<EitherBody<B>> {
    let failed = unanswered.take().or_else(|| failure(&answer));
    let answer = match failed {
        Some(error) => {
            error.log();
            replaced(answer, failures.render(&error))
        }
        None => answer.map(ServiceResponse::map_into_left_body),
    };
    let committed = match opened.commit_without_store() {
        Some(outgoing) => Ok(outgoing),
        None => opened.sessions().commit(opened).await,
    };
    match committed {
        Ok(outgoing) => with_headers(answer, outgoing),
        Err(error) => {
            let error = SessionError::from(error);
            error.log();
            let answer = replaced(answer, failures.render(&error));
            with_headers(answer, opened.outgoing_after_failure())
        }
    }
}

/// The session's error that the answer was made of.
fn failure<B>(answer: &Answer<B>) -> Option<SessionError> {
    let error = match answer {
        Ok(response) => response.response().error()?,
        Err(error) => error,
    };
    let not_signed_in = match error.as_error::<NotRecent>() {
        Some(NotRecent::NotSignedIn(rejection)) => Some(rejection),
        Some(NotRecent::ProveAgain { .. }) => return None,
        None => error.as_error::<NotSignedIn>(),
    };
    match not_signed_in {
        Some(NotSignedIn::Failed(error)) => Some(error.clone()),
        Some(NotSignedIn::Nobody) => None,
        None => error.as_error::<SessionError>().cloned(),
    }
}

/// The request is gone with an error, so that a response in its place has to be one, too.
fn replaced<B: MessageBody + 'static, C: MessageBody + 'static>(
    answer: Answer<B>,
    response: HttpResponse,
) -> Answer<EitherBody<C>> {
    match answer {
        Ok(answered) => Ok(answered.into_response(response.map_into_right_body())),
        Err(_) => Err(Rendered::new(response).into()),
    }
}

fn with_headers<B>(answer: Answer<B>, outgoing: Outgoing) -> Answer<B> {
    match answer {
        Ok(mut response) => {
            headers::apply(outgoing, response.headers_mut());
            Ok(response)
        }
        Err(error) if outgoing.sets_cookie() => {
            let mut response = error.as_response_error().error_response();
            headers::apply(outgoing, response.headers_mut());
            Err(Rendered::of(response, Some(error)).into())
        }
        Err(error) => Err(error),
    }
}

/// An error of the inner service with the response that it becomes, however often somebody asks for it.
struct Rendered {
    status: StatusCode,
    headers: HeaderMap,
    body: RenderedBody,
    cause: Option<Error>,
}

enum RenderedBody {
    Whole(Bytes),
    /// Can be sent once only.
    Stream(RefCell<Option<BoxBody>>),
}

impl Rendered {
    fn new(response: HttpResponse) -> Self {
        Self::of(response, None)
    }

    fn of(response: HttpResponse, cause: Option<Error>) -> Self {
        let (head, body) = response.into_parts();
        Self {
            status: head.status(),
            headers: head.headers().clone(),
            body: match body.try_into_bytes() {
                Ok(bytes) => RenderedBody::Whole(bytes),
                Err(stream) => RenderedBody::Stream(RefCell::new(Some(stream))),
            },
            cause,
        }
    }
}

impl RenderedBody {
    fn give(&self) -> BoxBody {
        match self {
            Self::Whole(bytes) => BoxBody::new(bytes.clone()),
            Self::Stream(stream) => stream.take().unwrap_or_else(|| BoxBody::new(())),
        }
    }
}

impl ResponseError for Rendered {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::new(self.status);
        *response.headers_mut() = self.headers.clone();
        response.set_body(self.body.give())
    }
}

impl fmt::Display for Rendered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Some(cause) => cause.fmt(f),
            None => write!(f, "the session failed: {}", self.status),
        }
    }
}

impl fmt::Debug for Rendered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rendered")
            .field("status", &self.status)
            .field("cause", &self.cause)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::SET_COOKIE;

    use super::*;

    #[test]
    fn the_response_of_an_error_is_the_same_each_time_it_is_asked_for() {
        let response = HttpResponse::ServiceUnavailable()
            .insert_header((SET_COOKIE, "session=; Max-Age=0"))
            .body("try again");
        let error = Error::from(Rendered::new(response));
        for _ in 0..3 {
            let response = error.as_response_error().error_response();
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(response.headers().get(SET_COOKIE).unwrap(), "session=; Max-Age=0");
            assert_eq!(response.into_body().try_into_bytes().unwrap(), "try again");
        }
    }
}
