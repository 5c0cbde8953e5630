//! A bound on how long a request waits for the store.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
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
        let mut call = pin!(call);
        let answer = match polled(call.as_mut()).await {
            Poll::Ready(answer) => answer,
            Poll::Pending => self.in_time(operation, call).await.flatten(),
        };
        self.store.stop(&watch, operation);
        answer
    }

    /// The outcome of any wait that counts against the allowance.
    pub(crate) async fn wait<T>(
        &mut self,
        operation: Operation,
        future: impl Future<Output = T>,
    ) -> Result<T, StoreError> {
        let mut future = pin!(future);
        match polled(future.as_mut()).await {
            Poll::Ready(outcome) => Ok(outcome),
            Poll::Pending => self.in_time(operation, future).await,
        }
    }

    async fn in_time<T>(
        &mut self,
        operation: Operation,
        future: Pin<&mut impl Future<Output = T>>,
    ) -> Result<T, StoreError> {
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

/// How far a future comes at once.
async fn polled<T>(mut future: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
}
