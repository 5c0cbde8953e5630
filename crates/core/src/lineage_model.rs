//! Every state that a periodic renewal can come to, and what holds in all of them.
//!
//! The model has a record, the browser's jar and its copy on the disk, three requests on their way and a thief. It
//! leaves out everything but the renewal, and decides with the engine's own functions: [`Lineage::bearer`],
//! [`Lineage::step`], and those that take a step. Time passes in ticks, within the bounds that the grace is made for:
//! two requests, one after the other, and the time until the disk has the jar are together shorter than seven eighths
//! of it.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;
use std::time::Duration;

use stateright::{Checker, CheckerBuilder, HasDiscoveries, Model, Property};

use crate::assurance::Proofs;
use crate::clock::Timestamp;
use crate::lineage::{Bearer, Handover, Lineage, Returns, Rhythm, Sealed32, Step};

/// The moment that the engine's functions are asked about. Times are kept as ages, so that there are finitely many.
const NOW: u64 = 1_000;
const GRACE: u8 = 8;
const INTERVAL: u8 = 9;
/// Ticks that a request takes at the most, and those until the disk has what the jar has.
const LONGEST_REQUEST: u8 = 2;
const LONGEST_LAG: u8 = 2;

/// One secret of the session: its generation, and which of those that were made for that generation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Cookie {
    generation: u8,
    serial: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Phase {
    Done,
    Offered(Returns),
    Seen(Returns, u8),
}

/// The session's record. Its data and version are left out: a request knows whether somebody wrote since it loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Row {
    current: Cookie,
    previous: Cookie,
    renewed_ago: u8,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Request {
    Free,
    Sent { cookie: Cookie, age: u8 },
    Loaded { live: Live, age: u8, awaited: bool },
    Answered { cookie: Cookie, age: u8 },
}

/// What a request keeps of the record that it loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Live {
    row: Row,
    bearer: Bearer,
    /// Whether a write was due when it was loaded.
    due: bool,
    stale: bool,
    cookie_due: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    row: Row,
    jar: Cookie,
    disk: Cookie,
    /// For how long the disk has not had what the jar has.
    unflushed: u8,
    requests: [Request; REQUESTS],
    crashes_left: u8,
    thief: Option<Cookie>,
    /// How many secrets were made for each generation, and which were handed out: bit by bit.
    made: [u8; 4],
    handed: [u8; 4],
    /// The generations below this one have retired, as history tells it: told by the steps, not by the record.
    retired_below: u8,
    outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Outcome {
    Lives,
    /// A retired cookie was used, and the session ended.
    Found {
        by_thief: bool,
    },
    /// A cookie was refused that had not retired, or let in although it had.
    Wrong,
}

const REQUESTS: usize = 3;

#[derive(Clone, Debug, PartialEq)]
enum Action {
    Tick,
    Send(usize),
    Load(usize),
    Commit(usize, Writes),
    Arrive(usize),
    /// The request, what the server did for it, or the response is lost.
    Lose(usize),
    Flush,
    CrashBrowser,
    CopyJar,
    CopyDisk,
    /// The thief's request, all of it. Whether the thief takes what it is sent.
    Steal {
        takes: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Writes {
    /// Only what is due.
    Upkeep,
    /// The handler's own, which are replayed if somebody wrote in between.
    Own,
}

/// What the model is about, and what is wrong with it on purpose.
#[derive(Clone, Copy)]
struct World {
    requests: usize,
    crashes: u8,
    generations: u8,
    thief: bool,
    flaw: Flaw,
}

#[derive(Clone, Copy, PartialEq)]
enum Flaw {
    None,
    /// The predecessor retires at the second use of the successor, however soon.
    NoGrace,
    /// Who comes back with the predecessor does not have the successor seen anew.
    NoReturn,
    /// The successor is handed on before it is written down that the predecessor is back.
    HandedOnTooEarly,
    /// Writes ask for no version.
    NoCompareAndSet,
    /// Requests, and what comes to the disk, take as long as they like.
    SlowerThanTheGrace,
}

impl Row {
    fn lineage(&self) -> Lineage {
        let ago = |ticks: u8| Timestamp::from_millis(NOW - u64::from(ticks));
        let mut sealed = [0; Sealed32::LENGTH];
        sealed[0] = self.current.generation;
        sealed[1] = self.current.serial;
        let successor = Sealed32(sealed);
        Lineage {
            generation: u32::from(self.current.generation),
            root: 0,
            proofs: Proofs::none(),
            renewed_at: ago(self.renewed_ago),
            handover: match self.phase {
                Phase::Done => Handover::Done,
                Phase::Offered(returns) => Handover::Offered { successor, returns },
                Phase::Seen(returns, at) => Handover::Seen {
                    successor,
                    returns,
                    at: ago(at),
                },
            },
        }
    }

    /// The row with what became of its lineage.
    fn with(mut self, lineage: &Lineage) -> Self {
        let age = |moment: Timestamp| (NOW - moment.as_millis()) as u8;
        self.renewed_ago = age(lineage.renewed_at);
        self.phase = match lineage.handover {
            Handover::Done => Phase::Done,
            Handover::Offered { returns, .. } => Phase::Offered(returns),
            Handover::Seen { returns, at, .. } => Phase::Seen(returns, age(at)),
        };
        self
    }

    fn bearer(&self, cookie: Cookie) -> Bearer {
        let (is_current, is_previous) = (cookie == self.current, cookie == self.previous);
        self.lineage()
            .bearer(u32::from(cookie.generation), is_current, is_previous)
    }

    fn older(mut self) -> Self {
        self.renewed_ago = (self.renewed_ago + 1).min(INTERVAL);
        if let Phase::Seen(_, at) = &mut self.phase {
            *at = (*at + 1).min(GRACE);
        }
        self
    }
}

impl World {
    fn rhythm(self, row: &Row) -> Rhythm {
        let ticks = |ticks: u8| Duration::from_millis(u64::from(ticks));
        Rhythm {
            renew_every: (row.current.generation < self.generations).then_some(ticks(INTERVAL)),
            grace: match self.flaw {
                Flaw::NoGrace => Duration::ZERO,
                _ => ticks(GRACE),
            },
        }
    }

    fn step(self, row: &Row, bearer: Bearer) -> Option<Step> {
        let step = row
            .lineage()
            .step(bearer, Timestamp::from_millis(NOW), self.rhythm(row));
        step.filter(|step| self.flaw != Flaw::NoReturn || *step != Step::Return)
    }

    /// As `Visit::load`: what a cookie loads, or how the session ends.
    fn load(self, state: &mut State, cookie: Cookie, by_thief: bool) -> Option<Live> {
        let row = state.row;
        let bearer = row.bearer(cookie);
        let has_retired = cookie.generation < state.retired_below;
        match (bearer, has_retired) {
            (Bearer::Current | Bearer::Predecessor, false) => {
                let step = self.step(&row, bearer);
                let too_early = step == Some(Step::Return) && self.flaw != Flaw::HandedOnTooEarly;
                Some(Live {
                    row,
                    bearer,
                    due: step.is_some(),
                    stale: false,
                    cookie_due: bearer == Bearer::Predecessor && !too_early,
                })
            }
            (Bearer::Retired, true) => {
                state.outcome = Outcome::Found { by_thief };
                None
            }
            _ => {
                state.outcome = Outcome::Wrong;
                None
            }
        }
    }

    /// As `commit`: the handler's own writes first, then what is due. Gives back what the response brings.
    fn commit(self, state: &mut State, mut live: Live, writes: Writes) -> Option<Cookie> {
        let unchecked = self.flaw == Flaw::NoCompareAndSet;
        if writes == Writes::Own {
            if live.stale && !unchecked {
                let reloaded = state.row.bearer(live.row.current);
                let secret = match reloaded {
                    Bearer::Current | Bearer::Predecessor => state.row.current,
                    Bearer::Retired | Bearer::Superseded => {
                        // A write of the owner's that is dropped.
                        state.outcome = Outcome::Wrong;
                        return None;
                    }
                };
                live.cookie_due |= secret != live.row.current;
                live.row = state.row;
                live.stale = false;
                if live.bearer != Bearer::Predecessor {
                    live.bearer = reloaded;
                }
            }
            self.write(state, &mut live);
        }
        if live.due && (!live.stale || unchecked) {
            match self.step(&live.row, live.bearer) {
                Some(Step::Offer) => {
                    let generation = live.row.current.generation + 1;
                    let made = &mut state.made[usize::from(generation)];
                    let secret = Cookie {
                        generation,
                        serial: *made,
                    };
                    *made += 1;
                    let mut lineage = live.row.lineage();
                    lineage.offer(Sealed32([0; Sealed32::LENGTH]), Timestamp::from_millis(NOW));
                    live.row.previous = live.row.current;
                    live.row.current = secret;
                    live.row = live.row.with(&lineage);
                    live.bearer = Bearer::Predecessor;
                    self.write(state, &mut live);
                }
                Some(_) => self.write(state, &mut live),
                None => {}
            }
        }
        let cookie = live.cookie_due.then_some(live.row.current);
        if let Some(cookie) = cookie {
            state.handed[usize::from(cookie.generation)] |= 1 << cookie.serial;
        }
        cookie
    }

    /// As `next_record` and the store: the row with the step that is due, in place of the one so far.
    fn write(self, state: &mut State, live: &mut Live) {
        let mut lineage = live.row.lineage();
        match self.step(&live.row, live.bearer) {
            Some(Step::See) => lineage.see(Timestamp::from_millis(NOW)),
            Some(Step::Return) => lineage.take_back(),
            Some(Step::Settle) => {
                lineage.settle();
                state.retired_below = live.row.current.generation;
            }
            Some(Step::Offer) | None => {}
        }
        live.row = live.row.with(&lineage);
        live.cookie_due |= live.bearer == Bearer::Predecessor;
        state.row = live.row;
        for request in &mut state.requests {
            if let Request::Loaded { live, .. } = request {
                live.stale = true;
            }
        }
    }

    fn is_slow(self) -> bool {
        self.flaw == Flaw::SlowerThanTheGrace
    }
}

impl State {
    fn tick(&mut self) {
        self.row = self.row.older();
        let same = self.jar == self.disk;
        self.unflushed = if same { 0 } else { self.unflushed + 1 };
        for request in &mut self.requests {
            match request {
                Request::Free => {}
                Request::Sent { age, .. } | Request::Answered { age, .. } => *age += 1,
                Request::Loaded { live, age, .. } => {
                    live.row = live.row.older();
                    *age += 1;
                }
            }
        }
    }

    fn is_in_time(&self) -> bool {
        let ages = self.requests.iter().map(|request| match request {
            Request::Free => 0,
            Request::Sent { age, .. } | Request::Loaded { age, .. } | Request::Answered { age, .. } => *age,
        });
        ages.max() <= Some(LONGEST_REQUEST) && self.unflushed <= LONGEST_LAG
    }

    /// A request of the owner's that nothing goes wrong with is let in, also right after a crash.
    fn owner_gets_in(&self) -> bool {
        [self.jar, self.disk]
            .map(|cookie| self.row.bearer(cookie))
            .iter()
            .all(|bearer| matches!(bearer, Bearer::Current | Bearer::Predecessor))
    }
}

impl Model for World {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let first = Cookie::default();
        vec![State {
            row: Row {
                current: first,
                previous: first,
                renewed_ago: INTERVAL,
                phase: Phase::Done,
            },
            jar: first,
            disk: first,
            unflushed: 0,
            requests: [Request::Free; REQUESTS],
            crashes_left: self.crashes,
            thief: None,
            made: [1, 0, 0, 0],
            handed: [1, 0, 0, 0],
            retired_below: 0,
            outcome: Outcome::Lives,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.outcome != Outcome::Lives {
            return;
        }
        actions.push(Action::Tick);
        for (at, request) in state.requests.iter().enumerate() {
            match request {
                Request::Free => {}
                Request::Sent { .. } => actions.extend([Action::Load(at), Action::Lose(at)]),
                Request::Loaded { .. } => actions.extend([
                    Action::Commit(at, Writes::Upkeep),
                    Action::Commit(at, Writes::Own),
                    Action::Lose(at),
                ]),
                Request::Answered { .. } => actions.extend([Action::Arrive(at), Action::Lose(at)]),
            }
        }
        // The requests are in order, and the free ones come first.
        if state.requests[0] == Request::Free {
            actions.push(Action::Send(0));
        }
        if state.jar != state.disk {
            actions.push(Action::Flush);
        }
        if state.crashes_left > 0
            && (state.jar != state.disk || state.requests[REQUESTS - 1] != Request::Free)
        {
            actions.push(Action::CrashBrowser);
        }
        if self.thief {
            match state.thief {
                None => actions.extend([Action::CopyJar, Action::CopyDisk]),
                Some(_) => actions.extend([Action::Steal { takes: true }, Action::Steal { takes: false }]),
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Tick => {
                state.tick();
                if !self.is_slow() && !state.is_in_time() {
                    return None;
                }
            }
            Action::Send(at) => {
                state.requests[at] = Request::Sent {
                    cookie: state.jar,
                    age: 0,
                };
            }
            Action::Load(at) => {
                let Request::Sent { cookie, age } = state.requests[at] else {
                    return None;
                };
                state.requests[at] = match self.load(&mut state, cookie, false) {
                    Some(live) => Request::Loaded {
                        live,
                        age,
                        awaited: true,
                    },
                    None => Request::Free,
                };
            }
            Action::Commit(at, writes) => {
                let Request::Loaded { live, age, awaited } = state.requests[at] else {
                    return None;
                };
                state.requests[at] = Request::Free;
                let cookie = self.commit(&mut state, live, writes);
                if let (Some(cookie), true) = (cookie, awaited) {
                    state.requests[at] = Request::Answered { cookie, age };
                }
            }
            Action::Arrive(at) => {
                let Request::Answered { cookie, .. } = state.requests[at] else {
                    return None;
                };
                state.jar = cookie;
                state.requests[at] = Request::Free;
            }
            Action::Lose(at) => state.requests[at] = Request::Free,
            Action::Flush => state.disk = state.jar,
            Action::CrashBrowser => {
                state.crashes_left -= 1;
                state.jar = state.disk;
                for request in &mut state.requests {
                    match request {
                        Request::Answered { .. } => *request = Request::Free,
                        Request::Loaded { awaited, .. } => *awaited = false,
                        // On its way to the server. That its answer is lost, too, is one of the ways it goes on.
                        Request::Sent { .. } | Request::Free => {}
                    }
                }
            }
            Action::CopyJar => state.thief = Some(state.jar),
            Action::CopyDisk => state.thief = Some(state.disk),
            Action::Steal { takes } => {
                let cookie = state.thief?;
                let live = self.load(&mut state, cookie, true);
                let sent = live.and_then(|live| self.commit(&mut state, live, Writes::Upkeep));
                if let (Some(sent), true) = (sent, takes) {
                    state.thief = Some(sent);
                }
            }
        }
        if state.jar == state.disk {
            state.unflushed = 0;
        }
        // Requests are alike, so their order means nothing.
        state.requests.sort_unstable();
        state.requests[..REQUESTS - self.requests]
            .iter()
            .all(|request| *request == Request::Free)
            .then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always(ONE_LINEAGE, |_, state: &State| {
                state.handed.iter().all(|handed| handed.count_ones() <= 1)
            }),
            Property::always(FOUND_AT_ONCE_AND_NEVER_WRONGLY, |_, state: &State| {
                state.outcome != Outcome::Wrong
            }),
            Property::sometimes(A_RENEWAL_ENDS, |world: &Self, state: &State| {
                state.retired_below == world.generations
            }),
        ];
        if self.thief {
            properties.extend([
                Property::sometimes(THIEF_FOUND_BY_THEIR_OWN_USE, |_, state: &State| {
                    state.outcome == Outcome::Found { by_thief: true }
                }),
                Property::sometimes(THIEF_FOUND_BY_THE_OWNERS_USE, |_, state: &State| {
                    state.outcome == Outcome::Found { by_thief: false }
                }),
                Property::sometimes(THIEF_KEEPS_UP, |world: &Self, state: &State| {
                    let kept_up = |thief: Cookie| thief.generation == world.generations;
                    state.retired_below == world.generations && state.thief.is_some_and(kept_up)
                }),
            ]);
        } else {
            properties.extend([
                Property::always(NO_FALSE_ALARM, |_, state: &State| {
                    !matches!(state.outcome, Outcome::Found { .. })
                }),
                Property::always(OWNER_GETS_IN, |_, state: &State| {
                    state.outcome != Outcome::Lives || state.owner_gets_in()
                }),
            ]);
        }
        properties
    }
}

const ONE_LINEAGE: &str = "of one generation one secret is handed out";
const FOUND_AT_ONCE_AND_NEVER_WRONGLY: &str = "a cookie is refused if and only if it has retired";
const A_RENEWAL_ENDS: &str = "the last renewal comes to its end";
const NO_FALSE_ALARM: &str = "without a thief none is found";
const OWNER_GETS_IN: &str = "the owner is let in with what is in the jar and what is on the disk";
const THIEF_FOUND_BY_THEIR_OWN_USE: &str = "a thief is found by their own use";
const THIEF_FOUND_BY_THE_OWNERS_USE: &str = "a thief is found by the owner's use";
const THIEF_KEEPS_UP: &str = "a thief who takes each successor is not found";

const HONEST: World = World {
    requests: 3,
    crashes: 2,
    generations: 1,
    thief: false,
    flaw: Flaw::None,
};

fn builder(world: World) -> CheckerBuilder<World> {
    let threads = available_parallelism().map_or(1, NonZeroUsize::get);
    world.checker().threads(threads)
}

#[track_caller]
fn holds(world: World) {
    let checker = builder(world).spawn_bfs().join();
    println!(
        "{} states, {} steps deep",
        checker.unique_state_count(),
        checker.max_depth()
    );
    checker.assert_properties();
}

/// The flaw has a counterexample.
#[track_caller]
fn is_refuted(flaw: Flaw, property: &'static str) {
    let world = World {
        requests: 2,
        flaw,
        ..HONEST
    };
    let checker = builder(world)
        .finish_when(HasDiscoveries::AllOf([property].into()))
        .spawn_bfs()
        .join();
    let path = checker.assert_any_discovery(property);
    println!(
        "{} states; refuted by {:?}",
        checker.unique_state_count(),
        path.into_actions()
    );
}

#[test]
fn one_renewal_with_three_requests_at_once_never_takes_the_owner_for_a_thief() {
    holds(World { crashes: 1, ..HONEST });
}

#[test]
fn two_renewals_with_two_requests_at_once_never_take_the_owner_for_a_thief() {
    holds(World {
        requests: 2,
        generations: 2,
        ..HONEST
    });
}

#[test]
fn whoever_uses_a_retired_cookie_is_found_at_that_use_and_nobody_else() {
    holds(World {
        requests: 2,
        crashes: 0,
        generations: 2,
        thief: true,
        ..HONEST
    });
}

#[test]
fn without_the_grace_the_model_finds_a_false_alarm() {
    is_refuted(Flaw::NoGrace, NO_FALSE_ALARM);
}

#[test]
fn without_the_return_the_model_finds_a_false_alarm() {
    is_refuted(Flaw::NoReturn, NO_FALSE_ALARM);
}

#[test]
fn with_a_successor_that_is_handed_on_too_early_the_model_finds_a_false_alarm() {
    is_refuted(Flaw::HandedOnTooEarly, NO_FALSE_ALARM);
}

#[test]
fn without_compare_and_set_the_model_finds_two_lineages() {
    is_refuted(Flaw::NoCompareAndSet, ONE_LINEAGE);
}

#[test]
fn with_requests_slower_than_the_grace_the_model_finds_a_false_alarm() {
    is_refuted(Flaw::SlowerThanTheGrace, NO_FALSE_ALARM);
}
