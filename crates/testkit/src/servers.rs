//! Real servers for tests: each on free ports of the loopback, in a folder of its own, and gone when dropped.

mod fault_proxy;
mod mongodb;
mod process;
pub mod redis;
mod valkey;

pub use fault_proxy::FaultProxy;
pub use mongodb::{MongoServer, MongoServerOptions};
pub use process::{ServerProcess, StartError, free_port, takes_connections};
pub use valkey::ValkeyServer;
