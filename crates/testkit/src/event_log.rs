//! What the engine told, for tests to look at.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tenure_core::{Event, EventKind, Listener};

/// A listener that keeps every event. Clones share one log.
#[derive(Clone, Debug, Default)]
pub struct EventLog {
    events: Arc<Mutex<Vec<Event>>>,
}

impl EventLog {
    /// An empty log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
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

    fn events(&self) -> MutexGuard<'_, Vec<Event>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener for EventLog {
    fn notice(&self, event: &Event) {
        self.events().push(event.clone());
    }
}
