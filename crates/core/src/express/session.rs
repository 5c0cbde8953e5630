//! The handle that a request handler uses.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::data::Raw;
use crate::data_error::DataError;
use crate::express::visit::{Standing, State, Visit};
use crate::key::Key;
use crate::session::{parsed, serialized};

/// A request's session, which the Express application has as `req.session`. Cheap to clone; clones are the same session.
///
/// A value under the [`Key`] `"user"` is `req.session.user` there, as JSON. Reading changes nothing, and neither does
/// writing a value that is there already. Everything is written when the request is committed.
///
/// # Two requests at once
///
/// Requests that write different keys both win. Of two that write the same key the later one wins, unless they write it
/// with [`update`](Self::update), which loses nothing. What is written to a session that has ended in the meantime is
/// dropped.
#[derive(Clone)]
pub struct ExpressSession {
    visit: Arc<Visit>,
}

impl ExpressSession {
    pub(super) fn new(visit: Arc<Visit>) -> Self {
        Self { visit }
    }

    /// The value of `key`, if there is one.
    ///
    /// # Errors
    /// If the JSON in the session is not of the key's type.
    pub fn get<T: DeserializeOwned>(&self, key: Key<T>) -> Result<Option<T>, DataError> {
        let value = self.visit.state().value(key.name());
        value.map(|value| parsed(key, &value)).transpose()
    }

    /// Writes a value, whatever was there. Where the new value depends on the old one, such as a counter or a cart, use
    /// [`update`](Self::update).
    ///
    /// # Errors
    /// If the value does not become JSON, is too large, or the key is one that express-session has for itself.
    pub fn insert<T: Serialize>(&self, key: Key<T>, value: &T) -> Result<(), DataError> {
        let value = self.checked(key.name(), value)?;
        let mut state = self.visit.state();
        if state.value(key.name()).as_ref() != Some(&value) {
            state.changes.set(key.name(), value);
            state.writes += 1;
        }
        Ok(())
    }

    /// Removes a value. Does nothing if there is none.
    pub fn remove<T>(&self, key: Key<T>) {
        let mut state = self.visit.state();
        if state.value(key.name()).is_some() {
            state.changes.remove(key.name());
            state.writes += 1;
        }
    }

    /// Changes a value by what it was, and gives back what it is now.
    ///
    /// If another request writes first, the closure is run again on what that one wrote, so it must depend on nothing but
    /// its argument, and may run several times. What is given back is what came out on the value that this request saw.
    ///
    /// # Errors
    /// If the JSON in the session is not of the key's type, the new value does not become JSON or is too large, or the
    /// key is one that express-session has for itself.
    pub fn update<T, F>(&self, key: Key<T>, change: F) -> Result<T, DataError>
    where
        T: Serialize + DeserializeOwned + 'static,
        F: Fn(Option<T>) -> T + Send + Sync + 'static,
    {
        let change = Arc::new(change);
        loop {
            let (seen, writes) = {
                let state = self.visit.state();
                (state.value(key.name()), state.writes)
            };
            // Outside the lock, for it is the application's code.
            let old = seen.as_deref().map(|text| parsed(key, text)).transpose()?;
            let new = change(old);
            let text = self.checked(key.name(), &new)?;

            let mut state = self.visit.state();
            if state.writes != writes {
                continue;
            }
            if seen.as_ref() != Some(&text) {
                let change = Arc::clone(&change);
                let step = move |value: Option<&str>| {
                    let old = value.map(|text| parsed(key, text)).transpose()?;
                    serialized(key.name(), &change(old)).map(Some)
                };
                state.changes.update(key.name(), Arc::new(step), Some(text));
                state.writes += 1;
            }
            return Ok(new);
        }
    }

    /// Removes every value. The session itself stays.
    pub fn clear(&self) {
        let mut state = self.visit.state();
        state.changes.clear();
        state.writes += 1;
    }

    /// The names of the values, in order.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        let state = self.visit.state();
        let stored = state.live().into_iter().flat_map(|live| live.data.iter());
        let mut keys: Vec<String> = stored
            .filter(|(key, _)| state.value(key).is_some())
            .map(|(key, _)| key.to_owned())
            .chain(state.changes.keys_set().map(str::to_owned))
            .collect();
        keys.sort();
        keys.dedup();
        keys
    }

    /// Whether the request came with a session that is alive.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.visit.state().live().is_some()
    }

    /// Gives the session another id; the old one opens nothing once this is committed. Call it when the user has just
    /// proved who they are, so that whoever knew the old one is left outside (OWASP ASVS 5.0, 7.2.4). Does nothing where
    /// there is no session.
    ///
    /// What the session holds stays, unlike with `req.session.regenerate` in Express; for its way, call
    /// [`clear`](Self::clear) too.
    ///
    /// The store has both for a moment: the new session is kept first. If the store fails in between, or the request is
    /// cancelled, the old one lives on and nobody knows the new one.
    pub fn regenerate(&self) {
        let mut state = self.visit.state();
        if state.live().is_some() {
            state.regenerates = true;
        }
    }

    /// Ends the session: it is removed from the store, and the cookie from the browser. What is written afterwards begins
    /// a new one.
    pub fn destroy(&self) {
        let mut state = self.visit.state();
        let standing = std::mem::replace(&mut state.standing, Standing::Absent);
        if let Standing::Live(live) = standing {
            state.ended = Some(live);
        }
        let State { changes, writes, .. } = &mut *state;
        *changes = Default::default();
        *writes += 1;
        state.regenerates = false;
    }

    fn checked<T: Serialize>(&self, key: &'static str, value: &T) -> Result<Raw, DataError> {
        if RESERVED.contains(&key) {
            return Err(DataError::Reserved { key: key.into() });
        }
        let text = serialized(key, value)?;
        let limit = self.visit.engine.max_data_bytes;
        match text.len() {
            bytes if bytes > limit => Err(DataError::TooLarge {
                key: key.into(),
                bytes,
                limit,
            }),
            _ => Ok(text),
        }
    }
}

/// What `req.session` has already in Express. It drops a stored value of such a name.
const RESERVED: [&str; 21] = [
    "cookie",
    "id",
    "req",
    "touch",
    "resetMaxAge",
    "save",
    "reload",
    "destroy",
    "regenerate",
    "constructor",
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "toLocaleString",
    "toString",
    "valueOf",
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
    "__proto__",
];

impl fmt::Debug for ExpressSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExpressSession")
            .field("is_loaded", &self.is_loaded())
            .finish_non_exhaustive()
    }
}
