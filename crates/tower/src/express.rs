//! Sessions that are shared with an Express application, for axum and any tower service.

#[cfg(feature = "axum")]
mod extract;
mod future;
mod layer;

#[cfg(feature = "axum")]
pub use extract::ExpressSession;
pub use future::ExpressResponseFuture;
pub use layer::{ExpressSessionLayer, ExpressSessionService};
