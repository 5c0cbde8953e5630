//! Tenure for actix-web: the [middleware](SessionLayer) that opens and commits each request's session, the extractors,
//! and the [routes](session_routes) about the session.
//!
//! ```
//! use actix_web::{App, HttpServer, web};
//! use tenure_actix::{Session, SessionError, SessionLayer};
//! use tenure_core::{Key, Sessions};
//!
//! const VISITS: Key<u32> = Key::new("visits");
//!
//! async fn visits(session: Session) -> Result<String, SessionError> {
//!     let visits = session.update(VISITS, |visits| visits.unwrap_or(0) + 1)?;
//!     Ok(format!("This is visit number {visits}."))
//! }
//!
//! async fn serve(sessions: Sessions) -> std::io::Result<()> {
//!     let app = move || {
//!         App::new()
//!             .wrap(SessionLayer::new(sessions.clone()))
//!             .route("/", web::get().to(visits))
//!     };
//!     HttpServer::new(app).bind(("127.0.0.1", 3000))?.run().await
//! }
//! ```
//!
//! Make [`Sessions`](tenure_core::Sessions) once, outside the closure: every worker shares it.
//!
//! # Order of middleware
//!
//! What is registered by `wrap` before the layer is inside it, and has a session; what is registered after it sees its
//! headers. Middleware that compresses or caches belongs outside, and so does one for CORS: its preflights are then
//! answered, and a refusal carries its headers.
//!
//! # A store that fails
//!
//! The extractors answer with 503 then. actix-web makes `None` of any extractor's error where a handler takes an
//! `Option` of it, and a failing store is no visitor without a session. So the layer answers 503 in place of such a handler,
//! whatever it said; [`TrySession`] is for handlers that want to go on all the same.
//!
//! # Requests from other sites
//!
//! The layer refuses requests that may change something and that no page of this origin sent, with 403 and without
//! running the handler: see [`Policy::origin_check`](tenure_core::Policy::origin_check), and
//! [`TrustProxy`] for how it knows of https behind a proxy. A policy that
//! [demands tokens](tenure_core::Policy::csrf_tokens) has the layer look for them in the header `X-CSRF-Token`, and in
//! the field `_csrf` of a form: it reads the body as far as there and hands all of it on. [`CsrfToken`] gives pages
//! their token.
//!
//! # Streaming
//!
//! The session is committed when the handler has answered, before its body is sent. A body that goes on
//! writing to the session calls [`save`](tenure_core::Session::save) itself.

#![cfg_attr(not(test), warn(clippy::unwrap_used))]

mod csrf;
mod current;
mod error;
mod extract;
mod failure;
mod headers;
mod layer;
mod recently_authenticated;
mod reply;
mod routes;

pub use csrf::{CsrfForm, CsrfFormRejection, CsrfToken};
pub use error::SessionError;
pub use extract::{
    Client, NamedSession, NotSignedIn, PassiveSession, Session, SessionName, SignedIn, TrySession,
};
pub use failure::{PlainFailure, RenderFailure};
pub use layer::{SessionLayer, SessionService};
pub use recently_authenticated::{NotRecent, RecentlyAuthenticated};
pub use routes::{ClearSiteData, SessionRoutes, session_routes};
pub use tenure_core::{ProxyHeaders, Scheme, SessionFailure, TrustProxy};
