//! The site on axum, for any library whose session is an extractor.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::header::COOKIE;
use http::{HeaderMap, StatusCode};
use tokio::net::TcpListener;

use crate::control::Control;
use crate::site::{Instance, NOTHING, Site};

/// A library's session, used as its documentation says.
pub trait Handle: FromRequestParts<Control> + Send + Sync + 'static {
    fn get(&self, key: &'static str) -> impl Future<Output = anyhow::Result<Option<String>>> + Send;
    fn set(&self, key: &'static str, value: String) -> impl Future<Output = anyhow::Result<()>> + Send;
    /// Adds one to `count`, by the library's best means.
    fn add_one(&self) -> impl Future<Output = anyhow::Result<()>> + Send;
    fn clear(&self) -> impl Future<Output = anyhow::Result<()>> + Send;
    fn renew(&self) -> impl Future<Output = anyhow::Result<()>> + Send;
    fn sign_in(&self) -> impl Future<Output = anyhow::Result<()>> + Send {
        async {
            self.renew().await?;
            self.set("user", "ada".to_owned()).await
        }
    }
    fn sign_out(&self) -> impl Future<Output = anyhow::Result<()>> + Send;
}

pub struct AxumSite {
    instances: [SocketAddr; 2],
}

impl Site for AxumSite {
    fn instance(&self, which: Instance) -> SocketAddr {
        self.instances[which as usize]
    }
}

impl AxumSite {
    /// `layered` puts the library's layer around the routes, once for each instance.
    pub async fn start<H, F>(
        control: Control,
        layered: impl Fn(Router<Control>) -> F,
    ) -> anyhow::Result<Box<dyn Site>>
    where
        H: Handle,
        F: Future<Output = anyhow::Result<Router<Control>>>,
    {
        let mut instances = Vec::new();
        for _ in 0..2 {
            let router = layered(routes::<H>())
                .await?
                .merge(controls())
                .with_state(control.clone());
            let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
            instances.push(listener.local_addr()?);
            let service = router.into_make_service_with_connect_info::<SocketAddr>();
            tokio::spawn(async move { axum::serve(listener, service).await });
        }
        let instances = instances
            .try_into()
            .map_err(|_| anyhow::anyhow!("two instances"))?;
        Ok(Box::new(Self { instances }))
    }
}

/// What a handler answers with, or 500.
struct Answered(anyhow::Result<String>);

impl IntoResponse for Answered {
    fn into_response(self) -> Response {
        match self.0 {
            Ok(text) => text.into_response(),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        }
    }
}

fn done(result: anyhow::Result<()>) -> Answered {
    Answered(result.map(|()| "done".to_owned()))
}

fn routes<H: Handle>() -> Router<Control> {
    Router::new()
        .route("/value/{key}", get(read::<H>))
        .route("/value/{key}/{value}", post(write::<H>))
        .route("/cleared/{key}/{value}", post(write_cleared::<H>))
        .route("/sign-in", post(async |session: H| done(session.sign_in().await)))
        .route(
            "/sign-out",
            post(async |session: H| done(session.sign_out().await)),
        )
        .route("/renew-and-fail", post(renew_and_fail::<H>))
        .route("/held/value/{key}/{value}", post(write_late::<H>))
        .route("/held/count", post(count_late::<H>))
        .route("/held/for-ever", get(wait_for_ever::<H>))
}

async fn read<H: Handle>(session: H, Path(key): Path<String>) -> Answered {
    Answered(
        async {
            Ok(session
                .get(known(&key)?)
                .await?
                .unwrap_or_else(|| NOTHING.to_owned()))
        }
        .await,
    )
}

async fn write<H: Handle>(session: H, Path((key, value)): Path<(String, String)>) -> Answered {
    done(async { session.set(known(&key)?, value).await }.await)
}

async fn write_cleared<H: Handle>(session: H, Path((key, value)): Path<(String, String)>) -> Answered {
    let written = async {
        session.clear().await?;
        session.set(known(&key)?, value).await
    };
    done(written.await)
}

async fn renew_and_fail<H: Handle>(session: H) -> Answered {
    Answered(
        session
            .renew()
            .await
            .and_then(|()| anyhow::bail!("the handler fails")),
    )
}

async fn write_late<H: Handle>(
    session: H,
    State(control): State<Control>,
    Path((key, value)): Path<(String, String)>,
    body: Body,
) -> Answered {
    let written = async {
        read_then_wait(&session, &control, body).await?;
        session.set(known(&key)?, value).await
    };
    done(written.await)
}

async fn count_late<H: Handle>(session: H, State(control): State<Control>, body: Body) -> Answered {
    let counted = async {
        read_then_wait(&session, &control, body).await?;
        session.add_one().await
    };
    done(counted.await)
}

async fn wait_for_ever<H: Handle>(session: H, State(control): State<Control>) -> Answered {
    let waited = async {
        session.set("late", "1".to_owned()).await?;
        let _waiting = control.waits();
        std::future::pending().await
    };
    done(waited.await)
}

async fn read_then_wait<H: Handle>(session: &H, control: &Control, body: Body) -> anyhow::Result<()> {
    session.get("user").await?;
    let _waiting = control.waits();
    axum::body::to_bytes(body, 1_000).await?;
    Ok(())
}

fn known(key: &str) -> anyhow::Result<&'static str> {
    crate::site::known_key(key)
}

fn controls() -> Router<Control> {
    Router::new()
        .route(
            "/control/waiting",
            get(async |State(control): State<Control>| control.waiting().to_string()),
        )
        .route(
            "/control/loads/fail",
            post(async |State(control): State<Control>| control.store.fail_loads(true)),
        )
        .route(
            "/control/loads/work",
            post(async |State(control): State<Control>| control.store.fail_loads(false)),
        )
        .route(
            "/control/dump",
            get(async |State(control): State<Control>| axum::Json(control.store.dump().await)),
        )
        .route("/control/forgery", get(forgery))
}

async fn forgery(State(control): State<Control>, headers: HeaderMap) -> Answered {
    let cookies = headers.get(COOKIE).and_then(|value| value.to_str().ok());
    let forgery = control.forgery(cookies.unwrap_or_default()).await;
    Answered(forgery.and_then(|forgery| Ok(serde_json::to_string(&forgery)?)))
}
