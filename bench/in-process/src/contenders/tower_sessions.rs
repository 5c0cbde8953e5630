//! tower-sessions with its store in memory.

use axum::Router;
use axum::routing::get;
use measure::{Payload, next_number};
use tower_sessions::cookie::Key;
use tower_sessions::{MemoryStore, Session, SessionManagerLayer};

use super::KEY;

pub(crate) fn plain() -> Router {
    routes().layer(SessionManagerLayer::new(MemoryStore::default()))
}

pub(crate) fn signed() -> Router {
    routes().layer(SessionManagerLayer::new(MemoryStore::default()).with_signed(Key::from(KEY)))
}

fn routes() -> Router {
    let router = Router::new()
        .route("/ignore", get(async || "x"))
        .route("/read", get(read))
        .route("/write", get(write))
        .route("/renew", get(renew));
    Payload::ALL.into_iter().fold(router, |router, payload| {
        router.route(
            payload.fill_path(),
            get(move |session: Session| fill(session, payload)),
        )
    })
}

async fn read(session: Session) -> &'static str {
    session.get::<u64>("n").await.unwrap().unwrap();
    "x"
}

async fn write(session: Session) -> &'static str {
    session.insert("n", next_number()).await.unwrap();
    "x"
}

async fn renew(session: Session) -> &'static str {
    session.cycle_id().await.unwrap();
    "x"
}

async fn fill(session: Session, payload: Payload) -> &'static str {
    session.insert("n", 7).await.unwrap();
    for (key, text) in payload.texts() {
        session.insert(key, text).await.unwrap();
    }
    "x"
}
