//! The probes: what a visitor does, and what must not come of it.

mod adoption;
mod cancelled;
mod dump;
mod failing_load;
mod instances;
mod late_write;
mod lost_update;
mod renewal;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::site::{Instance, Site};
use measure::Visitor;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Finding {
    /// As it must be.
    Held,
    /// Not as it must be; this happened.
    Broken(String),
    /// The library has nothing of the kind, for this reason.
    NotApplicable(String),
}

pub struct Probe {
    pub name: &'static str,
    pub must: &'static str,
    pub run: fn(&dyn Site) -> anyhow::Result<Finding>,
}

pub const PROBES: [Probe; 12] = [
    Probe {
        name: "late write after logout",
        must: "a request that was under way when the user signed out brings nothing back",
        run: late_write::after_logout,
    },
    Probe {
        name: "lost update, different keys",
        must: "of two requests at once that write different keys both are kept",
        run: lost_update::of_different_keys,
    },
    Probe {
        name: "lost update, one counter",
        must: "two requests at once that each add one add two",
        run: lost_update::of_one_counter,
    },
    Probe {
        name: "an ended session's cookie",
        must: "what a visitor writes who bears the cookie of an ended session is not readable by whoever planted it",
        run: adoption::of_an_ended_session,
    },
    Probe {
        name: "an ended session's cookie, clear first",
        must: "the same where the handler empties the session before it writes",
        run: adoption::of_an_ended_session_cleared,
    },
    Probe {
        name: "a cookie that was made up",
        must: "the same with the cookie of a session that never was",
        run: adoption::of_a_made_up_cookie,
    },
    Probe {
        name: "5xx after renewal",
        must: "a handler that renews the session and then fails costs nobody the session",
        run: renewal::then_a_failure,
    },
    Probe {
        name: "write while loads fail",
        must: "where the store fails to load for a while, nothing that it holds is overwritten",
        run: failing_load::then_a_write,
    },
    Probe {
        name: "logout after a cancelled request",
        must: "signing out works after a request whose visitor went away",
        run: cancelled::then_a_logout,
    },
    Probe {
        name: "ended on A, read on B",
        must: "a session that one instance ended is not readable on the other",
        run: instances::ended_on_the_other,
    },
    Probe {
        name: "a dump as cookies",
        must: "nothing that stands in the store opens a session when it is sent as the cookie",
        run: dump::as_cookies,
    },
    Probe {
        name: "a dump and the secret",
        must: "nothing that can be made of what stands in the store and of the secret for cookies opens a session when it is \
               sent as the cookie",
        run: dump::as_signed_cookies,
    },
];

const WAITS_WITHIN: Duration = Duration::from_secs(5);

/// What the probes do again and again.
struct Scene<'a> {
    site: &'a dyn Site,
}

impl<'a> Scene<'a> {
    fn of(site: &'a dyn Site) -> Self {
        Self { site }
    }

    fn a(&self) -> SocketAddr {
        self.site.instance(Instance::A)
    }

    fn b(&self) -> SocketAddr {
        self.site.instance(Instance::B)
    }

    /// Somebody who has a session and is signed in.
    fn signed_in(&self) -> anyhow::Result<Visitor> {
        let mut visitor = Visitor::default();
        self.must_post(&mut visitor, "/value/a/before")?;
        self.must_post(&mut visitor, "/sign-in")?;
        anyhow::ensure!(
            self.value(&mut visitor, "user")? == "ada",
            "signing in does not work"
        );
        Ok(visitor)
    }

    fn must_post(&self, visitor: &mut Visitor, path: &str) -> anyhow::Result<()> {
        let answer = visitor.post(self.a(), path)?;
        anyhow::ensure!(answer.status == 200, "{path}: {} {}", answer.status, answer.body);
        Ok(())
    }

    fn value(&self, visitor: &mut Visitor, key: &str) -> anyhow::Result<String> {
        value_at(self.a(), visitor, key)
    }

    fn wait_for(&self, waiting: usize) -> anyhow::Result<()> {
        let started = Instant::now();
        while Visitor::default().get(self.a(), "/control/waiting")?.body != waiting.to_string() {
            anyhow::ensure!(
                started.elapsed() < WAITS_WITHIN,
                "{waiting} handlers do not come to wait"
            );
            std::thread::yield_now();
        }
        Ok(())
    }
}

/// An answer that is no success reads as nothing: it shows nothing.
fn value_at(instance: SocketAddr, visitor: &mut Visitor, key: &str) -> anyhow::Result<String> {
    let answer = visitor.get(instance, &format!("/value/{key}"))?;
    Ok(if answer.status == 200 {
        answer.body
    } else {
        crate::site::NOTHING.to_owned()
    })
}
