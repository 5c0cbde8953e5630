//! The memory store keeps the contract of a store.

use std::sync::Arc;

use tenure_core::MemoryStore;
use tenure_testkit::conformance::StoreFixture;

struct Memory(Arc<MemoryStore>);

impl StoreFixture for Memory {
    type Store = Arc<MemoryStore>;

    async fn create() -> Self {
        Self(Arc::default())
    }

    async fn open(&self) -> Self::Store {
        Arc::clone(&self.0)
    }
}

tenure_testkit::store_conformance!(Memory);
