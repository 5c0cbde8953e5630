//! What the engine told, for tests to look at.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tenure_core::{Event, EventKind, Listener, Sessions, SessionsBuilder, SetupError};

/// How long a look at the log waits for what is on its way. Nothing takes that long.
const PATIENCE: Duration = Duration::from_secs(30);

/// Keeps every event of the managers that are [built](EventLog::build) with it. A look at it waits for those that are on
/// their way, so that a test sees all that happened before. Clones share one log.
#[derive(Clone, Debug, Default)]
pub struct EventLog {
    kept: Kept,
    managers: Arc<Mutex<Vec<Sessions>>>,
}

/// Knows no manager, so that a manager which holds it as its listener does not hold itself.
#[derive(Clone, Debug, Default)]
struct Kept(Arc<Mutex<Vec<Event>>>);

impl EventLog {
    /// An empty log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Builds a manager whose events come here.
    ///
    /// # Errors
    /// Those of [`SessionsBuilder::build`].
    pub fn build(&self, builder: SessionsBuilder) -> Result<Sessions, SetupError> {
        let sessions = builder.listener(self.kept.clone()).build()?;
        locked(&self.managers).push(sessions.clone());
        Ok(sessions)
    }

    /// What happened, in order.
    #[must_use]
    pub fn kinds(&self) -> Vec<EventKind> {
        self.events().iter().map(|event| event.kind).collect()
    }

    /// The names of what happened, in order.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        self.events().iter().map(|event| event.kind.name()).collect()
    }

    /// Takes the events out, so that the log begins anew.
    #[must_use]
    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.events())
    }

    /// Forgets what happened so far.
    pub fn clear(&self) {
        self.events().clear();
    }

    /// # Panics
    /// If an event does not arrive.
    fn events(&self) -> MutexGuard<'_, Vec<Event>> {
        for sessions in locked(&self.managers).iter() {
            assert!(sessions.flush_events(PATIENCE), "an event does not arrive");
        }
        locked(&self.kept.0)
    }
}

impl Listener for Kept {
    fn notice(&self, event: &Event) {
        locked(&self.0).push(event.clone());
    }
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
