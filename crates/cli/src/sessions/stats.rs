//! `tenure sessions stats`.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use tenure_core::{Administration, Lifetime, Owner, SessionDetails, SessionId};

use super::progress::Progress;
use super::{At, table};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// How many are asked for at a time.
const PAGE: u32 = 500;

/// What programs get. These names stay as they are. All but the last are of live sessions.
#[derive(Default, Serialize)]
struct Stats {
    live: u64,
    signed_in: u64,
    anonymous: u64,
    owners: u64,
    most_of_one_owner: u64,
    standard: u64,
    remembered: u64,
    /// Expired, and still in the store.
    expired: u64,
}

pub(super) async fn run(at: &At) -> Result<Exit, Failure> {
    let administration = at.place.open().await?;
    let stats = count(&administration).await?;
    if at.json {
        output::print_json(&stats)?;
    } else {
        output::print(&stats.text())?;
    }
    Ok(Exit::Well)
}

async fn count(administration: &Administration) -> Result<Stats, Failure> {
    let progress = Progress::towards(None, "sessions counted");
    let mut census = Census::default();
    let mut after = None;
    loop {
        let page = administration.page(after.as_ref(), PAGE).await?;
        page.sessions
            .into_iter()
            .for_each(|session| census.count(session));
        progress.has_come_to(census.seen.len() as u64);
        after = match page.next {
            Some(next) => Some(next),
            None => return Ok(census.result()),
        };
    }
}

#[derive(Default)]
struct Census {
    stats: Stats,
    /// A store may show a session twice on a walk.
    seen: HashSet<SessionId>,
    of_owner: HashMap<Owner, u64>,
}

impl Census {
    fn count(&mut self, session: SessionDetails) {
        if !self.seen.insert(session.id) {
            return;
        }
        if session.expired.is_some() {
            self.stats.expired += 1;
            return;
        }
        self.stats.live += 1;
        match session.lifetime {
            Lifetime::Standard => self.stats.standard += 1,
            Lifetime::Remembered => self.stats.remembered += 1,
        }
        match session.owner {
            Some(owner) => {
                self.stats.signed_in += 1;
                *self.of_owner.entry(owner).or_default() += 1;
            }
            None => self.stats.anonymous += 1,
        }
    }

    fn result(self) -> Stats {
        Stats {
            owners: self.of_owner.len() as u64,
            most_of_one_owner: self.of_owner.into_values().max().unwrap_or(0),
            ..self.stats
        }
    }
}

impl Stats {
    fn text(&self) -> String {
        let rows = [
            ("live", self.live),
            ("  signed in", self.signed_in),
            ("  anonymous", self.anonymous),
            ("  standard", self.standard),
            ("  remembered", self.remembered),
            ("owners", self.owners),
            ("most of one owner", self.most_of_one_owner),
            ("expired, not swept", self.expired),
        ];
        let rows = rows.map(|(name, number)| [name.to_owned(), number.to_string()]);
        format!("{}\n", table::of(None, rows))
    }
}
