//! A visit counter with sign-in, on actix-web. The README beside it says how to run it.

use std::error::Error;

use actix_web::http::header::LOCATION;
use actix_web::web::{Form, Html, get, post};
use actix_web::{App, HttpResponse, HttpServer};
use serde::Deserialize;
use tenure::actix::{Session, SessionError, SessionLayer, session_routes};
use tenure::sqlite::SqliteStore;
use tenure::{Key, Keyring, Policy, Sessions};

const VISITS: Key<u32> = Key::new("visits");

#[derive(Deserialize)]
struct Name {
    name: String,
}

async fn home(session: Session) -> Result<Html, SessionError> {
    let visits = session.update(VISITS, |visits| visits.unwrap_or(0) + 1)?;
    let form = match session.owner() {
        Some(owner) => format!(
            "<form method=post action=/sign-out>You are {}. <button>Sign out</button></form>",
            escaped(owner.as_str())
        ),
        None => "<form method=post action=/sign-in><input name=name required placeholder='Your name'> \
                 <button>Sign in</button></form>"
            .to_owned(),
    };
    Ok(Html::new(format!(
        "<!doctype html><title>Tenure on actix-web</title><p>This is visit number {visits}.</p>{form}"
    )))
}

/// An application would ask for a password here.
async fn sign_in(session: Session, Form(Name { name }): Form<Name>) -> Result<HttpResponse, SessionError> {
    session.sign_in(name)?;
    Ok(to_home())
}

async fn sign_out(session: Session) -> HttpResponse {
    session.sign_out();
    to_home()
}

fn to_home() -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, "/")).finish()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().init();
    let store = SqliteStore::open("actix-example.db").await?;
    let sessions = Sessions::new(Policy::default(), Keyring::from_env("SESSION_SECRET")?, store)?;
    let app = move || {
        App::new()
            .wrap(SessionLayer::new(sessions.clone()))
            .route("/", get().to(home))
            .route("/sign-in", post().to(sign_in))
            .route("/sign-out", post().to(sign_out))
            .service(session_routes("/session"))
    };
    HttpServer::new(app).bind(("127.0.0.1", 3000))?.run().await?;
    Ok(())
}
