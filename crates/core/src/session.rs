//! The handle that a request handler uses.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::assurance::AssuranceLevel;
use crate::changes::Name;
use crate::clock::Timestamp;
use crate::commit::{self, CommitError, Saved};
use crate::data::{Data, Raw};
use crate::data_error::DataError;
use crate::event::EventKind;
use crate::key::Key;
use crate::owner::{Owner, OwnerError};
use crate::record::{Deadlines, Lifetime, Record};
use crate::session_id::SessionId;
use crate::state::{Absence, CookieDue, Freshness, LeftBehind, Pending, Renewal, Standing, State};

use crate::visit::Visit;
/// A request's session. Synchronous once loaded, and cheap to clone; clones are the same session.
///
/// Nothing is written before the request is committed, except by [`save`](Session::save). Reading
/// changes nothing, and neither does writing a value that is there already.
///
/// # Two requests at once
///
/// Requests that write different keys both win. Of two that write the same key the later one wins,
/// unless they write it with [`update`](Session::update), which loses nothing. What is written to a
/// session that has ended or was renewed by another request in the meantime is dropped, with an event.
#[derive(Clone)]
pub struct Session {
    visit: Arc<Visit>,
}

/// What a request's session is at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// There is none. The first write makes one.
    Absent(Absence),
    /// It came with the request, or was saved in it.
    Loaded,
    /// It is given a new secret by this request.
    Renewed,
    /// This request ended it.
    Destroyed,
}

/// The data.
impl Session {
    /// The value of `key`, if there is one.
    ///
    /// # Errors
    /// If the JSON in the session is not of the key's type.
    pub fn get<T: DeserializeOwned>(&self, key: Key<T>) -> Result<Option<T>, DataError> {
        let value = self.visit.state().value(key.name());
        value.map(|value| parsed(key, value.text(key.name()))).transpose()
    }

    /// Writes a value, whatever was there. Where the new value depends on the old one, such as a
    /// counter or a cart, use [`update`](Session::update).
    ///
    /// # Errors
    /// If the value does not become JSON, or the session would grow over the policy's limit.
    pub fn insert<T: Serialize>(&self, key: Key<T>, value: &T) -> Result<(), DataError> {
        let value = serialized(key.name(), value)?;
        let mut state = self.visit.state();
        self.write(&mut state, key.name().into(), value, |pending, name, value| {
            pending.changes.set(name, value);
        })
    }

    /// Removes a value. Does nothing if there is none.
    pub fn remove<T>(&self, key: Key<T>) {
        let mut state = self.visit.state();
        Self::erase(&mut state, key.name().into(), |pending, name| {
            pending.changes.remove(name);
        });
    }

    /// Removes a value and gives it back: for a message that is shown once.
    ///
    /// # Errors
    /// If the JSON in the session is not of the key's type; it stays there then.
    pub fn take<T: DeserializeOwned>(&self, key: Key<T>) -> Result<Option<T>, DataError> {
        let taken = self.get(key)?;
        if taken.is_some() {
            self.remove(key);
        }
        Ok(taken)
    }

    /// Changes a value by what it was, and gives back what it is now.
    ///
    /// If another request commits first, the closure is run again on what that one wrote, so it must
    /// depend on nothing but its argument, and may run several times. What is given back is then what
    /// came out on the value that this request saw; after [`save`](Session::save), [`get`](Session::get)
    /// tells what was stored.
    ///
    /// ```
    /// # use tenure_core::{Key, Session};
    /// const CART: Key<Vec<u64>> = Key::new("cart");
    ///
    /// fn add_to_cart(session: &Session, item: u64) -> Result<usize, tenure_core::DataError> {
    ///     let cart = session.update(CART, move |cart| {
    ///         let mut cart = cart.unwrap_or_default();
    ///         cart.push(item);
    ///         cart
    ///     })?;
    ///     Ok(cart.len())
    /// }
    /// ```
    ///
    /// # Errors
    /// If the JSON in the session is not of the key's type, the new value does not become JSON, or the
    /// session would grow over the policy's limit.
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
            let old = seen
                .map(|value| parsed(key, value.text(key.name())))
                .transpose()?;
            let new = change(old);
            let text = serialized(key.name(), &new)?;

            let mut state = self.visit.state();
            if state.writes != writes {
                continue;
            }
            let change = Arc::clone(&change);
            self.write(&mut state, key.name().into(), text, |pending, name, latest| {
                let step = move |value: Option<&str>| {
                    let old = value.map(|text| parsed(key, text)).transpose()?;
                    serialized(key.name(), &change(old)).map(Some)
                };
                pending.changes.update(name, Arc::new(step), Some(latest));
            })?;
            return Ok(new);
        }
    }

    /// Removes every value. The session itself stays, with its owner and its times.
    pub fn clear(&self) {
        let mut state = self.visit.state();
        if !state.keys().is_empty() {
            state.pending.changes.clear();
            state.writes += 1;
            state.data_bytes = Data::EMPTY_JSON.len();
        }
    }

    /// Whether there is a value under `key`.
    #[must_use]
    pub fn contains<T>(&self, key: Key<T>) -> bool {
        self.visit.state().value(key.name()).is_some()
    }

    /// The names of the values, in order.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.visit.state().keys()
    }

    /// Writes `new` by way of `record` unless it is there already.
    pub(crate) fn write(
        &self,
        state: &mut State,
        key: Name,
        new: Raw,
        record: impl FnOnce(&mut Pending, Name, Raw),
    ) -> Result<(), DataError> {
        let old = state.value(&key);
        let old = old.as_ref().map(|value| value.text(&key));
        if old == Some(&*new) {
            return Ok(());
        }
        let bytes = state.data_bytes - old.map_or(0, |old| entry_bytes(&key, old)).min(state.data_bytes)
            + entry_bytes(&key, &new);
        let limit = self.visit.engine.policy.max_data_bytes;
        if bytes > limit {
            return Err(DataError::TooLarge { key, bytes, limit });
        }
        state.data_bytes = bytes;
        state.writes += 1;
        record(&mut state.pending, key, new);
        Ok(())
    }

    pub(crate) fn erase(state: &mut State, key: Name, record: impl FnOnce(&mut Pending, Name)) {
        let Some(old) = state.value(&key) else { return };
        state.data_bytes = state.data_bytes.saturating_sub(entry_bytes(&key, old.text(&key)));
        state.writes += 1;
        record(&mut state.pending, key);
    }
}

/// Its life.
impl Session {
    /// Makes `owner` the signed-in user of this session. Call it when the user has just proved who
    /// they are; it gives the session a new secret, so that whoever knew the old one is left outside
    /// (OWASP ASVS 5.0, 7.2.4), and starts the absolute timeout anew.
    ///
    /// The data stays, such as the cart of somebody who signs in to pay; if another owner was signed
    /// in before, it is cleared. The session is not remembered unless [`remember`](Session::remember)
    /// is called in the same request.
    ///
    /// # Errors
    /// If `owner` can't be one ([`OwnerError`]); nothing changes then.
    pub fn sign_in(&self, owner: impl AsRef<str>) -> Result<(), OwnerError> {
        self.sign_in_with(owner, AssuranceLevel::Aal1)
    }

    /// [`sign_in`](Session::sign_in) for a user who proved who they are by more than one factor. What was proven before
    /// in this session counts no more.
    ///
    /// # Errors
    /// As [`sign_in`](Session::sign_in).
    pub fn sign_in_with(&self, owner: impl AsRef<str>, level: AssuranceLevel) -> Result<(), OwnerError> {
        let owner = Owner::new(owner)?;
        let belonged_to_another = self.owner().is_some_and(|before| before != owner);
        let mut state = self.visit.state();
        if belonged_to_another {
            // Even what the other owner's requests write while this one runs.
            state.pending.changes.clear();
            state.data_bytes = Data::EMPTY_JSON.len();
        }
        state.pending.renewal = Renewal::SignIn(owner, level);
        state.writes += 1;
        Ok(())
    }

    /// Records that the signed-in user has just proved again who they are, and how strongly: call it when they have, before
    /// something sensitive (OWASP ASVS 5.0, 7.5.1 and 7.5.3). Who proves a level proves those below it; that a higher one
    /// was proven earlier stays known. It gives the session a new secret (7.2.4). Does nothing where nobody is signed in.
    ///
    /// [`authenticated_within`](Session::authenticated_within) tells how long ago that was, and the doors have an
    /// extractor for it.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tenure_core::{AssuranceLevel, Session};
    ///
    /// /// After the password was asked for, and was right.
    /// fn confirmed(session: &Session) {
    ///     session.step_up(AssuranceLevel::Aal1);
    /// }
    ///
    /// fn may_change_the_address(session: &Session) -> bool {
    ///     session.authenticated_within(Duration::from_mins(5), AssuranceLevel::Aal1)
    /// }
    /// ```
    pub fn step_up(&self, level: AssuranceLevel) {
        if self.owner().is_some() {
            let mut state = self.visit.state();
            state.pending.renew(Renewal::StepUp(level));
            state.writes += 1;
        }
    }

    /// Ends the session because its owner leaves: the record is removed from the store and the cookie
    /// from the browser. What is written afterwards begins a new session.
    pub fn sign_out(&self) {
        self.end(EventKind::SignedOut);
    }

    /// Ends the session for any other reason. The same as [`sign_out`](Session::sign_out) but for the event.
    pub fn destroy(&self) {
        self.end(EventKind::Destroyed);
    }

    /// Gives the session a new secret under the same id; the old one is dead once this is committed.
    /// Call it when what the session may do changes; [`sign_in`](Session::sign_in) does it by itself.
    /// Does nothing where there is no session.
    pub fn renew(&self) {
        let mut state = self.visit.state();
        if state.live().is_some() && !state.pending.needs_new_secret() {
            state.pending.renew(Renewal::Renew);
            state.writes += 1;
        }
    }

    /// "Keep me signed in": the session lives by the policy's longer pair of timeouts, and its cookie
    /// outlives the browser. Call it beside [`sign_in`](Session::sign_in), in either order.
    pub fn remember(&self) {
        let mut state = self.visit.state();
        state.pending.lifetime = Some(Lifetime::Remembered);
        state.writes += 1;
    }

    /// Writes what was done so far to the store now, instead of when the handler has answered: before
    /// a streaming response, or to learn what an [`update`](Session::update) came to.
    ///
    /// Tells whether the writes were kept: they are dropped if the session has ended or was renewed by
    /// another request in the meantime.
    ///
    /// After the response has gone out, changes of the data can still be saved, but nothing that needs
    /// a new cookie.
    ///
    /// # Errors
    /// If the store fails, or as [`CommitError`] says.
    pub async fn save(&self) -> Result<Saved, CommitError> {
        commit::save(&self.visit).await
    }

    fn end(&self, kind: EventKind) {
        let mut state = self.visit.state();
        if state.in_flight.is_some() {
            state.overtaken = Some(kind);
        }
        let ended = match &state.standing {
            Standing::Live(live) => Some(LeftBehind::of(&live.record)),
            Standing::Unasked | Standing::Absent(_) => state.left_behind.take(),
        };
        if let Some(ended) = ended {
            state.endings.push(ended.ended_by(kind));
            state.cookie = CookieDue::Remove;
            state.become_absent(Absence::Destroyed);
        } else if let Standing::Absent(absence) = state.standing {
            state.become_absent(absence);
        }
    }
}

/// What is known of it.
impl Session {
    /// The signed-in user.
    #[must_use]
    pub fn owner(&self) -> Option<Owner> {
        let state = self.visit.state();
        let signing_in = state
            .pending
            .signs_in()
            .or(state.in_flight.as_deref().and_then(Pending::signs_in));
        signing_in.cloned().or_else(|| state.live()?.record.owner.clone())
    }

    /// The session's name, for logs and account pages. `None` before it is first saved.
    #[must_use]
    pub fn id(&self) -> Option<SessionId> {
        Some(self.visit.state().live()?.record.id)
    }

    /// When the session came to be.
    #[must_use]
    pub fn created_at(&self) -> Option<Timestamp> {
        Some(self.visit.state().live()?.record.created_at)
    }

    /// When its owner signed in: for routes that ask for a recent sign-in.
    #[must_use]
    pub fn signed_in_at(&self) -> Option<Timestamp> {
        self.visit.state().live()?.record.signed_in_at
    }

    /// Which pair of the policy's timeouts it lives by.
    #[must_use]
    pub fn lifetime(&self) -> Option<Lifetime> {
        Some(self.visit.state().live()?.record.lifetime)
    }

    /// The last activity, up to the policy's [touch interval](crate::Policy::touch_interval).
    #[must_use]
    pub fn last_seen_at(&self) -> Option<Timestamp> {
        Some(self.visit.state().live()?.record.last_seen_at)
    }

    /// When the session ends, by each timeout, with what this request has done to it.
    #[must_use]
    pub fn expires(&self) -> Option<Deadlines> {
        Some(self.foreseen()?.deadlines())
    }

    /// When the signed-in user last proved who they are, at least this strongly, with what this request has done. Signing in
    /// is such a proof, and so is [`step_up`](Session::step_up).
    #[must_use]
    pub fn authenticated_at(&self, level: AssuranceLevel) -> Option<Timestamp> {
        self.foreseen()?.lineage.proofs.at(level)
    }

    /// Whether the signed-in user proved who they are, at least this strongly, less than `duration` ago.
    #[must_use]
    pub fn authenticated_within(&self, duration: Duration, level: AssuranceLevel) -> bool {
        self.authenticated_at(level)
            .is_some_and(|at| self.visit.engine.now() < at.plus(duration))
    }

    /// The highest level at which the signed-in user has proved who they are since they signed in, however long ago.
    #[must_use]
    pub fn assurance_level(&self) -> Option<AssuranceLevel> {
        self.foreseen()?.lineage.proofs.highest()
    }

    /// The record as it is after what this request has done.
    fn foreseen(&self) -> Option<Record> {
        let state = self.visit.state();
        let engine = &*self.visit.engine;
        let pending = state.whole_pending();
        let mut record: Record = match &state.standing {
            Standing::Live(live) => Record::clone(&live.record),
            Standing::Unasked | Standing::Absent(_) if pending.is_empty() => return None,
            Standing::Unasked | Standing::Absent(_) => commit::blank_record(&self.visit, engine.now()),
        };
        pending.stamp(&mut record, &engine.policy, engine.now(), || self.visit.device());
        if pending.needs_new_secret() {
            record.last_seen_at = engine.now();
        }
        Some(record)
    }

    /// What the session is at the moment.
    #[must_use]
    pub fn status(&self) -> Status {
        let state = self.visit.state();
        match &state.standing {
            Standing::Live(live) => {
                let renews = state.whole_pending().needs_new_secret();
                if renews || live.freshness == Freshness::NewSecret {
                    Status::Renewed
                } else {
                    Status::Loaded
                }
            }
            Standing::Absent(Absence::Destroyed) => Status::Destroyed,
            Standing::Absent(absence) => Status::Absent(*absence),
            Standing::Unasked => Status::Absent(Absence::NoCookie),
        }
    }

    pub(crate) fn new(visit: Arc<Visit>) -> Self {
        Self { visit }
    }

    pub(crate) fn visit(&self) -> &Visit {
        &self.visit
    }
}

impl fmt::Debug for Session {
    /// Shows id, status and the names of the keys; never a value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("id", &self.id())
            .field("status", &self.status())
            .field("keys", &self.keys())
            .finish_non_exhaustive()
    }
}

/// What an entry adds to the JSON: the key in quotes, the colon, the value, and a comma.
fn entry_bytes(key: &str, value: &str) -> usize {
    key.len() + value.len() + 4
}

pub(crate) fn serialized<T: Serialize>(key: &'static str, value: &T) -> Result<Raw, DataError> {
    if let Some(text) = short_json(value) {
        return Ok(text);
    }
    match serde_json::to_string(value) {
        Ok(text) => Ok(Raw::from(text)),
        Err(error) => Err(DataError::Serialize {
            key: key.into(),
            source: error.into(),
        }),
    }
}

/// The JSON of a short value, as most are, without a buffer on the heap. `None` if it is longer, or none at all.
fn short_json<T: Serialize>(value: &T) -> Option<Raw> {
    const MOST_BYTES: usize = 64;
    let mut buffer = [0; MOST_BYTES];
    let mut rest = &mut buffer[..];
    serde_json::to_writer(&mut rest, value).ok()?;
    let length = MOST_BYTES - rest.len();
    str::from_utf8(&buffer[..length]).ok().map(Raw::from)
}

pub(crate) fn parsed<T: DeserializeOwned>(key: Key<T>, text: &str) -> Result<T, DataError> {
    serde_json::from_str(text).map_err(|error| DataError::Deserialize {
        key: key.name().into(),
        source: error.into(),
    })
}
