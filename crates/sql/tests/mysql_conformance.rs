//! The MySQL store keeps the contract of a store on MariaDB, through two instances on one database as two
//! processes would have.

use tenure_sql::mysql::MySqlStore;
use tenure_testkit::conformance::StoreFixture;
use tenure_testkit::servers::MariaDbServer;

struct MariaDbDatabase {
    url: String,
}

impl StoreFixture for MariaDbDatabase {
    type Store = MySqlStore;

    async fn create() -> Self {
        let server = MariaDbServer::shared().unwrap_or_else(|missing| panic!("{missing}"));
        Self {
            url: server.url(&server.create_database()),
        }
    }

    async fn open(&self) -> MySqlStore {
        MySqlStore::connect(&self.url).await.expect("a store")
    }
}

tenure_testkit::store_conformance!(MariaDbDatabase);
