//! A browser, as far as the checks need one: it keeps the cookies, and says where its requests come from.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use reqwest::header::{COOKIE, HeaderMap, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, StatusCode};

pub(super) const SESSION_COOKIE: &str = "__Host-session";

pub(super) struct Visitor {
    client: Client,
    url: String,
    cookies: Mutex<BTreeMap<String, String>>,
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Visitor {
    pub(super) fn new(url: &str) -> Self {
        let client = Client::builder().redirect(Policy::none()).build();
        Self {
            client: client.expect("a client"),
            url: url.to_owned(),
            cookies: Mutex::default(),
        }
    }

    /// Another tab, or a thief: bears the same cookies, and keeps its own from here on.
    pub(super) fn copy(&self) -> Self {
        Self {
            client: self.client.clone(),
            url: self.url.clone(),
            cookies: Mutex::new(self.jar().clone()),
        }
    }

    pub(super) fn cookie(&self) -> Option<String> {
        self.jar().get(SESSION_COOKIE).cloned()
    }

    pub(super) fn plant(&self, name: &str, value: &str) {
        self.jar().insert(name.to_owned(), value.to_owned());
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send(self.client.get(self.at(path))).await
    }

    /// Posts from a page of the application.
    pub(super) async fn post(&self, path: &str) -> Answer {
        self.send(self.posting(path)).await
    }

    pub(super) async fn post_with(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let request = headers.iter().fold(self.posting(path), |request, (name, value)| {
            request.header(*name, *value)
        });
        self.send(request.body(body.to_owned())).await
    }

    pub(super) async fn get_with(&self, path: &str, headers: &[(&str, &[u8])]) -> Answer {
        let request = headers
            .iter()
            .fold(self.client.get(self.at(path)), |request, (name, value)| {
                request.header(*name, *value)
            });
        self.send(request).await
    }

    fn posting(&self, path: &str) -> RequestBuilder {
        self.client
            .post(self.at(path))
            .header("sec-fetch-site", "same-origin")
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    async fn send(&self, mut request: RequestBuilder) -> Answer {
        let cookies: Vec<_> = self
            .jar()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies.join("; "));
        }
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        self.take_in(&headers);
        Answer {
            status,
            headers,
            text: response.text().await.expect("a body of text"),
        }
    }

    fn take_in(&self, headers: &HeaderMap) {
        for set_cookie in headers.get_all(SET_COOKIE) {
            let set_cookie = set_cookie.to_str().expect("text");
            let pair = set_cookie.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a cookie");
            if set_cookie.contains("Max-Age=0") {
                self.jar().remove(name);
            } else {
                self.plant(name, value);
            }
        }
    }

    fn jar(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(super) fn sets_cookie(&self) -> bool {
        self.headers.contains_key(SET_COOKIE)
    }

    pub(super) fn removes_cookie(&self) -> bool {
        self.header("set-cookie")
            .is_some_and(|set| set.contains("Max-Age=0"))
    }
}
