//! The site that every library serves, and what a visitor can ask of it.
//!
//! | request | what its handler does |
//! | --- | --- |
//! | `GET /value/KEY` | answers with the value, or with `nothing` |
//! | `POST /value/KEY/VALUE` | writes it |
//! | `POST /cleared/KEY/VALUE` | empties the session and writes it |
//! | `POST /sign-in` | as the library says a sign-in is done: renews, and writes `user` |
//! | `POST /sign-out` | as the library says a session is ended |
//! | `POST /renew-and-fail` | renews, and answers 500 |
//! | `POST /held/value/KEY/VALUE` | reads `user`, waits for the end of the request's body, and writes |
//! | `POST /held/count` | reads `user`, waits for the end of the request's body, and adds one to `count` |
//! | `GET /held/for-ever` | writes `late`, and waits until its visitor has gone |
//! | `GET /control/waiting` | how many handlers wait |
//! | `POST /control/loads/fail`, `…/work` | whether the store fails to load |
//! | `GET /control/dump` | the texts that somebody would find who steals the database, as a JSON list |
//! | `GET /control/forgery` | the cookies that somebody makes of that who also has the secret that cookies are signed with, as JSON; the request brings a genuine one |
//!
//! The last four pass by the library. A site runs as two instances that share one store.

use std::net::SocketAddr;

/// Two instances that share one store.
pub trait Site {
    fn instance(&self, which: Instance) -> SocketAddr;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instance {
    A,
    B,
}

/// The keys that the probes use.
pub const KEYS: [&str; 5] = ["user", "a", "b", "late", "count"];

pub const NOTHING: &str = "nothing";

/// One of the keys, for libraries whose keys are constants.
pub fn known_key(name: &str) -> anyhow::Result<&'static str> {
    let found = KEYS.into_iter().find(|key| *key == name);
    found.ok_or_else(|| anyhow::anyhow!("{name} is no key of the probes"))
}
