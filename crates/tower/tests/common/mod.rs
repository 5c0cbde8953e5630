//! What the tests of the layer share: sessions to put into it, a server, and a browser.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::net::SocketAddr;
use std::sync::Mutex;

use axum::Router;
use axum::body::Body;
use http::header::{COOKIE, SET_COOKIE};
use http::{Request, Response};
use tenure_core::{Environment, Keyring, MemoryStore, Policy, Secret, Sessions, Store};
use tenure_testkit::FaultyStore;
use tower::ServiceExt;

pub(crate) const COOKIE_NAME: &str = "__Host-session";

pub(crate) fn policy() -> Policy {
    Policy::default().environment(Environment::Development)
}

pub(crate) fn keyring() -> Keyring {
    Keyring::new(Secret::new("T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r"))
}

pub(crate) fn sessions(store: impl Store) -> Sessions {
    Sessions::new(policy(), keyring(), store).unwrap()
}

pub(crate) fn faulty_store() -> FaultyStore<MemoryStore> {
    FaultyStore::new(MemoryStore::new())
}

/// A server on a free port of the loopback, for HTTP/1 and HTTP/2.
pub(crate) async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    format!("http://{address}")
}

pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

/// What a browser keeps of one site: the session cookie.
#[derive(Default)]
pub(crate) struct Browser {
    cookie: Mutex<Option<String>>,
}

impl Browser {
    pub(crate) fn bearing(cookie: &str) -> Self {
        Self {
            cookie: Mutex::new(Some(cookie.to_owned())),
        }
    }

    /// `name=value`, as it goes into a `Cookie` header.
    pub(crate) fn cookie(&self) -> Option<String> {
        self.cookie.lock().unwrap().clone()
    }

    pub(crate) fn take_in(&self, headers: &http::HeaderMap) {
        for set_cookie in headers.get_all(SET_COOKIE) {
            let set_cookie = set_cookie.to_str().unwrap();
            let pair = set_cookie.split(';').next().unwrap();
            if pair.starts_with(COOKIE_NAME) {
                let removed = set_cookie.contains("Max-Age=0");
                *self.cookie.lock().unwrap() = (!removed).then(|| pair.to_owned());
            }
        }
    }

    pub(crate) fn request(&self, path: &str) -> Request<Body> {
        let mut request = Request::builder().uri(path);
        if let Some(cookie) = self.cookie() {
            request = request.header(COOKIE, cookie);
        }
        request.body(Body::empty()).unwrap()
    }

    /// Visits a path of a router without any network.
    pub(crate) async fn visit(&self, router: &Router, path: &str) -> Response<Body> {
        let response = router.clone().oneshot(self.request(path)).await.unwrap();
        self.take_in(response.headers());
        response
    }

    /// Visits a URL over the network.
    pub(crate) async fn get(&self, client: &reqwest::Client, url: &str) -> reqwest::Response {
        let mut request = client.get(url);
        if let Some(cookie) = self.cookie() {
            request = request.header(COOKIE, cookie);
        }
        let response = request.send().await.unwrap();
        self.take_in(response.headers());
        response
    }
}

pub(crate) async fn text(response: Response<Body>) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}
