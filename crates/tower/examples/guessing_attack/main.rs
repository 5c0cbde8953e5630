//! Attacks a server with a million forged cookies from 50,000 addresses, and measures what the users beside it feel:
//! the time of their requests in windows with and without the attack, in turns. Fails where a user waits more than 1.3
//! times as long, where a guess reached the store, or where the server's memory grew by more than 32 MiB.
//!
//! `cargo run --release -p tenure-tower --example guessing_attack [GUESSES ADDRESSES PER_SECOND]`; needs Linux.

#![allow(clippy::print_stdout, reason = "it is what a command is for")]

mod attack;
mod connection;
mod cost;
mod server;
mod site;
mod users;

use std::error::Error;
use std::str::FromStr;
use std::time::{Duration, Instant};

use attack::{Attack, Outcomes};
use server::Server;
use users::Users;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const MAX_RATIO: f64 = 1.3;
const MAX_GROWTH_KIB: i64 = 32 * 1024;

/// How long the attack is on, and then off.
const WINDOW: Duration = Duration::from_secs(1);

#[tokio::main]
async fn main() -> Outcome {
    if std::env::args().nth(1).as_deref() == Some("serve") {
        return server::serve().await;
    }
    cost::print().await?;
    let attack = Attack {
        guesses: argument(1, 1_000_000)?,
        addresses: argument(2, 50_000)?,
    };
    let per_second: usize = argument(3, 12_000)?;
    let server = Server::start().await?;
    let mut users = Users::sign_in(server.address, attack.address_of_a_guesser()).await?;
    users.measure_for(WINDOW).await?;
    users.forget_times();
    let before = server.resident_kib()?;

    let mut guessers = attack.begin(server.address, &users.cookie).await?;
    let (mut quiet, mut attacked) = (Vec::new(), Vec::new());
    let (mut outcomes, mut busy) = (Outcomes::default(), Duration::ZERO);
    while guessers.have_guesses() {
        users.measure_for(WINDOW).await?;
        quiet.append(&mut users.forget_times());
        let began = Instant::now();
        let (of_window, measured) =
            tokio::join!(guessers.guess_for(WINDOW, per_second), users.measure_for(WINDOW));
        measured?;
        outcomes.add(&of_window?);
        busy += began.elapsed();
        attacked.append(&mut users.forget_times());
    }
    let growth = server.resident_kib()? - before;

    let seen = server.seen().await?;
    let rate = outcomes.total() as f64 / busy.as_secs_f64();
    println!(
        "{} guesses from {} addresses, {rate:.0} a second while it was on: {} within the budget, {} answered with 429",
        outcomes.total(),
        attack.addresses,
        outcomes.served,
        outcomes.refused
    );
    println!(
        "the store: {} calls, for {} requests of users; events: {}",
        seen.store_calls, users.requests, seen.events
    );
    println!("the server's memory: {before} KiB before, {growth} KiB more after");
    let (quiet, attacked) = (median(quiet)?, median(attacked)?);
    let ratio = attacked.as_secs_f64() / quiet.as_secs_f64();
    println!(
        "a user's request, median: {quiet:?} without the attack, {attacked:?} with it: {ratio:.2} times"
    );

    holds(ratio <= MAX_RATIO, "users wait too long")?;
    holds(growth <= MAX_GROWTH_KIB, "the memory grew too much")?;
    holds(seen.store_calls == users.requests, "a guess reached the store")?;
    holds(users.refused == 0, "a user was refused")
}

fn argument<T: FromStr>(position: usize, default: T) -> Outcome<T>
where
    T::Err: Error + 'static,
{
    match std::env::args().nth(position) {
        Some(text) => Ok(text.parse()?),
        None => Ok(default),
    }
}

fn median(mut times: Vec<Duration>) -> Outcome<Duration> {
    times.sort_unstable();
    let middle = times.get(times.len() / 2).copied();
    middle.ok_or_else(|| "nothing was measured".into())
}

fn holds(claim: bool, otherwise: &str) -> Outcome {
    if claim { Ok(()) } else { Err(otherwise.into()) }
}
