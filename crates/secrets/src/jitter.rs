//! Not all at the same moment.

use std::time::Duration;

/// `duration`, a tenth more or less at random. Without random bytes it is `duration` itself: nothing depends on
/// the dice but load.
pub(crate) fn give_or_take_a_tenth(duration: Duration) -> Duration {
    let mut dice = [0; 2];
    match getrandom::fill(&mut dice) {
        Ok(()) => {
            let share = f64::from(u16::from_be_bytes(dice)) / f64::from(u16::MAX);
            duration.mul_f64(0.9 + share / 5.0)
        }
        Err(_) => duration,
    }
}

/// The most that [`give_or_take_a_tenth`] makes of `duration`.
pub(crate) fn longest_pause(duration: Duration) -> Duration {
    duration.saturating_add(duration / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_within_a_tenth_and_is_not_always_the_same() {
        let minute = Duration::from_secs(60);
        let thrown: Vec<_> = (0..1_000).map(|_| give_or_take_a_tenth(minute)).collect();
        let within = Duration::from_secs(54)..=longest_pause(minute);
        assert!(thrown.iter().all(|pause| within.contains(pause)));
        assert!(thrown.iter().any(|pause| *pause != thrown[0]));
    }
}
