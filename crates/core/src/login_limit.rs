//! How many sign-ins may fail, and how long the next one then has to wait.

use std::time::Duration;

/// How often signing in may fail before the next try has to wait, and for how long.
///
/// A failure is forgotten with the next success, or when nothing has failed for
/// [a while](LoginLimit::forget_after). Every wait has an end.
///
/// ```
/// use std::time::Duration;
/// use tenure_core::LoginLimit;
///
/// let limit = LoginLimit::for_accounts().free_attempts(3).first_delay(Duration::from_secs(2));
/// assert_eq!(limit.wait_after(2), Duration::ZERO);
/// assert_eq!(limit.wait_after(3), Duration::from_secs(2));
/// assert_eq!(limit.wait_after(4), Duration::from_secs(4));
/// assert_eq!(limit.wait_after(20), Duration::from_secs(60 * 60));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginLimit {
    free_attempts: u32,
    first_delay: Duration,
    growth: u32,
    longest_delay: Duration,
    lock_after: u32,
    lock_out: Duration,
    forget_after: Duration,
}

impl LoginLimit {
    /// The most failures in a row that an account may have before it is locked (NIST SP 800-63B-4, section 3.2.2).
    pub const MOST_FAILURES: u32 = 100;

    /// The default for one account: 5 attempts are free; then 1 s, twice as long after each failure, up to 5 minutes;
    /// from 20 failures on, one attempt an hour; forgotten after a day.
    ///
    /// People mistype a password two or three times and notice a wait of a second or two hardly. Whoever guesses gets
    /// 20 guesses in the first half hour, and 24 a day from then on.
    #[must_use]
    pub const fn for_accounts() -> Self {
        Self {
            free_attempts: 5,
            first_delay: Duration::from_secs(1),
            growth: 2,
            longest_delay: Duration::from_mins(5),
            lock_after: 20,
            lock_out: Duration::from_hours(1),
            forget_after: Duration::from_hours(24),
        }
    }

    /// The default for one address, over all accounts: 100 attempts are free; then 1 s, twice as long after each
    /// failure, up to 5 minutes; from 1,000 failures on, one attempt an hour; forgotten after an hour without any.
    ///
    /// Behind one address there may be an office or a mobile network, whose people mistype, too. Their successes cost
    /// nothing, and a quiet hour wipes the slate.
    #[must_use]
    pub const fn for_addresses() -> Self {
        Self {
            free_attempts: 100,
            lock_after: 1_000,
            forget_after: Duration::from_hours(1),
            ..Self::for_accounts()
        }
    }

    /// How many attempts may fail before the next one has to wait. At least 1, for else nobody could ever try.
    #[must_use]
    pub const fn free_attempts(mut self, attempts: u32) -> Self {
        self.free_attempts = if attempts == 0 { 1 } else { attempts };
        self
    }

    /// The wait after the last free attempt has failed.
    #[must_use]
    pub const fn first_delay(mut self, delay: Duration) -> Self {
        self.first_delay = delay;
        self
    }

    /// How many times longer the wait is after each further failure. 1 keeps it as it is, and less than that counts as 1.
    #[must_use]
    pub const fn growth(mut self, factor: u32) -> Self {
        self.growth = if factor == 0 { 1 } else { factor };
        self
    }

    /// The longest wait before the lock-out.
    #[must_use]
    pub const fn longest_delay(mut self, delay: Duration) -> Self {
        self.longest_delay = delay;
        self
    }

    /// From how many failures in a row on each further one costs the whole [lock-out](LoginLimit::lock_out). For
    /// accounts, more than [`LoginLimit::MOST_FAILURES`] counts as that.
    #[must_use]
    pub const fn lock_after(mut self, failures: u32) -> Self {
        self.lock_after = if failures == 0 { 1 } else { failures };
        self
    }

    /// How long nobody may try then. It ends by itself: a lock that only an administrator opens would let anybody shut
    /// out anybody else for good.
    #[must_use]
    pub const fn lock_out(mut self, time: Duration) -> Self {
        self.lock_out = time;
        self
    }

    /// How long after the last failure all of them are forgotten, if no success comes before. Never before a wait ends.
    #[must_use]
    pub const fn forget_after(mut self, time: Duration) -> Self {
        self.forget_after = time;
        self
    }

    /// How long the next attempt waits after so many failures in a row.
    #[must_use]
    pub fn wait_after(&self, failures: u32) -> Duration {
        if failures >= self.lock_after {
            self.lock_out
        } else if failures < self.free_attempts {
            Duration::ZERO
        } else {
            let grown = self.growth.saturating_pow(failures - self.free_attempts);
            self.first_delay.saturating_mul(grown).min(self.longest_delay)
        }
    }

    /// Whether so many failures in a row lock.
    pub(crate) fn locks_after(&self, failures: u32) -> bool {
        failures >= self.lock_after
    }

    /// How long so many failures are kept after the last one.
    pub(crate) fn kept_after(&self, failures: u32) -> Duration {
        self.forget_after.max(self.wait_after(failures))
    }

    pub(crate) fn within_nist(mut self) -> Self {
        self.lock_after = self.lock_after.min(Self::MOST_FAILURES);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let waits = |limit: LoginLimit, failures: &[u32]| -> Vec<u64> {
            let wait = |failures: &u32| limit.wait_after(*failures).as_secs();
            failures.iter().map(wait).collect()
        };
        assert_eq!(
            waits(
                LoginLimit::for_accounts(),
                &[0, 4, 5, 6, 7, 13, 14, 19, 20, 21, u32::MAX]
            ),
            [0, 0, 1, 2, 4, 256, 300, 300, 3_600, 3_600, 3_600]
        );
        assert_eq!(
            waits(LoginLimit::for_addresses(), &[99, 100, 101, 108, 109, 999, 1_000]),
            [0, 1, 2, 256, 300, 300, 3_600]
        );
    }

    #[test]
    fn the_lock_of_an_account_comes_after_100_failures_at_the_latest() {
        let limit = LoginLimit::for_accounts().lock_after(u32::MAX).within_nist();
        assert!(!limit.locks_after(99) && limit.locks_after(100));
        assert_eq!(
            LoginLimit::for_accounts().within_nist(),
            LoginLimit::for_accounts()
        );
    }

    proptest! {
        #[test]
        fn waits_never_get_shorter_and_always_end(
            free in 0..50_u32, first in 0..10_000_u64, growth in 0..5_u32, longest in 0..100_000_u64,
            lock in 0..200_u32, failures in 0..300_u32,
        ) {
            let longest = Duration::from_millis(longest);
            let limit = LoginLimit::for_accounts()
                .free_attempts(free)
                .first_delay(Duration::from_millis(first))
                .growth(growth)
                .longest_delay(longest)
                .lock_after(lock)
                .lock_out(longest + Duration::from_secs(1));
            prop_assert!(limit.wait_after(failures) <= limit.wait_after(failures + 1));
            prop_assert!(limit.wait_after(failures) <= longest + Duration::from_secs(1));
            prop_assert!(limit.kept_after(failures) >= limit.wait_after(failures));
        }
    }
}
