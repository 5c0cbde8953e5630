//! An Express application on express-session and a service on Tenure share sessions: one browser goes from one to the
//! other, over each of the stores.

mod cookies;
mod express_app;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tenure::axum::{ExpressSession, ExpressSessionLayer, SessionError};
use tenure::express::{CookieSecrets, ExpressCookie, ExpressSessions, ExpressStore};
use tenure::mongodb::{ConnectMongo, MongoStore};
use tenure::mysql::{ExpressMySqlSession, MySqlStore};
use tenure::postgres::{ConnectPgSimple, PostgresStore};
use tenure::redis::{ConnectRedis, RedisStore};
use tenure::{Key, SameSite};
use tenure_testkit::servers::redis::RedisServer;
use tenure_testkit::servers::{MariaDbServer, MongoServer, PostgresServer};
use tokio::net::TcpListener;

use express_app::ExpressApp;

const VISITS: Key<u64> = Key::new("visits");
const EXPRESS: Key<u64> = Key::new("express");
const RUST: Key<u64> = Key::new("rust");

/// As the Express application does in its route of that name.
async fn visit(session: ExpressSession) -> Result<Json<Value>, SessionError> {
    let seen = seen(&session)?;
    session.update(VISITS, |visits| visits.unwrap_or(0) + 1)?;
    session.update(RUST, |visits| visits.unwrap_or(0) + 1)?;
    Ok(seen)
}

/// While this request is under way, the same browser visits the Express application.
async fn visit_while_express_is_visited(
    State(express): State<String>,
    headers: HeaderMap,
    session: ExpressSession,
) -> Result<Json<Value>, SessionError> {
    let answer = visit(session).await?;
    let request = reqwest::Client::new().get(format!("{express}/visit"));
    let response = request.header("cookie", &headers["cookie"]).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    // express-session sends the headers before it saves, and the last byte afterwards.
    response.bytes().await.unwrap();
    Ok(answer)
}

async fn look(session: ExpressSession) -> Result<Json<Value>, SessionError> {
    seen(&session)
}

async fn destroy(session: ExpressSession) {
    session.destroy();
}

async fn regenerate(session: ExpressSession) {
    session.regenerate();
}

fn seen(session: &ExpressSession) -> Result<Json<Value>, SessionError> {
    let [visits, express, rust] = [VISITS, EXPRESS, RUST].map(|key| session.get(key));
    let number = |value: Option<u64>| value.unwrap_or(0);
    Ok(Json(json!({
        "visits": number(visits?), "express": number(express?), "rust": number(rust?),
    })))
}

/// Both, over one store.
struct Pair {
    express: String,
    rust: String,
    _app: ExpressApp,
}

impl Pair {
    /// `connect` once the Express application runs.
    async fn start<S: ExpressStore>(layout: &str, url: &str, connect: impl Future<Output = S>) -> Self {
        let app = ExpressApp::start(layout, url);
        let secrets = CookieSecrets::new("keyboard cat").with_older("an older cat");
        let cookie = ExpressCookie::like_express_session().same_site(Some(SameSite::Lax));
        let sessions = ExpressSessions::builder(secrets, connect.await)
            .cookie(cookie)
            .max_age(Duration::from_secs(3_600))
            .build()
            .unwrap();
        let routes = Router::new()
            .route("/visit", get(visit))
            .route(
                "/visit-while-express-is-visited",
                get(visit_while_express_is_visited),
            )
            .route("/look", get(look))
            .route("/destroy", get(destroy))
            .route("/regenerate", get(regenerate))
            .layer(ExpressSessionLayer::new(sessions))
            .with_state(app.url());
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
            .await
            .unwrap();
        let rust = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self {
            express: app.url(),
            rust,
            _app: app,
        }
    }
}

/// A browser with one jar for the two, which are on the same host.
#[derive(Default)]
struct Browser {
    client: reqwest::Client,
    cookie: Option<String>,
    /// The attributes of the last `Set-Cookie`.
    attributes: String,
}

impl Browser {
    async fn get(&mut self, url: &str, path: &str) -> Value {
        let mut request = self.client.get(format!("{url}{path}"));
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        if let Some(set_cookie) = response.headers().get("set-cookie") {
            let (cookie, attributes) = set_cookie.to_str().unwrap().split_once("; ").unwrap();
            let is_removal = cookie.ends_with('=');
            self.cookie = (!is_removal).then(|| cookie.to_owned());
            self.attributes = attributes.to_owned();
        }
        let body = response.bytes().await.unwrap();
        serde_json::from_slice(&body).unwrap_or_default()
    }
}

/// One session, written in turn by the two.
async fn alternate(pair: &Pair, rounds: u64) {
    let mut browser = Browser::default();
    let expected =
        |visits: u64, express: u64, rust: u64| json!({ "visits": visits, "express": express, "rust": rust });
    for round in 0..rounds {
        // Each of them begins a session once in a while, and the other one takes it over.
        let (first, second) = if round % 2 == 0 {
            (&pair.express, &pair.rust)
        } else {
            (&pair.rust, &pair.express)
        };
        let before = browser.get(first, "/visit").await;
        let (cookie, attributes) = (browser.cookie.clone(), browser.attributes.clone());
        assert_eq!(before, expected(2 * round, round, round));
        let between = browser.get(second, "/visit").await;
        let by_first = if round % 2 == 0 {
            (round + 1, round)
        } else {
            (round, round + 1)
        };
        assert_eq!(between, expected(2 * round + 1, by_first.0, by_first.1));
        assert_eq!(browser.cookie, cookie, "the same session, signed alike");
        assert_eq!(without_time(&browser.attributes), without_time(&attributes));
    }
    let by_rust = browser.get(&pair.rust, "/look").await;
    assert_eq!(by_rust, expected(2 * rounds, rounds, rounds));
    let by_express = browser.get(&pair.express, "/look").await;
    assert_eq!(
        by_express["profile"],
        json!({
            "born": "1970-01-01T00:00:00.000Z", "tags": ["né", "東京", null, 0.5], "nested": { "$set": 1 },
        }),
        "what the service on Tenure does not know is as the Express application wrote it"
    );
}

fn without_time(attributes: &str) -> Vec<&str> {
    let attributes: Vec<_> = attributes.split("; ").collect();
    assert_eq!(attributes.len(), 4, "{attributes:?}");
    attributes
        .into_iter()
        .filter(|attribute| !attribute.starts_with("Expires="))
        .collect()
}

/// The beginnings and ends of sessions.
async fn begin_and_end(pair: &Pair) {
    for (one, other) in [(&pair.express, &pair.rust), (&pair.rust, &pair.express)] {
        let mut browser = Browser::default();
        browser.get(one, "/visit").await;
        assert_eq!(browser.get(other, "/visit").await["visits"], 1);

        let mut thief = Browser {
            cookie: browser.cookie.clone(),
            ..Browser::default()
        };
        browser.get(one, "/regenerate").await;
        assert_ne!(browser.cookie, thief.cookie);
        assert_ne!(browser.get(other, "/look").await["visits"], Value::Null);
        let stolen = thief.get(other, "/visit").await;
        assert_eq!(stolen["visits"], 0, "the old id opens nothing");

        let cookie = browser.cookie.clone();
        browser.get(one, "/destroy").await;
        browser.cookie = cookie.clone();
        assert_eq!(browser.get(other, "/visit").await["visits"], 0);
        assert_ne!(
            browser.cookie, cookie,
            "an id of a session that is gone is not adopted"
        );
    }
}

/// What the Express application writes while a request is under way here is not lost.
async fn write_at_once(pair: &Pair) {
    let mut browser = Browser::default();
    browser.get(&pair.express, "/visit").await;
    for round in 0..20 {
        browser.get(&pair.rust, "/visit-while-express-is-visited").await;
        let seen = browser.get(&pair.rust, "/look").await;
        let expected = json!({ "visits": 2 * round + 3, "express": round + 2, "rust": round + 1 });
        assert_eq!(seen, expected);
    }
}

async fn share(pair: &Pair, rounds: u64) {
    alternate(pair, rounds).await;
    begin_and_end(pair).await;
    write_at_once(pair).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_in_redis_is_written_in_turn_a_thousand_times() {
    let server = RedisServer::standalone().unwrap_or_else(|error| panic!("{error}"));
    let url = server.url();
    let connect = async {
        let options = RedisStore::options(&url);
        options.connect_express(ConnectRedis::default()).await.unwrap()
    };
    let pair = Pair::start("connect-redis", &url, connect).await;
    share(&pair, 1_000).await;

    let mut browser = Browser::default();
    browser.get(&pair.express, "/visit").await;
    drop(server);
    let request = reqwest::Client::new().get(format!("{}/look", pair.rust));
    let response = request
        .header("cookie", browser.cookie.unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()["retry-after"], "1");
    assert!(!response.headers().contains_key("set-cookie"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_in_postgres_is_written_in_turn_a_thousand_times() {
    let server = PostgresServer::shared().unwrap_or_else(|error| panic!("{error}"));
    let url = server.url(&server.create_database());
    let connect = async {
        let layout = ConnectPgSimple::default().create_table_if_missing(true);
        let options = PostgresStore::options(&url);
        options.connect_express(layout).await.unwrap()
    };
    share(&Pair::start("connect-pg-simple", &url, connect).await, 1_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_in_mariadb_is_written_in_turn() {
    let server = MariaDbServer::shared().unwrap_or_else(|error| panic!("{error}"));
    let url = server.url(&server.create_database());
    let connect = async {
        let options = MySqlStore::options(&url);
        let layout = ExpressMySqlSession::default().create_table_if_missing(true);
        options.connect_express(layout).await.unwrap()
    };
    share(&Pair::start("express-mysql-session", &url, connect).await, 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_in_mongodb_is_written_in_turn_in_both_forms() {
    let server = Arc::new(MongoServer::start().unwrap_or_else(|error| panic!("{error}")));
    for (layout, database, sub_documents) in [
        ("connect-mongo", "text", false),
        ("connect-mongo of documents", "documents", true),
    ] {
        let url = server.url(database);
        let connect = async {
            let layout = ConnectMongo::default().sub_documents(sub_documents);
            let options = MongoStore::options(&url);
            options.connect_express(layout).await.unwrap()
        };
        share(&Pair::start(layout, &url, connect).await, 200).await;
    }
}
