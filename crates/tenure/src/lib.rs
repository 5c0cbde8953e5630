//! Sessions for web applications that are secure by default.
//!
//! ```no_run
//! # #[cfg(all(feature = "axum", feature = "sqlite"))] mod example {
//! use std::net::SocketAddr;
//!
//! use axum::{Router, routing::get};
//! use tenure::axum::{Session, SessionError, SessionLayer};
//! use tenure::{Key, Keyring, Policy, Sessions, sqlite::SqliteStore};
//!
//! const VISITS: Key<u32> = Key::new("visits");
//!
//! async fn hello(session: Session) -> Result<String, SessionError> {
//!     let visits = session.update(VISITS, |visits| visits.unwrap_or(0) + 1)?;
//!     Ok(format!("This is visit number {visits}."))
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let store = SqliteStore::open("sessions.db").await?;
//!     let sessions = Sessions::new(Policy::default(), Keyring::from_env("SESSION_SECRET")?, store)?;
//!     let app = Router::new().route("/", get(hello)).layer(SessionLayer::new(sessions));
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//!     Ok(axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?)
//! }
//! # }
//! # fn main() {}
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
//! | `actix` | `actix`: the middleware and the extractors for actix-web |
//! | `sqlite` | [`sqlite`]: the embedded store; compiles SQLite in |
//! | `mongodb` | [`mongodb`]: sessions in a MongoDB collection |
//! | `postgres` | `postgres`: PostgreSQL |
//! | `mysql` | `mysql`: MySQL and MariaDB |
//! | `redis` | `redis`: Redis and Valkey |
//! | `express` | sessions that are shared with an Express application: `express`, and what it takes in the door and the stores |
//! | `secrets` | `secrets`: a keyring that follows the place where its secrets are kept |
//! | `secrets-file`, `secrets-vault`, `secrets-aws`, `secrets-azure` | such places, each with its client |
//! | `metrics` | tells dashboards how it goes, through the `metrics` facade |
//! | `memory` | [`MemoryStore`], for development and tests |
//!
//! None is on by default, so that an application compiles what it uses and no more.

#![cfg_attr(not(test), warn(clippy::unwrap_used))]
#![cfg_attr(
    not(all(feature = "axum", feature = "sqlite", feature = "mongodb", feature = "memory")),
    allow(rustdoc::broken_intra_doc_links)
)]

mod connect;

pub use tenure_core::*;

/// The trait of a database, the stores' errors, and [`connect`](store::connect): a store by its URL.
pub mod store {
    pub use crate::connect::{ConnectError, connect};
    pub use tenure_core::store::*;
}

/// The layer for axum and any tower service, and the extractors.
#[cfg(feature = "axum")]
pub mod axum {
    pub use tenure_tower::*;
}

/// The middleware and the extractors for actix-web.
#[cfg(feature = "actix")]
pub mod actix {
    pub use tenure_actix::*;
}

/// The embedded store: sessions in a file, without a server.
#[cfg(feature = "sqlite")]
pub mod sqlite {
    pub use tenure_sql::sqlite::*;
}

/// Sessions in PostgreSQL.
#[cfg(feature = "postgres")]
pub mod postgres {
    pub use tenure_sql::postgres::*;
}

/// Sessions in MySQL or MariaDB.
#[cfg(feature = "mysql")]
pub mod mysql {
    pub use tenure_sql::mysql::*;
}

/// Sessions in a MongoDB collection.
#[cfg(feature = "mongodb")]
pub mod mongodb {
    pub use tenure_mongodb::*;
}

/// Redis and Valkey.
#[cfg(feature = "redis")]
pub mod redis {
    pub use tenure_redis::*;
}

/// Where secrets come from, and a keyring that follows them.
#[cfg(feature = "secrets")]
pub mod secrets {
    pub use tenure_secrets::*;
}

/// The README's code is compiled like any example.
#[cfg(all(doctest, feature = "axum", feature = "sqlite"))]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// So is that of the page about time.
#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../../../docs/telling-users-about-time.md")]
struct TellingUsersAboutTime;

/// And that of the page about requests from other sites.
#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../../../docs/csrf.md")]
struct RequestsFromOtherSites;

/// And that of the page about sharing sessions with Express.
#[cfg(all(doctest, feature = "axum", feature = "express", feature = "redis"))]
#[doc = include_str!("../../../docs/sharing-sessions-with-express.md")]
struct SharingSessionsWithExpress;
