//! Tenure as it comes, and without the seal.

use axum::Router;
use axum::routing::get;
use measure::{Payload, next_number, sessions};
use tenure_core::{Key, MemoryStore, Sealing};
use tenure_tower::{Session, SessionLayer};

const N: Key<u64> = Key::new("n");

pub(crate) fn router(sealing: Sealing) -> anyhow::Result<Router> {
    let router = Router::new()
        .route("/ignore", get(async || "x"))
        .route("/read", get(read))
        .route("/write", get(write))
        .route("/renew", get(renew));
    let router = Payload::ALL.into_iter().fold(router, |router, payload| {
        router.route(
            payload.fill_path(),
            get(async move |session: Session| fill(&session, payload)),
        )
    });
    Ok(router.layer(SessionLayer::new(sessions(sealing, MemoryStore::new())?)))
}

async fn read(session: Session) -> &'static str {
    session.get(N).unwrap().unwrap();
    "x"
}

async fn write(session: Session) -> &'static str {
    session.insert(N, &next_number()).unwrap();
    "x"
}

async fn renew(session: Session) -> &'static str {
    session.renew();
    "x"
}

fn fill(session: &Session, payload: Payload) -> &'static str {
    session.insert(N, &7).unwrap();
    for (key, text) in payload.texts() {
        session.insert(Key::new(key), &text).unwrap();
    }
    "x"
}
