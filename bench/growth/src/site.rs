//! An application in this process, and the browser that it serves.

use std::time::{Duration, Instant};

use anyhow::Context;
use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::routing::get;
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderValue, Request, StatusCode};
use measure::{Options, Spread};
use tenure_core::{Environment, Key, Keyring, Policy, Secret, Sessions, Store};
use tenure_tower::{Session, SessionError, SessionLayer};
use tower::ServiceExt;

/// The number that every session holds.
const N: Key<u64> = Key::new("n");

#[derive(Clone)]
pub struct Site {
    router: Router,
    cookie: HeaderValue,
}

/// `texts` are what the session holds beside `n`.
pub async fn visited(store: impl Store, texts: Vec<(&'static str, String)>) -> anyhow::Result<Site> {
    // Sessions in memory are for development, and large ones have to be allowed; all else is as in production.
    let policy = Policy::default()
        .environment(Environment::Development)
        .max_data_bytes(256 * 1_024)
        .store_deadline(Duration::from_secs(30));
    let keyring = Keyring::new(Secret::new("T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r"));
    let sessions = Sessions::new(policy, keyring, store)?;
    let router = Router::new()
        .route("/fill", get(async move |session: Session| fill(&session, &texts)))
        .route("/read", get(read))
        .route("/write/{number}", get(write))
        .route("/count", get(count))
        .layer(SessionLayer::new(sessions));
    let mut site = Site {
        router,
        cookie: HeaderValue::from_static("other=1"),
    };
    let filled = site.router.clone().oneshot(site.request("/fill")?).await?;
    anyhow::ensure!(filled.status() == StatusCode::OK, "filling: {}", filled.status());
    let cookie = filled
        .headers()
        .get(SET_COOKIE)
        .context("a new session has a cookie")?
        .to_str()?;
    site.cookie = cookie.split(';').next().unwrap_or_default().parse()?;
    Ok(site)
}

fn fill(session: &Session, texts: &[(&'static str, String)]) -> Result<(), SessionError> {
    session.insert(N, &7)?;
    for (key, text) in texts {
        session.insert(Key::new(key), text)?;
    }
    Ok(())
}

async fn read(session: Session) -> Result<String, SessionError> {
    Ok(session.get(N)?.unwrap_or_default().to_string())
}

async fn write(session: Session, Path(number): Path<u64>) -> Result<(), SessionError> {
    Ok(session.insert(N, &number)?)
}

async fn count(session: Session) -> Result<(), SessionError> {
    session.update(N, |count| count.unwrap_or_default() + 1)?;
    Ok(())
}

impl Site {
    fn request(&self, path: &str) -> anyhow::Result<Request<Body>> {
        Ok(Request::get(path)
            .header(COOKIE, &self.cookie)
            .body(Body::empty())?)
    }

    /// How long a request takes, without the making of it.
    pub async fn ask(&self, path: &str) -> anyhow::Result<Duration> {
        let request = self.request(path)?;
        let router = self.router.clone();
        let start = Instant::now();
        let answered = router.oneshot(request).await?;
        let took = start.elapsed();
        anyhow::ensure!(
            answered.status() == StatusCode::OK,
            "{path}: {}",
            answered.status()
        );
        Ok(took)
    }

    /// The median over the rounds of the nanoseconds that reading takes, and of those that writing does.
    pub async fn costs(&self, options: &Options) -> anyhow::Result<Costs> {
        let rounds = if options.is_quick { 10 } else { 60 };
        let (mut reads, mut writes) = (Vec::new(), Vec::new());
        for round in 0..rounds {
            let mut took = [Duration::ZERO; 2];
            for request in 0..REQUESTS {
                took[0] += self.ask("/read").await?;
                took[1] += self
                    .ask(&format!("/write/{}", round * REQUESTS + request))
                    .await?;
            }
            let [read, write] = took.map(|took| took.as_nanos() as f64 / f64::from(REQUESTS));
            reads.push(read);
            writes.push(write);
        }
        // Without what was met once.
        Ok(Costs {
            read: Spread::of(&reads[rounds as usize / 10..]).median,
            write: Spread::of(&writes[rounds as usize / 10..]).median,
        })
    }
}

const REQUESTS: u32 = 50;

/// Nanoseconds a request.
#[derive(Clone, Copy, Debug)]
pub struct Costs {
    pub read: f64,
    pub write: f64,
}
