//! The store of Tenure in Redis and Valkey: [`RedisStore`].

#![cfg_attr(not(test), warn(clippy::unwrap_used))]

mod attempts;
mod certificates;
mod client;
mod connect_error;
mod connection;
mod dial;
mod failure;
mod fields;
mod keys;
mod link;
mod options;
mod owner_index;
mod probe;
mod request;
mod store;
mod url;
mod wait;
mod walk;

pub use connect_error::ConnectError;
pub use options::RedisOptions;
pub use store::RedisStore;

/// The store's name in errors and events.
const NAME: &str = "redis";
