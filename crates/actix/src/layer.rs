//! The middleware.

use std::future::{Ready, ready};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::Error;
use actix_web::HttpMessage;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use futures_util::future::LocalBoxFuture;
use tenure_core::{Client, CsrfDemand, CsrfRefusal, CsrfRequest, Opened, Scheme, Sessions, TrustProxy};

use crate::csrf::read_form;
use crate::current::Current;
use crate::error::SessionError;
use crate::failure::{PlainFailure, RenderFailure};
use crate::headers;
use crate::reply;

/// Gives every request inside it a session: verifies the cookie before the handler, and commits what
/// the handler did before the response goes out.
///
/// Before that, it refuses requests that may be [forged](crate#requests-from-other-sites).
///
/// A handler that does not ask for the session causes no store call. Several layers with different cookie
/// names work one inside another; the extractors take the innermost, and
/// [`NamedSession`](crate::NamedSession) any.
#[derive(Clone, Debug)]
pub struct SessionLayer<R = PlainFailure> {
    sessions: Sessions,
    trust_proxy: Arc<TrustProxy>,
    failures: R,
}

impl SessionLayer {
    /// A layer over these sessions.
    #[must_use]
    pub fn new(sessions: Sessions) -> Self {
        Self {
            sessions,
            trust_proxy: Arc::new(TrustProxy::nobody()),
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
    pub fn trust_proxy(self, trust_proxy: TrustProxy) -> Self {
        Self {
            trust_proxy: Arc::new(trust_proxy),
            ..self
        }
    }

    /// Makes the responses to failures: of the store, mostly.
    ///
    /// *Default*: [`PlainFailure`], a line of text with the error's status. A response with
    /// another status than 503 misleads caches and load balancers; keep
    /// [`SessionFailure::status`](tenure_core::SessionFailure::status) unless you know better.
    ///
    /// ```
    /// use actix_web::{HttpResponse, ResponseError};
    /// use tenure_actix::{SessionError, SessionLayer};
    /// use tenure_core::Sessions;
    ///
    /// fn sorry(error: &SessionError) -> HttpResponse {
    ///     HttpResponse::build(error.status_code()).body("<h1>One moment, please</h1>")
    /// }
    ///
    /// fn layer(sessions: Sessions) -> SessionLayer<fn(&SessionError) -> HttpResponse> {
    ///     SessionLayer::new(sessions).on_failure(sorry)
    /// }
    /// ```
    #[must_use]
    pub fn on_failure(
        self,
        render: fn(&SessionError) -> actix_web::HttpResponse,
    ) -> SessionLayer<fn(&SessionError) -> actix_web::HttpResponse> {
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

    /// Who sent this request, as far as it can be known.
    fn client(&self, request: &ServiceRequest, headers: &http::HeaderMap) -> Client {
        let peer = request.peer_addr().map(|peer| peer.ip());
        // A server without TLS of its own may stand behind a proxy that has it.
        let scheme = request.app_config().secure().then_some(Scheme::Https);
        self.trust_proxy.client(headers, peer, scheme)
    }
}

impl<S, R, B> Transform<S, ServiceRequest> for SessionLayer<R>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    R: RenderFailure + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = SessionService<S, R>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(SessionService {
            inner: Rc::new(inner),
            layer: self.clone(),
        }))
    }
}

/// A service inside a [`SessionLayer`].
#[derive(Debug)]
pub struct SessionService<S, R = PlainFailure> {
    inner: Rc<S>,
    layer: SessionLayer<R>,
}

impl<S, R, B> Service<ServiceRequest> for SessionService<S, R>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    R: RenderFailure + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Error>>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let headers = headers::looked_at(request.headers());
        let client = self.layer.client(&request, &headers);
        let opened = self.layer.sessions.open_from(&headers, client.address);
        let checked = checked(&opened, &request, &headers, client);
        let unanswered = Current::enter(&mut request.extensions_mut(), opened.clone(), client);

        let inner = Rc::clone(&self.inner);
        let failures = self.layer.failures.clone();
        Box::pin(async move {
            let admitted = match checked {
                Ok(CsrfDemand::Nothing) => Ok(()),
                Ok(CsrfDemand::InForm(field)) => read_form(&mut request, field, &opened)
                    .await
                    .map_err(SessionError::from),
                Err(error) => Err(error),
            };
            if let Err(error) = admitted {
                // Nothing was done, so there is nothing to commit.
                let mut refused = failures.render(&error);
                headers::apply(opened.outgoing_after_refusal(), refused.headers_mut());
                return Ok(request.into_response(refused.map_into_right_body()));
            }
            let answer = inner.call(request).await;
            reply::finish(answer, &opened, &failures, &unanswered).await
        })
    }
}

/// Whether the request may go to its handler.
fn checked(
    opened: &Opened,
    request: &ServiceRequest,
    headers: &http::HeaderMap,
    client: Client,
) -> Result<CsrfDemand, SessionError> {
    opened.check_guesses()?;
    let (Some(method), Some(target)) = (headers::method(request.head()), headers::target(request.head()))
    else {
        return Err(CsrfRefusal::OtherOrigin.into());
    };
    let mut looked_at = CsrfRequest::new(&method, &target, headers);
    if let Some(scheme) = client.scheme {
        looked_at = looked_at.https(Some(scheme == Scheme::Https));
    }
    Ok(opened.check_csrf(&looked_at)?)
}
