//! The MongoDB store keeps the contract of a store, through two instances with pools of their own, as
//! two processes would have.

mod common;

use tenure_mongodb::MongoStore;
use tenure_testkit::conformance::StoreFixture;

use common::MongoDatabase;

impl StoreFixture for MongoDatabase {
    type Store = MongoStore;

    const EXPIRES_BY_ITSELF: bool = true;

    async fn create() -> Self {
        Self::new()
    }

    async fn open(&self) -> MongoStore {
        self.store().await
    }
}

tenure_testkit::store_conformance!(MongoDatabase);
