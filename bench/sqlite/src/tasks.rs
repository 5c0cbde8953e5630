//! What is counted.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde::Serialize;

use crate::keeper::Keeper;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Task {
    Create,
    Load,
    Save,
    SaveOneByOne,
}

/// How many sessions are loaded and saved in turn.
const SESSIONS: u64 = 2_000;

/// As many requests at once as a busy application serves.
const AT_ONCE: u64 = 32;

/// Makes the sessions that are loaded and saved.
///
/// # Errors
/// If the store fails.
pub async fn prepare(keeper: &Keeper) -> anyhow::Result<()> {
    for number in 0..SESSIONS {
        keeper.create(number).await?;
    }
    Ok(())
}

impl Task {
    pub const ALL: [Self; 4] = [Self::Create, Self::Load, Self::Save, Self::SaveOneByOne];

    /// How many a second.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn rate(self, keeper: &Keeper) -> anyhow::Result<f64> {
        // Ones that are new in every round.
        static CREATED: AtomicU64 = AtomicU64::new(SESSIONS);
        let (at_once, count) = match self {
            Self::Create | Self::Save => (AT_ONCE, 1_600),
            Self::Load => (AT_ONCE, 6_400),
            Self::SaveOneByOne => (1, 200),
        };
        let first = match self {
            Self::Create => CREATED.fetch_add(count, Ordering::Relaxed),
            Self::Load | Self::Save | Self::SaveOneByOne => 0,
        };
        let next = Arc::new(AtomicU64::new(0));
        let start = Instant::now();
        let workers: Vec<_> = (0..at_once)
            .map(|_| tokio::spawn(work(self, Arc::clone(keeper), Arc::clone(&next), first, count)))
            .collect();
        for worker in workers {
            worker.await??;
        }
        Ok(count as f64 / start.elapsed().as_secs_f64())
    }
}

async fn work(
    task: Task,
    keeper: Keeper,
    next: Arc<AtomicU64>,
    first: u64,
    count: u64,
) -> anyhow::Result<()> {
    loop {
        let at = next.fetch_add(1, Ordering::Relaxed);
        if at >= count {
            return Ok(());
        }
        match task {
            Task::Create => keeper.create(first + at).await?,
            Task::Load => keeper.load(at % SESSIONS).await?,
            Task::Save | Task::SaveOneByOne => keeper.save(at % SESSIONS).await?,
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Create => "created",
            Self::Load => "loaded",
            Self::Save => "saved",
            Self::SaveOneByOne => "saved one by one",
        })
    }
}
