//! The app in this process, and a visitor that speaks HTTP to it.

#![allow(
    dead_code,
    reason = "each test binary compiles this for itself and uses what it needs of it"
)]

#[cfg(unix)]
pub(crate) mod program;

use std::net::SocketAddr;
use std::time::Duration;

use demo::users::Users;
use demo::{App, app};
use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderMap, LOCATION, SET_COOKIE, USER_AGENT};
use reqwest::{Client, Method, StatusCode, redirect};
use serde_json::Value;
use tempfile::TempDir;
use tenure::sqlite::SqliteStore;
use tenure::store::Store;
use tenure::{Environment, Keyring, ManualClock, MemoryStore, Policy, Secret, Sessions};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A server that ends with the test. Its clock stands still until the test moves it.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) sessions: Sessions,
    clock: ManualClock,
    task: JoinHandle<()>,
    _folder: TempDir,
}

impl Server {
    pub(crate) async fn with_sqlite() -> Self {
        let folder = TempDir::new().unwrap();
        let store = SqliteStore::open(folder.path().join("demo.db")).await.unwrap();
        Self::start(folder, store).await
    }

    pub(crate) async fn with_memory() -> Self {
        Self::with_store(MemoryStore::new()).await
    }

    pub(crate) async fn with_store(store: impl Store) -> Self {
        Self::start(TempDir::new().unwrap(), store).await
    }

    /// In memory, with a policy of its own.
    pub(crate) async fn with_policy(policy: Policy) -> Self {
        Self::serve(TempDir::new().unwrap(), MemoryStore::new(), policy, |app| app).await
    }

    /// In memory; signing out clears the browser.
    pub(crate) async fn clearing_site_data() -> Self {
        Self::serve(
            TempDir::new().unwrap(),
            MemoryStore::new(),
            Policy::default(),
            |app| app.clear_site_data(true),
        )
        .await
    }

    async fn start(folder: TempDir, store: impl Store) -> Self {
        Self::serve(folder, store, Policy::default(), |app| app).await
    }

    async fn serve(folder: TempDir, store: impl Store, policy: Policy, options: fn(App) -> App) -> Self {
        // From the real time on, for a browser drops a cookie that is over by its own clock.
        let clock = ManualClock::at(std::time::SystemTime::now().into());
        let policy = policy.environment(Environment::Development);
        let keyring = Keyring::new(Secret::new("T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r"));
        let sessions = Sessions::builder(policy, keyring, store)
            .clock(clock.clone())
            .build()
            .unwrap();
        let users = Users::open(&folder.path().join("demo.db")).await.unwrap();
        let app = app(options(App::new(sessions.clone(), users)));

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = app.into_make_service_with_connect_info::<SocketAddr>();
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            url,
            sessions,
            clock,
            task,
            _folder: folder,
        }
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    pub(crate) fn visitor(&self) -> Visitor {
        Visitor::of(&self.url)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A browser without a screen. It keeps its one cookie by hand, since an ordinary cookie jar sends
/// no Secure cookie over plain http, which browsers do on this machine.
#[derive(Clone)]
pub(crate) struct Visitor {
    http: Client,
    url: String,
    pub(crate) cookie: Option<String>,
    pub(crate) user_agent: &'static str,
}

/// What the server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Visitor {
    pub(crate) fn of(url: &str) -> Self {
        let http = Client::builder()
            .redirect(redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            http,
            url: url.to_owned(),
            cookie: None,
            user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        }
    }

    /// The same browser at another instance of the app.
    pub(crate) fn go_to(&mut self, url: &str) {
        url.clone_into(&mut self.url);
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    /// A form as `name=value&name=value`.
    pub(crate) async fn form(&mut self, path: &str, fields: &str) -> Answer {
        let body = ("application/x-www-form-urlencoded", fields.to_owned());
        self.send(Method::POST, path, Some(body)).await
    }

    /// A POST without a body.
    pub(crate) async fn post(&mut self, path: &str) -> Answer {
        self.send(Method::POST, path, None).await
    }

    pub(crate) async fn json(&mut self, path: &str, value: Value) -> Answer {
        let body = ("application/json", value.to_string());
        self.send(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn sign_up(&mut self, name: &str) -> Answer {
        let account = serde_json::json!({"name": name, "password": "analytical engine"});
        self.json("/api/sign-up", account).await
    }

    pub(crate) async fn sign_in(&mut self, name: &str) -> Answer {
        let account = serde_json::json!({"name": name, "password": "analytical engine"});
        self.json("/api/sign-in", account).await
    }

    pub(crate) async fn session(&mut self) -> Value {
        self.get("/api/session").await.value()
    }

    async fn send(&mut self, method: Method, path: &str, body: Option<(&str, String)>) -> Answer {
        let answer = self.try_send(method, path, body).await.unwrap();
        self.keep_cookie(&answer);
        answer
    }

    /// Sends, and leaves the cookie as it is: for many requests at once, and for servers that die.
    pub(crate) async fn try_send(
        &self,
        method: Method,
        path: &str,
        body: Option<(&str, String)>,
    ) -> reqwest::Result<Answer> {
        let url = format!("{}{path}", self.url);
        let mut request = self.http.request(method, url).header(USER_AGENT, self.user_agent);
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        if let Some((content_type, text)) = body {
            request = request.header(CONTENT_TYPE, content_type).body(text);
        }
        let response = request.send().await?;
        Ok(Answer {
            status: response.status(),
            headers: response.headers().clone(),
            body: response.text().await?,
        })
    }

    pub(crate) fn keep_cookie(&mut self, answer: &Answer) {
        if let Some(set_cookie) = answer.set_cookie() {
            let pair = set_cookie.split(';').next().unwrap();
            let is_removal = set_cookie.contains("Max-Age=0");
            self.cookie = (!is_removal).then(|| pair.to_owned());
        }
    }
}

impl Answer {
    /// Of the session's cookie.
    pub(crate) fn set_cookie(&self) -> Option<&str> {
        self.set_cookies()
            .find(|cookie| !cookie.contains("known-device="))
    }

    /// Of the cookie that the limit on guessing knows a device by.
    pub(crate) fn known_device(&self) -> Option<&str> {
        self.set_cookies().find(|cookie| cookie.contains("known-device="))
    }

    fn set_cookies(&self) -> impl Iterator<Item = &str> {
        self.headers
            .get_all(SET_COOKIE)
            .into_iter()
            .map(|value| value.to_str().unwrap())
    }

    pub(crate) fn location(&self) -> &str {
        self.headers[LOCATION].to_str().unwrap()
    }

    #[track_caller]
    pub(crate) fn value(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{} is no JSON", self.body))
    }
}
