//! Who is probed.

mod actix_session;
mod axum_session;
mod node;
mod ruts;
mod tenure;
mod tower_sessions;

use std::pin::Pin;

use measure::version_of;
use tenure_core::Sealing;

use crate::site::Site;

/// A library in one of its configurations.
pub struct Library {
    pub name: &'static str,
    pub version: String,
    pub ours: Ours,
    pub start: Start,
}

/// Whether a blemish is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ours {
    No,
    /// It has to be without a blemish.
    Engine,
    /// It keeps the habits, and the stores, of the library that it takes the place of.
    DropIn,
}

type Started = Pin<Box<dyn Future<Output = anyhow::Result<Box<dyn Site>>>>>;
type Start = Box<dyn Fn() -> Started>;

/// 64 bytes, for libraries that take their keys so.
const KEY: &[u8; 64] = b"k5Vn2qXc8RzT1yLw4BsJ7hDgF0mPaE3uQ9tYxN6vCbKZiHoSdGfMjUrWlAeOpI1z";

pub fn libraries() -> anyhow::Result<Vec<Library>> {
    let mut libraries = vec![
        library("Tenure, sealed", "tenure-core", Ours::Engine, || {
            tenure::site(Sealing::Sealed)
        }),
        library("Tenure, unsealed", "tenure-core", Ours::Engine, || {
            tenure::site(Sealing::Plain)
        }),
        library("tower-sessions, plain", "tower-sessions", Ours::No, || {
            tower_sessions::site(None)
        }),
        library("tower-sessions, signed", "tower-sessions", Ours::No, || {
            tower_sessions::site(Some(KEY))
        }),
        library("axum_session, plain", "axum_session", Ours::No, || {
            axum_session::site(None)
        }),
        library("axum_session, signed", "axum_session", Ours::No, || {
            axum_session::site(Some(KEY))
        }),
        library("ruts, plain", "ruts", Ours::No, || ruts::site(None)),
        library("ruts, signed", "ruts", Ours::No, || ruts::site(Some(KEY))),
        library("actix-session", "actix-session", Ours::No, actix_session::site),
    ];
    libraries.extend(node::libraries()?);
    Ok(libraries)
}

fn library<F>(name: &'static str, package: &str, ours: Ours, start: impl Fn() -> F + 'static) -> Library
where
    F: Future<Output = anyhow::Result<Box<dyn Site>>> + 'static,
{
    Library {
        name,
        version: version_of(package),
        ours,
        start: Box::new(move || Box::pin(start())),
    }
}
