//! The layer's future: the handler, then the commit.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use pin_project_lite::pin_project;
use tenure_core::{CommitError, Opened, Outgoing, Sessions};

use crate::error::SessionError;
use crate::failure::{self, Failed, RenderFailure};

pin_project! {
    /// Runs the inner service and commits the session before the response goes out. Boxes nothing unless
    /// the commit needs the store.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F, B, R> {
        #[pin]
        inner: F,
        sessions: Sessions,
        opened: Opened,
        failures: R,
        committing: Option<Committing<B>>,
    }
}

struct Committing<B> {
    response: Response<B>,
    commit: Pin<Box<dyn Future<Output = Result<Outgoing, CommitError>> + Send>>,
}

impl<F, B, R> ResponseFuture<F, B, R> {
    pub(crate) fn new(inner: F, sessions: Sessions, opened: Opened, failures: R) -> Self {
        Self {
            inner,
            sessions,
            opened,
            failures,
            committing: None,
        }
    }
}

impl<F, B, R, E> Future for ResponseFuture<F, B, R>
where
    F: Future<Output = Result<Response<B>, E>>,
    R: RenderFailure<B>,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if this.committing.is_none() {
            let mut response = ready!(this.inner.poll(context))?;
            if let Some(Failed(error)) = response.extensions_mut().remove::<Failed>() {
                response = this.failures.render(&error);
            }
            if let Some(outgoing) = this.opened.commit_without_store() {
                outgoing.apply(response.headers_mut());
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
        let outgoing = committed.unwrap_or_else(|error| {
            let error = SessionError::Commit(error);
            failure::log(&error);
            response = this.failures.render(&error);
            this.opened.outgoing_after_failure()
        });
        outgoing.apply(response.headers_mut());
        Poll::Ready(Ok(response))
    }
}
