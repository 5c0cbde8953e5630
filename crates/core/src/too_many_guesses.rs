//! The refusal of a client that has no guesses left.

use std::time::Duration;

/// Too many cookies of this client were not accepted: answer with 429 (RFC 6585, section 4) and a Retry-After.
///
/// The [limit](crate::GuessLimit) is the policy's. The browser that bears a dead cookie gets its removal with the
/// answer, so that its next request is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "too many session cookies of this client were not accepted; it may try again in {} s",
    self.retry_after().as_secs()
)]
pub struct TooManyGuesses {
    wait: Duration,
}

impl TooManyGuesses {
    pub(crate) fn until(wait: Duration) -> Self {
        Self { wait }
    }

    /// How long until the client has a guess again: whole seconds, as Retry-After has them, one at the least.
    #[must_use]
    pub fn retry_after(&self) -> Duration {
        let begun = u64::from(self.wait.subsec_nanos() > 0);
        Duration::from_secs((self.wait.as_secs() + begun).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_told_in_whole_seconds_that_are_enough() {
        for (millis, seconds) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (59_999, 60)] {
            let refusal = TooManyGuesses::until(Duration::from_millis(millis));
            assert_eq!(refusal.retry_after(), Duration::from_secs(seconds), "{millis} ms");
        }
    }
}
