//! A bound on how long a request waits for the store.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;

use crate::observed::StoreObserved;
use crate::store::{Operation, StoreError};

/// One allowance of time for all the store calls of a load or a commit. The clock starts at the
/// first call that is not answered at once, so that a store in memory costs no timer.
pub(crate) struct Deadline {
    allowance: Duration,
    ends: Option<Instant>,
    store: StoreObserved,
}

impl Deadline {
    pub(crate) fn new(allowance: Duration, store: StoreObserved) -> Self {
        Self {
            allowance,
            ends: None,
            store,
        }
    }

    /// The answer of a store call, or that it came too late.
    pub(crate) async fn call<T>(
        &mut self,
        operation: Operation,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let watch = StoreObserved::start();
        let answer = self.wait(operation, call).await;
        self.store.stop(&watch, operation);
        answer?
    }

    /// The outcome of any wait that counts against the allowance.
    pub(crate) async fn wait<T>(
        &mut self,
        operation: Operation,
        future: impl Future<Output = T>,
    ) -> Result<T, StoreError> {
        let mut future = pin!(future);
        if let Poll::Ready(outcome) = poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await {
            return Ok(outcome);
        }
        let allowance = self.allowance;
        let ends = *self.ends.get_or_insert_with(|| Instant::now() + allowance);
        let late = |_| StoreError::TimedOut {
            store: self.store.name(),
            operation,
            deadline: allowance,
        };
        tokio::time::timeout_at(ends, future).await.map_err(late)
    }
}
