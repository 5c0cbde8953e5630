//! A session that has ended stays ended, however late the requests that knew it finish.

mod common;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use common::*;
use tenure_core::store::Touch;
use tenure_core::{Dropped, EventKind, Key, MemoryStore, Owner, Session, SessionId, Status, Store};
use tenure_testkit::{SplitMix64, YieldingStore};

const ROUNDS: u64 = 1_000;
/// Written before the round and by nobody in it, so whoever reads it reads the ended session.
const MARK: Key<u64> = Key::new("mark");

type Instance = App<YieldingStore<MemoryStore>>;
type Job = Pin<Box<dyn Future<Output = ()>>>;

/// One round: a session, everybody who knows it, and what came of it.
struct Round {
    /// Two instances over one store, as behind a load balancer.
    instances: [Instance; 2],
    id: SessionId,
    browser: Browser,
    outcome: Mutex<Outcome>,
}

#[derive(Default)]
struct Outcome {
    /// Every cookie that any response carried.
    issued: Vec<Browser>,
    /// Whether somebody ended the session, and was told so.
    ended: bool,
}

impl Round {
    async fn begin(seed: u64) -> Self {
        let first = App::over(YieldingStore::new(MemoryStore::new(), seed), policy());
        let second = first.beside(policy(), keyring());
        let mut browser = Browser::new();
        first
            .visit(&mut browser, |session| {
                session.insert(MARK, &seed).unwrap();
                session.sign_in("ada").unwrap();
            })
            .await;
        Self {
            id: first.id(&browser).await,
            instances: [first, second],
            browser,
            outcome: Mutex::default(),
        }
    }

    fn instance(&self, random: &mut SplitMix64) -> usize {
        random.below(self.instances.len() as u64) as usize
    }

    async fn request(self: Arc<Self>, instance: usize, mut random: SplitMix64) {
        let app = &self.instances[instance];
        let opened = app.open(&self.browser);
        let session = if random.below(4) == 0 {
            opened.peek().await.unwrap();
            opened.load().await.unwrap()
        } else {
            opened.load().await.unwrap()
        };
        for _ in 0..=random.below(2) {
            act(&session, &mut random);
            if random.below(3) == 0 {
                let _ = session.save().await.unwrap();
            }
        }
        self.answer(app, &opened).await;
        if random.below(4) == 0 {
            session.insert(COUNT, &random.next_u64()).unwrap();
            // Refused where there is no session to write to any more.
            let _ = session.save().await;
        }
    }

    async fn sign_out(self: Arc<Self>, instance: usize) {
        let app = &self.instances[instance];
        let (opened, session) = app.load(&self.browser).await;
        let knew_it = session.status() == Status::Loaded;
        session.sign_out();
        self.answer(app, &opened).await;
        self.outcome.lock().unwrap().ended |= knew_it;
    }

    async fn revoke(self: Arc<Self>, instance: usize) {
        let revoked = self.instances[instance].sessions.revoke(self.id).await.unwrap();
        self.outcome.lock().unwrap().ended |= revoked;
    }

    async fn revoke_all(self: Arc<Self>, instance: usize) {
        let ada = Owner::new("ada").unwrap();
        let revoked = self.instances[instance]
            .sessions
            .of(ada)
            .revoke_all()
            .await
            .unwrap();
        self.outcome.lock().unwrap().ended |= revoked > 0;
    }

    async fn answer(&self, app: &Instance, opened: &tenure_core::Opened) {
        let mut browser = self.browser.clone();
        if let SentCookie::New(_) = app.answer(opened, &mut browser).await {
            self.outcome.lock().unwrap().issued.push(browser);
        }
    }

    /// Checks that nothing is left. Says whether the session was ended at all.
    async fn check(&self, seed: u64) -> bool {
        let outcome = std::mem::take(&mut *self.outcome.lock().unwrap());
        if !outcome.ended {
            return false;
        }
        let app = &self.instances[0];
        let record = app.store.inner().load(self.id, Touch::No).await.unwrap();
        assert_eq!(record, None, "seed {seed}: the record is back");
        for browser in outcome.issued.iter().chain([&self.browser]) {
            let (_, session) = app.load(browser).await;
            assert_ne!(session.id(), Some(self.id), "seed {seed}: a cookie opens it");
            assert_eq!(
                session.get(MARK).unwrap(),
                None,
                "seed {seed}: its data is readable"
            );
        }
        true
    }
}

fn act(session: &Session, random: &mut SplitMix64) {
    match random.below(9) {
        0 => session.insert(COUNT, &random.next_u64()).unwrap(),
        1 => drop(
            session
                .update(LEFT, |left| left.unwrap_or_default() + "x")
                .unwrap(),
        ),
        2 => session.remove(COUNT),
        3 => session.renew(),
        // Nobody becomes ada here: that may begin another session of hers, whose end is not that of the round's.
        4 => session.sign_in("eve").unwrap(),
        5 => session.sign_in("bob").unwrap(),
        6 => session.remember(),
        7 => session.insert(RIGHT, &"r".to_owned()).unwrap(),
        _ => session.clear(),
    }
}

/// Polls the jobs by hand, in an order that the seed decides, until all are done.
fn run_interleaved(mut jobs: Vec<Job>, random: &mut SplitMix64) {
    while !jobs.is_empty() {
        let chosen = random.below(jobs.len() as u64) as usize;
        if poll_once(jobs[chosen].as_mut()).is_some() {
            drop(jobs.swap_remove(chosen));
        }
    }
}

fn run_to_end<T>(job: impl Future<Output = T>) -> T {
    poll_at_most(usize::MAX, job).expect("it ends")
}

#[test]
fn a_session_that_was_ended_is_never_readable_again() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    // Entered and not driven: the jobs are polled here, and only the store's deadline needs a timer.
    let _entered = runtime.enter();
    let mut ended = 0;
    for seed in 0..ROUNDS {
        let mut random = SplitMix64::new(seed);
        let round = Arc::new(run_to_end(Round::begin(seed)));
        let mut jobs: Vec<Job> = Vec::new();
        for _ in 0..=random.below(7) {
            let instance = round.instance(&mut random);
            let dice = SplitMix64::new(random.next_u64());
            jobs.push(Box::pin(Arc::clone(&round).request(instance, dice)));
        }
        for _ in 0..=random.below(2) {
            let instance = round.instance(&mut random);
            let round = Arc::clone(&round);
            jobs.push(match random.below(3) {
                0 => Box::pin(round.sign_out(instance)),
                1 => Box::pin(round.revoke(instance)),
                _ => Box::pin(round.revoke_all(instance)),
            });
        }
        run_interleaved(jobs, &mut random);
        ended += u64::from(run_to_end(round.check(seed)));
    }
    assert!(
        ended > ROUNDS / 2,
        "only {ended} of {ROUNDS} rounds ended the session, so little was tested"
    );
}

#[tokio::test]
async fn whatever_a_request_did_before_the_session_ended_is_dropped_without_a_cookie() {
    let acts: [Act; 9] = [
        |session| session.insert(COUNT, &9).unwrap(),
        |session| {
            drop(
                session
                    .update(LEFT, |left| left.unwrap_or_default() + "x")
                    .unwrap(),
            );
        },
        |session| session.remove(COUNT),
        |session| session.clear(),
        |session| drop(session.take(COUNT).map(Option::unwrap).unwrap().to_string()),
        Session::renew,
        Session::remember,
        |session| session.sign_in("ada").unwrap(),
        |session| session.sign_in("bob").unwrap(),
    ];
    for act in acts {
        let app = App::new();
        let mut browser = app.signed_in("ada").await;
        let id = app.id(&browser).await;
        let mut late = browser.clone();
        let (opened, session) = app.load(&late).await;
        act(&session);
        app.visit(&mut browser, Session::sign_out).await;
        app.events.clear();
        assert_eq!(app.answer(&opened, &mut late).await, SentCookie::None);
        assert_eq!(
            app.events.kinds(),
            [EventKind::WriteDropped(Dropped::SessionGone)]
        );
        assert_eq!(session.owner(), None);
        assert_eq!(app.record(id).await, None);
        assert!(app.store.inner().is_empty());
    }
}

#[tokio::test]
async fn signing_out_twice_at_once_is_no_error() {
    let app = App::new();
    let mut browser = app.signed_in("ada").await;
    let mut other_tab = browser.clone();
    let (first, session) = app.load(&browser).await;
    session.sign_out();
    let (second, session) = app.load(&other_tab).await;
    session.sign_out();
    app.answer(&first, &mut browser).await.removal();
    app.answer(&second, &mut other_tab).await.removal();
}
