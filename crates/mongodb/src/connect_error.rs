//! Why a store could not be connected.

use crate::Failure;

/// The store could not be connected. No message holds the URL or its password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL is none.
    #[error(
        "the MongoDB URL can't be read; expected mongodb://user:password@host:27017/database?options or mongodb+srv://…, with / : @ ? # % in the user or password percent-encoded (@ is %40)"
    )]
    Url,
    /// The name of a `mongodb+srv://` URL could not be looked up.
    #[error(
        "the host of the mongodb+srv:// URL has no SRV records that can be looked up; check the name, and that this machine reaches its name server"
    )]
    Dns,
    /// An option is out of its range, or two of them contradict each other.
    #[error(
        "the options of the MongoDB URL contradict each other or are out of range; the pool needs at least one connection"
    )]
    Options,
    /// The server could not be reached, or refused to create the collection's indexes.
    #[error("the MongoDB server of the sessions can't be used")]
    Server(#[source] Failure),
}
