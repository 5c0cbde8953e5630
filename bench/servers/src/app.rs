//! The application: `/read` reads the number `n`, `/write` writes another.

use axum::Router;
use axum::extract::FromRequestParts;
use axum::routing::get;
use http::StatusCode;
use measure::{next_number, served_here};
use tokio::net::TcpListener;

/// A library's session.
pub trait Handle: FromRequestParts<()> + Send + Sync + 'static {
    fn read(&self) -> impl Future<Output = anyhow::Result<Option<u64>>> + Send;
    fn write(&self, number: u64) -> impl Future<Output = anyhow::Result<()>> + Send;
}

pub fn routes<H: Handle>() -> Router {
    let read = async |session: H| answer(session.read().await.map(drop));
    let write = async |session: H| answer(session.write(next_number()).await);
    Router::new()
        .route("/read", get(read))
        .route("/write", get(write))
}

pub fn answer(done: anyhow::Result<()>) -> Result<&'static str, (StatusCode, String)> {
    match done {
        Ok(()) => Ok("x"),
        Err(error) => Err((StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}"))),
    }
}

/// On a free port, until this process is ended.
///
/// # Errors
/// If the router cannot be made.
pub fn serve(router: impl Future<Output = anyhow::Result<Router>>) -> anyhow::Result<()> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let router = router.await?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        served_here(listener.local_addr()?);
        Ok(axum::serve(listener, router).await?)
    })
}
