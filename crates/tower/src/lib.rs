//! Tenure for axum and any tower service.
