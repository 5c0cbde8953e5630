//! The state of a session within one request.

use std::sync::Arc;

use crate::assurance::{AssuranceLevel, Proofs};
use crate::changes::{Changes, Verdict};
use crate::clock::Timestamp;
use crate::data::{Data, Raw};
use crate::device::Device;
use crate::event::{EventKind, Refusal};
use crate::keyring::KeyRole;
use crate::lineage::{Bearer, Step};
use crate::owner::Owner;
use crate::policy::Policy;
use crate::record::{Lifetime, Record};
use crate::seal::Unsealed;
use crate::session_id::SessionId;
use crate::token::TokenSecret;

/// Why a request has no session, or none yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Absence {
    /// It brought no cookie.
    NoCookie,
    /// It brought a cookie that was not accepted.
    Refused(Refusal),
    /// It brought a genuine cookie for a live session, but a renewal has replaced its secret. Usually a
    /// request that crossed a sign-in on its way: the browser holds the newer cookie by now, so none
    /// is set and none removed.
    Superseded,
    /// This very request ended it.
    Destroyed,
    /// Another request, or an operator, ended it while this one ran.
    Gone,
}

pub(crate) struct State {
    pub(crate) standing: Standing,
    /// What the handler did since the last save.
    pub(crate) pending: Pending,
    /// What a save is writing right now. Left over if that save failed or was cancelled.
    pub(crate) in_flight: Option<Arc<Pending>>,
    /// The sessions that this request ended and that are yet to be removed from the store: one, or two
    /// if it ended one that it had only just begun.
    pub(crate) endings: Vec<Ending>,
    /// A live session that this request's secret opened until a renewal replaced it.
    pub(crate) left_behind: Option<LeftBehind>,
    /// How the handler ended the session while a save was writing it, so that the save does not undo it.
    pub(crate) overtaken: Option<EventKind>,
    pub(crate) cookie: CookieDue,
    pub(crate) answered: Answered,
    /// Counts the writes, so that an update can tell whether somebody came between.
    pub(crate) writes: u64,
    /// About how long the data is as JSON.
    pub(crate) data_bytes: usize,
}

pub(crate) enum Standing {
    /// The handler has not asked for the session.
    Unasked,
    Absent(Absence),
    Live(Arc<Live>),
}

/// A session as the store has it.
#[derive(Clone)]
pub(crate) struct Live {
    /// What is sealed in it is freed, unless the store shares it.
    pub(crate) record: Arc<Record>,
    pub(crate) secret: TokenSecret,
    pub(crate) data: Unsealed,
    /// The key that the data in the store is sealed under.
    pub(crate) sealed_under: KeyRole,
    /// Whether the browser bears the current secret or the one before, as long as both are good.
    pub(crate) bearer: Bearer,
    pub(crate) upkeep: Upkeep,
    pub(crate) attendance: Attendance,
    /// Whether this request gave it a new secret.
    pub(crate) freshness: Freshness,
    pub(crate) foresight: Foresight,
}

/// Whether the record wants a write that nobody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Upkeep {
    NotDue,
    Due,
}

/// Whether looking at the session counts as activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attendance {
    Passive,
    Active,
    /// Activity that is written whatever the touch interval. A session that was let in by it is `Active`.
    Extending,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    SameSecret,
    NewSecret,
}

/// Whether the pending updates were run on the data that the session has now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Foresight {
    Current,
    /// A save replayed on what another request wrote while they were made: they are to be run again.
    Outdated,
}

pub(crate) struct Ending {
    pub(crate) id: SessionId,
    pub(crate) owner: Option<Owner>,
    pub(crate) kind: EventKind,
}

/// Whoever bore a session's secret just before the current one may end the session, and nothing else: a
/// sign-out that crossed a renewal on its way is still a sign-out.
pub(crate) struct LeftBehind {
    id: SessionId,
    owner: Option<Owner>,
}

impl LeftBehind {
    pub(crate) fn of(record: &Record) -> Self {
        Self {
            id: record.id,
            owner: record.owner.clone(),
        }
    }

    pub(crate) fn ended_by(self, kind: EventKind) -> Ending {
        Ending {
            id: self.id,
            owner: self.owner,
            kind,
        }
    }
}

/// What the response shall say about the cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CookieDue {
    Nothing,
    Issue,
    Remove,
}

/// Whether the response's head has gone out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answered {
    NotYet,
    Already,
}

/// What is to be done to a session.
#[derive(Clone, Default)]
pub(crate) struct Pending {
    /// There shall be a session, even without anything in it.
    pub(crate) begins: bool,
    pub(crate) changes: Changes,
    pub(crate) renewal: Renewal,
    pub(crate) lifetime: Option<Lifetime>,
}

#[derive(Clone, Default)]
pub(crate) enum Renewal {
    #[default]
    Keep,
    Renew,
    StepUp(AssuranceLevel),
    SignIn(Owner, AssuranceLevel),
}

impl Renewal {
    fn then(self, later: Self) -> Self {
        match (self, later) {
            (earlier, Self::Keep) => earlier,
            (earlier @ (Self::StepUp(_) | Self::SignIn(..)), Self::Renew) => earlier,
            (Self::StepUp(one), Self::StepUp(other)) => Self::StepUp(one.max(other)),
            (Self::SignIn(owner, one), Self::StepUp(other)) => Self::SignIn(owner, one.max(other)),
            (_, later) => later,
        }
    }
}

impl Pending {
    pub(crate) fn is_empty(&self) -> bool {
        !self.begins
            && self.changes.is_empty()
            && matches!(self.renewal, Renewal::Keep)
            && self.lifetime.is_none()
    }

    pub(crate) fn then(self, later: Self) -> Self {
        Self {
            begins: self.begins || later.begins,
            changes: self.changes.then(later.changes),
            renewal: self.renewal.then(later.renewal),
            lifetime: later.lifetime.or(self.lifetime),
        }
    }

    pub(crate) fn needs_new_secret(&self) -> bool {
        !matches!(self.renewal, Renewal::Keep)
    }

    pub(crate) fn signs_in(&self) -> Option<&Owner> {
        match &self.renewal {
            Renewal::SignIn(owner, _) => Some(owner),
            Renewal::Keep | Renewal::Renew | Renewal::StepUp(_) => None,
        }
    }

    /// Asks for a renewal beside what is asked for already.
    pub(crate) fn renew(&mut self, renewal: Renewal) {
        self.renewal = std::mem::take(&mut self.renewal).then(renewal);
    }

    /// Whether anything but the data changes.
    pub(crate) fn changes_metadata(&self, record: &Record) -> bool {
        self.needs_new_secret() || self.changes_lifetime(record)
    }

    fn changes_lifetime(&self, record: &Record) -> bool {
        self.lifetime.is_some_and(|lifetime| lifetime != record.lifetime)
    }

    /// Owner, proofs, times and device of `record` after this, at `now`.
    pub(crate) fn stamp(
        &self,
        record: &mut Record,
        policy: &Policy,
        now: Timestamp,
        device: impl FnOnce() -> Device,
    ) {
        let mut restart = self.changes_lifetime(record);
        if let Renewal::StepUp(level) = self.renewal {
            record.lineage.proofs.add(level, now);
        }
        if let Renewal::SignIn(owner, level) = &self.renewal {
            record.owner = Some(owner.clone());
            record.lineage.proofs = Proofs::none();
            record.lineage.proofs.add(*level, now);
            record.signed_in_at = Some(now);
            record.lifetime = Lifetime::Standard;
            record.device = device();
            restart = true;
        }
        if restart {
            record.lifetime = self.lifetime.unwrap_or(record.lifetime);
            let timeouts = policy.timeouts(record.lifetime);
            record.idle_timeout = timeouts.idle;
            record.absolute_deadline = record
                .signed_in_at
                .unwrap_or(record.created_at)
                .plus(timeouts.absolute);
        }
    }
}

impl Live {
    /// What its bearer moves on of a periodic renewal, at `now`.
    pub(crate) fn step(&self, policy: &Policy, now: Timestamp) -> Option<Step> {
        self.record.lineage.step(self.bearer, now, policy.rhythm())
    }

    /// Whether the response shall bring the successor to the bearer of the predecessor. Not before it is written down
    /// that the predecessor is in use again: the successor could be used at once, and the predecessor retire, while
    /// other requests with it are still on their way.
    pub(crate) fn hands_on_the_successor(&self, policy: &Policy, now: Timestamp) -> bool {
        self.bearer == Bearer::Predecessor && self.step(policy, now) != Some(Step::Return)
    }
}

impl State {
    pub(crate) fn new(cookie: CookieDue) -> Self {
        Self {
            standing: Standing::Unasked,
            pending: Pending::default(),
            in_flight: None,
            endings: Vec::new(),
            left_behind: None,
            overtaken: None,
            cookie,
            answered: Answered::NotYet,
            writes: 0,
            data_bytes: Data::EMPTY_JSON.len(),
        }
    }

    pub(crate) fn live(&self) -> Option<&Arc<Live>> {
        match &self.standing {
            Standing::Live(live) => Some(live),
            Standing::Unasked | Standing::Absent(_) => None,
        }
    }

    pub(crate) fn has_nothing_to_save(&self) -> bool {
        self.pending.is_empty() && self.in_flight.is_none() && self.endings.is_empty()
    }

    pub(crate) fn upkeep_is_due(&self) -> bool {
        self.live().is_some_and(|live| live.upkeep == Upkeep::Due)
    }

    /// What a session would get if it were saved now.
    pub(crate) fn whole_pending(&self) -> Pending {
        match &self.in_flight {
            Some(earlier) => Pending::clone(earlier).then(self.pending.clone()),
            None => self.pending.clone(),
        }
    }

    /// The same, for a save that is to write it.
    pub(crate) fn take_pending(&mut self) -> Pending {
        let pending = std::mem::take(&mut self.pending);
        match self.in_flight.take() {
            Some(earlier) => Arc::unwrap_or_clone(earlier).then(pending),
            None => pending,
        }
    }

    /// The value of `key` as this request sees it.
    pub(crate) fn value(&self, key: &str) -> Option<Value> {
        for changes in [Some(&self.pending), self.in_flight.as_deref()]
            .into_iter()
            .flatten()
        {
            match changes.changes.verdict(key) {
                Verdict::Is(value) => return Some(Value::Written(value.clone())),
                Verdict::IsGone => return None,
                Verdict::Untouched => {}
            }
        }
        let live = self.live()?;
        live.data.get(key).map(|_| Value::Stored(Arc::clone(live)))
    }

    /// The keys that have a value, in order.
    pub(crate) fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = Vec::new();
        if let Some(live) = self.live() {
            keys.extend(live.data.iter().map(|(key, _)| key.to_owned()));
        }
        for pending in [self.in_flight.as_deref(), Some(&self.pending)]
            .into_iter()
            .flatten()
        {
            keys.retain(|key| !matches!(pending.changes.verdict(key), Verdict::IsGone));
            keys.extend(pending.changes.keys_set().map(str::to_owned));
        }
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// Forgets what was to be written, and that there was a session.
    pub(crate) fn become_absent(&mut self, absence: Absence) {
        self.standing = Standing::Absent(absence);
        self.pending = Pending::default();
        self.in_flight = None;
        self.writes += 1;
        self.data_bytes = Data::EMPTY_JSON.len();
    }
}

/// A value as JSON text, without a copy of it.
pub(crate) enum Value {
    Written(Raw),
    Stored(Arc<Live>),
}

impl Value {
    pub(crate) fn text(&self, key: &str) -> &str {
        match self {
            Self::Written(raw) => raw,
            Self::Stored(live) => live.data.get(key).unwrap_or("null"),
        }
    }
}
