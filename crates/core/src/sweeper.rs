//! Removing expired sessions in the background.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::store::StoreError;

/// A breath for other writers between two full batches.
pub(crate) const PAUSE_BETWEEN_BATCHES: Duration = Duration::from_millis(50);

/// A background task that removes expired sessions in bounded batches. It ends when it is
/// [stopped](Sweeper::stop), or by itself when the last [`Sessions`](crate::Sessions) of its manager is gone.
/// Cheap to clone; clones are handles of the same task.
#[derive(Clone)]
pub struct Sweeper {
    state: Arc<watch::Sender<SweeperState>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SweeperState {
    Running,
    Stopping,
    Stopped,
}

/// How many records a batch removed, and whether there may be more.
pub(crate) enum Batch {
    Full(u64),
    Last(u64),
}

impl Sweeper {
    /// Runs `sweep_batch` again and again: at once after a full batch, else after `interval`; until it gives
    /// `None`, for nobody is left to sweep for.
    pub(crate) fn spawn<F, Fut>(interval: Duration, sweep_batch: F) -> Self
    where
        F: Fn() -> Fut + Send + 'static,
        Fut: Future<Output = Option<Result<Batch, StoreError>>> + Send + 'static,
    {
        let state = Arc::new(watch::Sender::new(SweeperState::Running));
        tokio::spawn(run(interval, sweep_batch, Arc::clone(&state)));
        Self { state }
    }

    /// Stops the sweeper, after the batch that it is at, and waits until it has.
    pub async fn stop(&self) {
        self.state.send_if_modified(|state| {
            let runs = *state == SweeperState::Running;
            if runs {
                *state = SweeperState::Stopping;
            }
            runs
        });
        let mut state = self.state.subscribe();
        // The sender is in this very handle, so it can't be gone.
        let _ = state.wait_for(|state| *state == SweeperState::Stopped).await;
    }

    /// Whether it has stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        *self.state.borrow() == SweeperState::Stopped
    }
}

impl fmt::Debug for Sweeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sweeper")
            .field("state", &*self.state.borrow())
            .finish()
    }
}

async fn run<F, Fut>(interval: Duration, sweep_batch: F, state: Arc<watch::Sender<SweeperState>>)
where
    F: Fn() -> Fut,
    Fut: Future<Output = Option<Result<Batch, StoreError>>>,
{
    let mut asked = state.subscribe();
    let mut asked_to_stop_within = async |time| {
        let stopping = asked.wait_for(|state| *state == SweeperState::Stopping);
        tokio::time::timeout(time, stopping).await.is_ok()
    };
    let mut pause = interval;
    while !asked_to_stop_within(pause).await {
        let Some(swept) = sweep_batch().await else {
            break;
        };
        // A failure has been told of; the next round tries again.
        pause = match swept {
            Ok(Batch::Full(_)) => PAUSE_BETWEEN_BATCHES,
            Ok(Batch::Last(_)) | Err(_) => interval,
        };
    }
    state.send_replace(SweeperState::Stopped);
}
