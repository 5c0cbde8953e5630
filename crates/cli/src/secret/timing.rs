//! How the applications follow the source.

use std::time::Duration;

use clap::Args;
use serde::Serialize;
use tenure_core::{Policy, Timestamp};
use tenure_secrets::{FollowOptions, RotationSchedule};

use crate::times;

const HEADING: &str = "Timing of the applications";

#[derive(Args)]
pub(crate) struct Timing {
    /// How often each instance reads the source.
    #[arg(long, value_name = "TIME", help_heading = HEADING, default_value = "5m", value_parser = times::parse)]
    refresh_every: Duration,

    /// How long a new version only verifies before it signs. [default: twice the time of --refresh-every]
    #[arg(long, value_name = "TIME", help_heading = HEADING, value_parser = times::parse)]
    propagation_delay: Option<Duration>,

    /// How long a session can live: the absolute timeout, and that of remembered sessions if it is longer. [default:
    /// 30d]
    #[arg(long, visible_alias = "absolute-timeout", value_name = "TIME", help_heading = HEADING, value_parser = times::parse)]
    longest_lifetime: Option<Duration>,
}

/// The timing as programs get it.
#[derive(Serialize)]
pub(super) struct Seconds {
    refresh_every_seconds: u64,
    propagation_delay_seconds: u64,
    longest_lifetime_seconds: u64,
}

impl Timing {
    pub(super) fn options(&self) -> FollowOptions {
        FollowOptions::for_policy(&Policy::default())
            .refresh_every(self.refresh_every)
            .propagation_delay(self.propagation_delay())
            .longest_lifetime(self.longest_lifetime())
    }

    /// Why a rotation with this timing would sign users out, if it would.
    pub(super) fn haste(&self) -> Option<String> {
        let start = Timestamp::from_millis(0);
        let schedule = RotationSchedule::of(start, &self.options());
        (!schedule.is_safe()).then(|| {
            format!(
                "a new version would sign after {}, when some instances may not have seen it: each reads the source \
                 once in {}; make the propagation delay longer than that, on all of them",
                times::exact(self.propagation_delay()),
                times::exact(start.until(schedule.verifies_everywhere_by)),
            )
        })
    }

    pub(super) fn seconds(&self) -> Seconds {
        Seconds {
            refresh_every_seconds: self.refresh_every.as_secs(),
            propagation_delay_seconds: self.propagation_delay().as_secs(),
            longest_lifetime_seconds: self.longest_lifetime().as_secs(),
        }
    }

    fn propagation_delay(&self) -> Duration {
        self.propagation_delay
            .unwrap_or_else(|| self.refresh_every.saturating_mul(2))
    }

    fn longest_lifetime(&self) -> Duration {
        self.longest_lifetime
            .unwrap_or_else(|| Policy::default().longest_lifetime())
    }
}
