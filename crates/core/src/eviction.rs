//! Ending the sessions that are over a user's limit.

use std::num::NonZeroU32;

use crate::deadline::Deadline;
use crate::event::EventKind;
use crate::owner::Owner;
use crate::record::Record;
use crate::session_id::SessionId;
use crate::session_limit::SessionLimit;
use crate::store::{Operation, StoreError};
use crate::visit::Visit;

/// Whether a session that has just signed in stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Stays,
    Evicted,
    Refused { limit: NonZeroU32 },
}

/// Keeps `owner` to the limit after a sign-in of `session`.
pub(crate) async fn keep(
    visit: &Visit,
    deadline: &mut Deadline,
    owner: &Owner,
    session: SessionId,
) -> Result<Admission, StoreError> {
    let engine = &*visit.engine;
    let limit = match engine.policy.session_limit {
        SessionLimit::Unlimited => return Ok(Admission::Stays),
        SessionLimit::EvictOldest(limit) | SessionLimit::RefuseNewest(limit) => limit,
    };
    let listing = engine.store.list_by_owner(owner, engine.now());
    let listed = deadline.call(Operation::List, listing).await;
    let sessions = engine.reported(Operation::List, session, listed)?;
    let mut admission = Admission::Stays;
    for excess in over(engine.policy.session_limit, sessions) {
        let id = excess.id;
        let removed = deadline.call(Operation::Remove, engine.store.remove(id)).await;
        let removed = engine.reported(Operation::Remove, id, removed)?;
        let is_refused =
            id == session && matches!(engine.policy.session_limit, SessionLimit::RefuseNewest(_));
        if id == session {
            admission = if is_refused {
                Admission::Refused { limit }
            } else {
                Admission::Evicted
            };
        }
        if removed {
            let kind = if is_refused {
                EventKind::SignInRefused
            } else {
                EventKind::Evicted
            };
            visit.tell_of_record(kind, &excess);
        }
    }
    Ok(admission)
}

/// Those of an owner's sessions that are over the limit.
///
/// All instances put the same sessions in the same order. So one that sees only a part of them, since others are just
/// being written, ends none that one who sees all would let stay; and the last one sees all.
fn over(limit: SessionLimit, mut sessions: Vec<Record>) -> Vec<Record> {
    let signed_in = |record: &Record| (record.signed_in_at.unwrap_or(record.created_at), record.id);
    sessions.sort_by_key(signed_in);
    let stay = match limit {
        SessionLimit::Unlimited => return Vec::new(),
        SessionLimit::EvictOldest(stay) => {
            sessions.reverse();
            stay
        }
        SessionLimit::RefuseNewest(stay) => stay,
    };
    let stay = usize::try_from(stay.get()).unwrap_or(usize::MAX);
    sessions.split_off(stay.min(sessions.len()))
}
