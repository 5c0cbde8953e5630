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
//! # Streaming
//!
//! The session is committed when the handler has answered, before its body is sent. A body that goes on
//! writing to the session calls [`save`](tenure_core::Session::save) itself.

#![cfg_attr(not(test), warn(clippy::unwrap_used))]

mod client;
mod current;
mod error;
#[cfg(feature = "axum")]
mod extract;
mod failure;
mod forwarded;
mod future;
mod layer;
#[cfg(feature = "axum")]
mod routes;
mod trust_proxy;

pub use client::{Client, PeerAddress, Scheme};
pub use error::SessionError;
#[cfg(feature = "axum")]
pub use extract::{NamedSession, NotSignedIn, PassiveSession, Session, SessionName, SignedIn};
pub use failure::{PlainFailure, RenderFailure};
pub use future::ResponseFuture;
pub use layer::{SessionLayer, SessionService};
#[cfg(feature = "axum")]
pub use routes::{ClearSiteData, SessionRoutes, session_routes};
pub use trust_proxy::{ProxyHeaders, TrustProxy};
