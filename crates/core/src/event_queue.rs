//! What stands between a request and the listener: a bounded queue, and a thread that empties it.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::event::{Event, Listener};

/// How many events wait at the most for a listener that is slower than the requests.
const CAPACITY: usize = 1024;
/// How often a flush looks again whether a full queue has room for it.
const RETRY: Duration = Duration::from_millis(1);

/// Hands events to a listener without ever waiting for it. Ends its thread when it is dropped, after what is queued.
pub(crate) struct EventQueue {
    queue: SyncSender<Message>,
    offered: AtomicU64,
    dropped: AtomicU64,
    /// How many the listener has returned from.
    told: Arc<AtomicU64>,
}

enum Message {
    Event(Event),
    /// To be answered when all that came before has been told.
    Flush(SyncSender<()>),
}

/// Whether an event will reach the listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offered {
    Queued,
    /// The listener is too far behind. Counted.
    Dropped,
}

impl EventQueue {
    /// Starts the thread.
    pub(crate) fn to(listener: Box<dyn Listener>) -> io::Result<Self> {
        let (queue, messages) = sync_channel(CAPACITY);
        let told = Arc::<AtomicU64>::default();
        let telling = Arc::clone(&told);
        thread::Builder::new()
            .name("tenure-events".to_owned())
            .spawn(move || tell_all(&*listener, &messages, &telling))?;
        Ok(Self {
            queue,
            offered: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            told,
        })
    }

    pub(crate) fn offer(&self, event: Event) -> Offered {
        self.offered.fetch_add(1, Ordering::Relaxed);
        match self.queue.try_send(Message::Event(event)) {
            Ok(()) => Offered::Queued,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.dropped.fetch_add(1, Ordering::Release);
                Offered::Dropped
            }
        }
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Waits until the listener has returned from all that was queued before, or patience ends. Says whether it has.
    pub(crate) fn flush(&self, patience: Duration) -> bool {
        if self.has_told_all() {
            return true;
        }
        let begun = Instant::now();
        let (answer, answered) = sync_channel(1);
        let mut message = Message::Flush(answer);
        while let Err(refused) = self.queue.try_send(message) {
            match refused {
                TrySendError::Full(back) if begun.elapsed() < patience => message = back,
                TrySendError::Full(_) | TrySendError::Disconnected(_) => return false,
            }
            thread::sleep(RETRY);
        }
        let rest = patience.saturating_sub(begun.elapsed());
        answered.recv_timeout(rest).is_ok()
    }

    fn has_told_all(&self) -> bool {
        // Looked at last: each event is counted here before it is counted there.
        let done = self.told.load(Ordering::Acquire) + self.dropped.load(Ordering::Acquire);
        done == self.offered.load(Ordering::Relaxed)
    }
}

fn tell_all(listener: &dyn Listener, messages: &Receiver<Message>, told: &AtomicU64) {
    for message in messages {
        match message {
            Message::Event(event) => {
                tell(listener, &event);
                told.fetch_add(1, Ordering::Release);
            }
            Message::Flush(answer) => {
                // Who asked may have lost patience.
                let _ = answer.try_send(());
            }
        }
    }
}

/// A listener that panics at one event is told of the next all the same.
fn tell(listener: &dyn Listener, event: &Event) {
    if catch_unwind(AssertUnwindSafe(|| listener.notice(event))).is_err() {
        let name = event.kind.name();
        tracing::error!(target: "tenure", name, "the listener panicked at an event; it is told of the next all the same");
    }
}
