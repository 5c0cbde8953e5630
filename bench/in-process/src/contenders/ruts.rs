//! ruts with its store on moka, the only one of its that is in memory.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use measure::{Payload, next_number};
use ruts::store::Ttl;
use ruts::store::moka::{MokaStore, MokaStoreBuilder};
use ruts::{CookieOptions, Key, SessionLayer};
use tower_cookies::CookieManagerLayer;

use super::KEY;

type Session = ruts::Session<MokaStore>;

pub(crate) fn plain() -> Router {
    layered(CookieOptions::build().name("session"))
}

pub(crate) fn signed() -> Router {
    layered(CookieOptions::build().name("session").signing_key(Key::from(KEY)))
}

fn layered(options: CookieOptions) -> Router {
    let router = Router::new()
        .route("/ignore", get(async || "x"))
        .route("/read", get(read))
        .route("/write", get(write))
        .route("/renew", get(renew));
    let router = Payload::ALL.into_iter().fold(router, |router, payload| {
        router.route(
            payload.fill_path(),
            get(move |session: Session| fill(session, payload)),
        )
    });
    let store = Arc::new(MokaStoreBuilder::new().build());
    let options = options.http_only(true).secure(true).max_age(3_600).path("/");
    router
        .layer(SessionLayer::new(store).with_cookie_options(options))
        .layer(CookieManagerLayer::new())
}

fn an_hour() -> Ttl {
    Ttl::new(3_600).unwrap()
}

async fn read(session: Session) -> &'static str {
    session.get::<u64>("n").await.unwrap().unwrap();
    "x"
}

async fn write(session: Session) -> &'static str {
    session.set("n", &next_number(), an_hour(), None).await.unwrap();
    "x"
}

async fn renew(session: Session) -> &'static str {
    session.regenerate().await.unwrap();
    "x"
}

async fn fill(session: Session, payload: Payload) -> &'static str {
    session.set("n", &7_u64, an_hour(), None).await.unwrap();
    for (key, text) in payload.texts() {
        session.set(key, &text, an_hour(), None).await.unwrap();
    }
    "x"
}
