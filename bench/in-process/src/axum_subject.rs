//! A router and the browser that it serves.

use std::time::{Duration, Instant};

use allocation_counter::AllocationInfo;
use anyhow::Context;
use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderValue, Request, StatusCode};
use measure::{Subject, Work};
use tokio::runtime::Runtime;
use tower::ServiceExt;

use crate::contenders::Candidate;

pub struct AxumSubject {
    runtime: Runtime,
    router: Router,
    browser: Browser,
}

struct Browser {
    path: &'static str,
    cookies: Vec<(String, String)>,
    header: HeaderValue,
}

impl AxumSubject {
    /// With a session that holds the row's payload, and its cookie in the browser.
    pub fn new(candidate: &Candidate, work: Work) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let router = runtime.block_on((candidate.router)())?;
        let mut browser = Browser {
            path: work.payload.fill_path(),
            cookies: Vec::new(),
            // The bare router is sent a cookie as well.
            header: HeaderValue::from_static("other=1"),
        };
        // The first request begins the session; the second one finds it.
        for _ in 0..2 {
            let request = browser.request();
            let response = runtime
                .block_on(router.clone().oneshot(request))
                .context("a router never fails")?;
            anyhow::ensure!(
                response.status() == StatusCode::OK,
                "filling: {}",
                response.status()
            );
            browser.keep(&response);
        }
        browser.path = work.task.path();
        Ok(Self {
            runtime,
            router,
            browser,
        })
    }
}

impl Subject for AxumSubject {
    fn serve(&mut self, requests: u32) -> Duration {
        let Self {
            runtime,
            router,
            browser,
        } = self;
        runtime.block_on(async {
            let mut took = Duration::ZERO;
            for _ in 0..requests {
                let request = browser.request();
                let router = router.clone();
                let start = Instant::now();
                let response = router.oneshot(request).await;
                took += start.elapsed();
                browser.keep(&response.unwrap_or_else(|never| match never {}));
            }
            took
        })
    }

    fn allocations(&mut self) -> AllocationInfo {
        let request = self.browser.request();
        let router = self.router.clone();
        let mut response = None;
        let counted = allocation_counter::measure(|| {
            response = Some(self.runtime.block_on(router.oneshot(request)));
        });
        let Some(Ok(response)) = response else {
            return counted;
        };
        self.browser.keep(&response);
        counted
    }
}

impl Browser {
    fn request(&self) -> Request<Body> {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = http::Uri::from_static(self.path);
        request.headers_mut().insert(COOKIE, self.header.clone());
        request
    }

    /// Checks that it was served, and keeps new cookies.
    fn keep(&mut self, response: &Response) {
        assert_eq!(response.status(), StatusCode::OK, "{}", self.path);
        if !response.headers().contains_key(SET_COOKIE) {
            return;
        }
        for set_cookie in response.headers().get_all(SET_COOKIE) {
            let text = set_cookie.to_str().unwrap_or_default();
            let pair = text.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.retain(|(kept, _)| kept != name);
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        let pairs: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        self.header = HeaderValue::from_str(&pairs.join("; ")).expect("cookies came in a header");
    }
}
