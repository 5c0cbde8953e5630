//! The layer.

use std::task::{Context, Poll};

use http::{Request, Response};
use tenure_core::{Client, CsrfDemand, CsrfRequest, Opened, Scheme, Sessions, TrustProxy};
use tower_layer::Layer;
use tower_service::Service;

use crate::current::Current;
use crate::error::SessionError;
use crate::failure::{PlainFailure, RenderFailure};
use crate::future::{ResponseFuture, Stage};
use crate::guard;
use crate::peer;
use crate::trust::Trust;

/// Gives every request inside it a session: verifies the cookie before the handler, and commits what
/// the handler did before the response goes out.
///
/// Before that, it refuses requests of clients that [guess](tenure_core::GuessLimit) at cookies, and requests that may be
/// [forged](crate#requests-from-other-sites).
///
/// A handler that does not ask for the session causes no store call. Several layers with different cookie
/// names work one inside another; the extractors take the innermost, and
/// [`NamedSession`](crate::NamedSession) any.
#[derive(Clone, Debug)]
pub struct SessionLayer<R = PlainFailure> {
    sessions: Sessions,
    trust_proxy: Trust,
    failures: R,
}

impl SessionLayer {
    /// A layer over these sessions.
    #[must_use]
    pub fn new(sessions: Sessions) -> Self {
        Self {
            sessions,
            trust_proxy: Trust::default(),
            failures: PlainFailure,
        }
    }
}

impl<R> SessionLayer<R> {
    /// Whom to believe about the client's address and scheme.
    ///
    /// *Default*: [nobody](TrustProxy::nobody), so the address is the connection's. *Reason*: anybody
    /// can send a header.
    #[must_use]
    pub fn trust_proxy(mut self, trust_proxy: TrustProxy) -> Self {
        self.trust_proxy = Trust::new(trust_proxy);
        self
    }

    /// Makes the responses to failures: of the store, mostly.
    ///
    /// *Default*: [`PlainFailure`], a line of text with the error's status. A response with
    /// another status than 503 misleads caches and load balancers; keep
    /// [`SessionFailure::status`](tenure_core::SessionFailure::status) unless you know better.
    ///
    /// ```
    /// use axum::response::{Html, IntoResponse, Response};
    /// use tenure_core::Sessions;
    /// use tenure_tower::{SessionError, SessionLayer};
    ///
    /// fn sorry(error: &SessionError) -> Response {
    ///     (error.status(), Html("<h1>One moment, please</h1>")).into_response()
    /// }
    ///
    /// fn layer(sessions: Sessions) -> SessionLayer<fn(&SessionError) -> Response> {
    ///     SessionLayer::new(sessions).on_failure(sorry)
    /// }
    /// ```
    #[must_use]
    pub fn on_failure<B>(
        self,
        render: fn(&SessionError) -> Response<B>,
    ) -> SessionLayer<fn(&SessionError) -> Response<B>> {
        self.render_failures(render)
    }

    /// The same by a value of a type of your own, which may hold templates or the like.
    #[must_use]
    pub fn render_failures<Other>(self, failures: Other) -> SessionLayer<Other> {
        SessionLayer {
            sessions: self.sessions,
            trust_proxy: self.trust_proxy,
            failures,
        }
    }
}

impl<S, R: Clone> Layer<S> for SessionLayer<R> {
    type Service = SessionService<S, R>;

    fn layer(&self, inner: S) -> SessionService<S, R> {
        SessionService {
            inner,
            layer: self.clone(),
        }
    }
}

/// A service inside a [`SessionLayer`].
#[derive(Clone, Debug)]
pub struct SessionService<S, R = PlainFailure> {
    inner: S,
    layer: SessionLayer<R>,
}

impl<S, R, Q, B> Service<Request<Q>> for SessionService<S, R>
where
    S: Service<Request<Q>, Response = Response<B>> + Clone,
    R: RenderFailure<B>,
    Q: 'static,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = ResponseFuture<S, S::Future, Q, B, R>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Q>) -> Self::Future {
        let SessionLayer {
            sessions,
            trust_proxy,
            failures,
        } = &self.layer;
        let opened = sessions.open_located_by(request.headers(), || client(trust_proxy, &request).address);
        let mut looked_at = CsrfRequest::new(request.method(), request.uri(), request.headers());
        if looked_at.is_guarded() {
            let scheme = client(trust_proxy, &request).scheme;
            looked_at = looked_at.https(scheme.map(|scheme| scheme == Scheme::Https));
        }
        let checked = check(&opened, &looked_at);
        Current::enter(request.extensions_mut(), opened.clone(), trust_proxy.clone());
        let stage = match checked {
            Ok(CsrfDemand::Nothing) => Stage::Handling {
                handler: self.inner.call(request),
            },
            Ok(CsrfDemand::InForm(field)) => match guard::read_form(request, field, &opened) {
                Ok(reading) => {
                    // The one that said it was ready is the one to call.
                    let ready = self.inner.clone();
                    Stage::Reading {
                        reading,
                        service: std::mem::replace(&mut self.inner, ready),
                    }
                }
                Err(refusal) => Stage::Refused {
                    error: refusal.into(),
                },
            },
            Err(error) => Stage::Refused { error },
        };
        ResponseFuture::new(stage, opened, failures.clone())
    }
}

/// What a request must still show before it may go to its handler.
fn check(opened: &Opened, request: &CsrfRequest<'_>) -> Result<CsrfDemand, SessionError> {
    opened.check_guesses()?;
    Ok(opened.check_csrf(request)?)
}

fn client<Q>(trust_proxy: &TrustProxy, request: &Request<Q>) -> Client {
    peer::client(
        trust_proxy,
        request.headers(),
        request.uri(),
        request.extensions(),
    )
}
