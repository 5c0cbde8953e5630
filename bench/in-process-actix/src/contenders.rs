//! Who is compared.

use std::sync::atomic::{AtomicU64, Ordering};

use actix_session::SessionMiddleware;
use actix_session::config::CookieContentSecurity;
use actix_web::App;
use actix_web::cookie::Key;
use actix_web::web::{ServiceConfig, get};
use measure::{Payload, Subject, Task, Work};
use tenure_actix::SessionLayer;
use tenure_core::{Environment, Keyring, Policy, Sealing, Secret, Sessions};

use crate::memory_store::MemoryStore;
use crate::subject::begun;

const BARE: &str = "bare application";
const SEALED: &str = "Tenure, sealed";
const UNSEALED: &str = "Tenure, unsealed";
pub const SIGNED: &str = "actix-session, signed";
const PRIVATE: &str = "actix-session, encrypted cookie";

/// The bare baseline first.
pub const NAMES: [&str; 5] = [BARE, SEALED, UNSEALED, SIGNED, PRIVATE];

const KEY: &[u8; 64] = b"k5Vn2qXc8RzT1yLw4BsJ7hDgF0mPaE3uQ9tYxN6vCbKZiHoSdGfMjUrWlAeOpI1z";

/// # Errors
/// If there is none of that name.
pub fn subject(name: &str, work: Work) -> anyhow::Result<Box<dyn Subject>> {
    Ok(match name {
        BARE => begun(App::new().configure(bare), work),
        SEALED => begun(
            App::new()
                .wrap(SessionLayer::new(sessions(Sealing::Sealed)?))
                .configure(tenure),
            work,
        ),
        UNSEALED => begun(
            App::new()
                .wrap(SessionLayer::new(sessions(Sealing::Plain)?))
                .configure(tenure),
            work,
        ),
        SIGNED => begun(
            App::new()
                .wrap(middleware(CookieContentSecurity::Signed))
                .configure(actix),
            work,
        ),
        PRIVATE => begun(
            App::new()
                .wrap(middleware(CookieContentSecurity::Private))
                .configure(actix),
            work,
        ),
        _ => anyhow::bail!("there is no {name}"),
    })
}

fn sessions(sealing: Sealing) -> anyhow::Result<Sessions> {
    // Sessions in memory are for development; all else is as in production.
    let policy = Policy::default()
        .environment(Environment::Development)
        .sealing(sealing);
    let keyring = Keyring::new(Secret::new("T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r"));
    Ok(Sessions::new(policy, keyring, tenure_core::MemoryStore::new())?)
}

fn middleware(security: CookieContentSecurity) -> SessionMiddleware<MemoryStore> {
    SessionMiddleware::builder(MemoryStore::default(), Key::from(KEY))
        .cookie_content_security(security)
        .build()
}

fn bare(config: &mut ServiceConfig) {
    for task in Task::ALL {
        config.route(task.path(), get().to(async || "x"));
    }
    for payload in Payload::ALL {
        config.route(payload.fill_path(), get().to(async || "x"));
    }
}

fn tenure(config: &mut ServiceConfig) {
    use tenure_actix::Session;
    use tenure_core::Key;

    const N: Key<u64> = Key::new("n");
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

    config
        .route("/ignore", get().to(async || "x"))
        .route("/read", get().to(read))
        .route("/write", get().to(write))
        .route("/renew", get().to(renew));
    for payload in Payload::ALL {
        let fill = move |session: Session| async move {
            session.insert(N, &7).unwrap();
            for (key, text) in payload.texts() {
                session.insert(Key::new(key), &text).unwrap();
            }
            "x"
        };
        config.route(payload.fill_path(), get().to(fill));
    }
}

fn actix(config: &mut ServiceConfig) {
    use actix_session::Session;

    async fn read(session: Session) -> &'static str {
        session.get::<u64>("n").unwrap().unwrap();
        "x"
    }

    async fn write(session: Session) -> &'static str {
        session.insert("n", next_number()).unwrap();
        "x"
    }

    async fn renew(session: Session) -> &'static str {
        session.renew();
        "x"
    }

    config
        .route("/ignore", get().to(async || "x"))
        .route("/read", get().to(read))
        .route("/write", get().to(write))
        .route("/renew", get().to(renew));
    for payload in Payload::ALL {
        let fill = move |session: Session| async move {
            session.insert("n", 7).unwrap();
            for (key, text) in payload.texts() {
                session.insert(key, text).unwrap();
            }
            "x"
        };
        config.route(payload.fill_path(), get().to(fill));
    }
}

/// A number that was not written before, for a value that is there already is no write to some.
fn next_number() -> u64 {
    static NUMBER: AtomicU64 = AtomicU64::new(1_000_000);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}
