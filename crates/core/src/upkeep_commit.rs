//! Writing what nobody asked for: a new seal where the key has grown old, and the phases of a periodic renewal.
//!
//! A request never fails for it. What could not be written is due again at the next one.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::deadline::Deadline;
use crate::event::EventKind;
use crate::keyring::KeyRole;
use crate::lineage::{Bearer, Step};
use crate::next_record::next_record;
use crate::random::RandomError;
use crate::record::free_data;
use crate::seal;
use crate::state::{CookieDue, Live, Pending, Standing, Upkeep};
use crate::store::{Operation, Updated};
use crate::upkeep::due;
use crate::visit::Visit;

/// Does what is due, unless the request's own writes have done it.
pub(crate) async fn keep_up(visit: &Visit, deadline: &mut Deadline) {
    let _turn = visit.turn().await;
    let base = {
        let state = visit.state();
        match state.live() {
            Some(live) if live.upkeep == Upkeep::Due && state.has_nothing_to_save() => Arc::clone(live),
            _ => return,
        }
    };
    let engine = &*visit.engine;
    let now = engine.now();
    if due(&base.record, base.bearer, base.sealed_under, &engine.policy, now) == Upkeep::NotDue {
        return;
    }
    let kept_up = match next(visit, &base, now) {
        Ok(next) => write(visit, deadline, &base, next, now).await,
        Err(_) => None,
    };
    let mut state = visit.state();
    let renewed = kept_up
        .as_ref()
        .is_some_and(|live| live.record.secret_hash != base.record.secret_hash);
    let is_handed_on = kept_up
        .as_ref()
        .is_some_and(|live| live.hands_on_the_successor(&engine.policy, now));
    if renewed || is_handed_on {
        state.cookie = CookieDue::Issue;
    } else if kept_up.is_none() && base.sealed_under == KeyRole::Older {
        // A cookie under the current key goes with data that is sealed under it, so that an older key can go one
        // day without anybody's session.
        state.cookie = CookieDue::Nothing;
    }
    if let (Some(kept_up), Standing::Live(live)) = (kept_up, &mut state.standing) {
        *live = Arc::new(kept_up);
    }
}

/// The session with all that is due.
fn next(visit: &Visit, base: &Live, now: Timestamp) -> Result<Live, RandomError> {
    let engine = &*visit.engine;
    let nothing = Pending::default();
    let mut next = Live {
        sealed_under: KeyRole::Current,
        upkeep: Upkeep::NotDue,
        ..base.clone()
    };
    if base.record.lineage.step(base.bearer, now, engine.policy.rhythm()) == Some(Step::Offer) {
        let keyring = engine.keyring.load();
        let (id, generation) = (base.record.id, base.record.lineage.generation + 1);
        let secret = base.secret.successor()?;
        let successor = seal::seal_successor(&secret, &base.secret, id, generation, &keyring)?;
        let offered = Arc::make_mut(&mut next.record);
        offered.lineage.offer(successor, now);
        offered.previous_secret_hash = Some(base.record.secret_hash);
        offered.secret_hash = secret.hash();
        next.secret = secret;
        next.bearer = Bearer::Predecessor;
    }
    next.record = Arc::new(next_record(
        visit,
        &next,
        &nothing,
        &next.data,
        &next.secret,
        now,
    )?);
    Ok(next)
}

async fn write(
    visit: &Visit,
    deadline: &mut Deadline,
    base: &Live,
    mut next: Live,
    now: Timestamp,
) -> Option<Live> {
    let engine = &*visit.engine;
    let id = base.record.id;
    let update = engine.store.update(&next.record, base.record.version, now);
    let updated = deadline.call(Operation::Update, update).await;
    match engine.reported(Operation::Update, id, updated) {
        Ok(Updated::Saved) => {
            if next.record.secret_hash != base.record.secret_hash {
                visit.tell(EventKind::Renewed, Some(id), next.record.owner.clone());
            }
            free_data(&mut next.record);
            Some(next)
        }
        // Another request wrote, or the session is gone: the next request will see.
        Ok(Updated::Stale | Updated::Gone) | Err(_) => None,
    }
}
