//! The router without sessions: what is subtracted from all others.

use axum::Router;
use axum::routing::get;

pub(crate) fn router() -> Router {
    let paths = [
        "/ignore",
        "/read",
        "/write",
        "/renew",
        "/fill/one-key",
        "/fill/twenty-keys",
        "/fill/ten-kilobytes",
    ];
    paths.into_iter().fold(Router::new(), |router, path| {
        router.route(path, get(async || "x"))
    })
}

/// What any layer costs that gives its handlers something.
pub(crate) fn with_extension() -> Router {
    #[derive(Clone)]
    struct Nothing;

    router().layer(axum::Extension(Nothing))
}
