//! Attempts in this process's memory.

use std::collections::HashMap;

use crate::clock::Timestamp;
use crate::store::{Attempts, AttemptsKey};

/// There is no room for one more.
pub(super) struct Full;

#[derive(Default)]
pub(super) struct AttemptsTable {
    kept: HashMap<AttemptsKey, Attempts>,
}

impl AttemptsTable {
    pub(super) fn load(&self, key: AttemptsKey) -> Option<Attempts> {
        self.kept.get(&key).copied()
    }

    pub(super) fn save(
        &mut self,
        key: AttemptsKey,
        attempts: Attempts,
        expected: u64,
        now: Timestamp,
        capacity: usize,
    ) -> Result<bool, Full> {
        let stored = self.kept.get(&key);
        let version = match stored {
            Some(stored) if stored.version == expected => expected,
            Some(stored) if stored.expires_at <= now => 0,
            Some(stored) => stored.version,
            None => 0,
        };
        if version != expected {
            return Ok(false);
        }
        if stored.is_none() && self.kept.len() >= capacity {
            self.sweep(now, u32::MAX);
            if self.kept.len() >= capacity {
                return Err(Full);
            }
        }
        self.kept.insert(key, attempts);
        Ok(true)
    }

    pub(super) fn remove(&mut self, key: AttemptsKey) -> bool {
        self.kept.remove(&key).is_some()
    }

    pub(super) fn sweep(&mut self, moment: Timestamp, limit: u32) -> u64 {
        let mut left = limit;
        self.kept.retain(|_, attempts| {
            let goes = left > 0 && attempts.expires_at <= moment;
            left -= u32::from(goes);
            !goes
        });
        u64::from(limit - left)
    }
}
