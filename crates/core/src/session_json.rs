//! A session's data as JSON, by names that only the running program knows: for doors into other languages, whose
//! applications have no [`Key`](crate::Key).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::de::IgnoredAny;

use crate::changes::{Name, Step};
use crate::data::{DataBuilder, Raw};
use crate::data_error::DataError;
use crate::session::Session;

/// What became of a [`Session::replace_json`].
#[derive(Clone, Debug)]
pub struct Replacement {
    happened: Arc<AtomicBool>,
}

impl Replacement {
    fn new(happened: bool) -> Self {
        Self {
            happened: Arc::new(AtomicBool::new(happened)),
        }
    }

    /// Whether the value was what the caller had seen, and was replaced. Known for sure after a [`Session::save`] that
    /// [dropped](crate::Saved::Dropped) nothing: until then another request may write first, or end the session.
    #[must_use]
    pub fn happened(&self) -> bool {
        self.happened.load(Ordering::Acquire)
    }
}

/// The data as JSON.
impl Session {
    /// All of the data as this request sees it: one JSON object. Each value is spelt as it was written.
    #[must_use]
    pub fn json(&self) -> String {
        let state = self.visit().state();
        let keys = state.keys();
        let mut object = DataBuilder::with_capacity(state.data_bytes);
        for key in &keys {
            if let Some(value) = state.value(key) {
                object.push(key, value.text(key));
            }
        }
        object.finish().json().to_owned()
    }

    /// One value, spelt as it was written.
    #[must_use]
    pub fn json_of(&self, name: &str) -> Option<String> {
        let value = self.visit().state().value(name)?;
        Some(value.text(name).to_owned())
    }

    /// [`insert`](Session::insert) of a value that is JSON already.
    ///
    /// # Errors
    /// If the text is not JSON, or the session would grow over the policy's limit.
    pub fn insert_json(&self, name: impl Into<String>, json: &str) -> Result<(), DataError> {
        let name = Name::from(name.into());
        let value = checked(&name, json)?;
        let mut state = self.visit().state();
        self.write(&mut state, name, value, |pending, name, value| {
            pending.changes.set(name, value);
        })
    }

    /// [`remove`](Session::remove) by name.
    pub fn remove_json(&self, name: impl Into<String>) {
        let mut state = self.visit().state();
        Self::erase(&mut state, Name::from(name.into()), |pending, name| {
            pending.changes.remove(name);
        });
    }

    /// Replaces a value if it is still the one that the caller has seen, as [`json_of`](Session::json_of) told it;
    /// `None` stands for none. For languages whose functions can't be run again while a session is saved, as
    /// [`update`](Session::update) does it: call this, [`save`](Session::save), and if it
    /// [did not happen](Replacement::happened), begin anew with what is there then.
    ///
    /// ```
    /// use tenure_core::{Saved, Session, SessionFailure};
    ///
    /// /// `None` if the session has ended in the meantime.
    /// async fn count(session: &Session) -> Result<Option<u64>, SessionFailure> {
    ///     loop {
    ///         let seen = session.json_of("count");
    ///         let count = 1 + seen.as_deref().map_or(0, |text| text.parse().unwrap_or(0));
    ///         let replacement = session.replace_json("count", seen.as_deref(), Some(&count.to_string()))?;
    ///         if let Saved::Dropped(_) = session.save().await? {
    ///             return Ok(None);
    ///         }
    ///         if replacement.happened() {
    ///             return Ok(Some(count));
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// If the text is not JSON, or the session would grow over the policy's limit.
    pub fn replace_json(
        &self,
        name: impl Into<String>,
        seen: Option<&str>,
        new: Option<&str>,
    ) -> Result<Replacement, DataError> {
        let name = Name::from(name.into());
        let new = new.map(|json| checked(&name, json)).transpose()?;
        let mut state = self.visit().state();
        let current = state.value(&name);
        if current.as_ref().map(|value| value.text(&name)) != seen {
            return Ok(Replacement::new(false));
        }
        let replacement = Replacement::new(true);
        let step = replace(seen.map(Raw::from), new.clone(), &replacement);
        match new {
            Some(new) => self.write(&mut state, name, new, |pending, name, new| {
                pending.changes.update(name, step, Some(new));
            })?,
            None => Self::erase(&mut state, name, |pending, name| {
                pending.changes.update(name, step, None);
            }),
        }
        Ok(replacement)
    }
}

fn replace(seen: Option<Raw>, new: Option<Raw>, replacement: &Replacement) -> Step {
    let happened = Arc::clone(&replacement.happened);
    Arc::new(move |value| {
        let is_seen = value == seen.as_deref();
        happened.store(is_seen, Ordering::Release);
        Ok(if is_seen {
            new.clone()
        } else {
            value.map(Raw::from)
        })
    })
}

fn checked(name: &Name, json: &str) -> Result<Raw, DataError> {
    match serde_json::from_str::<IgnoredAny>(json) {
        Ok(IgnoredAny) => Ok(Raw::from(json.trim())),
        Err(error) => Err(DataError::Serialize {
            key: name.clone(),
            source: error.into(),
        }),
    }
}
