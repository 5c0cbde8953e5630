//! The record that an update writes.

use crate::clock::Timestamp;
use crate::data::Data;
use crate::lineage::Step;
use crate::random::RandomError;
use crate::record::Record;
use crate::state::{Attendance, Live, Pending};
use crate::token::TokenSecret;
use crate::visit::Visit;

/// The record as it shall be after `pending`.
pub(crate) fn next_record(
    visit: &Visit,
    base: &Live,
    pending: &Pending,
    data: &Data,
    secret: &TokenSecret,
    now: Timestamp,
) -> Result<Record, RandomError> {
    let engine = &*visit.engine;
    let mut record = Record {
        version: base.record.version + 1,
        ..Record::clone(&base.record)
    };
    pending.stamp(&mut record, &engine.policy, now, || visit.device());
    if pending.needs_new_secret() {
        record.previous_secret_hash = Some(base.record.secret_hash);
        record.secret_hash = secret.hash();
        record.lineage.replace(now);
    }
    match record.lineage.step(base.bearer, now, engine.policy.rhythm()) {
        Some(Step::See) => record.lineage.see(now),
        Some(Step::Return) => record.lineage.take_back(),
        Some(Step::Settle) => record.lineage.settle(),
        // An offer needs a secret of its own, and is made by the upkeep.
        Some(Step::Offer) | None => {}
    }
    if base.attendance == Attendance::Active || pending.needs_new_secret() {
        record.last_seen_at = record.last_seen_at.max(now);
    }
    record.data =
        engine
            .policy
            .sealing
            .close(data, &record, secret, &engine.keyring.load(), Some(&base.data))?;
    Ok(record)
}
