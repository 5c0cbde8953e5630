//! The connections of a store.
//!
//! A pool of its own and not the driver's, which asks the server whether a connection still lives each time that one
//! is given back, and waits for that answer without an end: a second round trip for every statement, and a pool
//! that a frozen server takes all connections of.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _};
use sqlx::{SqlSafeStr, SqlStr};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use super::error::{spends_connection, trouble};
use super::{Connection, Dialect, Row, Trouble};
use crate::row::Value;

/// How long a connection may have been idle for a write to go out on it unasked. A write whose connection turns out
/// to be dead can't be repeated, since nobody knows whether it was done.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// How long a connection may take to get ready again after somebody gave up waiting for it, and to say goodbye.
const READY_WITHIN: Duration = Duration::from_secs(1);

/// How often a statement is tried that the server undoes. Each time at least one other has been done instead.
const TRIES: usize = 32;

/// How a pool treats its connections.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    pub(super) connections: u32,
    pub(super) connect_timeout: Duration,
    pub(super) idle_timeout: Duration,
    pub(super) max_lifetime: Duration,
}

/// Whether a statement may be run again where it is unknown whether it was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// It comes to the same.
    Safe,
    /// It may be done twice, or be taken for not done.
    Never,
}

/// Something to do on a connection.
pub(super) trait Work<D: Dialect>: Sync {
    type Output: Send;

    fn run(
        &self,
        connection: &mut Connection<D>,
    ) -> impl Future<Output = Result<Self::Output, sqlx::Error>> + Send;
}

/// A statement for the rows that it gives.
pub(super) struct Rows<'a>(pub(super) &'a SqlStr, pub(super) &'a [Value<'a>]);

impl<D: Dialect> Work<D> for Rows<'_> {
    type Output = Vec<Row<D>>;

    async fn run(&self, connection: &mut Connection<D>) -> Result<Self::Output, sqlx::Error> {
        D::rows(connection, self.0.clone(), self.1).await
    }
}

/// A statement for the number of rows that it changes.
pub(super) struct Count<'a>(pub(super) &'a SqlStr, pub(super) &'a [Value<'a>]);

impl<D: Dialect> Work<D> for Count<'_> {
    type Output = u64;

    async fn run(&self, connection: &mut Connection<D>) -> Result<u64, sqlx::Error> {
        D::count(connection, self.0.clone(), self.1).await
    }
}

/// At most so many connections, the last used first. Clones share them.
pub(super) struct Pool<D: Dialect>(Arc<Shared<D>>);

struct Shared<D: Dialect> {
    options: D::ConnectOptions,
    greeting: Option<SqlStr>,
    limits: Limits,
    permits: Arc<Semaphore>,
    /// The last used last.
    idle: Mutex<Vec<Idle<D>>>,
}

struct Idle<D: Dialect> {
    live: Live<D>,
    since: Instant,
}

struct Live<D: Dialect> {
    connection: Connection<D>,
    made_at: Instant,
}

impl<D: Dialect> Pool<D> {
    pub(super) fn new(options: D::ConnectOptions, greeting: Option<String>, limits: Limits) -> Self {
        let permits = limits.connections.max(1) as usize;
        Self(Arc::new(Shared {
            options,
            greeting: greeting.map(|greeting| AssertSqlSafe(greeting).into_sql_str()),
            limits,
            permits: Arc::new(Semaphore::new(permits)),
            idle: Mutex::default(),
        }))
    }

    /// Does `work` on a connection, and again where the server has undone it: two writes stood in each other's way,
    /// and the other one went on.
    pub(super) async fn run<W: Work<D>>(&self, work: &W, repeat: Repeat) -> Result<W::Output, sqlx::Error> {
        for _ in 1..TRIES {
            match self.run_once(work, repeat).await {
                Err(error) if trouble::<D>(&error) == Some(Trouble::Undone) => {}
                outcome => return outcome,
            }
        }
        self.run_once(work, repeat).await
    }

    /// Where the connection turns out to be dead and the work may be repeated, once more on a new one: after a restart
    /// of the server all are dead that were idle.
    async fn run_once<W: Work<D>>(&self, work: &W, repeat: Repeat) -> Result<W::Output, sqlx::Error> {
        let lease = self.lease(repeat).await?;
        let was_idle = lease.was_idle;
        match lease.run(work).await {
            Err(error) if was_idle && repeat == Repeat::Safe && spends_connection::<D>(&error) => {
                Box::pin(async { self.lease_new().await?.run(work).await }).await
            }
            outcome => outcome,
        }
    }

    async fn lease(&self, repeat: Repeat) -> Result<Lease<D>, sqlx::Error> {
        let permit = self.permit().await?;
        let Some(idle) = self.0.newest_idle() else {
            return self.connect(permit).await;
        };
        let is_trusted = repeat == Repeat::Safe || idle.since.elapsed() < TRUSTED_FOR;
        let mut lease = Lease::new(&self.0, permit, idle.live, true);
        if is_trusted || lease.answers().await {
            return Ok(lease);
        }
        self.connect(lease.give_up()).await
    }

    /// A connection that has not been used before.
    pub(super) async fn lease_new(&self) -> Result<Lease<D>, sqlx::Error> {
        self.connect(self.permit().await?).await
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, sqlx::Error> {
        let permits = Arc::clone(&self.0.permits);
        permits.acquire_owned().await.map_err(|_| sqlx::Error::PoolClosed)
    }

    async fn connect(&self, permit: OwnedSemaphorePermit) -> Result<Lease<D>, sqlx::Error> {
        // In a box of its own: every statement makes room for it, and nearly none has to connect.
        let connecting = Box::pin(self.0.connect());
        let connected = timeout(self.0.limits.connect_timeout, connecting).await;
        let connection = connected.map_err(|_| {
            let late = std::io::Error::new(std::io::ErrorKind::TimedOut, "the connect timeout has passed");
            sqlx::Error::Io(late)
        })??;
        let live = Live {
            connection,
            made_at: Instant::now(),
        };
        Ok(Lease::new(&self.0, permit, live, false))
    }

    /// Says goodbye on all connections, those in use once they are given back. Every call after it fails.
    pub(super) async fn close(&self) {
        self.0.permits.close();
        for idle in self.0.forget_idle() {
            idle.live.close().await;
        }
    }
}

impl<D: Dialect> Clone for Pool<D> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<D: Dialect> Shared<D> {
    async fn connect(&self) -> Result<Connection<D>, sqlx::Error> {
        let mut connection = self.options.connect().await?;
        if let Some(greeting) = &self.greeting {
            D::script(&mut connection, greeting.clone()).await?;
        }
        Ok(connection)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle<D>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn newest_idle(&self) -> Option<Idle<D>> {
        let now = Instant::now();
        loop {
            let newest = self.idle().pop()?;
            if !self.is_over(&newest, now) {
                return Some(newest);
            }
            newest.live.close_soon();
        }
    }

    fn keep(&self, live: Live<D>) {
        if self.permits.is_closed() {
            return live.close_soon();
        }
        let now = Instant::now();
        let over: Vec<Idle<D>> = {
            let mut idle = self.idle();
            idle.push(Idle { live, since: now });
            let first_to_stay = idle
                .iter()
                .position(|idle| !self.is_over(idle, now))
                .unwrap_or(idle.len());
            idle.drain(..first_to_stay).collect()
        };
        over.into_iter().for_each(|idle| idle.live.close_soon());
    }

    fn is_over(&self, idle: &Idle<D>, now: Instant) -> bool {
        now.duration_since(idle.since) >= self.limits.idle_timeout
            || now.duration_since(idle.live.made_at) >= self.limits.max_lifetime
    }

    fn forget_idle(&self) -> Vec<Idle<D>> {
        std::mem::take(&mut *self.idle())
    }
}

impl<D: Dialect> Live<D> {
    async fn close(self) {
        // The server notices without a goodbye, too.
        let _ = timeout(READY_WITHIN, self.connection.close()).await;
    }

    fn close_soon(self) {
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(self.close());
        }
    }
}

/// A connection, and the right to have one.
pub(super) struct Lease<D: Dialect> {
    shared: Arc<Shared<D>>,
    permit: Option<OwnedSemaphorePermit>,
    live: Option<Live<D>>,
    was_idle: bool,
}

impl<D: Dialect> Lease<D> {
    fn new(shared: &Arc<Shared<D>>, permit: OwnedSemaphorePermit, live: Live<D>, was_idle: bool) -> Self {
        Self {
            shared: Arc::clone(shared),
            permit: Some(permit),
            live: Some(live),
            was_idle,
        }
    }

    pub(super) async fn run<W: Work<D>>(mut self, work: &W) -> Result<W::Output, sqlx::Error> {
        let outcome = work.run(self.connection()).await;
        match &outcome {
            Err(error) if spends_connection::<D>(error) => {
                self.discard();
            }
            _ => self.give_back(),
        }
        outcome
    }

    pub(super) fn connection(&mut self) -> &mut Connection<D> {
        let live = self.live.as_mut().expect("a connection until the lease ends");
        &mut live.connection
    }

    async fn answers(&mut self) -> bool {
        self.connection().ping().await.is_ok()
    }

    /// Back among the idle ones.
    fn give_back(&mut self) {
        if let Some(live) = self.live.take() {
            self.shared.keep(live);
        }
    }

    /// Away with it, and with those that were idle: they came to the same end, or are connected to the same server
    /// that is no longer the right one.
    fn discard(&mut self) {
        self.live = None;
        drop(self.shared.forget_idle());
    }

    /// Away with the connection, but not with the right to have one.
    fn give_up(mut self) -> OwnedSemaphorePermit {
        self.discard();
        self.permit.take().expect("a permit until the lease ends")
    }

    /// Says goodbye instead of giving it back.
    pub(super) async fn close(mut self) {
        if let Some(live) = self.live.take() {
            live.close().await;
        }
    }
}

/// Somebody gave up waiting in the middle of a statement: a deadline has passed, or the client is gone. The connection
/// stays if it gets ready again soon, so that clients who hang up can't have all of them made anew.
impl<D: Dialect> Drop for Lease<D> {
    fn drop(&mut self) {
        let (Some(live), Ok(runtime)) = (self.live.take(), Handle::try_current()) else {
            return;
        };
        let mut left = Self {
            shared: Arc::clone(&self.shared),
            permit: self.permit.take(),
            live: None,
            was_idle: self.was_idle,
        };
        runtime.spawn(async move {
            let mut live = live;
            match timeout(READY_WITHIN, live.connection.ping()).await {
                Ok(Ok(())) => left.shared.keep(live),
                Ok(Err(_)) | Err(_) => left.discard(),
            }
        });
    }
}
