//! A bound on how long a request waits for the store.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Sleep, sleep};

use crate::observed::StoreObserved;
use crate::store::{Operation, StoreError};

/// One allowance of time for all the store calls of a load or a commit. The clock starts at the
/// first call that is not answered at once, so that a store in memory costs no timer.
pub(crate) struct Deadline {
    allowance: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    store: StoreObserved,
}

impl Deadline {
    pub(crate) fn new(allowance: Duration, store: StoreObserved) -> Self {
        Self {
            allowance,
            timer: None,
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
        let answer = self.in_time(operation, call).await;
        self.store.stop(&watch, operation);
        answer
    }

    /// The outcome of any wait that counts against the allowance.
    pub(crate) async fn wait<T>(
        &mut self,
        operation: Operation,
        future: impl Future<Output = T>,
    ) -> Result<T, StoreError> {
        self.in_time(operation, async { Ok(future.await) }).await
    }

    async fn in_time<T>(
        &mut self,
        operation: Operation,
        future: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let mut future = pin!(future);
        poll_fn(|context| {
            if let Poll::Ready(outcome) = future.as_mut().poll(context) {
                return Poll::Ready(outcome);
            }
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(self.allowance)));
            timer.as_mut().poll(context).map(|()| {
                Err(StoreError::TimedOut {
                    store: self.store.name(),
                    operation,
                    deadline: self.allowance,
                })
            })
        })
        .await
    }
}
