use std::error::Error;

use axum::{Router, routing::get};
use tenure::axum::{Session, SessionError, SessionLayer};
use tenure::{Key, Keyring, Policy, Sessions, sqlite::SqliteStore};

const VISITS: Key<u32> = Key::new("visits");

async fn hello(session: Session) -> Result<String, SessionError> {
    let visits = session.update(VISITS, |visits| visits.unwrap_or(0) + 1)?;
    Ok(format!("This is visit number {visits}."))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = SqliteStore::open("sessions.db").await?;
    let sessions = Sessions::new(Policy::default(), Keyring::from_env("SESSION_SECRET")?, store)?;
    let app = Router::new().route("/", get(hello)).layer(SessionLayer::new(sessions));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, app).await?)
}
