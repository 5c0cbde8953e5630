//! How strongly the signed-in user proved who they are, and when.

use std::fmt;

use bytes::BufMut;

use crate::clock::Timestamp;

/// How strongly somebody proved who they are: the authentication assurance levels of NIST SP 800-63B-4, section 2. A
/// higher level is a greater value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AssuranceLevel {
    /// One factor, such as a password.
    #[default]
    Aal1,
    /// Two factors, such as a password and a code.
    Aal2,
    /// A factor that can't be phished and a key that can't be copied, such as a security key with a PIN.
    Aal3,
}

/// What a user is told whose last proof is too old or too weak for what they want to do.
pub const PROVE_AGAIN: &str = "Please confirm that it is you, and try again.\n";

/// When the owner last proved who they are, for each level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Proofs([Option<Timestamp>; Proofs::LEVELS]);

impl AssuranceLevel {
    const ALL: [Self; Proofs::LEVELS] = [Self::Aal1, Self::Aal2, Self::Aal3];

    /// The level of this number, 1 to 3.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Aal1),
            2 => Some(Self::Aal2),
            3 => Some(Self::Aal3),
            _ => None,
        }
    }
}

impl fmt::Display for AssuranceLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aal1 => "AAL1",
            Self::Aal2 => "AAL2",
            Self::Aal3 => "AAL3",
        })
    }
}

impl Proofs {
    const LEVELS: usize = 3;

    /// The most bytes that it takes.
    pub(crate) const MAX_BYTES: usize = 1 + Self::LEVELS * 8;

    pub(crate) const fn none() -> Self {
        Self([None; Self::LEVELS])
    }

    /// Who proves a level proves all below it.
    pub(crate) fn add(&mut self, level: AssuranceLevel, now: Timestamp) {
        for proof in &mut self.0[..=level as usize] {
            *proof = Some(now);
        }
    }

    pub(crate) fn at(&self, level: AssuranceLevel) -> Option<Timestamp> {
        self.0[level as usize]
    }

    pub(crate) fn highest(&self) -> Option<AssuranceLevel> {
        let mut levels = AssuranceLevel::ALL.into_iter().rev();
        levels.find(|level| self.at(*level).is_some())
    }

    /// How many levels there are, then the time of each.
    pub(crate) fn append_to(&self, bytes: &mut impl BufMut) {
        let proven = self.0.iter().flatten();
        bytes.put_u8(proven.clone().count() as u8);
        for proof in proven {
            bytes.put_u64(proof.as_millis());
        }
    }

    /// Reads what [`append_to`](Proofs::append_to) made, and moves on behind it.
    pub(crate) fn take(rest: &mut &[u8]) -> Option<Self> {
        let (count, mut left) = rest.split_first()?;
        let mut proofs = Self::none();
        for proof in proofs.0.get_mut(..usize::from(*count))? {
            let (time, behind) = left.split_first_chunk()?;
            *proof = Some(Timestamp::from_millis(u64::from_be_bytes(*time)));
            left = behind;
        }
        *rest = left;
        Some(proofs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EARLIER: Timestamp = Timestamp::from_millis(1);
    const LATER: Timestamp = Timestamp::from_millis(2);

    #[test]
    fn who_proves_a_level_proves_those_below_and_none_above() {
        let mut proofs = Proofs::none();
        assert_eq!(proofs.highest(), None);
        proofs.add(AssuranceLevel::Aal2, EARLIER);
        assert_eq!(proofs.highest(), Some(AssuranceLevel::Aal2));
        proofs.add(AssuranceLevel::Aal1, LATER);
        assert_eq!(proofs.at(AssuranceLevel::Aal1), Some(LATER));
        assert_eq!(proofs.at(AssuranceLevel::Aal2), Some(EARLIER));
        assert_eq!(proofs.at(AssuranceLevel::Aal3), None);
    }

    #[test]
    fn proofs_come_back_from_their_bytes_and_more_levels_than_there_are_do_not() {
        for level in AssuranceLevel::ALL {
            let mut proofs = Proofs::none();
            proofs.add(level, LATER);
            let mut bytes = Vec::new();
            proofs.append_to(&mut bytes);
            assert!(bytes.len() <= Proofs::MAX_BYTES);
            assert_eq!(Proofs::take(&mut &bytes[..]), Some(proofs));
            assert!(Proofs::take(&mut &bytes[..bytes.len() - 1]).is_none());
        }
        assert!(Proofs::take(&mut &[4; 40][..]).is_none());
    }
}
