//! The SQLite store keeps the contract of a store, through two instances on one file as two
//! processes would have.

use tempfile::TempDir;
use tenure_sql::sqlite::SqliteStore;
use tenure_testkit::conformance::StoreFixture;

struct SqliteFile(TempDir);

impl StoreFixture for SqliteFile {
    type Store = SqliteStore;

    async fn create() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    async fn open(&self) -> SqliteStore {
        let store = SqliteStore::open(self.0.path().join("sessions.db")).await;
        store.expect("a store")
    }
}

tenure_testkit::store_conformance!(SqliteFile);
