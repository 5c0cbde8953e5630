//! A budget for each client, which time refills.

use std::num::NonZeroU32;
use std::ops::Add;
use std::sync::{Arc, OnceLock};
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
    clock: Arc<dyn Clock>,
}

const REFILL: Duration = Duration::from_mins(1);

/// A client asks for one unit of its budget.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Claim {
    /// All whose address is not known are one.
    pub(crate) client: Option<ClientNetwork>,
    /// When a budget that is spent now is full again, in nanoseconds. What is later was spent before the clock jumped
    /// back, and is forgotten.
    pub(crate) latest: u64,
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
        let not_started = EngineClock::default();
        let limiter = RateLimiter::new(Quota::per_minute(units), Sketch::of_bytes(bytes), not_started);
        limiter.clock().start(Arc::clone(&clock));
        Self { limiter, clock }
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
        let now = Moment(self.clock.now());
        let claim = Claim {
            client,
            latest: (now.duration_since(Moment::EPOCH) + REFILL).as_u64(),
            purpose,
        };
        self.limiter
            .check_key(&claim)
            .map_err(|not_until| not_until.wait_time_from(now))
    }
}

/// The engine's clock as the library of limits wants it. It counts from what its clock says first, and knows no time
/// before; so that is the epoch, or budgets would stand still where the clock jumps back to before the start.
#[derive(Default)]
struct EngineClock(OnceLock<Arc<dyn Clock>>);

impl EngineClock {
    fn start(&self, clock: Arc<dyn Clock>) {
        let _ = self.0.set(clock);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Moment(Timestamp);

impl Moment {
    const EPOCH: Self = Self(Timestamp::from_millis(0));
}

impl governor::clock::Clock for EngineClock {
    type Instant = Moment;

    fn now(&self) -> Moment {
        self.0.get().map_or(Moment::EPOCH, |clock| Moment(clock.now()))
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

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

    use governor::state::StateStore;

    use super::*;
    use crate::clock::ManualClock;
    use crate::guessing::BUDGET_BYTES;
    use proptest::prelude::*;

    const TEN: NonZeroU32 = NonZeroU32::new(10).expect("ten is not zero");
    const SIX_SECONDS: Duration = Duration::from_secs(6);
    const MILLENNIUM: Timestamp = Timestamp::from_millis(946_684_800_000);

    fn ten_a_minute() -> (Budget, ManualClock) {
        let clock = ManualClock::default();
        let budget = Budget::per_minute(TEN, BUDGET_BYTES, Arc::new(clock.clone()));
        (budget, clock)
    }

    fn client(number: u32) -> Option<ClientNetwork> {
        Some(ClientNetwork::of(Ipv4Addr::from_bits(number).into()))
    }

    fn exhaust(budget: &Budget, client: Option<ClientNetwork>) -> usize {
        std::iter::repeat_with(|| budget.spend(client))
            .take_while(Result::is_ok)
            .count()
    }

    #[test]
    fn a_minutes_worth_can_be_spent_at_once_and_comes_back_evenly() {
        let (budget, clock) = ten_a_minute();
        assert_eq!(exhaust(&budget, client(1)), 10);
        assert_eq!(budget.spend(client(1)), Err(SIX_SECONDS));
        clock.advance(SIX_SECONDS - Duration::from_millis(1));
        assert_eq!(budget.spend(client(1)), Err(Duration::from_millis(1)));
        clock.advance(Duration::from_millis(1));
        assert_eq!(exhaust(&budget, client(1)), 1);
        clock.advance(Duration::from_hours(24));
        assert_eq!(exhaust(&budget, client(1)), 10);
    }

    #[test]
    fn to_look_costs_nothing() {
        let (budget, _clock) = ten_a_minute();
        for _ in 0..100 {
            assert_eq!(budget.look(client(1)), Ok(()));
        }
        assert_eq!(exhaust(&budget, client(1)), 10);
        assert_eq!(budget.look(client(1)), Err(SIX_SECONDS));
        assert_eq!(budget.look(client(2)), Ok(()));
    }

    #[test]
    fn wherever_the_clock_jumps_a_budget_is_back_a_minute_later() {
        let clock = JumpingClock::default();
        clock.jump_to(MILLENNIUM);
        let budget = Budget::per_minute(TEN, BUDGET_BYTES, Arc::new(clock.clone()));
        let hour = Duration::from_hours(1);
        for moment in [
            MILLENNIUM.plus(hour),
            MILLENNIUM,
            MILLENNIUM.minus(hour),
            Timestamp::from_millis(0),
            Timestamp::from_millis(u64::MAX - 60_000),
            MILLENNIUM.plus(hour),
        ] {
            clock.jump_to(moment);
            exhaust(&budget, client(1));
            let wait = budget.spend(client(1)).unwrap_err();
            assert!(wait <= REFILL, "{wait:?} at {moment:?}");
        }
        clock.jump_to(MILLENNIUM.plus(hour + REFILL));
        assert_eq!(exhaust(&budget, client(1)), 10);
    }

    #[test]
    fn the_memory_is_bounded_however_many_clients_come() {
        let sketch = Sketch::of_bytes(BUDGET_BYTES);
        assert_eq!(sketch.bytes_in_use(), 0, "nobody has come yet");
        for number in 0..2_000_000 {
            let claim = Claim {
                client: client(number),
                latest: u64::MAX,
                purpose: Purpose::Spend,
            };
            let spent: Result<(), ()> = sketch.measure_and_replace(&claim, |_| Ok(((), Nanos::from(1))));
            assert_eq!(spent, Ok(()));
        }
        assert_eq!(sketch.bytes_in_use(), BUDGET_BYTES);
    }

    #[test]
    fn of_innocent_clients_beside_50_000_attackers_all_but_one_in_a_hundred_keep_their_whole_budget() {
        let (budget, _clock) = ten_a_minute();
        for attacker in 0..50_000 {
            exhaust(&budget, client(attacker));
        }
        let innocent = 50_000..70_000;
        let harmed = innocent
            .clone()
            .filter(|number| budget.look(client(*number)).is_err());
        let harmed = harmed.count();
        // A thousandth is expected: 20.
        assert!(harmed < innocent.len() / 100, "{harmed} of {}", innocent.len());
    }

    #[test]
    fn many_at_once_spend_exactly_the_budget() {
        let (budget, _clock) = ten_a_minute();
        let spent = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    for number in 0..1_000 {
                        if budget.spend(client(number % 5)).is_ok() {
                            spent.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        assert_eq!(spent.into_inner(), 5 * 10);
    }

    proptest! {
        /// By the definition: no more than the budget and what has come back of it, and never refused while there is some.
        #[test]
        fn nobody_gets_more_or_less_than_the_budget(pauses in proptest::collection::vec(0_u64..9_000, 1..200)) {
            let (budget, clock) = ten_a_minute();
            let mut left = 60_000_u64;
            for pause in pauses {
                clock.advance(Duration::from_millis(pause));
                left = (left + pause).min(60_000);
                let is_there = left >= 6_000;
                prop_assert_eq!(budget.look(client(1)).is_ok(), is_there);
                match budget.spend(client(1)) {
                    Ok(()) => {
                        prop_assert!(is_there);
                        left -= 6_000;
                    }
                    Err(wait) => prop_assert_eq!(wait, Duration::from_millis(6_000 - left)),
                }
            }
        }
    }

    #[derive(Clone, Default)]
    struct JumpingClock(Arc<AtomicU64>);

    impl JumpingClock {
        fn jump_to(&self, moment: Timestamp) {
            self.0.store(moment.as_millis(), Ordering::SeqCst);
        }
    }

    impl Clock for JumpingClock {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(self.0.load(Ordering::SeqCst))
        }
    }
}
