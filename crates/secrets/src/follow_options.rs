//! How a keyring follows its source.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use tenure_core::{Clock, Policy, SystemClock};

use crate::plan::Timing;
use crate::secret_event::SecretListener;

/// How a [`FollowingKeyring`](crate::FollowingKeyring) follows its source.
///
/// ```
/// use std::time::Duration;
/// use tenure_core::Policy;
/// use tenure_secrets::{FollowOptions, SecretEvent};
///
/// let options = FollowOptions::for_policy(&Policy::default())
///     .refresh_every(Duration::from_secs(60))
///     .listener(|event: &SecretEvent| println!("{}", event.kind.name()));
/// ```
pub struct FollowOptions {
    pub(crate) refresh_every: Duration,
    pub(crate) propagation: Option<Duration>,
    pub(crate) longest_lifetime: Duration,
    pub(crate) fetch_deadline: Duration,
    pub(crate) refused: BTreeSet<String>,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) listener: Option<Box<dyn SecretListener>>,
}

impl FollowOptions {
    /// The defaults, with older versions kept for as long as a session of this policy can live.
    #[must_use]
    pub fn for_policy(policy: &Policy) -> Self {
        Self {
            refresh_every: Duration::from_mins(5),
            propagation: None,
            longest_lifetime: policy.longest_lifetime(),
            fetch_deadline: Duration::from_secs(15),
            refused: BTreeSet::new(),
            clock: Box::new(SystemClock),
            listener: None,
        }
    }

    /// How often the source is read, give or take a tenth, so that many instances do not ask at the same moment.
    /// *Default*: 5 minutes, which costs 12 reads an hour and instance, and lets a new version sign after ten.
    /// At least a second.
    #[must_use]
    pub fn refresh_every(self, interval: Duration) -> Self {
        Self {
            refresh_every: interval.max(Duration::from_secs(1)),
            ..self
        }
    }

    /// How long a new version only verifies before it signs, so that no instance meets a cookie under a version
    /// that it has not seen. *Default*: two refresh intervals. Give the same on every instance, and more than the
    /// time in which every instance surely reads the source once.
    #[must_use]
    pub fn propagation_delay(self, delay: Duration) -> Self {
        Self {
            propagation: Some(delay),
            ..self
        }
    }

    /// How long a session can live, and with it the need for an older version. *Default*: the policy's longest absolute
    /// timeout. Give the longest of all, where several applications share a source; a shorter one signs users out.
    #[must_use]
    pub fn longest_lifetime(self, lifetime: Duration) -> Self {
        Self {
            longest_lifetime: lifetime,
            ..self
        }
    }

    /// How long one read of the source may take. *Default*: 15 seconds; nobody waits for it but the start.
    #[must_use]
    pub fn fetch_deadline(self, deadline: Duration) -> Self {
        Self {
            fetch_deadline: deadline,
            ..self
        }
    }

    /// Leaves out a version of this name, as if the source did not have it: after a leak, where the source can't
    /// remove one version by itself. *Default*: none.
    #[must_use]
    pub fn refuse_version(mut self, name: impl Into<String>) -> Self {
        self.refused.insert(name.into());
        self
    }

    /// The clock by which versions grow old. *Default*: the operating system's.
    #[must_use]
    pub fn clock(self, clock: impl Clock) -> Self {
        Self {
            clock: Box::new(clock),
            ..self
        }
    }

    /// Who is told every [`SecretEvent`](crate::SecretEvent). *Default*: nobody but `tracing`.
    #[must_use]
    pub fn listener(self, listener: impl SecretListener) -> Self {
        Self {
            listener: Some(Box::new(listener)),
            ..self
        }
    }

    pub(crate) fn timing(&self) -> Timing {
        Timing {
            propagation: self.propagation.unwrap_or(2 * self.refresh_every),
            longest_lifetime: self.longest_lifetime,
        }
    }
}

impl fmt::Debug for FollowOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FollowOptions")
            .field("refresh_every", &self.refresh_every)
            .field("timing", &self.timing())
            .field("fetch_deadline", &self.fetch_deadline)
            .field("refused", &self.refused)
            .finish_non_exhaustive()
    }
}
