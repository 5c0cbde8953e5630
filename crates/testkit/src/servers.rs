//! Real servers for tests: each on free ports of the loopback, in a folder of its own, and gone when dropped.

mod mongodb;
mod process;

pub use mongodb::{MongoServer, MongoServerOptions};
pub use process::{ServerProcess, StartError, free_port, takes_connections};
