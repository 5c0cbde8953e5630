//! One request's session, as all handles of it share it: what arrived, and what the store let in.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderValue;

use crate::arrival::Arrival;
use crate::bearer::{NotRecognised, Recognised, recognise};
use crate::clock::Timestamp;
use crate::deadline::Deadline;
use crate::device::Device;
use crate::engine::Engine;
use crate::event::{Dropped, Event, EventKind, GuessedCookie, Refusal};
use crate::genuine_cookie::GenuineCookie;
use crate::guessing::{Prospect, Spent};
use crate::keyring::KeyRole;
use crate::lineage::Bearer;
use crate::owner::Owner;
use crate::policy::Policy;
use crate::record::{Record, free_data};
use crate::session_id::SessionId;
use crate::state::{
    Absence, Answered, Attendance, CookieDue, Foresight, Freshness, LeftBehind, Live, Standing, State, Upkeep,
};
use crate::store::{Operation, StoreError, Touch};
use crate::token::{SecretHash, Token};
use crate::too_many_guesses::TooManyGuesses;
use crate::upkeep;

/// What all handles of one request share.
pub(crate) struct Visit {
    pub(crate) engine: Arc<Engine>,
    pub(crate) arrival: Arrival,
    pub(crate) sender: Sender,
    state: Mutex<State>,
    /// Loads and saves of one request take turns.
    turn: tokio::sync::Mutex<()>,
}

/// Who sent the request.
pub(crate) struct Sender {
    pub(crate) user_agent: Option<HeaderValue>,
    /// As far as it was needed.
    pub(crate) address: Option<IpAddr>,
}

impl Sender {
    /// With the address only if the policy says so.
    pub(crate) fn device(&self, policy: &Policy) -> Device {
        let address = self.address.filter(|_| policy.record_client_address);
        Device::from_header(self.user_agent.as_ref(), address)
    }
}

/// A session could not be loaded. The request has no session then, not an empty one: answer with
/// 503 or 429 and a Retry-After, and leave the browser's cookie alone.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The store failed.
    #[error("the session could not be loaded")]
    Store(#[from] StoreError),
    /// The client brought too many cookies of sessions that are not there, and is not looked up another: answer with
    /// 429.
    #[error(transparent)]
    TooManyGuesses(#[from] TooManyGuesses),
}

/// Whether the store is still to be asked.
enum Question {
    Answered,
    Open(Look),
}

/// Whether this request looks at its session for the first time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    First,
    /// It peeked at it before, or made it, and now uses it.
    Again,
}

/// Why a genuine cookie lets nobody in.
enum NotAdmitted {
    Absent(Absence),
    /// It retired, so somebody copied it.
    Stolen(Arc<Record>),
}

impl Visit {
    pub(crate) fn new(engine: Arc<Engine>, arrival: Arrival, sender: Sender) -> Self {
        let cookie = match arrival {
            // Another instance may have the key.
            Arrival::Refused(Refusal::UnknownKey) | Arrival::OverLimit(Refusal::UnknownKey, _) => {
                CookieDue::Nothing
            }
            Arrival::Refused(_) | Arrival::OverLimit(..) => CookieDue::Remove,
            Arrival::NoCookie | Arrival::Genuine(_) => CookieDue::Nothing,
        };
        let state = Mutex::new(State::new(cookie));
        let turn = tokio::sync::Mutex::default();
        Self {
            engine,
            arrival,
            sender,
            state,
            turn,
        }
    }

    /// Finds the session in the store, unless that was done before.
    pub(crate) async fn ask(&self, attendance: Attendance) -> Result<(), LoadError> {
        if self.is_answered_for(attendance) {
            return Ok(());
        }
        let _turn = self.turn().await;
        match self.question(attendance) {
            Question::Answered => Ok(()),
            Question::Open(look) => self.load(attendance, look).await,
        }
    }

    pub(crate) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        match self.turn.try_lock() {
            Ok(turn) => turn,
            Err(_) => self.turn.lock().await,
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // No code of the application runs under this lock, so a panic never leaves the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn device(&self) -> Device {
        self.sender.device(&self.engine.policy)
    }

    /// Tells of what this request caused.
    pub(crate) fn tell(&self, kind: EventKind, session: Option<SessionId>, owner: Option<Owner>) {
        self.engine.tell_of(Event {
            session,
            owner,
            client: Some(self.device()),
            ..Event::new(self.engine.now(), kind)
        });
    }

    /// The same, of a session that may be another device's.
    pub(crate) fn tell_of_record(&self, kind: EventKind, record: &Record) {
        self.engine.tell_of(Event {
            session: Some(record.id),
            owner: record.owner.clone(),
            device: Some(record.device.clone()),
            client: Some(self.device()),
            ..Event::new(self.engine.now(), kind)
        });
    }

    /// Whether the state already holds what a load would find. Settles requests without a genuine
    /// cookie on the way, for they need no store.
    pub(crate) fn is_answered_for(&self, attendance: Attendance) -> bool {
        matches!(self.question(attendance), Question::Answered)
    }

    fn question(&self, attendance: Attendance) -> Question {
        let mut state = self.state();
        match (&state.standing, &self.arrival) {
            (Standing::Absent(_), _) => Question::Answered,
            (Standing::Live(live), _) => match (attendance, live.attendance) {
                (Attendance::Passive, _) | (Attendance::Active, Attendance::Active) => Question::Answered,
                _ => Question::Open(Look::Again),
            },
            (Standing::Unasked, Arrival::Genuine(_)) => Question::Open(Look::First),
            (Standing::Unasked, Arrival::NoCookie) => {
                state.standing = Standing::Absent(Absence::NoCookie);
                Question::Answered
            }
            (Standing::Unasked, Arrival::Refused(refusal) | Arrival::OverLimit(refusal, _)) => {
                state.standing = Standing::Absent(Absence::Refused(*refusal));
                Question::Answered
            }
        }
    }

    async fn load(&self, attendance: Attendance, look: Look) -> Result<(), LoadError> {
        let Arrival::Genuine(cookie) = &self.arrival else {
            return Ok(());
        };
        let token = cookie.token();
        let engine = &*self.engine;
        let now = engine.now();
        let (id, hash) = match look {
            Look::First => (token.id, token.secret.hash()),
            // If this request created or renewed it, it has an id or a secret that no cookie had.
            Look::Again => match self.state().live() {
                Some(live) => (live.record.id, live.record.secret_hash),
                None => return Ok(()),
            },
        };
        let active = |at_most_every| Touch::Active {
            now,
            bearer: hash,
            at_most_every,
        };
        if look == Look::First {
            match self.prospect(cookie, &token) {
                Prospect::LookUp => {}
                Prospect::Dead(refusal) => {
                    self.settle_in(Err(Absence::Refused(refusal)), false);
                    return Ok(());
                }
                Prospect::Spent(spent) => return Err(self.refuse_guess(&spent)),
            }
        }
        let (touch, attendance) = match attendance {
            Attendance::Passive => (Touch::No, attendance),
            Attendance::Active => (active(engine.policy.effective_touch_interval()), attendance),
            Attendance::Extending => (active(Duration::ZERO), Attendance::Active),
        };
        let mut deadline = engine.deadline();
        let found = deadline.call(Operation::Load, engine.store.load(id, touch)).await;
        let found = engine.reported(Operation::Load, id, found)?;

        let outcome = if look == Look::First {
            self.admit(found, &token, &hash, attendance, now)
        } else {
            // Unless the handler ended the session while it was looked up.
            let Some(peeked) = self.state().live().cloned() else {
                return Ok(());
            };
            self.attend(found, peeked, now)
        };
        let outcome = match outcome {
            Err(NotAdmitted::Absent(absence)) => Err(absence),
            Err(NotAdmitted::Stolen(record)) => Err(Box::pin(self.end_stolen(&record, &mut deadline)).await?),
            Ok(live) => Ok(live),
        };
        self.remember(&outcome, cookie);
        if outcome.is_ok() && look == Look::First {
            engine.observed.loaded();
            self.engine.start_counting_if_due();
        }
        self.settle_in(outcome, self.arrival.has_older_key());
        Ok(())
    }

    fn prospect(&self, cookie: &GenuineCookie, token: &Token) -> Prospect {
        match &self.engine.guessing {
            Some(guessing) if !cookie.is_remembered() => guessing.consider(token, self.sender.address),
            _ => Prospect::LookUp,
        }
    }

    fn refuse_guess(&self, spent: &Spent) -> LoadError {
        self.engine
            .tell_of_spent(GuessedCookie::Unknown, spent, &self.sender);
        LoadError::TooManyGuesses(spent.refusal)
    }

    /// Keeps what the store said of the cookie that arrived.
    fn remember(&self, outcome: &Result<Arc<Live>, Absence>, cookie: &GenuineCookie) {
        let verified = &self.engine.verified;
        let guessing = self.engine.guessing.as_ref();
        match outcome {
            Ok(_) if cookie.is_remembered() => {}
            Ok(_) => {
                if cookie.is_worth_remembering() {
                    verified.add(cookie.fingerprint);
                }
                if let Some(guessing) = guessing {
                    guessing.is_alive(&cookie.token().secret);
                }
            }
            Err(absence) => {
                // It counts as a guess from now on.
                verified.remove(cookie.fingerprint);
                if let Some(guessing) = guessing {
                    guessing.count_absence(*absence, cookie, self.sender.address);
                }
            }
        }
    }

    /// Decides whether the record that the store has lets this token in.
    fn admit(
        &self,
        found: Option<Arc<Record>>,
        token: &Token,
        hash: &SecretHash,
        attendance: Attendance,
        now: Timestamp,
    ) -> Result<Arc<Live>, NotAdmitted> {
        let engine = &*self.engine;
        let keyring = engine.keyring.load();
        let Some(mut record) = found else {
            return Err(self.refuse(Refusal::Unknown, token, None));
        };
        if let Some(expiry) = record.expiry(now) {
            return Err(self.refuse(Refusal::Expired(expiry), token, Some(&record)));
        }
        let recognised = match recognise(&record, token.generation, &token.secret, hash, &keyring) {
            Ok(recognised) => recognised,
            Err(NotRecognised::Retired) => return Err(NotAdmitted::Stolen(record)),
            Err(NotRecognised::Superseded) => {
                let is_previous = |previous: SecretHash| previous.matches(hash);
                if record.previous_secret_hash.is_some_and(is_previous) {
                    self.state().left_behind = Some(LeftBehind::of(&record));
                }
                self.tell_of_record(EventKind::CookieSuperseded, &record);
                return Err(NotAdmitted::Absent(Absence::Superseded));
            }
            Err(NotRecognised::Unreadable(error)) => {
                return Err(self.refuse(error.into(), token, Some(&record)));
            }
        };
        let Recognised { bearer, secret } = recognised;
        let (data, sealed_under) = match engine.policy.sealing.open(&record, &secret, &keyring) {
            Ok(opened) => opened,
            Err(error) => return Err(self.refuse(error.into(), token, Some(&record))),
        };
        free_data(&mut record);
        let upkeep = match attendance {
            Attendance::Passive => Upkeep::NotDue,
            Attendance::Active | Attendance::Extending => {
                upkeep::due(&record, bearer, sealed_under, &engine.policy, now)
            }
        };
        Ok(Arc::new(Live {
            record,
            secret,
            data,
            sealed_under,
            bearer,
            upkeep,
            attendance,
            freshness: Freshness::SameSecret,
            foresight: Foresight::Current,
        }))
    }

    fn refuse(&self, refusal: Refusal, token: &Token, record: Option<&Record>) -> NotAdmitted {
        let kind = EventKind::CookieRefused(refusal);
        match record {
            Some(record) => self.tell_of_record(kind, record),
            None => self.tell(kind, Some(token.id), None),
        }
        NotAdmitted::Absent(Absence::Refused(refusal))
    }

    /// Two bear this session's cookies, and nobody can tell which of them is its owner: it ends for both.
    async fn end_stolen(&self, record: &Record, deadline: &mut Deadline) -> Result<Absence, LoadError> {
        let engine = &*self.engine;
        let removal = engine.store.remove(record.id);
        let removed = deadline.call(Operation::Remove, removal).await;
        engine.reported(Operation::Remove, record.id, removed)?;
        self.tell_of_record(EventKind::TokenReused, record);
        Ok(Absence::Refused(Refusal::Retired))
    }

    /// A session that was peeked at is now used.
    fn attend(
        &self,
        found: Option<Arc<Record>>,
        mut live: Arc<Live>,
        now: Timestamp,
    ) -> Result<Arc<Live>, NotAdmitted> {
        let engine = &*self.engine;
        let Some(found) = found.filter(|record| record.expiry(now).is_none()) else {
            return Err(NotAdmitted::Absent(self.lose(
                Dropped::SessionGone,
                Absence::Gone,
                &live,
            )));
        };
        let recognised = recognise(
            &found,
            live.record.lineage.generation,
            &live.secret,
            &live.record.secret_hash,
            &engine.keyring.load(),
        );
        // A renewal that went on since the look hands its cookie to the next request.
        if recognised.is_err() {
            self.tell_of_record(EventKind::CookieSuperseded, &found);
            return Err(NotAdmitted::Absent(self.lose(
                Dropped::Superseded,
                Absence::Superseded,
                &live,
            )));
        }
        let used = Arc::make_mut(&mut live);
        if found.last_seen_at > used.record.last_seen_at {
            Arc::make_mut(&mut used.record).last_seen_at = found.last_seen_at;
        }
        used.attendance = Attendance::Active;
        used.upkeep = upkeep::due(&used.record, used.bearer, used.sealed_under, &engine.policy, now);
        Ok(live)
    }

    /// Tells of what was written through a peek and is lost with the session.
    fn lose(&self, dropped: Dropped, absence: Absence, live: &Live) -> Absence {
        if !self.state().has_nothing_to_save() {
            let (id, owner) = (live.record.id, live.record.owner.clone());
            self.tell(EventKind::WriteDropped(dropped), Some(id), owner);
        }
        absence
    }

    fn settle_in(&self, outcome: Result<Arc<Live>, Absence>, older_key: bool) {
        let mut state = self.state();
        match outcome {
            Ok(live) => {
                // A look that is no activity seals nothing anew, and the cookie goes with the seal.
                let seal_follows =
                    live.attendance == Attendance::Active || live.sealed_under != KeyRole::Older;
                let is_issued = match live.bearer {
                    Bearer::Predecessor => {
                        live.hands_on_the_successor(&self.engine.policy, self.engine.now())
                    }
                    _ => older_key && seal_follows,
                };
                if is_issued {
                    state.cookie = CookieDue::Issue;
                }
                if state.has_nothing_to_save() {
                    state.data_bytes = live.data.json().len();
                }
                state.standing = Standing::Live(live);
            }
            Err(absence) => {
                state.cookie = match absence {
                    // The browser may hold a newer cookie by now, and another instance a newer key.
                    Absence::Superseded | Absence::Gone | Absence::Refused(Refusal::UnknownKey) => {
                        CookieDue::Nothing
                    }
                    Absence::Refused(_) | Absence::NoCookie | Absence::Destroyed => CookieDue::Remove,
                };
                state.become_absent(absence);
            }
        }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        // Without an answer the client went away, and nothing was promised to it.
        if state.answered == Answered::Already && !state.has_nothing_to_save() {
            let (id, owner) = match &state.standing {
                Standing::Live(live) => (Some(live.record.id), live.record.owner.clone()),
                Standing::Unasked | Standing::Absent(_) => (None, None),
            };
            self.tell(EventKind::WriteDropped(Dropped::AfterResponse), id, owner);
        }
    }
}
