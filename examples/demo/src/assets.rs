//! The static files, compiled in so that the program is one file.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;

use crate::App;

/// The web component that warns before the session ends, and hides the page when it has.
const SESSION_TIMEOUT: &str = include_str!("../../../packages/browser/dist/tenure-session-timeout.min.js");

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route(
            "/style.css",
            get(|| asset("text/css; charset=utf-8", include_str!("../static/style.css"))),
        )
        .route(
            "/app.js",
            get(|| asset("text/javascript; charset=utf-8", include_str!("../static/app.js"))),
        )
        .route(
            "/tenure-session-timeout.js",
            get(|| asset("text/javascript; charset=utf-8", SESSION_TIMEOUT)),
        )
        .route(
            "/favicon.svg",
            get(|| asset("image/svg+xml", include_str!("../static/favicon.svg"))),
        )
}

async fn asset(content_type: &'static str, text: &'static str) -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, content_type),
        (CACHE_CONTROL, "public, max-age=300"),
    ];
    (headers, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_component_is_under_6_kib_without_compression() {
        assert!(
            SESSION_TIMEOUT.len() < 6 * 1024,
            "{} bytes",
            SESSION_TIMEOUT.len()
        );
    }
}
