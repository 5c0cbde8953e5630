//! The sessions that a look-up has not found lately.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::event::Refusal;
use crate::session_id::SessionId;

/// Sessions that are not in the store, or have expired, so that a cookie that is sent again and again costs one look-up
/// a minute. What has ended never comes back, except with a backup: then it is back a minute later.
pub(crate) struct FoundDead {
    key: RandomState,
    sets: Box<[Mutex<Vec<Dead>>]>,
}

#[derive(Clone, Copy)]
struct Dead {
    id: SessionId,
    refusal: Refusal,
    until: Timestamp,
}

/// 8,192 sessions in about 300 KiB, which are taken as they come.
const SETS: usize = 1_024;
const SET: usize = 8;

const REMEMBERED_FOR: Duration = Duration::from_mins(1);

impl FoundDead {
    pub(crate) fn new() -> Self {
        Self {
            key: RandomState::new(),
            sets: (0..SETS).map(|_| Mutex::default()).collect(),
        }
    }

    /// What was wrong with the session's cookie.
    pub(crate) fn find(&self, id: SessionId, now: Timestamp) -> Option<Refusal> {
        self.with_set_of(id, |set| {
            set.iter()
                .find(|dead| dead.id == id && dead.is_remembered_at(now))
                .map(|dead| dead.refusal)
        })
    }

    pub(crate) fn add(&self, id: SessionId, refusal: Refusal, now: Timestamp) {
        let until = now.plus(REMEMBERED_FOR);
        self.with_set_of(id, |set| {
            set.retain(|dead| dead.id != id && dead.is_remembered_at(now));
            if set.len() == SET {
                set.remove(0);
            }
            set.push(Dead { id, refusal, until });
        });
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the bits that are cut off are not used"
    )]
    fn with_set_of<T>(&self, id: SessionId, act: impl FnOnce(&mut Vec<Dead>) -> T) -> T {
        let set = &self.sets[self.key.hash_one(id.as_bytes()) as usize % SETS];
        // No code of the application runs under this lock.
        act(&mut set.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Dead {
    /// Not for longer than it should, should the clock jump back.
    fn is_remembered_at(&self, now: Timestamp) -> bool {
        now < self.until && now.until(self.until) <= REMEMBERED_FOR
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn id() -> SessionId {
        SessionId::generate().unwrap()
    }

    #[test]
    fn a_session_is_remembered_for_a_minute_with_what_was_wrong() {
        let dead = FoundDead::new();
        let one = id();
        dead.add(one, Refusal::Unknown, NOW);
        let almost = NOW.plus(REMEMBERED_FOR).minus(Duration::from_millis(1));
        assert_eq!(dead.find(one, almost), Some(Refusal::Unknown));
        assert_eq!(dead.find(one, NOW.plus(REMEMBERED_FOR)), None);
        assert_eq!(dead.find(id(), NOW), None);
    }

    #[test]
    fn a_clock_that_jumps_back_forgets_rather_than_remembers_for_ever() {
        let dead = FoundDead::new();
        let one = id();
        dead.add(one, Refusal::Unknown, NOW);
        assert_eq!(dead.find(one, NOW.minus(Duration::from_millis(1))), None);
    }

    #[test]
    fn the_newest_are_remembered_and_the_memory_is_bounded_however_many_come() {
        let dead = FoundDead::new();
        for _ in 0..20 * SETS * SET {
            let one = id();
            dead.add(one, Refusal::Unknown, NOW);
            assert_eq!(dead.find(one, NOW), Some(Refusal::Unknown));
        }
        let capacity: usize = dead.sets.iter().map(|set| set.lock().unwrap().capacity()).sum();
        assert_eq!(capacity, SETS * SET);
        assert!(size_of::<Dead>() <= 32);
    }
}
