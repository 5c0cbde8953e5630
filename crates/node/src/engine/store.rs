//! A store, by its URL.

use std::sync::Arc;

use napi::bindgen_prelude::*;
use napi_derive::napi;
use tenure::Store;

use super::failure::with_causes;

/// A store of the engine's.
#[napi]
pub struct EngineStore {
    pub(super) store: Arc<dyn Store>,
}

#[napi]
impl EngineStore {
    /// What it is called in errors.
    #[napi(getter)]
    pub fn name(&self) -> &str {
        self.store.name()
    }
}

/// The store that a URL names.
#[napi]
pub async fn connect_store(url: String) -> Result<EngineStore> {
    match tenure::store::connect(&url).await {
        Ok(store) => Ok(EngineStore { store }),
        Err(error) => Err(Error::from_reason(with_causes(&error))),
    }
}
