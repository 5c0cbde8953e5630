//! What can go wrong between a source and its reader.

use std::error::Error;

/// The secret could not be fetched. No message holds a secret or a credential.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// No answer, or not in time.
    #[error("{origin} does not answer; check its address, the network and the certificate")]
    Unreachable {
        /// The source's name.
        origin: String,
        /// What the client says.
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
    /// The source knows us and refuses, or does not know us.
    #[error("{origin} refuses to be read: {reason}")]
    Denied {
        /// The source's name.
        origin: String,
        /// What to do, such as which permission is needed.
        reason: String,
    },
    /// There is no such secret.
    #[error("{origin} has no such secret: {reason}")]
    NotFound {
        /// The source's name.
        origin: String,
        /// What was looked for, and how to make it.
        reason: String,
    },
    /// What is there can't be taken for a secret.
    #[error("{origin} holds something that can't be used: {reason}")]
    Unusable {
        /// The source's name.
        origin: String,
        /// What is wrong, and what to do.
        reason: String,
    },
}

/// A new version could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RotateError {
    /// This kind of source is written elsewhere.
    #[error("{origin} can't be written from here; put the new secret there by the means it came by")]
    NotWritable {
        /// The source's name.
        origin: String,
    },
    /// The source is written from here, and refuses it.
    #[error("{origin} refuses to be written: {reason}")]
    Refused {
        /// The source's name.
        origin: String,
        /// What to do, such as which permission is needed.
        reason: String,
    },
    /// Somebody else has written at the same time, and theirs stays.
    #[error("{origin} got a new version from somebody else meanwhile; look whether yours is still wanted")]
    Conflict {
        /// The source's name.
        origin: String,
    },
    /// It could not be read, as has to be done first, or answered as it would to a reader.
    #[error(transparent)]
    Fetch(#[from] FetchError),
}
