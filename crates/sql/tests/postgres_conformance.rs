//! The PostgreSQL store keeps the contract of a store, through two instances on one database as two
//! processes would have.

use tenure_sql::postgres::PostgresStore;
use tenure_testkit::conformance::StoreFixture;
use tenure_testkit::servers::PostgresServer;

struct PostgresDatabase {
    url: String,
}

impl StoreFixture for PostgresDatabase {
    type Store = PostgresStore;

    async fn create() -> Self {
        let server = PostgresServer::shared().unwrap_or_else(|missing| panic!("{missing}"));
        Self {
            url: server.url(&server.create_database()),
        }
    }

    async fn open(&self) -> PostgresStore {
        PostgresStore::connect(&self.url).await.expect("a store")
    }
}

tenure_testkit::store_conformance!(PostgresDatabase);
