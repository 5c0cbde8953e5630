//! The store of Tenure in Redis and Valkey: [`RedisStore`]. With the feature `express` also the sessions that an Express
//! application keeps there with connect-redis, to be shared: `RedisExpressStore`.

#![cfg_attr(not(test), warn(clippy::unwrap_used))]

mod attempts;
mod certificates;
mod client;
mod connect_error;
mod connection;
mod dial;
#[cfg(feature = "express")]
mod express;
mod failure;
mod fields;
mod keys;
mod link;
mod options;
mod owner_index;
mod packed;
mod probe;
mod recent_slides;
mod request;
mod store;
mod url;
mod wait;
mod walk;

pub use connect_error::ConnectError;
#[cfg(feature = "express")]
pub use express::{ConnectRedis, RedisExpressStore};
pub use options::RedisOptions;
pub use store::RedisStore;

/// The store's name in errors and events.
const NAME: &str = "redis";
