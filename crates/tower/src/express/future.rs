//! The layer's future: the handler, then the commit.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use pin_project_lite::pin_project;
use tenure_core::express::{ExpressOpened, ExpressSessions};
use tenure_core::{CommitError, Outgoing};

use crate::error::SessionError;
use crate::failure::{Failed, RenderFailure};

pin_project! {
    /// Runs the inner service and commits the session before the response goes out. Boxes nothing unless a handler
    /// asked for the session.
    #[must_use = "futures do nothing unless polled"]
    pub struct ExpressResponseFuture<F, B, R> {
        #[pin]
        stage: Stage<F>,
        sessions: ExpressSessions,
        opened: ExpressOpened,
        failures: R,
        committing: Option<Committing<B>>,
    }
}

pin_project! {
    /// Whether the request went to its handler.
    #[project = StageNow]
    enum Stage<F> {
        Refused { error: SessionError },
        Handling { #[pin] handler: F },
    }
}

struct Committing<B> {
    response: Response<B>,
    commit: Pin<Box<dyn Future<Output = Result<Outgoing, CommitError>> + Send>>,
}

impl<F, B, R> ExpressResponseFuture<F, B, R> {
    pub(super) fn new(handler: F, sessions: ExpressSessions, opened: ExpressOpened, failures: R) -> Self {
        Self {
            stage: Stage::Handling { handler },
            sessions,
            opened,
            failures,
            committing: None,
        }
    }

    pub(super) fn refused(
        error: SessionError,
        sessions: ExpressSessions,
        opened: ExpressOpened,
        failures: R,
    ) -> Self {
        Self {
            stage: Stage::Refused { error },
            sessions,
            opened,
            failures,
            committing: None,
        }
    }
}

impl<F, B, R, E> Future for ExpressResponseFuture<F, B, R>
where
    F: Future<Output = Result<Response<B>, E>>,
    R: RenderFailure<B>,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if this.committing.is_none() {
            let mut response = match this.stage.project() {
                StageNow::Refused { error } => return Poll::Ready(Ok(this.failures.render(error))),
                StageNow::Handling { handler } => ready!(handler.poll(context))?,
            };
            if let Some(Failed(error)) = response.extensions_mut().remove::<Failed>() {
                response = this.failures.render(&error);
            }
            if this.opened.is_unasked() {
                return Poll::Ready(Ok(response));
            }
            let (sessions, opened) = (this.sessions.clone(), this.opened.clone());
            let commit = Box::pin(async move { sessions.commit(&opened).await });
            *this.committing = Some(Committing { response, commit });
        }
        let Some(committing) = this.committing else {
            return Poll::Pending;
        };
        let committed = ready!(committing.commit.as_mut().poll(context));
        let Some(Committing { mut response, .. }) = this.committing.take() else {
            return Poll::Pending;
        };
        match committed {
            Ok(outgoing) => outgoing.apply(response.headers_mut()),
            Err(error) => {
                let error = SessionError::from(error);
                error.log();
                response = this.failures.render(&error);
            }
        }
        Poll::Ready(Ok(response))
    }
}
