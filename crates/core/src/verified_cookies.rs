//! The cookies that were verified lately, so that they need not be verified again.

use std::hash::Hasher;
use std::sync::atomic::{AtomicU64, Ordering};

use siphasher::sip128::SipHasher24;

use crate::keyring::Keyring;
use crate::random::{RandomError, random_bytes};

/// The last cookies of sessions that were found alive: of each a fingerprint, which is SipHash-2-4 of 128 bits over the
/// cookie's text, under a random key that this process keeps to itself. Nobody who lacks that key can find a text with
/// a known fingerprint by anything better than trying, just as with the cookie's own tag of 128 bits; and nothing of a
/// cookie can be found from what is kept.
///
/// A cookie that is in here is genuine and no more: whether its session lives is asked of the store, as ever. Only
/// cookies under the keyring's current key get in, and none of them counts once the keyring is replaced: the fingerprint
/// is of the keyring, too. All cookies of one of these have the same name.
pub(crate) struct VerifiedCookies {
    hasher: SipHasher24,
    sets: Box<[Set]>,
}

/// Stands for a cookie.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint([u64; 2]);

/// The newest in front. It fits in a line of the processor's cache. A fingerprint whose halves are written by two at the
/// same time is that of nobody.
#[derive(Default)]
#[repr(align(64))]
struct Set([[AtomicU64; 2]; 4]);

/// 65,536 cookies in a mebibyte.
const SETS: usize = 16_384;

const NOBODY: u64 = 0;

impl VerifiedCookies {
    pub(crate) fn new() -> Result<Self, RandomError> {
        Ok(Self {
            hasher: SipHasher24::new_with_key(&random_bytes()?),
            sets: (0..SETS).map(|_| Set::default()).collect(),
        })
    }

    pub(crate) fn fingerprint(&self, value: &[u8], keyring: &Keyring) -> Fingerprint {
        let mut hasher = self.hasher;
        hasher.write(&keyring.serial().to_ne_bytes());
        // At once, which is quicker than to write it, too.
        let hash = hasher.hash(value);
        Fingerprint([hash.h1.max(NOBODY + 1), hash.h2])
    }

    pub(crate) fn has(&self, fingerprint: Fingerprint) -> bool {
        let known = |place: &[AtomicU64; 2]| place.each_ref().map(|half| half.load(Ordering::Relaxed));
        self.set(fingerprint)
            .0
            .iter()
            .any(|place| known(place) == fingerprint.0)
    }

    /// Where others come at the same time, one of them may be forgotten, and is verified again.
    pub(crate) fn add(&self, fingerprint: Fingerprint) {
        if self.has(fingerprint) {
            return;
        }
        let swap = |newer: [u64; 2], place: &[AtomicU64; 2]| {
            [0, 1].map(|half| place[half].swap(newer[half], Ordering::Relaxed))
        };
        self.set(fingerprint).0.iter().fold(fingerprint.0, swap);
    }

    /// What another request adds at the same moment may go instead, and is verified again.
    pub(crate) fn remove(&self, fingerprint: Fingerprint) {
        for place in &self.set(fingerprint).0 {
            if place[0].load(Ordering::Relaxed) == fingerprint.0[0] {
                place[0].store(NOBODY, Ordering::Relaxed);
            }
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the bits that are cut off are not used"
    )]
    fn set(&self, fingerprint: Fingerprint) -> &Set {
        &self.sets[fingerprint.0[1] as usize % SETS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn keyring() -> Keyring {
        Keyring::new(Secret::new("T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r"))
    }

    fn fingerprints(verified: &VerifiedCookies, how_many: usize) -> Vec<Fingerprint> {
        let keyring = keyring();
        (0..how_many)
            .map(|at| verified.fingerprint(at.to_string().as_bytes(), &keyring))
            .collect()
    }

    #[test]
    fn a_cookie_is_known_from_when_it_is_added_until_it_is_removed() {
        let verified = VerifiedCookies::new().unwrap();
        let all = fingerprints(&verified, 2);
        assert!(!verified.has(all[0]));
        verified.add(all[0]);
        assert!(verified.has(all[0]) && !verified.has(all[1]));
        verified.remove(all[1]);
        assert!(verified.has(all[0]));
        verified.remove(all[0]);
        assert!(!verified.has(all[0]));
    }

    #[test]
    fn another_process_has_other_fingerprints() {
        let [one, other] = [(); 2].map(|()| VerifiedCookies::new().unwrap());
        assert!(fingerprints(&one, 1) != fingerprints(&other, 1));
    }

    #[test]
    fn another_keyring_has_other_fingerprints_even_of_the_same_secret() {
        let verified = VerifiedCookies::new().unwrap();
        let [one, other] = [keyring(), keyring()].map(|keyring| verified.fingerprint(b"a", &keyring));
        assert!(one != other);
    }

    #[test]
    fn the_newest_are_remembered_however_many_come() {
        let verified = VerifiedCookies::new().unwrap();
        for fingerprint in fingerprints(&verified, SETS * 8) {
            verified.add(fingerprint);
            assert!(verified.has(fingerprint));
        }
    }

    #[test]
    fn half_as_many_as_it_holds_are_nearly_all_remembered() {
        let verified = VerifiedCookies::new().unwrap();
        let all = fingerprints(&verified, SETS * 2);
        all.iter().for_each(|one| verified.add(*one));
        let known = all.iter().filter(|one| verified.has(**one)).count();
        assert!(known > all.len() * 90 / 100, "{known} of {}", all.len());
    }
}
