//! The cookies that were found good lately.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::token::TokenSecret;

/// The last cookies for which the store had a live session, or that were newly issued: a hash of each one's secret,
/// under a random key of this process. Two that have the same hash, of 64 bits, cost a look-up at worst.
///
/// By the secret rather than by the session, because a guesser who knows the application's secret may know ids as well.
pub(crate) struct SeenAlive {
    key: RandomState,
    sets: Box<[Set]>,
}

/// The newest in front. It fits in a line of the processor's cache.
#[derive(Default)]
#[repr(align(64))]
struct Set([AtomicU64; 8]);

/// 65,536 cookies in 512 KiB.
const SETS: usize = 8_192;

const NOBODY: u64 = 0;

impl SeenAlive {
    pub(crate) fn new() -> Self {
        Self {
            key: RandomState::new(),
            sets: (0..SETS).map(|_| Set::default()).collect(),
        }
    }

    pub(crate) fn has(&self, secret: &TokenSecret) -> bool {
        let (set, hash) = self.place(secret);
        set.0.iter().any(|seen| seen.load(Ordering::Relaxed) == hash)
    }

    /// Where others come at the same time, one of them may be forgotten, and costs a look-up.
    pub(crate) fn add(&self, secret: &TokenSecret) {
        if self.has(secret) {
            return;
        }
        let (set, hash) = self.place(secret);
        set.0
            .iter()
            .fold(hash, |newer, seen| seen.swap(newer, Ordering::Relaxed));
    }

    pub(crate) fn remove(&self, secret: &TokenSecret) {
        let (set, hash) = self.place(secret);
        for seen in &set.0 {
            // If it was replaced meanwhile, it is gone already.
            let _ = seen.compare_exchange(hash, NOBODY, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the bits that are cut off are not used"
    )]
    fn place(&self, secret: &TokenSecret) -> (&Set, u64) {
        let hash = self.key.hash_one(secret.expose()).max(NOBODY + 1);
        (&self.sets[hash as usize % SETS], hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(how_many: usize) -> Vec<TokenSecret> {
        (0..how_many).map(|_| TokenSecret::generate().unwrap()).collect()
    }

    #[test]
    fn a_cookie_is_known_from_when_it_is_added_until_it_is_removed() {
        let alive = SeenAlive::new();
        let [one, other] = [(); 2].map(|()| TokenSecret::generate().unwrap());
        assert!(!alive.has(&one));
        alive.add(&one);
        assert!(alive.has(&one) && !alive.has(&other));
        alive.remove(&one);
        assert!(!alive.has(&one));
    }

    #[test]
    fn half_as_many_as_it_holds_are_nearly_all_remembered() {
        let alive = SeenAlive::new();
        let secrets = secrets(SETS * 4);
        for secret in &secrets {
            alive.add(secret);
        }
        let known = secrets.iter().filter(|secret| alive.has(secret)).count();
        assert!(known > secrets.len() * 97 / 100, "{known} of {}", secrets.len());
    }

    #[test]
    fn the_newest_are_remembered_however_many_come() {
        let alive = SeenAlive::new();
        for secret in secrets(SETS * 16) {
            alive.add(&secret);
            assert!(alive.has(&secret));
        }
    }

    #[test]
    fn many_at_once_keep_what_nobody_pushes_out() {
        let alive = SeenAlive::new();
        let secrets = secrets(4_096);
        std::thread::scope(|scope| {
            for part in secrets.chunks(512) {
                scope.spawn(|| part.iter().for_each(|secret| alive.add(secret)));
            }
        });
        let known = secrets.iter().filter(|secret| alive.has(secret)).count();
        assert!(known > 4_000, "{known}");
    }
}
