//! A connection that is replaced when it breaks.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redis::Value;

use crate::connection::Connection;
use crate::dial::Dialer;
use crate::failure::{Cause, Failure};
use crate::request::Request;
use crate::wait::WaitForReplicas;

/// A connection that is replaced when it breaks, for many requests at once.
pub(crate) struct Link {
    shared: Arc<Shared>,
}

struct Shared {
    dialer: Arc<Dialer>,
    live: Mutex<Option<Arc<Live>>>,
    /// How many attempts to connect are over.
    attempts: AtomicU64,
    /// Held while connecting. Holds why the last attempt failed, if it did.
    dialing: tokio::sync::Mutex<Option<Failure>>,
}

/// A connection, and whether it is over.
struct Live {
    connection: Connection,
    gone: Arc<AtomicBool>,
    being_renewed: Arc<AtomicBool>,
}

impl Link {
    pub(crate) fn new(dialer: Arc<Dialer>) -> Self {
        Self {
            shared: Arc::new(Shared {
                dialer,
                live: Mutex::default(),
                attempts: AtomicU64::new(0),
                dialing: tokio::sync::Mutex::default(),
            }),
        }
    }

    /// The answer to a request that is sent once.
    pub(crate) async fn send(
        &self,
        request: &Request,
        wait: Option<WaitForReplicas>,
    ) -> Result<Value, Failure> {
        let live = match self.shared.usable() {
            Some(live) => live,
            None => Box::pin(self.dialed()).await?,
        };
        let answered = live.connection.send(request, wait).await;
        if let Err(failure) = &answered {
            self.replace_if_broken(&live, failure);
        }
        answered
    }

    async fn dialed(&self) -> Result<Arc<Live>, Failure> {
        let shared = Arc::clone(&self.shared);
        let seen = shared.attempts.load(Ordering::Acquire);
        // A task of its own, so that a request that gives up does not undo what the others wait for.
        let dialing = tokio::spawn(async move { shared.dial(seen).await });
        dialing
            .await
            .unwrap_or_else(|_| Err(Failure::new(Cause::Unreachable, "the runtime shuts down")))
    }

    fn replace_if_broken(&self, live: &Live, failure: &Failure) {
        match live.connection {
            Connection::Server(_) if failure.wants_another_connection() => {
                live.gone.store(true, Ordering::Relaxed);
            }
            // The cluster's client mends its connections to nodes, and learns from what they answer. A node
            // that hangs answers nothing, so only a look at the whole cluster tells who stands in for it. The
            // other nodes go on being used meanwhile.
            Connection::Cluster(_) if failure.cause == Cause::TooSlow => self.renew(live),
            _ => {}
        }
    }

    fn renew(&self, live: &Live) {
        if live.being_renewed.swap(true, Ordering::Relaxed) {
            return;
        }
        let shared = Arc::clone(&self.shared);
        let being_renewed = Arc::clone(&live.being_renewed);
        tokio::spawn(async move {
            let mut failure = shared.dialing.lock().await;
            *failure = shared.connect().await.err();
            being_renewed.store(false, Ordering::Relaxed);
        });
    }
}

impl Shared {
    fn usable(&self) -> Option<Arc<Live>> {
        self.lock()
            .clone()
            .filter(|live| !live.gone.load(Ordering::Relaxed))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Live>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Connects, unless somebody else has just done so or just failed: many requests wait for one attempt.
    async fn dial(&self, seen: u64) -> Result<Arc<Live>, Failure> {
        let mut last_failure = self.dialing.lock().await;
        if let Some(live) = self.usable() {
            return Ok(live);
        }
        if self.attempts.load(Ordering::Acquire) != seen
            && let Some(failure) = &*last_failure
        {
            return Err(failure.clone());
        }
        let connected = self.connect().await;
        *last_failure = connected.as_ref().err().cloned();
        connected
    }

    async fn connect(&self) -> Result<Arc<Live>, Failure> {
        let gone = Arc::default();
        let connection = self.dialer.dial(&gone).await;
        self.attempts.fetch_add(1, Ordering::Release);
        let live = Arc::new(Live {
            connection: connection?,
            gone,
            being_renewed: Arc::default(),
        });
        *self.lock() = Some(Arc::clone(&live));
        Ok(live)
    }
}
