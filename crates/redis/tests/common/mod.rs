//! What the tests of the Redis store share.

#![allow(dead_code, unused_imports, reason = "each file of tests uses a part of it")]

use std::error::Error;

pub(crate) use tenure_testkit::application::increment;
pub(crate) use tenure_testkit::records::*;
pub(crate) use tenure_testkit::{Application, Browser};

use tenure_redis::RedisStore;
use tenure_testkit::servers::FaultProxy;
use tenure_testkit::servers::redis::{REDIS_PASSWORD, REDIS_PASSWORD_IN_URL, RedisServer};

pub(crate) fn server() -> RedisServer {
    RedisServer::standalone().unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) async fn connected(url: &str) -> RedisStore {
    RedisStore::connect(url).await.expect("a store")
}

pub(crate) fn proxied_url(proxy: &FaultProxy) -> String {
    format!("redis://:{REDIS_PASSWORD_IN_URL}@127.0.0.1:{}", proxy.port())
}

/// The whole chain of an error's texts, which must not hold the password in either spelling.
#[track_caller]
pub(crate) fn told(error: &dyn Error) -> String {
    told_without(&[REDIS_PASSWORD, REDIS_PASSWORD_IN_URL, "hunter2"], error)
}
