//! Writing what a request did to its session: the rules for two requests at once.

use std::sync::Arc;

use bytes::Bytes;

use crate::bearer::{NotRecognised, Recognised, recognise};
use crate::clock::Timestamp;
use crate::data::Data;
use crate::data_error::DataError;
use crate::deadline::Deadline;
use crate::event::{Dropped, EventKind, Refusal};
use crate::eviction::{self, Admission};
use crate::keyring::KeyRole;
use crate::lineage::{Bearer, Lineage};
use crate::next_record::next_record;
use crate::outgoing::Outgoing;
use crate::random::RandomError;
use crate::record::{Lifetime, Record, free_data, replace, without_data};
use crate::session_id::SessionId;
use crate::set_cookie;
use crate::state::{
    Absence, Answered, Attendance, CookieDue, Foresight, Freshness, LeftBehind, Live, Pending, Renewal,
    Standing, State, Upkeep,
};
use crate::store::{Inserted, Operation, StoreError, Touch, Updated};
use crate::token::{Token, TokenSecret};
use crate::upkeep_commit;
use crate::visit::Visit;

/// A request's changes could not be written. Nothing of them is in the store, unless an earlier
/// [`save`](crate::Session::save) put it there or only the store's answer was lost, and the browser's cookie
/// must be left alone.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// The store failed. Answer with 503 and Retry-After.
    #[error("the session could not be saved")]
    Store(#[from] StoreError),
    /// Other requests wrote to the same session again and again. Answer with 503 and Retry-After.
    #[error("the session was changed by other requests {attempts} times in a row; try again")]
    Contended {
        /// How often it was tried.
        attempts: u32,
    },
    /// Replayed on what another request wrote, the changes do not fit any more.
    #[error("the session's changes could not be replayed on what another request wrote")]
    Data(#[from] DataError),
    /// With what another request wrote, the data is over the policy's limit.
    #[error(
        "the session came to {bytes} bytes, over the policy's {limit}; keep big things elsewhere and their key in the session"
    )]
    TooLarge {
        /// What the data came to.
        bytes: usize,
        /// The policy's limit.
        limit: usize,
    },
    /// The owner who signed in has as many sessions as the [policy](crate::Policy::session_limit) allows. Nobody is
    /// signed in by this request: offer to end another session.
    #[error("the user has {limit} sessions already, and the policy allows no more; end one to sign in here")]
    TooManySessions {
        /// The policy's limit.
        limit: u32,
    },
    /// The operating system gave no random bytes.
    #[error("no secret could be made for the session")]
    Random(#[from] RandomError),
    /// The response is out, and a new cookie can't reach the browser any more.
    #[error(
        "the response has gone out, so no cookie can reach the browser; sign in, renew and begin sessions before answering"
    )]
    AfterResponse,
}

/// What became of the writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// There was nothing to write.
    Unchanged,
    /// They are in the store.
    Written,
    /// They were dropped.
    Dropped(Dropped),
}

/// How often a commit is tried when others write to the same session. Within one process writers
/// queue up, so it takes this many other processes that write at the same time to get here.
const MOST_ATTEMPTS: u32 = 64;

pub(crate) fn commit_without_store(visit: &Visit) -> Option<Outgoing> {
    let mut state = visit.state();
    let needs_store = !state.has_nothing_to_save() || state.upkeep_is_due();
    (!needs_store).then(|| answer(visit, &mut state))
}

/// The cookie alone, for a request that did nothing to its session.
pub(crate) fn answer_without_store(visit: &Visit) -> Outgoing {
    answer(visit, &mut visit.state())
}

pub(crate) async fn commit(visit: &Visit) -> Result<Outgoing, CommitError> {
    let mut deadline = visit.engine.deadline();
    let saved = save_within(visit, &mut deadline).await;
    if saved.is_ok() && visit.state().upkeep_is_due() {
        Box::pin(upkeep_commit::keep_up(visit, &mut deadline)).await;
    }
    let mut state = visit.state();
    state.answered = Answered::Already;
    match saved {
        Ok(_) => Ok(answer(visit, &mut state)),
        Err(error) => {
            // They were refused, and the caller is told so; nothing is left to be dropped later.
            state.pending = Pending::default();
            state.in_flight = None;
            state.endings.clear();
            Err(error)
        }
    }
}

pub(crate) fn outgoing_after_failure(visit: &Visit) -> Outgoing {
    let mut state = visit.state();
    match state.cookie {
        CookieDue::Issue => answer(visit, &mut state),
        CookieDue::Nothing | CookieDue::Remove => Outgoing::nothing(),
    }
}

fn answer(visit: &Visit, state: &mut State) -> Outgoing {
    state.answered = Answered::Already;
    let engine = &*visit.engine;
    match (state.cookie, state.live()) {
        (CookieDue::Issue, Some(live)) => {
            let token = Token {
                id: live.record.id,
                generation: live.record.lineage.generation,
                secret: live.secret.clone(),
            };
            if let Some(guessing) = &engine.guessing {
                guessing.is_alive(&token.secret);
            }
            let value = token.to_cookie(&engine.policy.cookie_name, &engine.keyring.load());
            Outgoing::cookie(set_cookie::issue(
                &engine.policy,
                &value,
                &live.record,
                engine.now(),
            ))
        }
        (CookieDue::Remove, _) => Outgoing::cookie(set_cookie::removal(&engine.policy)),
        (CookieDue::Issue, None) | (CookieDue::Nothing, _) => Outgoing::nothing(),
    }
}

pub(crate) async fn save(visit: &Visit) -> Result<Saved, CommitError> {
    save_within(visit, &mut visit.engine.deadline()).await
}

/// What few requests come to is in boxes of its own: every one that writes makes room for all that is not, and
/// allocators take much longer over room of more than a kilobyte.
async fn save_within(visit: &Visit, deadline: &mut Deadline) -> Result<Saved, CommitError> {
    let _turn = visit.turn().await;
    remove_ended(visit, deadline).await?;
    let Some((standing, pending)) = begin(visit)? else {
        return Ok(Saved::Unchanged);
    };
    let saved = match standing {
        Begun::Live(live) => update(visit, deadline, live, &pending).await?,
        Begun::Absent(absence) => Box::pin(insert(visit, deadline, absence, &pending)).await?,
    };
    // The handler may have ended the session while it was written.
    remove_ended(visit, deadline).await?;
    Ok(saved)
}

enum Begun {
    Live(Arc<Live>),
    Absent(Absence),
}

/// Moves what is pending to what is in flight, and shares what the writing needs.
fn begin(visit: &Visit) -> Result<Option<(Begun, Arc<Pending>)>, CommitError> {
    let mut state = visit.state();
    let pending = state.take_pending();
    if pending.is_empty() {
        return Ok(None);
    }
    let begun = match &state.standing {
        Standing::Live(live) => Begun::Live(Arc::clone(live)),
        Standing::Absent(absence) => Begun::Absent(*absence),
        Standing::Unasked => Begun::Absent(Absence::NoCookie),
    };
    let needs_cookie = match &begun {
        Begun::Live(live) => pending.changes_metadata(&live.record),
        Begun::Absent(_) => true,
    };
    if needs_cookie && state.answered == Answered::Already {
        return Err(CommitError::AfterResponse);
    }
    let pending = Arc::new(pending);
    state.in_flight = Some(Arc::clone(&pending));
    state.overtaken = None;
    Ok(Some((begun, pending)))
}

async fn remove_ended(visit: &Visit, deadline: &mut Deadline) -> Result<(), CommitError> {
    let engine = &*visit.engine;
    loop {
        let Some(id) = visit.state().endings.first().map(|ending| ending.id) else {
            return Ok(());
        };
        let removed = deadline.call(Operation::Remove, engine.store.remove(id)).await;
        engine.reported(Operation::Remove, id, removed)?;
        // Taken out only now, so that a request that is cancelled before does not forget it.
        let ended: Vec<_> = visit
            .state()
            .endings
            .extract_if(.., |ending| ending.id == id)
            .collect();
        for ending in ended {
            visit.tell(ending.kind, Some(ending.id), ending.owner);
        }
    }
}

async fn insert(
    visit: &Visit,
    deadline: &mut Deadline,
    absence: Absence,
    pending: &Pending,
) -> Result<Saved, CommitError> {
    let engine = &visit.engine;
    let data = pending.changes.apply(&Data::empty())?;
    if data.is_none() && pending.signs_in().is_none() && !pending.begins {
        visit.state().in_flight = None;
        return Ok(Saved::Unchanged);
    }
    match absence {
        // A new cookie would wipe the newer one that the browser may hold. Somebody who signs in has
        // no use for that one; anybody else keeps it.
        Absence::Superseded if pending.signs_in().is_none() => {
            return Ok(drop_writes(visit, Dropped::Superseded, None));
        }
        Absence::Gone if pending.signs_in().is_none() => {
            return Ok(drop_writes(visit, Dropped::SessionGone, None));
        }
        // Another instance may have the key, and to it the browser's cookie is as good as ever.
        Absence::Refused(Refusal::UnknownKey) if pending.signs_in().is_none() => {
            return Ok(drop_writes(visit, Dropped::Unreadable, None));
        }
        _ => {}
    }
    let data = data.unwrap_or_else(Data::empty);
    refuse_too_large(visit, &data)?;
    loop {
        let now = engine.now();
        let token = Token::generate()?;
        let mut record = Record {
            id: token.id,
            secret_hash: token.secret.hash(),
            ..blank_record(visit, now)
        };
        pending.stamp(&mut record, &engine.policy, now, || visit.device());
        record.data =
            engine
                .policy
                .sealing
                .close(&data, &record, &token.secret, &engine.keyring.load(), None)?;
        let inserted = deadline
            .call(Operation::Insert, engine.store.insert(&record))
            .await;
        match engine.reported(Operation::Insert, record.id, inserted)? {
            Inserted::Taken => {}
            Inserted::New => {
                engine.start_sweeper_if_due();
                engine.start_counting_if_due();
                visit.tell(EventKind::Created, Some(record.id), record.owner.clone());
                if pending.signs_in().is_some() {
                    visit.tell(EventKind::SignedIn, Some(record.id), record.owner.clone());
                }
                let live = Live {
                    record: Arc::new(without_data(record)),
                    secret: token.secret,
                    data: data.into(),
                    sealed_under: KeyRole::Current,
                    bearer: Bearer::Current,
                    upkeep: Upkeep::NotDue,
                    attendance: Attendance::Active,
                    freshness: Freshness::SameSecret,
                    foresight: Foresight::Current,
                };
                if let Some(dropped) = turned_away(visit, deadline, pending, token.id).await? {
                    return Ok(dropped);
                }
                finish(visit, Arc::new(live), |_| {});
                return Ok(Saved::Written);
            }
        }
    }
}

async fn update(
    visit: &Visit,
    deadline: &mut Deadline,
    seen: Arc<Live>,
    pending: &Pending,
) -> Result<Saved, CommitError> {
    let engine = &*visit.engine;
    let id = seen.record.id;
    let queue = engine.queue(id);
    // Somebody is held up by a conflict on this session, or one beside it: get in line.
    let mut turn = match queue.try_lock() {
        Ok(free) => {
            drop(free);
            None
        }
        Err(_) => Some(Box::pin(deadline.wait(Operation::Update, queue.lock())).await?),
    };
    let fresh_secret = pending
        .needs_new_secret()
        .then(TokenSecret::generate)
        .transpose()?;
    let mut base = seen;
    for attempt in 1..=MOST_ATTEMPTS {
        let data = if base.foresight == Foresight::Current {
            pending.changes.apply(&base.data)?
        } else {
            pending.changes.replay(&base.data)?
        };
        if data.is_none() && !pending.changes_metadata(&base.record) {
            finish(visit, base, |_| {});
            return Ok(Saved::Unchanged);
        }
        let merged = data.as_ref().unwrap_or(&base.data);
        refuse_too_large(visit, merged)?;
        let now = engine.now();
        let secret = fresh_secret.clone().unwrap_or_else(|| base.secret.clone());
        let record = next_record(visit, &base, pending, merged, &secret, now)?;
        let updated = deadline
            .call(
                Operation::Update,
                engine.store.update(&record, base.record.version, now),
            )
            .await;
        match engine.reported(Operation::Update, id, updated)? {
            Updated::Gone => return Ok(drop_writes(visit, Dropped::SessionGone, Some(&base.record))),
            Updated::Saved => {
                if attempt > 1 {
                    visit.tell(EventKind::ConflictReplayed, Some(id), record.owner.clone());
                }
                tell_of_renewal(visit, pending, &record);
                if let Some(dropped) = turned_away(visit, deadline, pending, id).await? {
                    return Ok(dropped);
                }
                finish(visit, base, |live| {
                    if fresh_secret.is_some() {
                        live.freshness = Freshness::NewSecret;
                        live.bearer = Bearer::Current;
                    }
                    replace(&mut live.record, without_data(record));
                    live.secret = secret;
                    if let Some(data) = data {
                        live.data = data.into();
                    }
                    live.sealed_under = KeyRole::Current;
                });
                return Ok(Saved::Written);
            }
            Updated::Stale => {
                if turn.is_none() {
                    turn = Some(Box::pin(deadline.wait(Operation::Update, queue.lock())).await?);
                }
                base = match Box::pin(reload(visit, deadline, &base)).await? {
                    Ok(newer) => newer,
                    Err(dropped) => return Ok(drop_writes(visit, dropped, Some(&base.record))),
                };
            }
        }
    }
    Err(CommitError::Contended {
        attempts: MOST_ATTEMPTS,
    })
}

/// Keeps whoever signed in to the limit of sessions, and says what became of the writes where they may not stay. To be
/// asked before the request has the session: without an answer nobody may bear it.
async fn turned_away(
    visit: &Visit,
    deadline: &mut Deadline,
    pending: &Pending,
    id: SessionId,
) -> Result<Option<Saved>, CommitError> {
    let Some(owner) = pending.signs_in() else {
        return Ok(None);
    };
    match Box::pin(eviction::keep(visit, deadline, owner, id)).await? {
        Admission::Stays => Ok(None),
        Admission::Evicted => Ok(Some(drop_writes(visit, Dropped::SessionGone, None))),
        Admission::Refused { limit } => {
            let mut state = visit.state();
            state.cookie = CookieDue::Remove;
            state.become_absent(Absence::Destroyed);
            Err(CommitError::TooManySessions { limit: limit.get() })
        }
    }
}

/// The session as another request left it, if it is still open to this one.
async fn reload(
    visit: &Visit,
    deadline: &mut Deadline,
    base: &Live,
) -> Result<Result<Arc<Live>, Dropped>, CommitError> {
    let engine = &*visit.engine;
    let id = base.record.id;
    let found = deadline
        .call(Operation::Load, engine.store.load(id, Touch::No))
        .await;
    let Some(mut record) = engine.reported(Operation::Load, id, found)? else {
        return Ok(Err(Dropped::SessionGone));
    };
    if record.expiry(engine.now()).is_some() {
        return Ok(Err(Dropped::SessionGone));
    }
    let keyring = engine.keyring.load();
    let (generation, hash) = (base.record.lineage.generation, base.record.secret_hash);
    let recognised = match recognise(&record, generation, &base.secret, &hash, &keyring) {
        Ok(recognised) => recognised,
        Err(NotRecognised::Unreadable(_)) => return Ok(Err(Dropped::Unreadable)),
        // It was good when the request began, so it proves no theft.
        Err(NotRecognised::Superseded | NotRecognised::Retired) => return Ok(Err(Dropped::Superseded)),
    };
    let Recognised { bearer, secret } = recognised;
    let Ok((data, sealed_under)) = engine.policy.sealing.open(&record, &secret, &keyring) else {
        return Ok(Err(Dropped::Unreadable));
    };
    // The bearer of a predecessor stays one, whose cookie names the current secret by now.
    let bearer = match base.bearer {
        Bearer::Predecessor => Bearer::Predecessor,
        _ => bearer,
    };
    free_data(&mut record);
    Ok(Ok(Arc::new(Live {
        record,
        secret,
        data,
        sealed_under,
        bearer,
        upkeep: base.upkeep,
        attendance: base.attendance,
        freshness: base.freshness,
        foresight: Foresight::Outdated,
    })))
}

fn tell_of_renewal(visit: &Visit, pending: &Pending, record: &Record) {
    let tell = |kind| visit.tell(kind, Some(record.id), record.owner.clone());
    match pending.renewal {
        Renewal::SignIn(..) => tell(EventKind::SignedIn),
        Renewal::StepUp(level) => tell(EventKind::SteppedUp(level)),
        Renewal::Keep | Renewal::Renew => {}
    }
    if pending.needs_new_secret() {
        tell(EventKind::Renewed);
    }
}

/// The request now has what the store has: `live`, after `change`.
fn finish(visit: &Visit, mut live: Arc<Live>, change: impl FnOnce(&mut Live)) {
    let mut state = visit.state();
    if let Some(kind) = state.overtaken.take() {
        change(Arc::make_mut(&mut live));
        // The handler ended the session while it was written: what was written has to go, too.
        if !state.endings.iter().any(|ending| ending.id == live.record.id) {
            state.endings.push(LeftBehind::of(&live.record).ended_by(kind));
        }
        return;
    }
    let in_cookie = |live: &Live| (live.record.secret_hash, live.record.absolute_deadline);
    let before = state.live().map(|live| in_cookie(live));
    // Let go of, so that it is changed and not copied.
    state.standing = Standing::Unasked;
    let finished = Arc::make_mut(&mut live);
    change(finished);
    let cookie_changed = before != Some(in_cookie(finished));
    if cookie_changed || finished.hands_on_the_successor(&visit.engine.policy, visit.engine.now()) {
        state.cookie = CookieDue::Issue;
    }
    state.in_flight = None;
    // What an update has seen by now is not what is there any more.
    state.writes += 1;
    if state.pending.is_empty() {
        finished.foresight = Foresight::Current;
        state.data_bytes = finished.data.json().len();
    }
    state.standing = Standing::Live(live);
}

fn drop_writes(visit: &Visit, dropped: Dropped, record: Option<&Record>) -> Saved {
    let id = record.map(|record| record.id);
    let owner = record.and_then(|record| record.owner.clone());
    visit.tell(EventKind::WriteDropped(dropped), id, owner);
    let mut state = visit.state();
    if state.overtaken.take().is_some() {
        // The handler ended the session by itself, and what it did since belongs to another.
        return Saved::Dropped(dropped);
    }
    state.cookie = CookieDue::Nothing;
    if dropped == Dropped::Superseded {
        state.left_behind = record.map(LeftBehind::of);
    }
    state.become_absent(match dropped {
        Dropped::Superseded => Absence::Superseded,
        Dropped::SessionGone | Dropped::Unreadable | Dropped::AfterResponse => Absence::Gone,
    });
    Saved::Dropped(dropped)
}

fn refuse_too_large(visit: &Visit, data: &Data) -> Result<(), CommitError> {
    let (bytes, limit) = (data.json().len(), visit.engine.policy.max_data_bytes);
    if bytes > limit {
        Err(CommitError::TooLarge { bytes, limit })
    } else {
        Ok(())
    }
}

/// A record of a session that begins now. Its id and secret are still to be filled in.
pub(crate) fn blank_record(visit: &Visit, now: Timestamp) -> Record {
    let timeouts = visit.engine.policy.timeouts(Lifetime::Standard);
    Record {
        id: SessionId::from_bytes([0; SessionId::LENGTH]),
        version: 1,
        secret_hash: crate::token::SecretHash::from_bytes([0; 32]),
        previous_secret_hash: None,
        owner: None,
        created_at: now,
        signed_in_at: None,
        last_seen_at: now,
        idle_timeout: timeouts.idle,
        absolute_deadline: now.plus(timeouts.absolute),
        lifetime: Lifetime::Standard,
        lineage: Lineage::begun(now),
        device: visit.device(),
        data: Bytes::new(),
    }
}
