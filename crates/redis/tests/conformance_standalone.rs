//! The Redis store keeps the contract of a store on one Redis server, through two instances with connections of their
//! own, as two processes would have.

use tenure_redis::RedisStore;
use tenure_testkit::conformance::StoreFixture;
use tenure_testkit::servers::redis::RedisServer;

struct Standalone(RedisServer);

impl StoreFixture for Standalone {
    type Store = RedisStore;

    const EXPIRES_BY_ITSELF: bool = true;

    async fn create() -> Self {
        Self(RedisServer::standalone().unwrap_or_else(|error| panic!("{error}")))
    }

    async fn open(&self) -> RedisStore {
        RedisStore::connect(self.0.url()).await.expect("a store")
    }
}

tenure_testkit::store_conformance!(Standalone);
