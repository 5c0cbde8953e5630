//! Which sessions slid lately, so that most look-ups can be plain reads.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tenure_core::{SessionId, Timestamp};

/// When this process last saw sessions slide. A session that slid lately is read by a plain command, which costs the
/// server a fraction of a script.
///
/// A hint and no more: where it is forgotten the script is asked as if the session were due, and what was read by a
/// plain command is looked at before it is believed.
pub(crate) struct RecentSlides {
    /// Each has the session that slid last of those that share it: in the higher bits some of its id's, and in the
    /// lower ones the moment, counted in [`TICK`]s. Ids are drawn at random by the engine, so nobody can choose which
    /// share a place.
    places: Box<[AtomicU64]>,
}

/// 65,536 sessions in half a mebibyte.
const PLACES: usize = 65_536;

/// So coarse that five centuries fit.
const TICK: Duration = Duration::from_millis(16);

const MOMENT: u64 = (1 << 40) - 1;

impl RecentSlides {
    pub(crate) fn new() -> Self {
        Self {
            places: (0..PLACES).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// The session's deadline counts from `last_seen_at`.
    pub(crate) fn add(&self, id: SessionId, last_seen_at: Timestamp) {
        self.place(id)
            .store(mark(id) | ticks(last_seen_at), Ordering::Relaxed);
    }

    /// Whether it is known that a touch at `now` is not due.
    pub(crate) fn is_recent(&self, id: SessionId, now: Timestamp, at_most_every: Duration) -> bool {
        let slid = self.place(id).load(Ordering::Relaxed);
        let age = ticks(now).checked_sub(slid & MOMENT);
        let is_recent = |age: u64| u128::from(age + 1) * TICK.as_millis() <= at_most_every.as_millis();
        slid & !MOMENT == mark(id) && age.is_some_and(is_recent)
    }

    fn place(&self, id: SessionId) -> &AtomicU64 {
        let [low, high, ..] = *id.as_bytes();
        &self.places[usize::from(u16::from_le_bytes([low, high]))]
    }
}

/// Of another part of the id than its place.
fn mark(id: SessionId) -> u64 {
    (u128::from_be_bytes(*id.as_bytes()) as u64) & !MOMENT
}

fn ticks(moment: Timestamp) -> u64 {
    (moment.as_millis() / TICK.as_millis() as u64) & MOMENT
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_764_000_000_005);
    const MINUTE: Duration = Duration::from_secs(60);

    fn id(number: u128) -> SessionId {
        SessionId::from_bytes(number.to_be_bytes())
    }

    #[test]
    fn a_slide_is_recent_until_the_next_one_is_due() {
        let slides = RecentSlides::new();
        assert!(!slides.is_recent(id(1), NOW, MINUTE));
        slides.add(id(1), NOW);
        assert!(slides.is_recent(id(1), NOW, MINUTE));
        for millis in 0..=60_000 {
            let later = NOW.plus(Duration::from_millis(millis));
            let is_recent = slides.is_recent(id(1), later, MINUTE);
            assert!(!is_recent || millis < 60_000);
            assert!(is_recent || millis > 60_000 - 2 * 16, "{millis}");
        }
    }

    #[test]
    fn an_interval_of_nothing_is_always_over_and_a_clock_that_was_set_back_tells_nothing() {
        let slides = RecentSlides::new();
        slides.add(id(1), NOW);
        assert!(!slides.is_recent(id(1), NOW, Duration::ZERO));
        assert!(!slides.is_recent(id(1), NOW.minus(MINUTE), MINUTE));
    }

    #[test]
    fn a_session_that_shares_a_place_takes_it_over_and_is_not_mistaken() {
        let slides = RecentSlides::new();
        let (one, other) = (id(0), id(1 << 63));
        slides.add(one, NOW);
        assert!(!slides.is_recent(other, NOW, MINUTE));
        slides.add(other, NOW);
        assert!(slides.is_recent(other, NOW, MINUTE) && !slides.is_recent(one, NOW, MINUTE));
    }
}
