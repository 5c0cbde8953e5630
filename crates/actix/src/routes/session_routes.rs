//! How the session stands, for the page that tells its user about time.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse, Scope, web};
use tenure_core::{Session, StatusReport, is_same_origin};

use super::clear_site_data::ClearSiteData;
use crate::error::SessionError;
use crate::extract::innermost;
use crate::headers;

/// Three routes about the session itself below `path`, for pages that tell their users about time (W3C WCAG 2.2, 2.2.1
/// Timing Adjustable). The web component in `packages/browser` speaks to them.
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
/// ```
/// use actix_web::App;
/// use tenure_actix::{SessionLayer, session_routes};
/// # fn app(sessions: tenure_core::Sessions) {
/// let app = App::new()
///     .wrap(SessionLayer::new(sessions))
///     .service(session_routes("/session"));
/// # }
/// ```
pub fn session_routes(path: &str) -> Scope {
    SessionRoutes::new().at(path)
}

/// [`session_routes`] with options.
///
/// ```
/// use tenure_actix::SessionRoutes;
///
/// let routes = SessionRoutes::new().clear_site_data(true).at("/session");
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "options do nothing until `at`"]
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

    /// The routes below `path`, to be registered inside the session layer.
    pub fn at(self, path: &str) -> Scope {
        let sign_out = move |request| sign_out(request, self.clear_site_data);
        web::scope(path)
            .route("/status", web::get().to(status))
            .route("/extend", web::post().to(extend))
            .route("/sign-out", web::post().to(sign_out))
    }
}

async fn status(request: HttpRequest) -> Result<HttpResponse, SessionError> {
    let session = innermost(&request)?.peek().await?;
    Ok(report(&session, None))
}

async fn extend(request: HttpRequest) -> Result<HttpResponse, SessionError> {
    if !comes_from_here(&request) {
        return Ok(refusal());
    }
    let session = innermost(&request)?.extend().await?;
    Ok(report(&session, None))
}

async fn sign_out(request: HttpRequest, clear_site_data: bool) -> Result<HttpResponse, SessionError> {
    if !comes_from_here(&request) {
        return Ok(refusal());
    }
    let session = innermost(&request)?.peek().await?;
    session.sign_out();
    Ok(report(&session, clear_site_data.then_some(ClearSiteData)))
}

fn comes_from_here(request: &HttpRequest) -> bool {
    let authority = request.uri().authority().map(|authority| authority.as_str());
    is_same_origin(&headers::looked_at(request.headers()), authority)
}

fn report(session: &Session, clear_site_data: Option<ClearSiteData>) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    if let Some(clear_site_data) = clear_site_data {
        response.insert_header(clear_site_data);
    }
    response
        .content_type("application/json")
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(StatusReport::of(session).to_json())
}

fn refusal() -> HttpResponse {
    HttpResponse::Forbidden()
        .content_type("text/plain; charset=utf-8")
        .insert_header((CACHE_CONTROL, "no-store"))
        .body("This request did not come from a page of this site.\n")
}
