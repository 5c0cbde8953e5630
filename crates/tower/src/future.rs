//! The layer's future: the handler, then the commit.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tenure_core::{CommitError, Opened, Outgoing};
use tower_service::Service;

use crate::error::SessionError;
use crate::failure::{Failed, RenderFailure};
use crate::guard::Reading;

pin_project! {
    /// Runs the inner service and commits the session before the response goes out. Boxes nothing unless
    /// the commit needs the store, or a form's token is still to be read.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, F, Q, B, R> {
        #[pin]
        stage: Stage<S, F, Q>,
        opened: Opened,
        failures: R,
        committing: Option<Committing<B>>,
    }
}

pin_project! {
    /// Where a request is on its way to the handler's answer.
    #[project = StageNow]
    pub(crate) enum Stage<S, F, Q> {
        Refused { error: SessionError },
        Reading { reading: Reading<Q>, service: S },
        Handling { #[pin] handler: F },
    }
}

struct Committing<B> {
    response: Response<B>,
    commit: Pin<Box<dyn Future<Output = Result<Outgoing, CommitError>> + Send>>,
}

impl<S, F, Q, B, R> ResponseFuture<S, F, Q, B, R> {
    pub(crate) fn new(stage: Stage<S, F, Q>, opened: Opened, failures: R) -> Self {
        Self {
            stage,
            opened,
            failures,
            committing: None,
        }
    }
}

impl<S, F, Q, B, R, E> Future for ResponseFuture<S, F, Q, B, R>
where
    S: Service<Request<Q>, Response = Response<B>, Error = E, Future = F>,
    F: Future<Output = Result<Response<B>, E>>,
    R: RenderFailure<B>,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if this.committing.is_none() {
            let handler = loop {
                let refused = match this.stage.as_mut().project() {
                    StageNow::Handling { handler } => break handler,
                    StageNow::Refused { error } => this.failures.render(error),
                    StageNow::Reading { reading, service } => match ready!(reading.as_mut().poll(context)) {
                        Ok(request) => {
                            let handler = service.call(request);
                            this.stage.set(Stage::Handling { handler });
                            continue;
                        }
                        Err(refusal) => this.failures.render(&SessionError::from(refusal)),
                    },
                };
                return Poll::Ready(Ok(refuse(this.opened, refused)));
            };
            let mut response = ready!(handler.poll(context))?;
            if let Some(Failed(error)) = response.extensions_mut().remove::<Failed>() {
                response = this.failures.render(&error);
            }
            if let Some(outgoing) = this.opened.commit_without_store() {
                outgoing.apply(response.headers_mut());
                return Poll::Ready(Ok(response));
            }
            let opened = this.opened.clone();
            let commit = Box::pin(async move { opened.sessions().commit(&opened).await });
            *this.committing = Some(Committing { response, commit });
        }
        let Some(committing) = this.committing else {
            return Poll::Pending;
        };
        let committed = ready!(committing.commit.as_mut().poll(context));
        let Some(Committing { mut response, .. }) = this.committing.take() else {
            return Poll::Pending;
        };
        let outgoing = committed.unwrap_or_else(|error| {
            let error = SessionError::from(error);
            error.log();
            response = this.failures.render(&error);
            this.opened.outgoing_after_failure()
        });
        outgoing.apply(response.headers_mut());
        Poll::Ready(Ok(response))
    }
}

/// Nothing was done, so there is nothing to commit.
fn refuse<B>(opened: &Opened, mut response: Response<B>) -> Response<B> {
    opened.outgoing_after_refusal().apply(response.headers_mut());
    response
}
