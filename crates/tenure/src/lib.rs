//! Sessions for web applications that are secure by default.
//!
//! ```no_run
#![doc = include_str!("../examples/visits.rs")]
//! ```
//!
//! # Where to look
//!
//! - [`Session`]: what a request handler does with a session.
//! - [`Sessions`]: the manager, for account pages and operators; drives the engine without a framework.
//! - [`Policy`]: every option, with its default and the reason for it.
//! - [`Keyring`] and [`Secret`]: the keys, and their rotation.
//! - [`store::Store`]: what a database must do to keep sessions.
//!
//! # Features
//!
//! | feature | what it brings |
//! | --- | --- |
//! | `axum` | [`axum`]: the layer for axum and any tower service, and the extractors |
//! | `sqlite` | [`sqlite`]: the embedded store; compiles SQLite in |
//! | `memory` | [`MemoryStore`], for development and tests |
//!
//! None is on by default, so that an application compiles what it uses and no more.

#![cfg_attr(not(test), warn(clippy::unwrap_used))]
#![cfg_attr(not(all(feature = "axum", feature = "sqlite", feature = "memory")), allow(rustdoc::broken_intra_doc_links))]

pub use tenure_core::*;

/// The layer for axum and any tower service, and the extractors.
#[cfg(feature = "axum")]
pub mod axum {
    pub use tenure_tower::*;
}

/// The embedded store: sessions in a file, without a server.
#[cfg(feature = "sqlite")]
pub mod sqlite {
    pub use tenure_sql::sqlite::*;
}

/// The README's code is compiled like any example.
#[cfg(all(doctest, feature = "axum", feature = "sqlite"))]
#[doc = include_str!("../../../README.md")]
struct Readme;
