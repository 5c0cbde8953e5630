//! Browsers that go on while a store's server fails, with a ledger of what each was told.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http::HeaderMap;
use tenure_core::{Session, Store};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::application::{Application, COUNT};
use crate::browser::Browser;
use crate::records::RECOVERED_WITHIN;

/// How long a load or a commit waits for the store, by the policy's default, and what it may take beside that.
const DEADLINE: Duration = Duration::from_secs(2);
const TOLERANCE: Duration = Duration::from_secs(1);

const BROWSERS: usize = 8;

/// How long the browsers go on before a fault and after it.
const WARM_UP: Duration = Duration::from_millis(300);

/// Browsers that count, sign in and sign out, one request after the other each, until they are stopped.
#[derive(Debug)]
pub struct Load {
    application: Application,
    stop: Arc<AtomicBool>,
    browsers: JoinSet<Ledger>,
}

/// What the browsers were told.
#[derive(Debug)]
pub struct Ledgers(Vec<Ledger>);

/// What one browser was told.
#[derive(Debug, Default)]
struct Ledger {
    counting: Browser,
    /// The last count that was acknowledged.
    acknowledged: u64,
    /// The last count that was asked for, acknowledged or not.
    asked: u64,
    /// Those whose sign-out was acknowledged.
    signed_out: Vec<Browser>,
    requests: usize,
    failed: usize,
    /// The longest load or commit.
    slowest: Duration,
}

/// Has browsers go on before, while and after `fault` does its work.
///
/// # Panics
/// If the store does not recover by itself, or an answer takes longer than the deadline.
pub async fn survives(store: impl Store, fault: impl AsyncFnOnce()) -> Ledgers {
    let load = Load::start(store).await;
    sleep(WARM_UP).await;
    fault().await;
    load.recovered().await;
    sleep(WARM_UP).await;
    load.stop().await
}

impl Load {
    /// Starts the browsers.
    pub async fn start(store: impl Store) -> Self {
        let application = Application::over(store);
        let stop = Arc::<AtomicBool>::default();
        let mut browsers = JoinSet::new();
        for _ in 0..BROWSERS {
            browsers.spawn(browse(application.clone(), Arc::clone(&stop)));
        }
        Self {
            application,
            stop,
            browsers,
        }
    }

    /// Waits until the application takes writes again. Says how long that took.
    ///
    /// # Panics
    /// If it takes too long.
    pub async fn recovered(&self) -> Duration {
        let began = Instant::now();
        let write = |session: &Session| session.insert(COUNT, &0).expect("a number");
        while let Err(error) = self.application.visit(&mut Browser::default(), write).await {
            assert!(
                began.elapsed() < RECOVERED_WITHIN,
                "it does not recover: {error:?}"
            );
            sleep(Duration::from_millis(20)).await;
        }
        began.elapsed()
    }

    /// Stops the browsers.
    ///
    /// # Panics
    /// If an answer took longer than the deadline, or a browser was never answered with success.
    pub async fn stop(self) -> Ledgers {
        self.stop.store(true, Ordering::Relaxed);
        let ledgers = self.browsers.join_all().await;
        for ledger in &ledgers {
            assert!(ledger.slowest <= DEADLINE + TOLERANCE, "{:?}", ledger.slowest);
            assert!(ledger.acknowledged > 0 && !ledger.signed_out.is_empty());
        }
        Ledgers(ledgers)
    }
}

impl Ledgers {
    /// That a fault cost somebody an error. A short one need not: what only reads is asked again.
    ///
    /// # Panics
    /// If nobody was answered with an error.
    pub fn assert_noticed(&self) {
        let failed = |ledger: &Ledger| ledger.failed > 0;
        assert!(self.0.iter().any(failed), "a fault that nobody noticed");
    }

    /// Looks into the store: nothing that was acknowledged is lost, nothing is there that was never asked for, and
    /// whoever signed out is signed out.
    ///
    /// # Panics
    /// If it is otherwise, or the store fails.
    pub async fn assert_kept(&self, store: impl Store) {
        let application = Application::over(store);
        for ledger in &self.0 {
            let kept = application.count(&ledger.counting).await.unwrap_or(0);
            let told = ledger.acknowledged..=ledger.asked;
            assert!(told.contains(&kept), "{kept} is kept of {told:?}");
            for browser in &ledger.signed_out {
                assert_eq!(application.owner(browser).await, None, "a revived session");
            }
        }
        let browser = application.signed_in("alice").await;
        assert!(application.owner(&browser).await.is_some());
    }
}

impl fmt::Display for Ledgers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let requests: usize = self.0.iter().map(|ledger| ledger.requests).sum();
        let failed: usize = self.0.iter().map(|ledger| ledger.failed).sum();
        let slowest = self.0.iter().map(|ledger| ledger.slowest).max();
        let slowest = slowest.unwrap_or_default();
        write!(
            f,
            "{requests} requests, {failed} answered with an error, slowest {slowest:?}"
        )
    }
}

async fn browse(application: Application, stop: Arc<AtomicBool>) -> Ledger {
    let mut ledger = Ledger::default();
    while !stop.load(Ordering::Relaxed) {
        ledger.count(&application).await;
        ledger.sign_in_and_out(&application).await;
    }
    ledger
}

impl Ledger {
    async fn count(&mut self, application: &Application) {
        let (mut counting, mut counted) = (self.counting.clone(), None);
        let handler = |session: &Session| {
            counted = session.update(COUNT, |count| count.unwrap_or(0) + 1).ok();
        };
        let succeeded = self.request(application, &mut counting, handler).await;
        let Some(counted) = counted else {
            return;
        };
        // Else what this browser knew was lost.
        assert!(
            counted > self.acknowledged,
            "{counted} after {}",
            self.acknowledged
        );
        self.asked = self.asked.max(counted);
        if succeeded {
            self.acknowledged = counted;
            self.counting = counting;
        }
    }

    async fn sign_in_and_out(&mut self, application: &Application) {
        let mut browser = Browser::default();
        let sign_in = |session: &Session| session.sign_in("alice").expect("a fitting owner");
        if self.request(application, &mut browser, sign_in).await
            && self
                .request(application, &mut browser.clone(), Session::sign_out)
                .await
        {
            self.signed_out.push(browser);
        }
    }

    /// Whether it was answered with success. If not, nobody asks again at once.
    async fn request(
        &mut self,
        application: &Application,
        browser: &mut Browser,
        handler: impl FnOnce(&Session),
    ) -> bool {
        self.requests += 1;
        let answer = self.answer(application, browser, handler).await;
        if let Some(response) = &answer {
            browser.receive(response);
        } else {
            self.failed += 1;
            sleep(Duration::from_millis(10)).await;
        }
        answer.is_some()
    }

    async fn answer(
        &mut self,
        application: &Application,
        browser: &Browser,
        handler: impl FnOnce(&Session),
    ) -> Option<HeaderMap> {
        let opened = application.sessions.open(&browser.request());
        let began = Instant::now();
        let session = opened.load().await;
        self.slowest = self.slowest.max(began.elapsed());
        handler(&session.ok()?);
        let began = Instant::now();
        let outgoing = application.sessions.commit(&opened).await;
        self.slowest = self.slowest.max(began.elapsed());
        let mut response = HeaderMap::new();
        outgoing.ok()?.apply(&mut response);
        Some(response)
    }
}
