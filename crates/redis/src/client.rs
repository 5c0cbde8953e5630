//! Requests, and how often each is tried.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use redis::Value;
use tokio::time::{Instant, sleep};

use crate::dial::Dialer;
use crate::failure::Failure;
use crate::link::Link;
use crate::request::{Repeat, Request};
use crate::url::Topology;
use crate::wait::WaitForReplicas;

const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(160);

/// Sends requests, and tries those again that may be.
pub(crate) struct Client {
    links: Links,
    retry_for: Duration,
    waiting: Option<Waiting>,
    is_cluster: bool,
}

/// Writes that replicas are to have. On links of their own, since a connection that waits for replicas serves
/// nobody else: without them, sessions could hardly be read while too few replicas are up.
struct Waiting {
    wait: WaitForReplicas,
    links: Links,
}

/// Links that take turns.
struct Links {
    links: Box<[Link]>,
    next: AtomicUsize,
}

impl Links {
    fn new(dialer: &Arc<Dialer>, connections: usize) -> Self {
        Self {
            links: (0..connections).map(|_| Link::new(Arc::clone(dialer))).collect(),
            next: AtomicUsize::new(0),
        }
    }

    fn next(&self) -> &Link {
        &self.links[self.next.fetch_add(1, Ordering::Relaxed) % self.links.len()]
    }
}

impl Client {
    pub(crate) fn new(
        dialer: Dialer,
        connections: usize,
        retry_for: Duration,
        wait: Option<WaitForReplicas>,
    ) -> Self {
        let is_cluster = matches!(dialer.target.topology, Topology::Cluster { .. });
        let dialer = Arc::new(dialer);
        let links = Links::new(&dialer, connections);
        let waiting = wait.map(|wait| Waiting {
            wait,
            links: Links::new(&dialer, connections),
        });
        Self {
            links,
            retry_for,
            waiting,
            is_cluster,
        }
    }

    pub(crate) fn is_cluster(&self) -> bool {
        self.is_cluster
    }

    /// The answer to a request.
    ///
    /// What passes by itself is tried again for a while: where it is certain that nothing was done, and where
    /// doing it twice does no harm. A write whose answer was lost is neither.
    pub(crate) async fn call(&self, request: &Request) -> Result<Value, Failure> {
        let started = Instant::now();
        let (link, wait) = match &self.waiting {
            Some(waiting) if request.is_write => (waiting.links.next(), Some(waiting.wait)),
            _ => (self.links.next(), None),
        };
        match link.send(request, wait).await {
            Ok(answer) => Ok(answer),
            Err(failure) => Box::pin(self.call_again(request, link, wait, started, failure)).await,
        }
    }

    async fn call_again(
        &self,
        request: &Request,
        link: &Link,
        wait: Option<WaitForReplicas>,
        started: Instant,
        mut failure: Failure,
    ) -> Result<Value, Failure> {
        let mut pause = FIRST_PAUSE;
        loop {
            let may_repeat = failure.nothing_was_done() || request.repeat == Repeat::Safe;
            let has_time = started.elapsed() + pause < self.retry_for;
            if !(may_repeat && has_time && failure.may_pass()) {
                return Err(failure);
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            failure = match link.send(request, wait).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
        }
    }
}
