//! The static files, compiled in so that the program is one file.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;

use crate::App;

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
