//! The Redis store keeps the contract of a store on each kind of server, through two instances with
//! connections of their own, as two processes would have.

use std::sync::atomic::{AtomicU32, Ordering};

use tenure_redis::RedisStore;

async fn connected(url: &str, prefix: &str) -> RedisStore {
    let options = RedisStore::options(url).key_prefix(prefix);
    options.connect().await.expect("a store")
}

/// A prefix that nobody else has, for databases on servers that tests share.
fn prefix() -> String {
    static PREFIXES: AtomicU32 = AtomicU32::new(0);
    format!("test-{}", PREFIXES.fetch_add(1, Ordering::Relaxed))
}

mod standalone {
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
            super::connected(&self.0.url(), "tenure").await
        }
    }

    tenure_testkit::store_conformance!(Standalone);
}

mod valkey {
    use tenure_redis::RedisStore;
    use tenure_testkit::conformance::StoreFixture;
    use tenure_testkit::servers::ValkeyServer;
    use tenure_testkit::servers::redis::RedisServer;

    struct Valkey(RedisServer);

    impl StoreFixture for Valkey {
        type Store = RedisStore;

        const EXPIRES_BY_ITSELF: bool = true;

        async fn create() -> Self {
            Self(ValkeyServer::start().unwrap_or_else(|error| panic!("{error}")))
        }

        async fn open(&self) -> RedisStore {
            super::connected(&self.0.url(), "tenure").await
        }
    }

    tenure_testkit::store_conformance!(Valkey);
}

mod cluster {
    use tenure_redis::RedisStore;
    use tenure_testkit::conformance::StoreFixture;
    use tenure_testkit::servers::redis::RedisCluster;

    struct Cluster {
        prefix: String,
    }

    impl StoreFixture for Cluster {
        type Store = RedisStore;

        const EXPIRES_BY_ITSELF: bool = true;

        async fn create() -> Self {
            Self {
                prefix: super::prefix(),
            }
        }

        async fn open(&self) -> RedisStore {
            super::connected(&RedisCluster::shared().url(), &self.prefix).await
        }
    }

    tenure_testkit::store_conformance!(Cluster);
}

mod sentinel {
    use tenure_redis::RedisStore;
    use tenure_testkit::conformance::StoreFixture;
    use tenure_testkit::servers::redis::RedisSentinel;

    struct Sentinel {
        prefix: String,
    }

    impl StoreFixture for Sentinel {
        type Store = RedisStore;

        const EXPIRES_BY_ITSELF: bool = true;

        async fn create() -> Self {
            Self {
                prefix: super::prefix(),
            }
        }

        async fn open(&self) -> RedisStore {
            super::connected(&RedisSentinel::shared().url(), &self.prefix).await
        }
    }

    tenure_testkit::store_conformance!(Sentinel);
}
