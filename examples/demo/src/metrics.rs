//! Metrics for Prometheus, at an address of their own: they are for operators, not for the public.

use std::net::SocketAddr;

use axum::Router;
use axum::routing::get;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder};
use tokio::net::TcpListener;

/// From a store in the same process to one that is given up on, in seconds.
const STORE_SECONDS: &[f64] = &[
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0,
];

/// The metrics can't be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MetricsError {
    /// Another recorder is in place.
    #[error("{0}")]
    Recorder(#[from] BuildError),
    /// The address can't be had.
    #[error("can't listen on {address}: {source}; choose another address with --metrics")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
}

/// Collects what the libraries measure from now on, and serves it under `/metrics` at `address`.
///
/// # Errors
/// If something else collects already, or the address can't be had.
pub async fn serve(address: SocketAddr) -> Result<(), MetricsError> {
    let collected = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full("tenure_store_seconds".to_owned()), STORE_SECONDS)?
        .install_recorder()?;
    let failed = |source| MetricsError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let metrics = Router::new().route("/metrics", get(move || std::future::ready(collected.render())));
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, metrics).await {
            tracing::error!(%error, "metrics are served no more");
        }
    });
    Ok(())
}
