//! Rounds in turn, so that whatever else the machine does falls on all of them alike.

use std::time::Duration;

use allocation_counter::AllocationInfo;
use serde::Serialize;

use crate::figures::Spread;
use crate::options::Options;

/// One library with one row's work.
pub trait Subject {
    /// Serves so many requests, one after another, and says how long that took without making the requests.
    fn serve(&mut self, requests: u32) -> Duration;

    /// What one request takes from the heap, on the thread that serves it.
    fn allocations(&mut self) -> AllocationInfo;
}

pub struct Contender {
    pub name: String,
    pub subject: Box<dyn Subject>,
}

/// What a contender added over the bare baseline.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    pub name: String,
    /// Nanoseconds a request.
    pub added: Spread,
    pub allocations: i64,
    pub bytes: i64,
    /// Nanoseconds a request in all, for each round.
    pub rounds: Vec<f64>,
}

/// Measures them all in turn. The first is the bare baseline.
///
/// # Panics
/// If there is none.
pub fn measure(contenders: &mut [Contender], options: &Options) -> Vec<Measured> {
    let mut rounds = vec![Vec::new(); contenders.len()];
    for contender in contenders.iter_mut() {
        contender.subject.serve(options.requests_a_round);
    }
    for _ in 0..options.rounds {
        for (contender, rounds) in contenders.iter_mut().zip(&mut rounds) {
            let took = contender.subject.serve(options.requests_a_round);
            rounds.push(took.as_nanos() as f64 / f64::from(options.requests_a_round));
        }
    }
    let heap: Vec<_> = contenders.iter_mut().map(least_allocations).collect();
    let bare = rounds
        .first()
        .expect("a baseline is among the contenders")
        .clone();
    let bare_best = Spread::of(&bare).best;
    contenders
        .iter()
        .zip(rounds)
        .zip(&heap)
        .map(|((contender, rounds), of_it)| {
            let differences: Vec<_> = rounds.iter().zip(&bare).map(|(all, bare)| all - bare).collect();
            Measured {
                name: contender.name.clone(),
                added: Spread {
                    best: Spread::of(&rounds).best - bare_best,
                    ..Spread::of(&differences)
                },
                allocations: of_it.0 - heap[0].0,
                bytes: of_it.1 - heap[0].1,
                rounds,
            }
        })
        .collect()
}

/// Of several requests, for one may meet the growing of a map.
fn least_allocations(contender: &mut Contender) -> (i64, i64) {
    (0..20)
        .map(|_| contender.subject.allocations())
        .map(|heap| (heap.count_total as i64, heap.bytes_total as i64))
        .min()
        .unwrap_or_default()
}
