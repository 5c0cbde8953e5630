//! Ten thousand browsers, networks that lose and delay, crashes, several instances, rotations, stores that fail, and
//! thieves: a copied cookie that has retired is found at its first use, and the owner is never taken for a thief.

mod common;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::AddAssign;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use common::*;
use tenure_core::store::Operation;
use tenure_core::{EventKind, Keyring, LiveKeyring, Opened, Policy, Secret, Session, SessionId};
use tenure_testkit::SplitMix64;

const RUNS: u64 = 10_000;
const GRACE: Duration = Duration::from_mins(2);
/// The longest that the browser's disk lags behind its jar.
const LAG_MILLIS: u64 = 30_000;
/// The longest that a request of the owner's takes, all in all. Two of them and the lag are shorter than seven
/// eighths of the grace.
const LONGEST_REQUEST_MILLIS: u64 = 35_000;

const SECRETS: [&str; 4] = [
    SECRET,
    OTHER_SECRET,
    "kV9rT4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2",
    "J1dHfCaGzmQ7Yb0yP2kV9rT4nXwE6uLs",
];

fn renewing() -> Policy {
    policy()
        .idle_timeout(20 * DAY)
        .absolute_timeout(60 * DAY)
        .renew_every(Some(5 * MINUTE))
        .renewal_grace(GRACE)
}

/// The keyring of an instance that has come so far with the rotations.
fn keyring_at(position: usize) -> Keyring {
    let mut keyring = Keyring::new(Secret::new(SECRETS[position]));
    if let Some(upcoming) = SECRETS.get(position + 1) {
        keyring = keyring.with_upcoming(Secret::new(*upcoming));
    }
    let older = SECRETS[..position].iter();
    older.fold(keyring, |keyring, older| keyring.with_older(Secret::new(*older)))
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    Page,
    Load(usize),
    Commit(usize),
    Arrive(usize),
    Flush,
    Crash,
    Rotate(usize),
    Copy,
    Steal,
}

#[derive(Clone, Copy, PartialEq)]
enum Who {
    Owner,
    Thief,
}

#[derive(Clone, Copy, PartialEq)]
enum Handler {
    Reads,
    Counts,
    Inserts,
}

struct Request {
    who: Who,
    /// A crash of the browser begins another life, which gets no answers of the one before.
    life: u64,
    instance: usize,
    handler: Handler,
    sender: Browser,
    /// What is left of the time that it may take.
    patience: u64,
    opened: Option<(Opened, Session)>,
    answer: Option<http::HeaderMap>,
}

/// How a thief goes about it.
#[derive(Clone, Copy, PartialEq)]
enum Habit {
    /// Uses the copy as it is, and ignores what it is sent.
    Static,
    /// Takes every cookie that it is sent.
    Follows,
}

struct Thief {
    browser: Browser,
    habit: Habit,
    uses_left: u64,
    /// The longest time between two uses.
    pause: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    requests: u64,
    failed: u64,
    lost: u64,
    crashes: u64,
    rolled_back: u64,
    renewals: u64,
    conflicts: u64,
    rotations: u64,
    thieves: u64,
    uses_by_thieves: u64,
    retired_uses: u64,
    retired_uses_by_thief: u64,
    alarms: u64,
    thefts_found: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.requests += other.requests;
        self.failed += other.failed;
        self.lost += other.lost;
        self.crashes += other.crashes;
        self.rolled_back += other.rolled_back;
        self.renewals += other.renewals;
        self.conflicts += other.conflicts;
        self.rotations += other.rotations;
        self.thieves += other.thieves;
        self.uses_by_thieves += other.uses_by_thieves;
        self.retired_uses += other.retired_uses;
        self.retired_uses_by_thief += other.retired_uses_by_thief;
        self.alarms += other.alarms;
        self.thefts_found += other.thefts_found;
    }
}

struct Run {
    seed: u64,
    random: SplitMix64,
    apps: Vec<(App, LiveKeyring, usize)>,
    id: SessionId,
    begun: u64,
    agenda: BinaryHeap<Reverse<(u64, u64, Next)>>,
    entries: u64,
    jar: Browser,
    disk: Browser,
    flush_is_due: bool,
    life: u64,
    pages_left: u64,
    requests: Vec<Request>,
    thief: Option<Thief>,
    faults: bool,
    /// What the counter has for certain, and what it may have beside: writes whose acknowledgement failed.
    counted: u64,
    perhaps: u64,
    ended: bool,
    tally: Tally,
}

impl Run {
    async fn new(seed: u64, with_thief: bool) -> Self {
        let mut random = SplitMix64::new(seed);
        let live = LiveKeyring::new(keyring_at(0));
        let first = App::with_policy(renewing());
        let mut apps = Vec::new();
        for _ in 0..=random.below(3) {
            let live = LiveKeyring::new(keyring_at(0));
            apps.push((first.beside(renewing(), &live), live, 0));
        }
        drop(live);
        let jar = apps[0].0.signed_in("ada").await;
        let id = apps[0].0.id(&jar).await;
        let mut run = Self {
            begun: first.now().as_millis(),
            seed,
            faults: random.below(5) == 0,
            pages_left: 16 + random.below(20),
            random,
            apps,
            id,
            agenda: BinaryHeap::new(),
            entries: 0,
            disk: jar.clone(),
            jar,
            flush_is_due: false,
            life: 0,
            requests: Vec::new(),
            thief: None,
            counted: 1,
            perhaps: 0,
            ended: false,
            tally: Tally::default(),
        };
        run.plan(0, Next::Page);
        if with_thief {
            let at = run.random.below(3_600_000);
            run.plan(at, Next::Copy);
        }
        if run.random.below(3) == 0 {
            for rotation in 0..1 + run.random.below(3) {
                for instance in 0..run.apps.len() {
                    let at = (1 + rotation) * 3_000_000 + run.random.below(600_000);
                    run.plan(at, Next::Rotate(instance));
                }
            }
        }
        run
    }

    fn app(&self, instance: usize) -> &App {
        &self.apps[instance].0
    }

    fn plan(&mut self, after: u64, next: Next) {
        let at = self.app(0).now().as_millis() - self.begun + after;
        self.entries += 1;
        self.agenda.push(Reverse((at, self.entries, next)));
    }

    async fn run(mut self) -> Tally {
        while let Some(Reverse((at, _, next))) = self.agenda.pop() {
            let now = self.app(0).now().as_millis() - self.begun;
            self.app(0).clock.advance(Duration::from_millis(at - now));
            match next {
                Next::Page => self.open_page(),
                Next::Load(request) => self.load(request).await,
                Next::Commit(request) => self.commit(request).await,
                Next::Arrive(request) => self.arrive(request),
                Next::Flush => {
                    self.flush_is_due = false;
                    self.disk = self.jar.clone();
                }
                Next::Crash => self.crash(),
                Next::Rotate(instance) => self.rotate(instance),
                Next::Copy => self.copy(),
                Next::Steal => self.steal(),
            }
        }
        self.conclude().await;
        self.tally
    }

    fn open_page(&mut self) {
        if self.ended || self.pages_left == 0 {
            return;
        }
        self.pages_left -= 1;
        for _ in 0..=self.random.below(5) {
            let jar = self.jar.clone();
            self.send(Who::Owner, jar);
        }
        let until_next = match self.random.below(100) {
            0..60 => self.random.below(20_000),
            60..85 => self.random.below(180_000),
            85..97 => self.random.below(1_800_000),
            _ => self.random.below(8 * 3_600_000),
        };
        if self.random.below(20) == 0 {
            let after = self.random.below(until_next + 1);
            self.plan(after, Next::Crash);
        }
        self.plan(until_next, Next::Page);
    }

    fn send(&mut self, who: Who, sender: Browser) {
        let handler = match self.random.below(10) {
            0..6 => Handler::Reads,
            6..8 => Handler::Counts,
            _ => Handler::Inserts,
        };
        let instance = self.random.below(self.apps.len() as u64) as usize;
        self.requests.push(Request {
            who,
            life: self.life,
            instance,
            handler,
            sender,
            patience: LONGEST_REQUEST_MILLIS,
            opened: None,
            answer: None,
        });
        let request = self.requests.len() - 1;
        self.go_on(request, Next::Load(request));
    }

    /// The request's next step after a delay: mostly short, sometimes long.
    fn go_on(&mut self, request: usize, next: Next) {
        let longest = if self.random.below(8) == 0 { 20_000 } else { 1_000 };
        let delay = self.random.below(longest).min(self.requests[request].patience);
        self.requests[request].patience -= delay;
        self.plan(delay, next);
    }

    /// A fault of the store for the next call, perhaps. A removal whose acknowledgement is lost is left out: nobody
    /// can tell of it that there was something to find.
    fn break_store(&mut self) {
        if self.faults && self.random.below(12) == 0 {
            let store = &self.apps[0].0.store;
            match self.random.below(5) {
                0 => store.fail(Operation::Load),
                1 => store.fail_after(Operation::Load),
                2 => store.fail(Operation::Update),
                3 => store.fail_after(Operation::Update),
                _ => store.fail(Operation::Remove),
            }
        }
    }

    /// Whether the cookie's generation has retired by what the store has: written from the documented formats.
    async fn has_retired(&self, cookie: &Browser) -> bool {
        let Some(record) = self.app(0).record(self.id).await else {
            return false;
        };
        let bytes = Base64UrlUnpadded::decode_vec(cookie.value()).unwrap();
        assert_eq!(&bytes[5..21], self.id.as_bytes());
        let generation = number(&bytes[21..25]);
        let lineage = record.lineage.to_bytes();
        let (current, root) = (number(&lineage[1..5]), number(&lineage[5..9]));
        let is_handed_over = lineage[17] & 3 == 0;
        let oldest_good = if is_handed_over || current == root {
            current
        } else {
            current - 1
        };
        (root..oldest_good).contains(&generation)
    }

    async fn load(&mut self, request: usize) {
        self.tally.requests += 1;
        let (who, instance) = (self.requests[request].who, self.requests[request].instance);
        let sender = self.requests[request].sender.clone();
        if sender.cookie.is_none() {
            return;
        }
        let was_there = self.app(0).record(self.id).await.is_some();
        let has_retired = self.has_retired(&sender).await;
        self.app(0).events.clear();
        self.break_store();
        let app = self.app(instance);
        let opened = app.open(&sender);
        let loaded = opened.load().await;
        app.store.heal();
        let events = app.events.kinds();
        let alarms = count(&events, EventKind::TokenReused);
        assert_eq!(
            count(&events, EventKind::CookieSuperseded),
            0,
            "seed {}",
            self.seed
        );
        let is_there = app.record(self.id).await.is_some();
        self.tally.retired_uses += u64::from(has_retired);
        self.tally.alarms += alarms;
        if who == Who::Owner && self.thief.is_none() {
            assert!(!has_retired, "the owner's cookie has retired: seed {}", self.seed);
        }
        let Ok(session) = loaded else {
            // Answered with 503. What retired is found at its next use.
            assert_eq!(alarms, 0, "seed {}", self.seed);
            self.tally.failed += 1;
            return;
        };
        assert_eq!(alarms, u64::from(has_retired), "seed {}", self.seed);
        assert_eq!(is_there, was_there && !has_retired, "seed {}", self.seed);
        if has_retired {
            self.ended = true;
            self.tally.thefts_found += 1;
            self.tally.retired_uses_by_thief += u64::from(who == Who::Thief);
        }
        let owner = session.owner();
        assert_eq!(
            owner.as_ref().map(tenure_core::Owner::as_str),
            (!self.ended).then_some("ada"),
            "seed {}",
            self.seed
        );
        if who == Who::Owner && !self.ended {
            match self.requests[request].handler {
                Handler::Reads => {}
                Handler::Counts => {
                    session.update(COUNT, |count| count.unwrap_or(0) + 1).unwrap();
                }
                Handler::Inserts => session.insert(LEFT, &request.to_string()).unwrap(),
            }
        }
        self.requests[request].opened = Some((opened, session));
        self.go_on(request, Next::Commit(request));
    }

    async fn commit(&mut self, request: usize) {
        let (opened, session) = self.requests[request].opened.take().unwrap();
        let (who, handler) = (self.requests[request].who, self.requests[request].handler);
        let has_written = who == Who::Owner && session.owner().is_some() && handler == Handler::Counts;
        self.app(0).events.clear();
        self.break_store();
        let app = self.app(self.requests[request].instance);
        let committed = app.sessions.commit(&opened).await;
        app.store.heal();
        let events = app.events.kinds();
        self.tally.renewals += count(&events, EventKind::Renewed);
        self.tally.conflicts += count(&events, EventKind::ConflictReplayed);
        assert_eq!(count(&events, EventKind::TokenReused), 0, "seed {}", self.seed);
        let outgoing = match committed {
            Ok(outgoing) => {
                self.counted += u64::from(has_written);
                outgoing
            }
            Err(_) => {
                self.tally.failed += 1;
                self.perhaps += u64::from(has_written);
                opened.outgoing_after_failure()
            }
        };
        if self.thief.is_none() {
            assert!(session.owner().is_some(), "seed {}", self.seed);
            assert!(
                !events
                    .iter()
                    .any(|kind| matches!(kind, EventKind::WriteDropped(_)))
            );
        }
        self.requests[request].answer = Some(response(outgoing));
        if self.random.below(10) == 0 {
            self.tally.lost += 1;
        } else {
            self.go_on(request, Next::Arrive(request));
        }
    }

    fn arrive(&mut self, request: usize) {
        let (who, life) = (self.requests[request].who, self.requests[request].life);
        let answer = self.requests[request].answer.take().unwrap();
        match (who, &mut self.thief) {
            (Who::Thief, Some(thief)) if thief.habit == Habit::Follows => {
                thief.browser.receive(&answer);
            }
            (Who::Thief, _) => {}
            (Who::Owner, _) if life == self.life => {
                self.jar.receive(&answer);
                if self.jar != self.disk && !self.flush_is_due {
                    self.flush_is_due = true;
                    let after = self.random.below(LAG_MILLIS);
                    self.plan(after, Next::Flush);
                    // The worst moment is sought on purpose.
                    if self.random.below(8) == 0 {
                        let after = self.random.below(LAG_MILLIS);
                        self.plan(after, Next::Crash);
                    }
                }
            }
            (Who::Owner, _) => {}
        }
    }

    fn crash(&mut self) {
        self.life += 1;
        self.tally.crashes += 1;
        self.tally.rolled_back += u64::from(self.jar != self.disk);
        self.jar = self.disk.clone();
    }

    fn rotate(&mut self, instance: usize) {
        let (_, keyring, position) = &mut self.apps[instance];
        if *position + 1 < SECRETS.len() {
            *position += 1;
            keyring.replace(keyring_at(*position)).unwrap();
            self.tally.rotations += 1;
        }
    }

    fn copy(&mut self) {
        if self.ended {
            return;
        }
        let from_disk = self.random.below(3) == 0;
        let browser = if from_disk { &self.disk } else { &self.jar };
        let thief = Thief {
            browser: browser.clone(),
            habit: if self.random.below(2) == 0 {
                Habit::Static
            } else {
                Habit::Follows
            },
            uses_left: 1 + self.random.below(12),
            pause: [2_000, 60_000, 600_000, 4 * 3_600_000][self.random.below(4) as usize],
        };
        let longest = [1_000, 60_000, 6 * 3_600_000][self.random.below(3) as usize];
        let first = self.random.below(longest);
        self.tally.thieves += 1;
        self.thief = Some(thief);
        self.plan(first, Next::Steal);
    }

    fn steal(&mut self) {
        let Some(thief) = &mut self.thief else { return };
        if self.ended || thief.uses_left == 0 {
            return;
        }
        thief.uses_left -= 1;
        let (browser, pause) = (thief.browser.clone(), thief.pause);
        self.tally.uses_by_thieves += 1;
        self.send(Who::Thief, browser);
        let after = self.random.below(pause);
        self.plan(after, Next::Steal);
    }

    /// All has arrived. Who was not robbed is signed in, with all that was counted.
    async fn conclude(&mut self) {
        let app = self.app(0);
        if self.thief.is_none() {
            assert!(!self.ended, "seed {}", self.seed);
        }
        if !self.ended {
            for browser in [&self.jar, &self.disk] {
                if self.thief.is_none() {
                    assert_eq!(
                        app.owner(browser).await.as_deref(),
                        Some("ada"),
                        "seed {}",
                        self.seed
                    );
                    let count = app.count(browser).await.unwrap();
                    let possible = self.counted..=self.counted + self.perhaps;
                    assert!(
                        possible.contains(&count),
                        "seed {}: {count} of {possible:?}",
                        self.seed
                    );
                }
            }
        }
    }
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes.try_into().unwrap())
}

fn count(events: &[EventKind], kind: EventKind) -> u64 {
    events.iter().filter(|event| **event == kind).count() as u64
}

/// One seed alone: `TENURE_SEED=17 cargo test -p tenure-core --test theft_simulation`.
fn seeds() -> std::ops::Range<u64> {
    match std::env::var("TENURE_SEED") {
        Ok(seed) => {
            let seed = seed.parse().unwrap();
            seed..seed + 1
        }
        Err(_) => 0..RUNS,
    }
}

fn simulate(seeds: std::ops::Range<u64>, with_thief: fn(u64) -> bool) -> Tally {
    let next = AtomicU64::new(seeds.start);
    let work = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let mut tally = Tally::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return tally;
            }
            tally += runtime.block_on(async { Run::new(seed, with_thief(seed)).await.run().await });
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut all = Tally::default();
        for worker in workers {
            all += worker.join().expect("the seed stands above");
        }
        all
    })
}

#[test]
fn ten_thousand_runs_find_every_retired_cookie_and_never_the_owner() {
    let seeds = seeds();
    let is_whole = seeds == (0..RUNS);
    // Half of them are robbed.
    let tally = simulate(seeds, |seed| seed % 2 == 1);
    println!("{tally:#?}");
    assert_eq!(tally.alarms, tally.thefts_found);
    if is_whole {
        assert!(tally.thefts_found > 1_000, "{tally:?}");
        assert!(tally.retired_uses_by_thief > 100, "{tally:?}");
        assert!(tally.thefts_found > tally.retired_uses_by_thief, "{tally:?}");
        assert!(tally.crashes > 10_000, "{tally:?}");
        assert!(tally.rolled_back > 1_000, "{tally:?}");
        assert!(tally.renewals > 20_000, "{tally:?}");
        assert!(tally.lost > 20_000, "{tally:?}");
        assert!(tally.conflicts > 1_000, "{tally:?}");
        assert!(tally.failed > 1_000, "{tally:?}");
        assert!(tally.rotations > 1_000, "{tally:?}");
    }
}
