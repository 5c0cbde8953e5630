//! Real servers for tests: each on free ports of the loopback, in a folder of its own, and gone when dropped.

#[cfg(feature = "azure")]
mod azure_stand_in;
mod certificates;
mod fault_proxy;
pub mod mariadb;
mod mongodb;
mod moto;
mod openbao;
pub mod postgres;
mod process;
mod python;
pub mod redis;
mod sql_server;
mod unprivileged;
mod valkey;
mod watchdog;

#[cfg(feature = "azure")]
pub use azure_stand_in::{AzureMood, AzureStandIn, AzureVersion};
pub use certificates::Certificates;
pub use fault_proxy::FaultProxy;
pub use mariadb::MariaDbServer;
pub use mongodb::{MongoServer, MongoServerOptions};
pub use moto::MotoServer;
pub use openbao::OpenBaoServer;
pub use postgres::PostgresServer;
pub use process::{ServerProcess, StartError, free_port, takes_connections};
pub use sql_server::SqlServer;
pub use valkey::ValkeyServer;
