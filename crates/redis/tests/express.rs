//! Sessions in the layout of connect-redis: the contract of a store that is shared with an Express application, and what
//! the server has of them.

use std::sync::atomic::{AtomicU32, Ordering};

use tenure_core::Timestamp;
use tenure_core::express::{ExpressExpiry, ExpressStore};
use tenure_core::store::Inserted;
use tenure_redis::{ConnectRedis, RedisExpressStore, RedisOptions, RedisStore};
use tenure_testkit::express_conformance::ExpressStoreFixture;
use tenure_testkit::servers::redis::{RedisCluster, RedisServer};

/// A server of its own, or a prefix of its own on one that the tests share.
struct Database {
    options: RedisOptions,
    layout: ConnectRedis,
    _server: Option<RedisServer>,
}

impl Database {
    fn standalone() -> Self {
        let server = server();
        Self {
            options: RedisStore::options(server.url()),
            layout: ConnectRedis::default(),
            _server: Some(server),
        }
    }

    fn in_a_cluster() -> Self {
        static PREFIXES: AtomicU32 = AtomicU32::new(0);
        let prefix = format!("express-{}:", PREFIXES.fetch_add(1, Ordering::Relaxed));
        Self {
            options: RedisStore::options(RedisCluster::shared().url()),
            layout: ConnectRedis::default().prefix(prefix),
            _server: None,
        }
    }
}

fn server() -> RedisServer {
    RedisServer::standalone().unwrap_or_else(|error| panic!("{error}"))
}

macro_rules! conformance_on {
    ($kind:ident) => {
        mod $kind {
            use super::*;

            struct Fixture(Database);

            impl ExpressStoreFixture for Fixture {
                type Store = RedisExpressStore;

                const EXPIRES_BY_ITSELF: bool = true;

                async fn create() -> Self {
                    Self(Database::$kind())
                }

                async fn open(&self) -> RedisExpressStore {
                    let (options, layout) = (self.0.options.clone(), self.0.layout.clone());
                    options.connect_express(layout).await.expect("a store")
                }
            }

            tenure_testkit::express_conformance!(Fixture);
        }
    };
}

conformance_on!(standalone);
conformance_on!(in_a_cluster);

fn after(seconds: u64) -> ExpressExpiry {
    ExpressExpiry {
        now: Timestamp::from_millis(5_000),
        ends_at: Some(Timestamp::from_millis(5_000 + seconds * 1_000)),
    }
}

#[tokio::test]
async fn a_session_is_the_key_that_connect_redis_would_set_and_lives_as_long() {
    let server = server();
    let store = RedisStore::options(server.url())
        .connect_express(ConnectRedis::default())
        .await
        .unwrap();
    store.insert("abc", "{\"a\":1}", after(100)).await.unwrap();
    assert_eq!(server.ask(&["GET", "sess:abc"]).unwrap().trim(), "{\"a\":1}");
    assert_eq!(server.ask(&["TTL", "sess:abc"]).unwrap().trim(), "100");

    store.touch("abc", after(200)).await.unwrap();
    assert_eq!(server.ask(&["TTL", "sess:abc"]).unwrap().trim(), "200");
    store.replace("abc", "{\"a\":1}", "{}", after(300)).await.unwrap();
    assert_eq!(server.ask(&["TTL", "sess:abc"]).unwrap().trim(), "300");
    assert_eq!(server.ask(&["GET", "sess:abc"]).unwrap().trim(), "{}");

    let open = ExpressExpiry {
        ends_at: None,
        ..after(0)
    };
    store.touch("abc", open).await.unwrap();
    assert_eq!(server.ask(&["TTL", "sess:abc"]).unwrap().trim(), "86400");
    store.touch("abc", after(0)).await.unwrap();
    assert_eq!(server.ask(&["EXISTS", "sess:abc"]).unwrap().trim(), "0");
}

#[tokio::test]
async fn a_key_of_another_kind_is_an_error_and_no_absence() {
    let server = server();
    server.ask(&["HSET", "sess:abc", "a", "1"]).unwrap();
    let store = RedisStore::options(server.url())
        .connect_express(ConnectRedis::default())
        .await
        .unwrap();
    store.load("abc", Timestamp::from_millis(0)).await.unwrap_err();
    store.replace("abc", "{}", "{}", after(9)).await.unwrap_err();
    assert_eq!(
        store.insert("abc", "{}", after(9)).await.unwrap(),
        Inserted::Taken
    );
}

#[tokio::test]
async fn a_server_that_is_gone_is_an_error_and_no_absence() {
    let server = server();
    let store = RedisStore::options(server.url())
        .retry_for(std::time::Duration::ZERO)
        .connect_express(ConnectRedis::default())
        .await
        .unwrap();
    store.insert("abc", "{}", after(100)).await.unwrap();
    drop(server);
    store.load("abc", Timestamp::from_millis(0)).await.unwrap_err();
    store.remove("abc").await.unwrap_err();
    store.ping().await.unwrap_err();
}

#[tokio::test]
async fn a_user_with_the_rights_that_the_docs_name_can_do_everything() {
    let server = server();
    let rights =
        "SETUSER shop on >hunter2 ~sess:* +get +set +del +expire +exists +eval +evalsha +select +ping";
    let command: Vec<&str> = std::iter::once("ACL").chain(rights.split(' ')).collect();
    assert_eq!(server.ask(&command).unwrap().trim(), "OK");
    let url = server.url();
    let address = url.rsplit('@').next().unwrap();
    let store = RedisStore::options(format!("redis://shop:hunter2@{address}"))
        .connect_express(ConnectRedis::default())
        .await
        .unwrap();
    store.insert("abc", "{}", after(100)).await.unwrap();
    store.load("abc", Timestamp::from_millis(0)).await.unwrap();
    store.touch("abc", after(100)).await.unwrap();
    store.replace("abc", "{}", "{\"a\":1}", after(100)).await.unwrap();
    let now = Timestamp::from_millis(0);
    store.remove_unchanged("abc", "{\"a\":1}", now).await.unwrap();
    store.remove("abc").await.unwrap();
    store.ping().await.unwrap();
}
