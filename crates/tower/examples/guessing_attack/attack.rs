//! The guessers: many addresses, each of which guesses as often as the others, over a few connections.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::time::Instant;

use crate::connection::Connection;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Attack {
    pub(crate) guesses: usize,
    pub(crate) addresses: usize,
}

/// An attack that is under way.
pub(crate) struct Guessers {
    attack: Attack,
    made: usize,
    /// A genuine cookie, as a pattern for forged ones.
    genuine: String,
    connections: Vec<Connection>,
}

/// How the guesses were answered.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outcomes {
    pub(crate) served: usize,
    pub(crate) refused: usize,
}

const CONNECTIONS: usize = 8;

/// How many guesses are made before it is looked whether they are too early.
const BATCH: usize = 32;

impl Attack {
    pub(crate) async fn begin(self, server: SocketAddr, genuine: &str) -> io::Result<Guessers> {
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            connections.push(Connection::open(server).await?);
        }
        Ok(Guessers {
            attack: self,
            made: 0,
            genuine: genuine.to_owned(),
            connections,
        })
    }

    pub(crate) fn address_of_a_guesser(&self) -> IpAddr {
        self.address(0)
    }

    /// Each address makes its guesses in a row.
    fn address(&self, guess: usize) -> IpAddr {
        let each = self.guesses.div_ceil(self.addresses);
        let number = u32::try_from(guess / each).unwrap_or(u32::MAX);
        Ipv4Addr::from_bits(0x0a00_0000 + number).into()
    }
}

impl Guessers {
    pub(crate) fn have_guesses(&self) -> bool {
        self.made < self.attack.guesses
    }

    /// Guesses at this rate, until the time is over or the guesses are made.
    pub(crate) async fn guess_for(&mut self, time: Duration, per_second: usize) -> io::Result<Outcomes> {
        let begun = Instant::now();
        let mut outcomes = Outcomes::default();
        while self.have_guesses() && begun.elapsed() < time {
            outcomes.add(&self.guess_once_on_each(BATCH).await?);
            let due = Duration::from_secs_f64(outcomes.total() as f64 / per_second as f64);
            tokio::time::sleep_until(begun + due).await;
        }
        Ok(outcomes)
    }

    async fn guess_once_on_each(&mut self, batch: usize) -> io::Result<Outcomes> {
        let (attack, genuine, first) = (self.attack, self.genuine.as_str(), self.made);
        let last = (first + batch).min(attack.guesses);
        self.made = last;
        let lanes = self
            .connections
            .iter_mut()
            .enumerate()
            .map(|(lane, connection)| async move {
                let mut outcomes = Outcomes::default();
                for guess in (first + lane..last).step_by(CONNECTIONS) {
                    let cookie = forged(genuine, guess);
                    let response = connection.get("/reads", attack.address(guess), &cookie).await?;
                    match response.status {
                        200 => outcomes.served += 1,
                        429 => outcomes.refused += 1,
                        status => {
                            return Err(io::Error::other(format!("a guess was answered with {status}")));
                        }
                    }
                }
                Ok(outcomes)
            });
        let mut all = Outcomes::default();
        for outcomes in futures_util::future::join_all(lanes).await {
            all.add(&outcomes?);
        }
        Ok(all)
    }
}

/// Of ten, eight have the form and the key id of a genuine cookie, so that they cost an HMAC; one names a key that
/// nobody has, and one is garbage.
fn forged(genuine: &str, guess: usize) -> String {
    match guess % 10 {
        0 => format!("{}garbage{guess}", &genuine[..20]),
        1 => format!("{}AAAA{}", &genuine[..17], &genuine[21..]),
        _ => format!("{}{guess:08}{}", &genuine[..60], &genuine[68..]),
    }
}

impl Outcomes {
    pub(crate) fn add(&mut self, other: &Self) {
        self.served += other.served;
        self.refused += other.refused;
    }

    pub(crate) fn total(&self) -> usize {
        self.served + self.refused
    }
}
