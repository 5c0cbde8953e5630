//! When a record wants a write that nobody asked for: a new seal where the key has grown old, and the phases of a
//! periodic renewal.

use crate::clock::Timestamp;
use crate::keyring::KeyRole;
use crate::lineage::Bearer;
use crate::policy::Policy;
use crate::record::Record;
use crate::state::Upkeep;

/// Whether a record that an active request loaded wants a write.
pub(crate) fn due(
    record: &Record,
    bearer: Bearer,
    sealed_under: KeyRole,
    policy: &Policy,
    now: Timestamp,
) -> Upkeep {
    let key_has_grown_old = sealed_under == KeyRole::Older;
    let renewal_goes_on = record.lineage.step(bearer, now, policy.rhythm()).is_some();
    // A store slides the idle deadline for the bearer of the current secret alone.
    let is_to_be_slid =
        bearer == Bearer::Predecessor && record.last_seen_at.until(now) >= policy.effective_touch_interval();
    if key_has_grown_old || renewal_goes_on || is_to_be_slid {
        Upkeep::Due
    } else {
        Upkeep::NotDue
    }
}
