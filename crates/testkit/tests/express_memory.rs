//! The memory store keeps the contract of a store that is shared with an Express application.

use std::sync::Arc;

use tenure_core::express::MemoryExpressStore;
use tenure_testkit::express_conformance::ExpressStoreFixture;

struct Memory(Arc<MemoryExpressStore>);

impl ExpressStoreFixture for Memory {
    type Store = Arc<MemoryExpressStore>;

    async fn create() -> Self {
        Self(Arc::default())
    }

    async fn open(&self) -> Self::Store {
        Arc::clone(&self.0)
    }
}

tenure_testkit::express_conformance!(Memory);
