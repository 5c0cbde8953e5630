//! What can be wrong with a value.

/// A value could not be kept in a session or read from it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The value's `Serialize` failed.
    #[error("the value of the session key {key:?} does not become JSON; check its Serialize")]
    Serialize {
        /// Which key.
        key: &'static str,
        /// What serde said.
        #[source]
        source: serde_json::Error,
    },
    /// The JSON in the session is not of the key's type.
    #[error(
        "the session key {key:?} holds JSON of another shape than its type; give a changed type a new key"
    )]
    Deserialize {
        /// Which key.
        key: &'static str,
        /// What serde said.
        #[source]
        source: serde_json::Error,
    },
    /// The data would be over [`Policy::max_data_bytes`](crate::Policy::max_data_bytes).
    #[error(
        "writing the session key {key:?} would bring the session to {bytes} bytes, over the policy's {limit}; keep big things elsewhere and their key in the session"
    )]
    TooLarge {
        /// Which key.
        key: &'static str,
        /// What the data would come to.
        bytes: usize,
        /// The policy's limit.
        limit: usize,
    },
}
