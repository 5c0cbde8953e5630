//! axum_session without a database, which keeps its sessions in memory.

use axum::Router;
use axum::routing::get;
use axum_session::{Key, SessionConfig, SessionLayer, SessionNullPool, SessionStore};
use measure::{Payload, next_number};

type Session = axum_session::Session<SessionNullPool>;

pub(crate) async fn router(key: Option<Key>) -> anyhow::Result<Router> {
    let config = SessionConfig::default();
    let config = match key {
        Some(key) => config.with_key(key),
        None => config,
    };
    let store = SessionStore::<SessionNullPool>::new(None, config).await?;
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
    Ok(router.layer(SessionLayer::new(store)))
}

async fn read(session: Session) -> &'static str {
    session.get::<u64>("n").unwrap();
    "x"
}

async fn write(session: Session) -> &'static str {
    session.set("n", next_number());
    "x"
}

async fn renew(session: Session) -> &'static str {
    session.renew();
    "x"
}

fn fill(session: &Session, payload: Payload) -> &'static str {
    session.set("n", 7);
    for (key, text) in payload.texts() {
        session.set(key, text);
    }
    "x"
}
