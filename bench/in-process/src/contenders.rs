//! Who is compared.

mod axum_session;
mod bare;
mod ruts;
mod tenure;
mod tower_sesh;
mod tower_sessions;

use std::pin::Pin;

use ::axum_session::Key as AxumSessionKey;
use axum::Router;
use measure::version_of;
use tenure_core::Sealing;

/// A library in one of its configurations.
pub struct Candidate {
    pub name: &'static str,
    pub version: String,
    pub router: RouterMaker,
}

type RouterMaker =
    Box<dyn Fn() -> Pin<Box<dyn Future<Output = anyhow::Result<Router>>>> + std::panic::RefUnwindSafe>;

pub const BARE: &str = "bare router";
pub const EXTENSION: &str = "an extension only";
pub const TENURE_SEALED: &str = "Tenure, sealed";
pub const TENURE_UNSEALED: &str = "Tenure, unsealed";
pub const TOWER_SESSIONS_SIGNED: &str = "tower-sessions, signed";

/// 64 bytes, for libraries that take their keys so.
pub(crate) const KEY: &[u8; 64] = b"k5Vn2qXc8RzT1yLw4BsJ7hDgF0mPaE3uQ9tYxN6vCbKZiHoSdGfMjUrWlAeOpI1z";

pub fn candidates() -> Vec<Candidate> {
    vec![
        candidate(BARE, "axum", || async { Ok(bare::router()) }),
        candidate(EXTENSION, "axum", || async { Ok(bare::with_extension()) }),
        candidate(TENURE_SEALED, "tenure-core", || async {
            tenure::router(Sealing::Sealed)
        }),
        candidate(TENURE_UNSEALED, "tenure-core", || async {
            tenure::router(Sealing::Plain)
        }),
        candidate("tower-sessions, plain", "tower-sessions", || async {
            Ok(tower_sessions::plain())
        }),
        candidate(TOWER_SESSIONS_SIGNED, "tower-sessions", || async {
            Ok(tower_sessions::signed())
        }),
        candidate("axum_session, plain", "axum_session", || {
            axum_session::router(None)
        }),
        candidate("axum_session, signed", "axum_session", || {
            axum_session::router(Some(AxumSessionKey::from(KEY)))
        }),
        candidate("ruts, plain", "ruts", || async { Ok(ruts::plain()) }),
        candidate("ruts, signed", "ruts", || async { Ok(ruts::signed()) }),
        candidate("tower-sesh, signed", "tower-sesh", || async {
            Ok(tower_sesh::signed())
        }),
    ]
}

fn candidate<F, M>(name: &'static str, package: &str, make: M) -> Candidate
where
    M: Fn() -> F + std::panic::RefUnwindSafe + 'static,
    F: Future<Output = anyhow::Result<Router>> + 'static,
{
    Candidate {
        name,
        version: version_of(package),
        router: Box::new(move || Box::pin(make())),
    }
}
