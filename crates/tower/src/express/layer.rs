//! The layer.

use std::task::{Context, Poll};

use http::{Request, Response};
use tenure_core::CsrfRequest;
use tenure_core::express::ExpressSessions;
use tower_layer::Layer;
use tower_service::Service;

use crate::express::ExpressResponseFuture;
use crate::failure::{PlainFailure, RenderFailure};

/// Gives every request inside it the session that it shares with an Express application: verifies the cookie before the
/// handler, and commits what the handler did before the response goes out.
///
/// A handler that does not ask for the session causes no store call, and then the session is not touched either. If the
/// store fails the response is 503 with Retry-After, and the cookie is left alone.
///
/// Before that, it refuses requests that may change something and that no page of this origin sent, with 403: see
/// [`origin_check`](tenure_core::express::ExpressSessionsBuilder::origin_check). express-session does not.
///
/// ```
/// use axum::{Router, routing::get};
/// use tenure_core::Key;
/// use tenure_core::express::ExpressSessions;
/// use tenure_tower::{ExpressSession, ExpressSessionLayer, SessionError};
///
/// const VISITS: Key<u32> = Key::new("visits");
///
/// async fn visits(session: ExpressSession) -> Result<String, SessionError> {
///     let visits = session.update(VISITS, |visits| visits.unwrap_or(0) + 1)?;
///     Ok(format!("This is visit number {visits}, in Express and here."))
/// }
///
/// fn app(sessions: ExpressSessions) -> Router {
///     Router::new().route("/", get(visits)).layer(ExpressSessionLayer::new(sessions))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct ExpressSessionLayer<R = PlainFailure> {
    sessions: ExpressSessions,
    failures: R,
}

impl ExpressSessionLayer {
    /// A layer over these sessions.
    #[must_use]
    pub fn new(sessions: ExpressSessions) -> Self {
        Self {
            sessions,
            failures: PlainFailure,
        }
    }
}

impl<R> ExpressSessionLayer<R> {
    /// Makes the responses to failures, by a closure or function from `&SessionError` or a type of your own.
    ///
    /// *Default*: [`PlainFailure`], a line of text with the error's status.
    #[must_use]
    pub fn render_failures<Other>(self, failures: Other) -> ExpressSessionLayer<Other> {
        ExpressSessionLayer {
            sessions: self.sessions,
            failures,
        }
    }
}

impl<S, R: Clone> Layer<S> for ExpressSessionLayer<R> {
    type Service = ExpressSessionService<S, R>;

    fn layer(&self, inner: S) -> ExpressSessionService<S, R> {
        ExpressSessionService {
            inner,
            layer: self.clone(),
        }
    }
}

/// A service inside an [`ExpressSessionLayer`].
#[derive(Clone, Debug)]
pub struct ExpressSessionService<S, R = PlainFailure> {
    inner: S,
    layer: ExpressSessionLayer<R>,
}

impl<S, R, Q, B> Service<Request<Q>> for ExpressSessionService<S, R>
where
    S: Service<Request<Q>, Response = Response<B>>,
    R: RenderFailure<B>,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = ExpressResponseFuture<S::Future, B, R>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Q>) -> Self::Future {
        let ExpressSessionLayer { sessions, failures } = &self.layer;
        let opened = sessions.open(request.headers());
        let looked_at = CsrfRequest::new(request.method(), request.uri(), request.headers());
        if let Err(refusal) = sessions.check_origin(&looked_at) {
            return ExpressResponseFuture::refused(
                refusal.into(),
                sessions.clone(),
                opened,
                failures.clone(),
            );
        }
        request.extensions_mut().insert(opened.clone());
        let handler = self.inner.call(request);
        ExpressResponseFuture::new(handler, sessions.clone(), opened, failures.clone())
    }
}
