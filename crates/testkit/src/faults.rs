//! Stores that misbehave on command, and a store that lets others run in between.

use std::future::{pending, poll_fn};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tenure_core::store::{
    Attempts, AttemptsKey, Cursor, Inserted, Operation, Page, Persistence, StoreFuture, Swept, Touch, Updated,
};
use tenure_core::{Owner, Record, SessionId, Store, StoreError, Timestamp};

use crate::SplitMix64;

/// A store that fails, hangs or dawdles when it is told to, and counts its calls. Clones share the
/// controls, so a test keeps one and gives the other to `Sessions`.
#[derive(Debug)]
pub struct FaultyStore<S> {
    inner: Arc<S>,
    controls: Arc<Mutex<Controls>>,
}

// Derived, it would ask `S` to be `Clone`.
impl<S> Clone for FaultyStore<S> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            controls: Arc::clone(&self.controls),
        }
    }
}

#[derive(Debug, Default)]
struct Controls {
    faults: Vec<(Operation, Fault)>,
    delay: Option<Duration>,
    calls: Vec<(Operation, u64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Fails without doing the work.
    Fail,
    /// Never answers, and never does the work.
    Hang,
    /// Does the work and reports failure: an acknowledgement that was lost.
    FailAfter,
    /// Does the work and never answers.
    HangAfter,
    /// Fails without doing the work where it is the call of this number.
    FailAt(u64),
}

impl<S> FaultyStore<S> {
    /// A store that behaves, until told otherwise.
    pub fn new(inner: S) -> Self {
        Self {
            inner: Arc::new(inner),
            controls: Arc::default(),
        }
    }

    /// The store behind: whatever is asked of it there meets no fault and is not counted.
    #[must_use]
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// From now on the operation fails and changes nothing.
    pub fn fail(&self, operation: Operation) {
        self.set(operation, Fault::Fail);
    }

    /// From now on the operation never answers and changes nothing.
    pub fn hang(&self, operation: Operation) {
        self.set(operation, Fault::Hang);
    }

    /// From now on the operation does its work and reports failure: an acknowledgement that was lost.
    pub fn fail_after(&self, operation: Operation) {
        self.set(operation, Fault::FailAfter);
    }

    /// From now on the operation does its work and never answers.
    pub fn hang_after(&self, operation: Operation) {
        self.set(operation, Fault::HangAfter);
    }

    /// The call of the operation of this number, counted from one, fails and changes nothing; the others do not.
    pub fn fail_at(&self, operation: Operation, call: u64) {
        self.set(operation, Fault::FailAt(call));
    }

    /// From now on every call sleeps by Tokio's clock before it runs.
    pub fn delay(&self, delay: Duration) {
        self.controls().delay = Some(delay);
    }

    /// No more faults and no more delay. What hangs already goes on hanging.
    pub fn heal(&self) {
        let mut controls = self.controls();
        controls.faults.clear();
        controls.delay = None;
    }

    /// How often the operation was asked for, faults included.
    #[must_use]
    pub fn calls(&self, operation: Operation) -> u64 {
        let controls = self.controls();
        let found = controls.calls.iter().find(|(counted, _)| *counted == operation);
        found.map_or(0, |(_, calls)| *calls)
    }

    /// How often anything was asked for.
    #[must_use]
    pub fn total_calls(&self) -> u64 {
        self.controls().calls.iter().map(|(_, calls)| calls).sum()
    }

    /// Counts from zero again.
    pub fn reset_counts(&self) {
        self.controls().calls.clear();
    }

    fn set(&self, operation: Operation, fault: Fault) {
        let mut controls = self.controls();
        controls.faults.retain(|(faulty, _)| *faulty != operation);
        controls.faults.push((operation, fault));
    }

    fn controls(&self) -> MutexGuard<'_, Controls> {
        self.controls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts the call, and says how it shall go.
    fn count(&self, operation: Operation) -> (Option<Duration>, Option<Fault>) {
        let mut controls = self.controls();
        let counted = controls
            .calls
            .iter_mut()
            .find(|(counted, _)| *counted == operation);
        let number = if let Some((_, calls)) = counted {
            *calls += 1;
            *calls
        } else {
            controls.calls.push((operation, 1));
            1
        };
        let fault = controls.faults.iter().find(|(faulty, _)| *faulty == operation);
        let fault = fault.map(|(_, fault)| *fault);
        let is_another_call = |fault: &Fault| matches!(fault, Fault::FailAt(call) if *call != number);
        (controls.delay, fault.filter(|fault| !is_another_call(fault)))
    }
}

impl<S: Store> FaultyStore<S> {
    fn run<'a, T: Send + 'a>(&'a self, operation: Operation, call: StoreFuture<'a, T>) -> StoreFuture<'a, T> {
        Box::pin(async move {
            // Counted when it is polled, for a future that never ran has asked for nothing.
            let (delay, fault) = self.count(operation);
            if let Some(delay) = delay {
                tokio::time::sleep(delay).await;
            }
            match fault {
                None => call.await,
                Some(Fault::Fail | Fault::FailAt(_)) => Err(self.failure(operation)),
                Some(Fault::Hang) => pending().await,
                Some(Fault::FailAfter) => {
                    call.await?;
                    Err(self.failure(operation))
                }
                Some(Fault::HangAfter) => {
                    call.await?;
                    pending().await
                }
            }
        })
    }

    fn failure(&self, operation: Operation) -> StoreError {
        StoreError::Unavailable {
            store: self.name(),
            operation,
            source: Box::new(io::Error::other("told to fail")),
        }
    }
}

impl<S: Store> Store for FaultyStore<S> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn persistence(&self) -> Persistence {
        self.inner.persistence()
    }

    fn load(&self, id: SessionId, touch: Touch) -> StoreFuture<'_, Option<Arc<Record>>> {
        self.run(Operation::Load, self.inner.load(id, touch))
    }

    fn insert<'a>(&'a self, record: &'a Record) -> StoreFuture<'a, Inserted> {
        self.run(Operation::Insert, self.inner.insert(record))
    }

    fn update<'a>(&'a self, record: &'a Record, expected: u64, now: Timestamp) -> StoreFuture<'a, Updated> {
        self.run(Operation::Update, self.inner.update(record, expected, now))
    }

    fn remove(&self, id: SessionId) -> StoreFuture<'_, bool> {
        self.run(Operation::Remove, self.inner.remove(id))
    }

    fn list_by_owner<'a>(&'a self, owner: &'a Owner, now: Timestamp) -> StoreFuture<'a, Vec<Record>> {
        self.run(Operation::List, self.inner.list_by_owner(owner, now))
    }

    fn remove_by_owner<'a>(&'a self, owner: &'a Owner, except: Option<SessionId>) -> StoreFuture<'a, u64> {
        self.run(
            Operation::RemoveByOwner,
            self.inner.remove_by_owner(owner, except),
        )
    }

    fn sweep_expired(&self, moment: Timestamp, limit: u32) -> StoreFuture<'_, Swept> {
        self.run(Operation::Sweep, self.inner.sweep_expired(moment, limit))
    }

    fn load_attempts(&self, key: AttemptsKey) -> StoreFuture<'_, Option<Attempts>> {
        self.run(Operation::LoadAttempts, self.inner.load_attempts(key))
    }

    fn save_attempts<'a>(
        &'a self,
        key: AttemptsKey,
        attempts: &'a Attempts,
        expected: u64,
        now: Timestamp,
    ) -> StoreFuture<'a, bool> {
        self.run(
            Operation::SaveAttempts,
            self.inner.save_attempts(key, attempts, expected, now),
        )
    }

    fn remove_attempts(&self, key: AttemptsKey) -> StoreFuture<'_, bool> {
        self.run(Operation::RemoveAttempts, self.inner.remove_attempts(key))
    }

    fn page<'a>(&'a self, after: Option<&'a Cursor>, limit: u32) -> StoreFuture<'a, Page> {
        self.run(Operation::Page, self.inner.page(after, limit))
    }

    fn count(&self, now: Timestamp) -> StoreFuture<'_, u64> {
        self.run(Operation::Count, self.inner.count(now))
    }

    fn ping(&self) -> StoreFuture<'_, ()> {
        self.run(Operation::Ping, self.inner.ping())
    }
}

/// A store whose every call lets other tasks run a random number of times before and after the
/// work, so that requests interleave in many ways. The same seed gives the same numbers.
#[derive(Debug)]
pub struct YieldingStore<S> {
    inner: Arc<S>,
    seed: u64,
    calls: Arc<AtomicU64>,
}

// Derived, it would ask `S` to be `Clone`.
impl<S> Clone for YieldingStore<S> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            seed: self.seed,
            calls: Arc::clone(&self.calls),
        }
    }
}

impl<S> YieldingStore<S> {
    /// The most that one call yields before the work, and again after it.
    pub const MOST_YIELDS: u64 = 4;

    /// A store that yields by `seed`.
    pub fn new(inner: S, seed: u64) -> Self {
        Self {
            inner: Arc::new(inner),
            seed,
            calls: Arc::default(),
        }
    }

    /// The store behind, which yields nothing.
    #[must_use]
    pub fn inner(&self) -> &S {
        &self.inner
    }
}

impl<S: Store> YieldingStore<S> {
    fn run<'a, T: Send + 'a>(&'a self, call: StoreFuture<'a, T>) -> StoreFuture<'a, T> {
        Box::pin(async move {
            let call_number = self.calls.fetch_add(1, Ordering::Relaxed);
            let mut random = SplitMix64::new(self.seed ^ SplitMix64::new(call_number).next_u64());
            yield_times(random.below(Self::MOST_YIELDS + 1)).await;
            let answer = call.await;
            yield_times(random.below(Self::MOST_YIELDS + 1)).await;
            answer
        })
    }
}

/// Yields without a runtime, so that futures can be polled by hand.
async fn yield_times(times: u64) {
    for _ in 0..times {
        let mut yielded = false;
        poll_fn(|context| {
            if yielded {
                return Poll::Ready(());
            }
            yielded = true;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

impl<S: Store> Store for YieldingStore<S> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn persistence(&self) -> Persistence {
        self.inner.persistence()
    }

    fn load(&self, id: SessionId, touch: Touch) -> StoreFuture<'_, Option<Arc<Record>>> {
        self.run(self.inner.load(id, touch))
    }

    fn insert<'a>(&'a self, record: &'a Record) -> StoreFuture<'a, Inserted> {
        self.run(self.inner.insert(record))
    }

    fn update<'a>(&'a self, record: &'a Record, expected: u64, now: Timestamp) -> StoreFuture<'a, Updated> {
        self.run(self.inner.update(record, expected, now))
    }

    fn remove(&self, id: SessionId) -> StoreFuture<'_, bool> {
        self.run(self.inner.remove(id))
    }

    fn list_by_owner<'a>(&'a self, owner: &'a Owner, now: Timestamp) -> StoreFuture<'a, Vec<Record>> {
        self.run(self.inner.list_by_owner(owner, now))
    }

    fn remove_by_owner<'a>(&'a self, owner: &'a Owner, except: Option<SessionId>) -> StoreFuture<'a, u64> {
        self.run(self.inner.remove_by_owner(owner, except))
    }

    fn sweep_expired(&self, moment: Timestamp, limit: u32) -> StoreFuture<'_, Swept> {
        self.run(self.inner.sweep_expired(moment, limit))
    }

    fn load_attempts(&self, key: AttemptsKey) -> StoreFuture<'_, Option<Attempts>> {
        self.run(self.inner.load_attempts(key))
    }

    fn save_attempts<'a>(
        &'a self,
        key: AttemptsKey,
        attempts: &'a Attempts,
        expected: u64,
        now: Timestamp,
    ) -> StoreFuture<'a, bool> {
        self.run(self.inner.save_attempts(key, attempts, expected, now))
    }

    fn remove_attempts(&self, key: AttemptsKey) -> StoreFuture<'_, bool> {
        self.run(self.inner.remove_attempts(key))
    }

    fn page<'a>(&'a self, after: Option<&'a Cursor>, limit: u32) -> StoreFuture<'a, Page> {
        self.run(self.inner.page(after, limit))
    }

    fn count(&self, now: Timestamp) -> StoreFuture<'_, u64> {
        self.run(self.inner.count(now))
    }

    fn ping(&self) -> StoreFuture<'_, ()> {
        self.run(self.inner.ping())
    }
}
