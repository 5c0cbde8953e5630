//! Who is compared.

use actix_session::SessionMiddleware;
use actix_session::config::CookieContentSecurity;
use actix_web::cookie::Key;
use actix_web::web::{ServiceConfig, get};
use actix_web::{App, Route};
use measure::{Payload, Subject, Task, Work, next_number, sessions};
use tenure_actix::SessionLayer;
use tenure_core::Sealing;

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
                .wrap(SessionLayer::new(sessions(
                    Sealing::Sealed,
                    tenure_core::MemoryStore::new(),
                )?))
                .configure(tenure),
            work,
        ),
        UNSEALED => begun(
            App::new()
                .wrap(SessionLayer::new(sessions(
                    Sealing::Plain,
                    tenure_core::MemoryStore::new(),
                )?))
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

fn middleware(security: CookieContentSecurity) -> SessionMiddleware<MemoryStore> {
    SessionMiddleware::builder(MemoryStore::default(), Key::from(KEY))
        .cookie_content_security(security)
        .build()
}

/// `does` is the handler of a task, and `fill` that which puts a payload into a new session.
fn routes(config: &mut ServiceConfig, does: impl Fn(Task) -> Route, fill: impl Fn(Payload) -> Route) {
    for task in Task::ALL {
        config.route(task.path(), does(task));
    }
    for payload in Payload::ALL {
        config.route(payload.fill_path(), fill(payload));
    }
}

fn ignored() -> Route {
    get().to(async || "x")
}

fn bare(config: &mut ServiceConfig) {
    routes(config, |_| ignored(), |_| ignored());
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

    let does = |task| match task {
        Task::Ignore => ignored(),
        Task::Read => get().to(read),
        Task::Write => get().to(write),
        Task::Renew => get().to(renew),
    };
    let fill = |payload: Payload| {
        get().to(move |session: Session| async move {
            session.insert(N, &7).unwrap();
            for (key, text) in payload.texts() {
                session.insert(Key::new(key), &text).unwrap();
            }
            "x"
        })
    };
    routes(config, does, fill);
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

    let does = |task| match task {
        Task::Ignore => ignored(),
        Task::Read => get().to(read),
        Task::Write => get().to(write),
        Task::Renew => get().to(renew),
    };
    let fill = |payload: Payload| {
        get().to(move |session: Session| async move {
            session.insert("n", 7).unwrap();
            for (key, text) in payload.texts() {
                session.insert(key, text).unwrap();
            }
            "x"
        })
    };
    routes(config, does, fill);
}
