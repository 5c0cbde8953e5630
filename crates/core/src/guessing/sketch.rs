//! What every client has spent, in a fixed number of cells.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

use governor::nanos::Nanos;
use governor::state::StateStore;

use super::budget::Claim;

/// A count-min sketch of the moments at which each client's budget is full again.
///
/// A client has a cell in each of the rows, and its moment is the earliest of them. A cell that it shares with others
/// is never earlier than its own, so nobody gets more than the budget; and somebody gets less only if others who spend
/// theirs share *all* its cells. A table of exact addresses would need an end, and who comes after it is full would share
/// a budget with the attackers who filled it; here they are spread over everybody alike, and nothing is ever to be cleared away,
/// because time does that.
///
/// Which cells are a client's is decided by a hash under a random key of this process, so that nobody can look for
/// addresses that share a victim's.
pub(crate) struct Sketch {
    key: RandomState,
    shards: [Mutex<Vec<u64>>; SHARDS],
    /// Cells in a row of a shard: a power of two.
    row: usize,
}

const SHARDS: usize = 64;
const SHARD_BITS: u32 = SHARDS.ilog2();
const ROWS: usize = 4;
/// Bits of the hash that are left for each row.
const ROW_BITS: usize = (u64::BITS - SHARD_BITS) as usize / ROWS;

/// A cell that nobody has spent from.
const UNTOUCHED: u64 = 0;

impl Sketch {
    /// With up to so many bytes. They are taken as clients come.
    pub(crate) fn of_bytes(bytes: usize) -> Self {
        let row = bytes / size_of::<u64>() / SHARDS / ROWS;
        assert!(row.is_power_of_two() && row <= 1 << ROW_BITS);
        Self {
            key: RandomState::new(),
            shards: [const { Mutex::new(Vec::new()) }; SHARDS],
            row,
        }
    }

    /// The client's shard, and its cell in each of the shard's rows.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the bits that are cut off are not used"
    )]
    fn place(&self, claim: &Claim) -> (usize, [usize; ROWS]) {
        let hash = self.key.hash_one(claim.client);
        let shard = (hash >> (u64::BITS - SHARD_BITS)) as usize;
        let cell = |row: usize| row * self.row + ((hash >> (row * ROW_BITS)) as usize & (self.row - 1));
        (shard, std::array::from_fn(cell))
    }

    #[cfg(test)]
    pub(crate) fn bytes_in_use(&self) -> usize {
        let bytes = |shard: &Mutex<Vec<u64>>| shard.lock().unwrap().capacity() * size_of::<u64>();
        self.shards.iter().map(bytes).sum()
    }
}

impl StateStore for Sketch {
    type Key = Claim;

    fn measure_and_replace<T, F, E>(&self, claim: &Claim, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let (shard, cells) = self.place(claim);
        // No code of the application runs under this lock, and a cell is changed at once or not at all.
        let mut shard = self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner);
        let moments = cells.map(|cell| match shard.get(cell) {
            Some(moment) if *moment <= claim.latest => *moment,
            _ => UNTOUCHED,
        });
        let moment = moments.into_iter().min().unwrap_or(UNTOUCHED);
        let (measured, later) = measure((moment != UNTOUCHED).then(|| moment.into()))?;
        if claim.is_spent() {
            if shard.is_empty() {
                *shard = vec![UNTOUCHED; self.row * ROWS];
            }
            for (cell, moment) in cells.into_iter().zip(moments) {
                shard[cell] = moment.max(later.into());
            }
        }
        Ok(measured)
    }
}
