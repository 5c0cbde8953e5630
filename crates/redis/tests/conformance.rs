//! The Redis store keeps the contract of a store on each kind of server, through two instances with
//! connections of their own, as two processes would have.

use std::sync::atomic::{AtomicU32, Ordering};

use tenure_redis::{RedisOptions, RedisStore};
use tenure_testkit::conformance::StoreFixture;
use tenure_testkit::servers::ValkeyServer;
use tenure_testkit::servers::redis::{RedisCluster, RedisSentinel, RedisServer};

/// A database on a server of its own, or under a prefix of its own on one that the tests share.
struct Database {
    options: RedisOptions,
    _server: Option<RedisServer>,
}

impl Database {
    fn on(server: RedisServer) -> Self {
        Self {
            options: RedisStore::options(server.url()),
            _server: Some(server),
        }
    }

    fn on_shared(url: String) -> Self {
        static PREFIXES: AtomicU32 = AtomicU32::new(0);
        let prefix = format!("test-{}", PREFIXES.fetch_add(1, Ordering::Relaxed));
        Self {
            options: RedisStore::options(url).key_prefix(prefix),
            _server: None,
        }
    }

    fn trusting(self, authority: &str) -> Self {
        Self {
            options: self.options.certificate_authority(authority),
            ..self
        }
    }

    async fn store(&self) -> RedisStore {
        self.options.clone().connect().await.expect("a store")
    }
}

/// The suite on databases that are made like this.
macro_rules! conformance_on {
    ($kind:ident, $create:expr) => {
        mod $kind {
            use super::*;

            struct Fixture(Database);

            impl StoreFixture for Fixture {
                type Store = RedisStore;

                const EXPIRES_BY_ITSELF: bool = true;

                async fn create() -> Self {
                    Self($create)
                }

                async fn open(&self) -> RedisStore {
                    self.0.store().await
                }
            }

            tenure_testkit::store_conformance!(Fixture);
        }
    };
}

conformance_on!(standalone, {
    Database::on(RedisServer::standalone().unwrap_or_else(|error| panic!("{error}")))
});
conformance_on!(valkey, {
    Database::on(ValkeyServer::start().unwrap_or_else(|error| panic!("{error}")))
});
conformance_on!(cluster, Database::on_shared(RedisCluster::shared().url()));
conformance_on!(
    valkey_cluster,
    Database::on_shared(RedisCluster::shared_of_valkey().url())
);
conformance_on!(cluster_over_tls, {
    let cluster = RedisCluster::shared_with_tls();
    Database::on_shared(cluster.url()).trusting(&cluster.certificates().authority)
});
conformance_on!(sentinel, Database::on_shared(RedisSentinel::shared().url()));
conformance_on!(sentinel_over_tls, {
    let sentinel = RedisSentinel::shared_with_tls();
    Database::on_shared(sentinel.url()).trusting(&sentinel.certificates().authority)
});
