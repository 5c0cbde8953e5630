//! What the stores on a database server have in common.

mod dialect;
mod error;
#[cfg(feature = "express")]
mod express;
mod migrate;
mod options;
mod pool;
mod statements;
mod store;
mod tables;

pub(crate) use dialect::{Connection, Dialect, Row, driver_methods};
pub(crate) use error::Trouble;
#[cfg(feature = "express")]
pub use express::ExpressServerStore;
#[cfg(feature = "express")]
pub(crate) use express::{ExpressDialect, ExpressStatements};
pub use options::ServerOptions;
pub(crate) use options::{is_local, mentions};
pub(crate) use statements::{PING, READ_LEDGER, Statements};
pub use store::ServerStore;
pub(crate) use tables::Tables;
