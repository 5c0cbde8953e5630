//! tower-sesh, as far as its published version runs: the extractor of 0.1.0-alpha.3 is for axum 0.7, and `call` of its
//! layer ends in `todo!()`.

use std::sync::Arc;

use axum::Router;
use tower_sesh::SessionLayer;
use tower_sesh::store::MemoryStore;

use super::{KEY, bare};

pub(crate) fn signed() -> Router {
    bare::router().layer(SessionLayer::new(Arc::new(MemoryStore::<u64>::new()), KEY).signed())
}
