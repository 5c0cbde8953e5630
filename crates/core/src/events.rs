//! Who is told of events: `tracing`, the metrics, and a listener if there is one.

use std::io;
use std::time::Duration;

use crate::event::{self, Event, Listener};
use crate::event_queue::{EventQueue, Offered};
use crate::observed;

/// Everybody who is told.
pub(crate) struct Events {
    listener: Option<EventQueue>,
}

impl Events {
    /// With this listener, in a thread of its own.
    pub(crate) fn told_to(listener: Option<Box<dyn Listener>>) -> io::Result<Self> {
        let listener = listener.map(EventQueue::to).transpose()?;
        Ok(Self { listener })
    }

    pub(crate) fn tell(&self, event: Event) {
        event::publish(&event);
        let offered = self.listener.as_ref().map(|listener| listener.offer(event));
        if offered == Some(Offered::Dropped) {
            observed::event_dropped();
        }
    }

    /// How many the listener was too slow for.
    pub(crate) fn dropped(&self) -> u64 {
        self.listener.as_ref().map_or(0, EventQueue::dropped)
    }

    /// Waits until the listener has returned from all that came before, or patience ends. Says whether it has.
    pub(crate) fn flush(&self, patience: Duration) -> bool {
        self.listener
            .as_ref()
            .is_none_or(|listener| listener.flush(patience))
    }
}
