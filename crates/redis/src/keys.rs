//! The keys under which things are kept.

use tenure_core::{Owner, SessionId};

/// The keys of a store, all under one prefix.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(crate) prefix: String,
}

impl Keys {
    /// Of a session. The braces say which part decides the slot in a cluster, so that sessions spread
    /// whatever the prefix is.
    pub(crate) fn session(&self, id: SessionId) -> String {
        format!("{}:{{{id}}}", self.prefix)
    }

    /// Of the index of an owner's sessions.
    pub(crate) fn index(&self, owner: &Owner) -> String {
        format!("{}:owner:{owner}", self.prefix)
    }

    /// Of nothing: a health check asks for it.
    pub(crate) fn ping(&self) -> String {
        format!("{}:ping", self.prefix)
    }
}
