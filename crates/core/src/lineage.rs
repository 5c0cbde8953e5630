//! The secrets of one session, one after the other: who bears which, and when an old one retires.
//!
//! A session's secret changes in two ways. [`renew`](crate::Session::renew) and
//! [`sign_in`](crate::Session::sign_in) put a new one in its place at once, and the old one opens nothing any more. A
//! *periodic* renewal takes two phases, so that no lost response and no parallel request signs anybody out: the
//! successor is **offered** while the predecessor stays good, then **seen**, and only when it is used again a grace
//! later, the predecessor **retires**. If the predecessor is used in between, the successor has to be seen anew, a few
//! times. A retired secret that is used after that was copied by somebody.

use std::fmt;
use std::time::Duration;

use bytes::BufMut;

use crate::assurance::Proofs;
use crate::clock::Timestamp;

/// How a session came by its secret, and what its owner proved for it. A store keeps it as [bytes](Lineage::to_bytes) and looks at nothing in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Lineage {
    /// How many secrets came before the current one.
    pub(crate) generation: u32,
    /// The first secret since the last renewal that took effect at once. Cookies of the periodic renewals since then
    /// retire; those from before are merely superseded, and prove no theft: whoever planted a cookie before the
    /// sign-in has one.
    pub(crate) root: u32,
    /// When the current secret was made.
    pub(crate) renewed_at: Timestamp,
    /// When the owner last proved who they are. Here, because what is here is bound to the sealed data.
    pub(crate) proofs: Proofs,
    pub(crate) handover: Handover,
}

/// How far a periodic renewal has come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handover {
    /// None is going on: the current secret is the only one that opens the session.
    Done,
    /// The current secret has not been used yet. Whoever bears the one before gets it.
    Offered { successor: Sealed32, returns: Returns },
    /// It has been used, first at this moment. Until it is used again after the grace, the one before is still good:
    /// a browser that crashed right after the first use may come back with the cookies of half a minute earlier.
    Seen {
        successor: Sealed32,
        returns: Returns,
        at: Timestamp,
    },
}

/// How often the bearer of the predecessor came back after the successor had been seen.
///
/// Each time the successor has to be seen anew, for a browser that was restored knows nothing of its first use, and
/// its requests are on their way with the predecessor when the first answers bring the successor. But they are
/// counted: with a copy of the predecessor that is used again and again, nobody puts off its end for long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Returns(u8);

/// 32 bytes, sealed: key id, nonce, ciphertext, tag.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sealed32(pub(crate) [u8; Sealed32::LENGTH]);

/// What a genuine cookie of a live session is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Bearer {
    /// It has the current secret.
    Current,
    /// It has the one before, and a periodic renewal is going on.
    Predecessor,
    /// It has one that retired: there are two who bear this session's cookies.
    Retired,
    /// It has one that a sign-in or another immediate renewal replaced, or one that this record never saw.
    Superseded,
}

/// What a request of the session's bearer moves on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A successor is to be made and offered.
    Offer,
    /// The successor is in use.
    See,
    /// The predecessor is in use again.
    Return,
    /// The predecessor retires.
    Settle,
}

/// How often secrets are renewed, and how long the old one stays good beside the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rhythm {
    /// `None` if they are not renewed periodically. A handover that is going on is ended all the same.
    pub(crate) renew_every: Option<Duration>,
    pub(crate) grace: Duration,
}

impl Sealed32 {
    pub(crate) const LENGTH: usize = 4 + 12 + 32 + 16;
}

impl Returns {
    /// One browser that crashes so many times within one handover, each time within half a minute of the successor's
    /// first use, is in a loop that no cookie helps against.
    const MOST: u8 = 7;

    fn one_more(self) -> Option<Self> {
        (self.0 < Self::MOST).then_some(Self(self.0 + 1))
    }

    fn from_byte(byte: u8) -> Option<Self> {
        (byte <= Self::MOST).then_some(Self(byte))
    }
}

const FORMAT: u8 = 1;
const OFFERED: u8 = 1;
const SEEN: u8 = 2;
/// The phase has the lower bits of its byte, and the returns the upper ones.
const PHASE_BITS: u32 = 2;

/// What share of the grace the predecessor may be used for after the successor was seen without being written down:
/// requests that were on their way beside the one that brought the successor.
const UNNOTED_SHARE: u32 = 8;

impl Lineage {
    /// The most bytes that it takes in a store.
    pub const MAX_BYTES: usize = 1 + 4 + 4 + 8 + 1 + Sealed32::LENGTH + 8 + Proofs::MAX_BYTES;

    /// The lineage of a session that begins at `now`.
    #[must_use]
    pub const fn begun(now: Timestamp) -> Self {
        Self {
            generation: 0,
            root: 0,
            renewed_at: now,
            proofs: Proofs::none(),
            handover: Handover::Done,
        }
    }

    /// The form in which a store keeps it: at most [`Lineage::MAX_BYTES`] bytes.
    ///
    /// ```
    /// use tenure_core::{Lineage, Timestamp};
    ///
    /// let lineage = Lineage::begun(Timestamp::from_millis(1_000));
    /// assert_eq!(Lineage::from_bytes(&lineage.to_bytes()), Some(lineage));
    /// ```
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::MAX_BYTES);
        self.append_to(&mut bytes);
        bytes
    }

    pub(crate) fn append_to(&self, bytes: &mut impl BufMut) {
        let phase = match self.handover {
            Handover::Done => 0,
            Handover::Offered { returns, .. } => OFFERED | returns.0 << PHASE_BITS,
            Handover::Seen { returns, .. } => SEEN | returns.0 << PHASE_BITS,
        };
        bytes.put_u8(FORMAT);
        bytes.put_u32(self.generation);
        bytes.put_u32(self.root);
        bytes.put_u64(self.renewed_at.as_millis());
        bytes.put_u8(phase);
        match &self.handover {
            Handover::Done => {}
            Handover::Offered { successor, .. } => bytes.put_slice(&successor.0),
            Handover::Seen { successor, at, .. } => {
                bytes.put_slice(&successor.0);
                bytes.put_u64(at.as_millis());
            }
        }
        self.proofs.append_to(bytes);
    }

    /// Reads what [`to_bytes`](Lineage::to_bytes) made; `None` if that is not what it is.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let [format] = take(&mut rest)?;
        let generation = u32::from_be_bytes(take(&mut rest)?);
        let root = u32::from_be_bytes(take(&mut rest)?);
        let renewed_at = Timestamp::from_millis(u64::from_be_bytes(take(&mut rest)?));
        let [phase] = take(&mut rest)?;
        let returns = Returns::from_byte(phase >> PHASE_BITS)?;
        let handover = match phase & ((1 << PHASE_BITS) - 1) {
            0 if returns == Returns::default() => Handover::Done,
            OFFERED => Handover::Offered {
                successor: Sealed32(take(&mut rest)?),
                returns,
            },
            SEEN => Handover::Seen {
                successor: Sealed32(take(&mut rest)?),
                returns,
                at: Timestamp::from_millis(u64::from_be_bytes(take(&mut rest)?)),
            },
            _ => return None,
        };
        let proofs = Proofs::take(&mut rest)?;
        (format == FORMAT && rest.is_empty() && root <= generation).then_some(Self {
            generation,
            root,
            renewed_at,
            proofs,
            handover,
        })
    }

    /// What a cookie of `generation` is worth, given whether its secret is the current one or the one before. That
    /// the cookie is genuine has been verified: it was issued for this session and this generation.
    pub(crate) fn bearer(&self, generation: u32, is_current: bool, is_previous: bool) -> Bearer {
        if generation == self.generation && is_current {
            Bearer::Current
        } else if generation >= self.generation || generation < self.root {
            Bearer::Superseded
        } else if self.successor().is_some() && generation + 1 == self.generation {
            if is_previous {
                Bearer::Predecessor
            } else {
                Bearer::Superseded
            }
        } else {
            Bearer::Retired
        }
    }

    /// What a request of this bearer at `now` moves on, if anything.
    pub(crate) fn step(&self, bearer: Bearer, now: Timestamp, rhythm: Rhythm) -> Option<Step> {
        match (bearer, self.handover) {
            (Bearer::Current, Handover::Offered { .. }) => Some(Step::See),
            (Bearer::Current, Handover::Seen { at, .. }) => {
                (now >= at.plus(rhythm.grace)).then_some(Step::Settle)
            }
            (Bearer::Current, Handover::Done) => rhythm
                .renew_every
                .filter(|interval| now >= self.renewed_at.plus(*interval))
                .filter(|_| self.generation < u32::MAX)
                .map(|_| Step::Offer),
            (Bearer::Predecessor, Handover::Seen { at, returns, .. }) => returns
                .one_more()
                .filter(|_| now >= at.plus(rhythm.grace / UNNOTED_SHARE))
                .map(|_| Step::Return),
            _ => None,
        }
    }

    /// The successor is in use since `now`.
    pub(crate) fn see(&mut self, now: Timestamp) {
        if let Handover::Offered { successor, returns } = self.handover {
            self.handover = Handover::Seen {
                successor,
                returns,
                at: now,
            };
        }
    }

    /// The predecessor is in use again: the successor has to be seen anew.
    pub(crate) fn take_back(&mut self) {
        if let Handover::Seen {
            successor, returns, ..
        } = self.handover
        {
            let returns = returns.one_more().unwrap_or(returns);
            self.handover = Handover::Offered { successor, returns };
        }
    }

    /// The predecessor retires.
    pub(crate) fn settle(&mut self) {
        self.handover = Handover::Done;
    }

    /// A new secret takes effect at once.
    pub(crate) fn replace(&mut self, now: Timestamp) {
        let generation = self.generation.saturating_add(1);
        *self = Self {
            generation,
            root: generation,
            proofs: self.proofs,
            ..Self::begun(now)
        };
    }

    /// A new secret is offered beside the one so far.
    pub(crate) fn offer(&mut self, successor: Sealed32, now: Timestamp) {
        self.generation += 1;
        self.renewed_at = now;
        self.handover = Handover::Offered {
            successor,
            returns: Returns::default(),
        };
    }

    /// The current secret, sealed for the bearer of the one before.
    pub(crate) fn successor(&self) -> Option<&Sealed32> {
        match &self.handover {
            Handover::Done => None,
            Handover::Offered { successor, .. } | Handover::Seen { successor, .. } => Some(successor),
        }
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk()?;
    *rest = left;
    Some(*taken)
}

impl fmt::Debug for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lineage")
            .field("generation", &self.generation)
            .field("root", &self.root)
            .field("renewed_at", &self.renewed_at)
            .field("proven", &self.proofs.highest())
            .field("handover", &self.handover)
            .finish()
    }
}

impl fmt::Debug for Sealed32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed32")
    }
}

impl fmt::Debug for Handover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("Done"),
            Self::Offered { .. } => f.write_str("Offered"),
            Self::Seen { at, .. } => write!(f, "Seen({at:?})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assurance::AssuranceLevel;
    use proptest::prelude::*;

    fn sealed() -> impl Strategy<Value = Sealed32> {
        proptest::collection::vec(any::<u8>(), Sealed32::LENGTH)
            .prop_map(|bytes| Sealed32(bytes.try_into().expect("the length is given")))
    }

    fn returns() -> impl Strategy<Value = Returns> {
        (0..=Returns::MOST).prop_map(Returns)
    }

    fn proofs() -> impl Strategy<Value = Proofs> {
        proptest::option::of((1_u8..=3, any::<u64>())).prop_map(|proven| {
            let mut proofs = Proofs::none();
            if let Some((number, at)) = proven {
                let level = AssuranceLevel::from_number(number).expect("a level");
                proofs.add(level, Timestamp::from_millis(at));
            }
            proofs
        })
    }

    fn lineage() -> impl Strategy<Value = Lineage> {
        let handover = prop_oneof![
            Just(Handover::Done),
            (sealed(), returns()).prop_map(|(successor, returns)| Handover::Offered { successor, returns }),
            (sealed(), returns(), any::<u64>()).prop_map(|(successor, returns, at)| Handover::Seen {
                successor,
                returns,
                at: Timestamp::from_millis(at)
            }),
        ];
        let parts = (any::<u32>(), any::<u32>(), any::<u64>(), proofs(), handover);
        parts.prop_map(|(one, other, renewed_at, proofs, handover)| Lineage {
            generation: one.max(other),
            root: one.min(other),
            renewed_at: Timestamp::from_millis(renewed_at),
            proofs,
            handover,
        })
    }

    proptest! {
        #[test]
        fn every_lineage_comes_back_from_its_bytes(lineage in lineage()) {
            let bytes = lineage.to_bytes();
            prop_assert!(bytes.len() <= Lineage::MAX_BYTES);
            prop_assert_eq!(Lineage::from_bytes(&bytes), Some(lineage));
            prop_assert_eq!(Lineage::from_bytes(&bytes[..bytes.len() - 1]), None);
        }

        #[test]
        fn bytes_that_are_read_are_written_the_same(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(lineage) = Lineage::from_bytes(&bytes) {
                prop_assert_eq!(lineage.to_bytes(), bytes);
            }
        }
    }
}
