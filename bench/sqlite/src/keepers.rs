//! Who is compared.

mod axum_session;
mod tenure;
mod tower_sessions;

use std::path::PathBuf;

use futures_util::future::BoxFuture;
use measure::version_of;

use crate::keeper::{Durability, Keeper};

/// A library, and how many connections it is given.
pub struct Kind {
    pub name: &'static str,
    pub is_ours: bool,
    pub version: fn() -> String,
    pub open: fn(PathBuf, Durability) -> BoxFuture<'static, anyhow::Result<Keeper>>,
}

/// The peers with one connection, which never waits for a lock, and with sqlx's usual ten.
pub static KINDS: [Kind; 5] = [
    Kind {
        name: "Tenure",
        is_ours: true,
        version: || version_of("tenure-sql"),
        open: |file, durability| Box::pin(tenure::open(file, durability)),
    },
    Kind {
        name: "tower-sessions, 1 connection",
        is_ours: false,
        version: || version_of("tower-sessions-sqlx-store"),
        open: |file, durability| Box::pin(tower_sessions::open(file, durability, 1)),
    },
    Kind {
        name: "tower-sessions, 10 connections",
        is_ours: false,
        version: || version_of("tower-sessions-sqlx-store"),
        open: |file, durability| Box::pin(tower_sessions::open(file, durability, 10)),
    },
    Kind {
        name: "axum_session, 1 connection",
        is_ours: false,
        version: || version_of("axum_session_sqlx"),
        open: |file, durability| Box::pin(axum_session::open(file, durability, 1)),
    },
    Kind {
        name: "axum_session, 10 connections",
        is_ours: false,
        version: || version_of("axum_session_sqlx"),
        open: |file, durability| Box::pin(axum_session::open(file, durability, 10)),
    },
];
