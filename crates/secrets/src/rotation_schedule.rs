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
