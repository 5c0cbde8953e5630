//! `tenure sessions list`.

use std::collections::HashSet;
use std::ops::ControlFlow;

use tenure_core::{Administration, SessionDetails, SessionId, Timestamp};

use super::details::{self, Reported};
use super::{List, table};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{output, times};

/// How many are asked for at a time.
const PAGE: u32 = 500;

pub(super) async fn run(list: &List) -> Result<Exit, Failure> {
    let administration = list.at.place.open().await?;
    let mut printer = Printer::new(list, administration.now());
    match &list.owner {
        Some(owner) => {
            let sessions = administration.of_owner(owner).await?;
            let _ = printer.take(sessions)?;
        }
        None => walk(&administration, &mut printer).await?,
    }
    printer.finish()?;
    Ok(Exit::Well)
}

async fn walk(administration: &Administration, printer: &mut Printer) -> Result<(), Failure> {
    let mut after = None;
    loop {
        let page = administration.page(after.as_ref(), PAGE).await?;
        if printer.take(page.sessions)?.is_break() || page.next.is_none() {
            return Ok(());
        }
        after = page.next;
    }
}

/// Prints each session once, line by line for programs, and as a table at the end for people.
struct Printer {
    json: bool,
    left: Option<u64>,
    now: Timestamp,
    seen: HashSet<SessionId>,
    rows: Vec<[String; 5]>,
    more: bool,
}

impl Printer {
    fn new(list: &List, now: Timestamp) -> Self {
        Self {
            json: list.at.json,
            left: (!list.all).then_some(list.limit),
            now,
            seen: HashSet::new(),
            rows: Vec::new(),
            more: false,
        }
    }

    fn take(&mut self, sessions: Vec<SessionDetails>) -> Result<ControlFlow<()>, Failure> {
        for session in sessions {
            // A store may show a session twice on a walk.
            if session.expired.is_some() || !self.seen.insert(session.id) {
                continue;
            }
            if self.left == Some(0) {
                self.more = true;
                return Ok(ControlFlow::Break(()));
            }
            self.left = self.left.map(|left| left - 1);
            if self.print(&session)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn print(&mut self, session: &SessionDetails) -> Result<ControlFlow<()>, Failure> {
        if self.json {
            return output::print_json_line(&Reported::of(session));
        }
        self.rows.push([
            session.id.to_string(),
            details::owner(session),
            times::distance(session.last_seen_at, self.now),
            times::distance(session.expires.idle, self.now),
            details::device(session),
        ]);
        Ok(ControlFlow::Continue(()))
    }

    fn finish(self) -> Result<(), Failure> {
        if !self.json {
            let text = if self.rows.is_empty() {
                "No session is alive.\n".to_owned()
            } else {
                let header = ["ID", "OWNER", "LAST SEEN", "ENDS", "DEVICE"];
                format!("{}\n", table::of(Some(header), self.rows))
            };
            output::print(&text)?;
        }
        if self.more {
            output::remark("There are more; see --limit and --all.");
        }
        Ok(())
    }
}
