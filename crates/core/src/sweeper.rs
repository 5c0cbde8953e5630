//! Removing expired sessions in the background.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::watch;

use crate::sessions::{Engine, Sessions};
use crate::store::{Operation, StoreError};

/// How many records one sweep statement removes at the most, so that no lock is held for long.
const BATCH: u32 = 500;
/// A breath for other writers between two full batches.
const PAUSE_BETWEEN_BATCHES: Duration = Duration::from_millis(50);
/// How long an expired record is kept, so that its late visitor is told "expired" rather than
/// "unknown". It opens nothing in that time.
const KEPT_AFTER_EXPIRY: Duration = Duration::from_hours(1);

/// A background task that removes expired sessions in bounded batches. It ends when it is
/// [stopped](Sweeper::stop), or by itself when the last [`Sessions`] of its manager is gone. Cheap to
/// clone; clones are handles of the same task.
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

impl Sessions {
    /// Starts the sweeper, or gives the handle of the one that runs. It starts by itself with the first
    /// session that this process creates, unless [the policy](crate::Policy::sweep_interval) says not to.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    #[must_use = "the handle stops it; drop it to let it run"]
    pub fn start_sweeper(&self) -> Sweeper {
        let interval = self
            .engine()
            .policy
            .sweep_interval
            .unwrap_or(Duration::from_mins(1));
        self.engine()
            .sweeper
            .get_or_init(|| Sweeper::spawn(self.engine(), interval))
            .clone()
    }

    /// Removes every session that has expired by now, in bounded batches. Says how many. For those who
    /// sweep from a scheduler instead of in the background.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn sweep(&self) -> Result<u64, StoreError> {
        self.engine().sweep_all().await
    }
}

impl Sweeper {
    fn spawn(engine: &Arc<Engine>, interval: Duration) -> Self {
        let state = Arc::new(watch::Sender::new(SweeperState::Running));
        tokio::spawn(run(Arc::downgrade(engine), interval, Arc::clone(&state)));
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

async fn run(engine: Weak<Engine>, interval: Duration, state: Arc<watch::Sender<SweeperState>>) {
    let mut asked = state.subscribe();
    let mut asked_to_stop_within = async |time| {
        let stopping = asked.wait_for(|state| *state == SweeperState::Stopping);
        tokio::time::timeout(time, stopping).await.is_ok()
    };
    let mut pause = interval;
    while !asked_to_stop_within(pause).await {
        let Some(engine) = engine.upgrade() else { break };
        // A failure has been told of; the next round tries again.
        pause = match engine.sweep_batch(KEPT_AFTER_EXPIRY).await {
            Ok(Batch::Full(_)) => PAUSE_BETWEEN_BATCHES,
            Ok(Batch::Last(_)) | Err(_) => interval,
        };
    }
    state.send_replace(SweeperState::Stopped);
}

/// How many records a batch removed, and whether there may be more.
enum Batch {
    Full(u64),
    Last(u64),
}

impl Engine {
    pub(crate) fn start_sweeper_if_due(self: &Arc<Self>) {
        let Some(interval) = self.policy.sweep_interval else {
            return;
        };
        // A store in memory answers without a runtime, and then there is nothing to run a task on.
        if self.sweeper.get().is_none() && tokio::runtime::Handle::try_current().is_ok() {
            self.sweeper.get_or_init(|| Sweeper::spawn(self, interval));
        }
    }

    async fn sweep_all(&self) -> Result<u64, StoreError> {
        let mut swept = 0;
        loop {
            match self.sweep_batch(Duration::ZERO).await? {
                Batch::Last(removed) => return Ok(swept + removed),
                Batch::Full(removed) => swept += removed,
            }
            tokio::time::sleep(PAUSE_BETWEEN_BATCHES).await;
        }
    }

    async fn sweep_batch(&self, kept_after_expiry: Duration) -> Result<Batch, StoreError> {
        let moment = self.now().minus(kept_after_expiry);
        let swept = self
            .deadline()
            .call(Operation::Sweep, self.store.sweep_expired(moment, BATCH))
            .await;
        let removed = self.reported(Operation::Sweep, None, swept)?;
        Ok(if removed < u64::from(BATCH) {
            Batch::Last(removed)
        } else {
            Batch::Full(removed)
        })
    }
}
