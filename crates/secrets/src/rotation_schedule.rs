//! When what happens after a new version was written.

use tenure_core::Timestamp;

use crate::follow_options::FollowOptions;
use crate::jitter::longest_pause;

/// When what happens on all instances after a new version was written, if every one of them can read the source.
///
/// ```
/// use std::time::Duration;
/// use tenure_core::{Policy, Timestamp};
/// use tenure_secrets::{FollowOptions, RotationSchedule};
///
/// let written_at = Timestamp::from_millis(1_800_000_000_000);
/// let options = FollowOptions::for_policy(&Policy::default());
/// let schedule = RotationSchedule::of(written_at, &options);
/// assert_eq!(schedule.signs_from, written_at.plus(Duration::from_secs(10 * 60)));
/// assert!(schedule.is_safe());
///
/// let hasty = options.propagation_delay(Duration::from_secs(60));
/// assert!(!RotationSchedule::of(written_at, &hasty).is_safe());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RotationSchedule {
    /// By when every instance has read the source and takes cookies under the new version.
    pub verifies_everywhere_by: Timestamp,
    /// When the first instance may sign with it.
    pub signs_from: Timestamp,
    /// By when every instance signs with it.
    pub signs_everywhere_by: Timestamp,
    /// When no session can be alive under an older version, so that it can be removed from the source.
    pub older_may_go_at: Timestamp,
}

impl RotationSchedule {
    /// For a version that was written at this moment, and instances that follow the source with these options.
    #[must_use]
    pub fn of(written_at: Timestamp, options: &FollowOptions) -> Self {
        let timing = options.timing();
        let verifies_everywhere_by = written_at.plus(longest_pause(options.refresh_every));
        let signs_everywhere_by = verifies_everywhere_by.plus(timing.propagation);
        Self {
            verifies_everywhere_by,
            signs_from: written_at.plus(timing.propagation),
            signs_everywhere_by,
            older_may_go_at: signs_everywhere_by.plus(timing.longest_lifetime),
        }
    }

    /// Whether no instance can meet a cookie under a version that it has not seen: it signs after every one of them has
    /// read the source.
    #[must_use]
    pub fn is_safe(&self) -> bool {
        self.verifies_everywhere_by <= self.signs_from
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Duty, Known, Plan};
    use crate::version::{SecretVersion, Stage};
    use proptest::prelude::*;
    use std::time::Duration;
    use tenure_core::{KeyRole, Policy, Secret};

    fn known(number: u8, known_since: Timestamp) -> Known {
        let secret = Secret::new([number; 32]);
        Known {
            key_id: secret.key_id(),
            version: SecretVersion {
                name: number.to_string(),
                secret,
                stage: Stage::Active,
                created_at: None,
            },
            known_since,
        }
    }

    proptest! {
        #[test]
        fn every_instance_keeps_to_it_whenever_it_reads_the_source(
            refresh in 1_u64..10_000,
            delay in 0_u64..100_000,
            lifetime in 1_u64..10_000_000,
            lag in 0.0..=1.0_f64,
        ) {
            let written_at = Timestamp::from_millis(1_800_000_000_000);
            let options = FollowOptions::for_policy(&Policy::default())
                .refresh_every(Duration::from_secs(refresh))
                .propagation_delay(Duration::from_secs(delay))
                .longest_lifetime(Duration::from_secs(lifetime));
            let schedule = RotationSchedule::of(written_at, &options);
            let window = written_at.until(schedule.verifies_everywhere_by);
            let seen_at = written_at.plus(window.mul_f64(lag));
            let versions = [known(2, seen_at), known(1, written_at.minus(Duration::from_hours(1_000_000)))];
            let duty_of = |number: usize, now| Plan::at(now, &versions, options.timing()).unwrap().duties[number];
            let signs = |now| matches!(duty_of(0, now), Duty::Serves { role: KeyRole::Current, .. });

            let moment = Duration::from_millis(1);
            if delay > 0 {
                prop_assert!(!signs(schedule.signs_from.minus(moment)));
            }
            prop_assert!(signs(schedule.signs_everywhere_by));
            // The older one is kept for as long as a session that it signed can live.
            let last_signed = seen_at.plus(options.timing().propagation);
            let last_alive = last_signed.plus(Duration::from_secs(lifetime)).minus(moment);
            prop_assert!(duty_of(1, last_alive) != Duty::Retired);
            prop_assert!(last_alive < schedule.older_may_go_at);
        }
    }
}
