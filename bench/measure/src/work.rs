//! The work that is the same for all.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// What a handler does with the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Task {
    /// Does not ask for it.
    Ignore,
    /// Reads one value, the number `n`.
    Read,
    /// Writes another number to `n`.
    Write,
    /// Gives the session a new secret, or a new id.
    Renew,
}

/// What a session holds, beside the number `n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Payload {
    /// Nothing.
    OneKey,
    /// 19 texts of 50 bytes.
    TwentyKeys,
    /// One text of 10,000 bytes.
    TenKilobytes,
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Work {
    pub task: Task,
    pub payload: Payload,
}

impl Work {
    /// Every row. Who ignores the session does not meet its payload.
    pub fn all() -> Vec<Self> {
        let ignored = Self::new(Task::Ignore, Payload::OneKey);
        let others = [Task::Read, Task::Write, Task::Renew]
            .into_iter()
            .flat_map(|task| Payload::ALL.map(|payload| Self::new(task, payload)));
        std::iter::once(ignored).chain(others).collect()
    }

    pub const fn new(task: Task, payload: Payload) -> Self {
        Self { task, payload }
    }
}

impl Task {
    pub const ALL: [Self; 4] = [Self::Ignore, Self::Read, Self::Write, Self::Renew];

    pub const fn path(self) -> &'static str {
        match self {
            Self::Ignore => "/ignore",
            Self::Read => "/read",
            Self::Write => "/write",
            Self::Renew => "/renew",
        }
    }
}

impl Payload {
    pub const ALL: [Self; 3] = [Self::OneKey, Self::TwentyKeys, Self::TenKilobytes];

    /// Where a request puts it into a new session.
    pub const fn fill_path(self) -> &'static str {
        match self {
            Self::OneKey => "/fill/one-key",
            Self::TwentyKeys => "/fill/twenty-keys",
            Self::TenKilobytes => "/fill/ten-kilobytes",
        }
    }

    /// The texts beside `n`.
    pub fn texts(self) -> Vec<(&'static str, String)> {
        const KEYS: [&str; 19] = [
            "k01", "k02", "k03", "k04", "k05", "k06", "k07", "k08", "k09", "k10", "k11", "k12", "k13", "k14",
            "k15", "k16", "k17", "k18", "k19",
        ];
        match self {
            Self::OneKey => Vec::new(),
            Self::TwentyKeys => KEYS.map(|key| (key, "x".repeat(50))).into(),
            Self::TenKilobytes => vec![("k01", "x".repeat(10_000))],
        }
    }

    /// All of it as one map, for those that take a session as one value.
    pub fn map(self) -> BTreeMap<String, serde_json::Value> {
        let texts = self
            .texts()
            .into_iter()
            .map(|(key, text)| (key.to_owned(), text.into()));
        texts.chain([("n".to_owned(), 7.into())]).collect()
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ignore => "ignores",
            Self::Read => "reads",
            Self::Write => "writes",
            Self::Renew => "renews",
        })
    }
}

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::OneKey => "1 key",
            Self::TwentyKeys => "20 keys of 50 bytes",
            Self::TenKilobytes => "10 KB",
        })
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.task {
            Task::Ignore => write!(f, "ignores"),
            task => write!(f, "{task}, {}", self.payload),
        }
    }
}

/// A number that was not written before, for a value that is there already is no write to some.
pub fn next_number() -> u64 {
    static NUMBER: AtomicU64 = AtomicU64::new(1_000_000);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}
