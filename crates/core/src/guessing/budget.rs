//! A budget for each client, which time refills.

use std::num::NonZeroU32;
use std::ops::Add;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::Reference;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::{Quota, RateLimiter};

use super::sketch::Sketch;
use crate::client_network::ClientNetwork;
use crate::clock::{Clock, Timestamp};

/// So much a minute for each client.
pub(crate) struct Budget {
    limiter: RateLimiter<Claim, Sketch, EngineClock, NoOpMiddleware<Moment>>,
}

/// A client asks for one unit of its budget.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Claim {
    /// All whose address is not known are one.
    pub(crate) client: Option<ClientNetwork>,
    purpose: Purpose,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Purpose {
    Spend,
    Look,
}

impl Claim {
    pub(crate) fn is_spent(&self) -> bool {
        self.purpose == Purpose::Spend
    }
}

impl Budget {
    /// A minute's worth can be spent at once. `bytes` is the most that it takes of the memory.
    pub(crate) fn per_minute(units: NonZeroU32, bytes: usize, clock: Arc<dyn Clock>) -> Self {
        let clock = EngineClock(clock);
        Self {
            limiter: RateLimiter::new(Quota::per_minute(units), Sketch::of_bytes(bytes), clock),
        }
    }

    /// Takes one unit, or says how long until there is one.
    pub(crate) fn spend(&self, client: Option<ClientNetwork>) -> Result<(), Duration> {
        self.claim(client, Purpose::Spend)
    }

    /// Whether there is one unit, and how long until there is.
    pub(crate) fn look(&self, client: Option<ClientNetwork>) -> Result<(), Duration> {
        self.claim(client, Purpose::Look)
    }

    fn claim(&self, client: Option<ClientNetwork>, purpose: Purpose) -> Result<(), Duration> {
        self.limiter
            .check_key(&Claim { client, purpose })
            .map_err(|not_until| not_until.wait_time_from(self.now()))
    }

    fn now(&self) -> Moment {
        governor::clock::Clock::now(self.limiter.clock())
    }
}

/// The engine's clock as the library of limits wants it.
struct EngineClock(Arc<dyn Clock>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Moment(Timestamp);

impl governor::clock::Clock for EngineClock {
    type Instant = Moment;

    fn now(&self) -> Moment {
        Moment(self.0.now())
    }
}

impl Reference for Moment {
    fn duration_since(&self, earlier: Self) -> Nanos {
        // Of 584 years there is no telling in nanoseconds, and a clock that jumps so far is no reason to panic.
        let nanos = earlier.0.until(self.0).as_nanos();
        u64::try_from(nanos).unwrap_or(u64::MAX / 2).into()
    }

    fn saturating_sub(&self, duration: Nanos) -> Self {
        Self(self.0.minus(duration.into()))
    }
}

impl Add<Nanos> for Moment {
    type Output = Self;

    /// Rounded up to whole milliseconds, so that who waits until then has waited long enough.
    fn add(self, nanos: Nanos) -> Self {
        let millis = nanos.as_u64().div_ceil(1_000_000);
        Self(self.0.plus(Duration::from_millis(millis)))
    }
}
