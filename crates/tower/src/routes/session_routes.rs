//! How the session stands, for the page that tells its user about time.

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use tenure_core::{Session, StatusReport, is_same_origin};

use super::clear_site_data::ClearSiteData;
use crate::error::SessionError;
use crate::extract::innermost;

/// Three routes about the session itself, for pages that tell their users about time (W3C WCAG 2.2, 2.2.1 Timing
/// Adjustable). The web component in `packages/browser` speaks to them.
///
/// | route | what it does |
/// | --- | --- |
/// | `GET /status` | tells how the session stands. A look, and no activity: it slides nothing |
/// | `POST /extend` | "I am still here": slides the idle deadline, always, and tells how the session stands then |
/// | `POST /sign-out` | signs out: ends the session |
///
/// Each answers 200 with a [`StatusReport`] as JSON, also when there is no session, and `Cache-Control: no-store`; 503
/// if the store fails. The two that change something refuse requests that the browser does not
/// mark as sent by a page of the same origin, with 403.
///
/// They do so even where the policy [exempts](tenure_core::Policy::csrf_exempt_paths) them. A policy that demands CSRF
/// tokens must exempt them, `/session/*`, for the component has none to send.
///
/// Nest them inside the layer:
///
/// ```
/// use axum::Router;
/// use tenure_core::Sessions;
/// use tenure_tower::{SessionLayer, session_routes};
///
/// fn app(sessions: Sessions) -> Router {
///     Router::new()
///         .nest("/session", session_routes())
///         .layer(SessionLayer::new(sessions))
/// }
/// ```
pub fn session_routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    SessionRoutes::new().into_router()
}

/// [`session_routes`] with options.
///
/// ```
/// use axum::Router;
/// use tenure_tower::SessionRoutes;
///
/// let routes: Router = SessionRoutes::new().clear_site_data(true).into_router();
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "options do nothing until `into_router`"]
pub struct SessionRoutes {
    clear_site_data: bool,
}

impl SessionRoutes {
    /// The routes with every option at its default.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the answer to `POST /sign-out` has the browser drop what it keeps of the site, as
    /// [`ClearSiteData`] says.
    ///
    /// *Default*: no. *Reason*: it takes more than the session's things, and can take seconds.
    pub fn clear_site_data(self, clear: bool) -> Self {
        Self {
            clear_site_data: clear,
        }
    }

    /// The routes, to be [nested](Router::nest) inside the session layer.
    pub fn into_router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        Router::new()
            .route("/status", get(status))
            .route("/extend", post(extend))
            .route(
                "/sign-out",
                post(move |parts: Parts| sign_out(parts, self.clear_site_data)),
            )
    }
}

async fn status(parts: Parts) -> Result<Response, SessionError> {
    let session = innermost(&parts)?.peek().await?;
    Ok(report(&session))
}

async fn extend(parts: Parts) -> Result<Response, SessionError> {
    if !is_same_origin(&parts.headers, authority(&parts)) {
        return Ok(refusal());
    }
    let session = innermost(&parts)?.extend().await?;
    Ok(report(&session))
}

async fn sign_out(parts: Parts, clear_site_data: bool) -> Result<Response, SessionError> {
    if !is_same_origin(&parts.headers, authority(&parts)) {
        return Ok(refusal());
    }
    let session = innermost(&parts)?.peek().await?;
    session.sign_out();
    let report = report(&session);
    Ok(if clear_site_data {
        (ClearSiteData, report).into_response()
    } else {
        report
    })
}

fn authority(parts: &Parts) -> Option<&str> {
    Some(parts.uri.authority()?.as_str())
}

fn report(session: &Session) -> Response {
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")];
    (headers, StatusReport::of(session).to_json()).into_response()
}

fn refusal() -> Response {
    let headers = [(CACHE_CONTROL, "no-store")];
    (
        StatusCode::FORBIDDEN,
        headers,
        "This request did not come from a page of this site.\n",
    )
        .into_response()
}
