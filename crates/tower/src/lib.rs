//! Tenure for [tower](tower_layer) services and axum: the [layer](SessionLayer) that opens and commits
//! each request's session, the extractors, and [whom to trust](TrustProxy) about the client.
//!
//! ```
//! use axum::{Router, routing::get};
//! use tenure_core::{Key, Sessions};
//! use tenure_tower::{Session, SessionError, SessionLayer};
//!
//! const VISITS: Key<u32> = Key::new("visits");
//!
//! async fn visits(session: Session) -> Result<String, SessionError> {
//!     let visits = session.update(VISITS, |visits| visits.unwrap_or(0) + 1)?;
//!     Ok(format!("This is visit number {visits}."))
//! }
//!
//! fn app(sessions: Sessions) -> Router {
//!     Router::new().route("/", get(visits)).layer(SessionLayer::new(sessions))
//! }
//! ```
//!
//! # Order of layers
//!
//! What the layer wraps has a session; what wraps the layer sees its headers. A layer that catches
//! panics belongs inside, so that what a handler did before it panicked is committed like anything
//! else, or outside, so that it is dropped; both are safe. A layer that compresses or caches
//! belongs outside.
//!
//! # Requests from other sites
//!
//! The layer refuses requests that may change something and that no page of this origin sent, with 403 and without
//! running the handler: see [`Policy::origin_check`](tenure_core::Policy::origin_check), and
//! [`TrustProxy`] for how it knows of https behind a proxy. A policy that
//! [demands tokens](tenure_core::Policy::csrf_tokens) has the layer look for them in the header `X-CSRF-Token`, and in
//! the field `_csrf` of a form: it reads the body as far as there and hands all of it on. It does so where the request's
//! body is axum's; with any other one the header is the only place. [`CsrfToken`] gives pages their token. A layer for
//! CORS belongs outside, so that its preflights are answered and a refusal carries its headers.
//!
//! # Sessions of an Express application
//!
//! With the feature `express` there is a layer beside this one, `ExpressSessionLayer`, for sessions that are shared with an
//! Express application.
//!
//! # Streaming
//!
//! The session is committed when the handler has answered, before its body is sent. A body that goes on
//! writing to the session calls [`save`](tenure_core::Session::save) itself.

#![cfg_attr(not(test), warn(clippy::unwrap_used))]

#[cfg(feature = "axum")]
mod csrf;
mod current;
mod error;
#[cfg(feature = "express")]
mod express;
#[cfg(feature = "axum")]
mod extract;
mod failure;
mod future;
mod guard;
mod layer;
mod peer;
#[cfg(feature = "axum")]
mod recently_authenticated;
#[cfg(feature = "axum")]
mod routes;
mod trust;

#[cfg(feature = "axum")]
pub use csrf::{CsrfForm, CsrfFormRejection, CsrfToken};
pub use error::SessionError;
#[cfg(all(feature = "axum", feature = "express"))]
pub use express::ExpressSession;
#[cfg(feature = "express")]
pub use express::{ExpressResponseFuture, ExpressSessionLayer, ExpressSessionService};
#[cfg(feature = "axum")]
pub use extract::{Client, NamedSession, NotSignedIn, PassiveSession, Session, SessionName, SignedIn};
pub use failure::{PlainFailure, RenderFailure};
pub use future::ResponseFuture;
pub use layer::{SessionLayer, SessionService};
pub use peer::PeerAddress;
#[cfg(feature = "axum")]
pub use recently_authenticated::{NotRecent, RecentlyAuthenticated};
#[cfg(feature = "axum")]
pub use routes::{ClearSiteData, SessionRoutes, session_routes};
pub use tenure_core::{ProxyHeaders, Scheme, SessionFailure, TrustProxy};
