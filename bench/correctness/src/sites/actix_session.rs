//! actix-session, on actix-web, with sessions in memory.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

use actix_session::storage::{
    LoadError, SaveError, SessionKey, SessionStore, UpdateError, generate_session_key,
};
use actix_session::{Session, SessionMiddleware};
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, CookieJar, Key};
use actix_web::error::ErrorInternalServerError;
use actix_web::http::header::COOKIE;
use actix_web::web::{Data, Json, Path, Payload, ServiceConfig, get, post};
use actix_web::{App, HttpRequest, HttpServer};
use anyhow::Context;

use super::KEY;
use crate::control::{Control, Watch};
use crate::forger::{Forger, Forgery};
use crate::site::{Instance, NOTHING, Site};

struct ActixSite {
    instances: [SocketAddr; 2],
}

impl Site for ActixSite {
    fn instance(&self, which: Instance) -> SocketAddr {
        self.instances[which as usize]
    }
}

/// On a runtime of its own, which lives as long as this process.
pub async fn site() -> anyhow::Result<Box<dyn Site>> {
    let store = Watched::default();
    let control = Control::of(store.watch.clone()).forged_by(Some(PrivateJarForger));
    let mut instances = Vec::new();
    for _ in 0..2 {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        instances.push(listener.local_addr()?);
        let (store, control) = (store.clone(), control.clone());
        std::thread::spawn(move || serve(listener, store, control));
    }
    let instances = instances
        .try_into()
        .map_err(|_| anyhow::anyhow!("two instances"))?;
    Ok(Box::new(ActixSite { instances }))
}

fn serve(listener: TcpListener, store: Watched, control: Control) -> std::io::Result<()> {
    let app = move || {
        App::new()
            .app_data(Data::new(control.clone()))
            .wrap(SessionMiddleware::new(store.clone(), Key::from(KEY)))
            .configure(routes)
    };
    let server = HttpServer::new(app)
        .workers(1)
        .disable_signals()
        .listen(listener)?;
    actix_web::rt::System::new().block_on(server.run())
}

type Answer = actix_web::Result<String>;

fn routes(config: &mut ServiceConfig) {
    config
        .route("/value/{key}", get().to(read))
        .route("/value/{key}/{value}", post().to(write))
        .route("/cleared/{key}/{value}", post().to(write_cleared))
        .route("/sign-in", post().to(sign_in))
        .route("/sign-out", post().to(sign_out))
        .route("/renew-and-fail", post().to(renew_and_fail))
        .route("/held/value/{key}/{value}", post().to(write_late))
        .route("/held/count", post().to(count_late))
        .route("/held/for-ever", get().to(wait_for_ever))
        .route(
            "/control/waiting",
            get().to(async |control: Data<Control>| control.waiting().to_string()),
        )
        .route(
            "/control/loads/fail",
            post().to(async |control: Data<Control>| fail_loads(&control, true)),
        )
        .route(
            "/control/loads/work",
            post().to(async |control: Data<Control>| fail_loads(&control, false)),
        )
        .route(
            "/control/dump",
            get().to(async |control: Data<Control>| Json(control.store.dump().await)),
        )
        .route("/control/forgery", get().to(forgery));
}

fn fail_loads(control: &Control, fail: bool) -> &'static str {
    control.store.fail_loads(fail);
    "done"
}

async fn forgery(control: Data<Control>, request: HttpRequest) -> Answer {
    let cookies = request
        .headers()
        .get(COOKIE)
        .and_then(|value| value.to_str().ok());
    let forgery = control.forgery(cookies.unwrap_or_default()).await;
    let forgery = forgery.map_err(ErrorInternalServerError)?;
    Ok(serde_json::to_string(&forgery)?)
}

async fn read(session: Session, key: Path<String>) -> Answer {
    let value: Option<serde_json::Value> = session.get(&key)?;
    let text = value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    Ok(text.unwrap_or_else(|| NOTHING.to_owned()))
}

async fn write(session: Session, path: Path<(String, String)>) -> Answer {
    session.insert(&path.0, &path.1)?;
    Ok("done".to_owned())
}

async fn write_cleared(session: Session, path: Path<(String, String)>) -> Answer {
    session.clear();
    write(session, path).await
}

async fn sign_in(session: Session) -> Answer {
    session.renew();
    session.insert("user", "ada")?;
    Ok("done".to_owned())
}

async fn sign_out(session: Session) -> Answer {
    session.purge();
    Ok("done".to_owned())
}

async fn renew_and_fail(session: Session) -> Answer {
    session.renew();
    Err(ErrorInternalServerError("the handler fails"))
}

async fn write_late(
    session: Session,
    control: Data<Control>,
    path: Path<(String, String)>,
    body: Payload,
) -> Answer {
    read_then_wait(&session, &control, body).await?;
    write(session, path).await
}

/// Not by `update`, which writes nothing where nothing was.
async fn count_late(session: Session, control: Data<Control>, body: Payload) -> Answer {
    read_then_wait(&session, &control, body).await?;
    let count: Option<u64> = session.get("count")?;
    session.insert("count", count.unwrap_or(0) + 1)?;
    Ok("done".to_owned())
}

async fn wait_for_ever(session: Session, control: Data<Control>) -> Answer {
    session.insert("late", "1")?;
    let _waiting = control.waits();
    std::future::pending().await
}

async fn read_then_wait(session: &Session, control: &Control, body: Payload) -> actix_web::Result<()> {
    session.get::<String>("user")?;
    let _waiting = control.waits();
    body.to_bytes().await?;
    Ok(())
}

/// It encrypts its cookies unless it is told to sign them.
struct PrivateJarForger;

const COOKIE_NAME: &str = "id";

impl PrivateJarForger {
    fn encrypted(text: &str) -> String {
        let mut jar = CookieJar::new();
        jar.private_mut(&Key::from(KEY))
            .add(Cookie::new(COOKIE_NAME, text.to_owned()));
        let pair = jar
            .get(COOKIE_NAME)
            .map(|cookie| cookie.stripped().encoded().to_string());
        let value = pair.as_deref().and_then(|pair| pair.split_once('='));
        value.map_or_else(String::new, |(_, value)| value.to_owned())
    }

    fn decrypted(cookie: &str) -> anyhow::Result<String> {
        let cookie = Cookie::parse_encoded(format!("{COOKIE_NAME}={cookie}"))?;
        let text = CookieJar::new().private(&Key::from(KEY)).decrypt(cookie);
        Ok(text
            .context("it is not encrypted in this way")?
            .value()
            .to_owned())
    }
}

impl Forger for PrivateJarForger {
    fn forge(&self, genuine: &str, dump: &[String]) -> anyhow::Result<Forgery> {
        Ok(Forgery {
            remade: Self::encrypted(&Self::decrypted(genuine)?),
            forged: dump.iter().map(|text| Self::encrypted(text)).collect(),
        })
    }
}

#[derive(Clone, Default)]
struct Watched {
    rows: Arc<Mutex<HashMap<String, HashMap<String, String>>>>,
    watch: Watch,
}

impl Watched {
    fn rows<T>(&self, with: impl FnOnce(&mut HashMap<String, HashMap<String, String>>) -> T) -> T {
        with(&mut self.rows.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn keeps(&self, key: &str, state: HashMap<String, String>) {
        self.watch.keeps(key);
        self.watch
            .keeps(serde_json::to_string(&state).unwrap_or_default());
        self.rows(|rows| rows.insert(key.to_owned(), state));
    }
}

/// As the one on Redis is: what is gone is made anew, under another key.
impl SessionStore for Watched {
    async fn load(&self, key: &SessionKey) -> Result<Option<HashMap<String, String>>, LoadError> {
        if self.watch.fails_loads() {
            return Err(LoadError::Other(anyhow::anyhow!("the store is out of order")));
        }
        Ok(self.rows(|rows| rows.get(key.as_ref()).cloned()))
    }

    async fn save(&self, state: HashMap<String, String>, _: &Duration) -> Result<SessionKey, SaveError> {
        let key = generate_session_key();
        self.keeps(key.as_ref(), state);
        Ok(key)
    }

    async fn update(
        &self,
        key: SessionKey,
        state: HashMap<String, String>,
        ttl: &Duration,
    ) -> Result<SessionKey, UpdateError> {
        if !self.rows(|rows| rows.contains_key(key.as_ref())) {
            return self
                .save(state, ttl)
                .await
                .map_err(|error| UpdateError::Other(error.into()));
        }
        self.keeps(key.as_ref(), state);
        Ok(key)
    }

    async fn update_ttl(&self, _: &SessionKey, _: &Duration) -> Result<(), anyhow::Error> {
        Ok(())
    }

    async fn delete(&self, key: &SessionKey) -> Result<(), anyhow::Error> {
        self.rows(|rows| rows.remove(key.as_ref()));
        Ok(())
    }
}
