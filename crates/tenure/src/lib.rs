//! Sessions for web applications that are secure by default.

#![cfg_attr(not(test), warn(clippy::unwrap_used))]

pub use tenure_core::*;

#[cfg(feature = "axum")]
pub use tenure_tower as axum;
#[cfg(feature = "sqlite")]
pub use tenure_sql as sqlite;
