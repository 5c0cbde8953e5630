//! The keys under which things are kept.

use tenure_core::store::AttemptsKey;
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

    /// The pattern of every session's key, as `SCAN` reads it.
    pub(crate) fn every_session(&self) -> String {
        let mut pattern = String::new();
        for character in self.prefix.chars() {
            if matches!(character, '*' | '?' | '[' | ']' | '\\') {
                pattern.push('\\');
            }
            pattern.push(character);
        }
        pattern + ":{*}"
    }

    /// The id in a session's key.
    pub(crate) fn id_of(&self, key: &[u8]) -> Option<SessionId> {
        let key = std::str::from_utf8(key).ok()?;
        let id = key
            .strip_prefix(&self.prefix)?
            .strip_prefix(":{")?
            .strip_suffix('}')?;
        id.parse().ok()
    }

    /// Of what was tried in vain.
    pub(crate) fn attempts(&self, key: AttemptsKey) -> String {
        format!("{}:attempts:{key}", self.prefix)
    }

    /// Of nothing: a health check asks for it.
    pub(crate) fn ping(&self) -> String {
        format!("{}:ping", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_comes_back_from_its_key_and_from_no_other() {
        let keys = Keys {
            prefix: "shop*".to_owned(),
        };
        let id = SessionId::from_bytes([7; 16]);
        assert_eq!(keys.id_of(keys.session(id).as_bytes()), Some(id));
        assert_eq!(keys.id_of(b"shop*:owner:ada"), None);
        assert_eq!(keys.id_of(b"other:{07070707070707070707070707070707}"), None);
        assert_eq!(keys.every_session(), "shop\\*:{*}");
    }
}
