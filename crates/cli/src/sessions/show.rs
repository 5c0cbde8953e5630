//! `tenure sessions show`.

use tenure_core::{Expiry, Lifetime, SessionDetails, SessionId, Timestamp};

use super::details::{self, Reported};
use super::{At, table};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{output, times};

pub(super) async fn run(id: SessionId, at: &At) -> Result<Exit, Failure> {
    let administration = at.place.open().await?;
    let found = administration.find(id).await?;
    let session = found.ok_or(Failure::NoSession(id))?;
    if at.json {
        output::print_json(&Reported::of(&session))?;
    } else {
        output::print(&text(&session, administration.now()))?;
    }
    Ok(Exit::Well)
}

fn text(session: &SessionDetails, now: Timestamp) -> String {
    let moment = |at| times::moment_and_distance(at, now);
    let state = match session.expired {
        None => "live",
        Some(Expiry::Idle) => "expired, by the idle timeout",
        Some(Expiry::Absolute) => "expired, by the absolute timeout",
    };
    let lifetime = match session.lifetime {
        Lifetime::Standard => "standard",
        Lifetime::Remembered => "remembered",
    };
    let rows = [
        ("id", session.id.to_string()),
        ("state", state.to_owned()),
        ("owner", details::owner(session)),
        ("created", moment(session.created_at)),
        (
            "signed in",
            session.signed_in_at.map_or_else(|| "never".to_owned(), moment),
        ),
        ("last seen", moment(session.last_seen_at)),
        ("ends if idle", moment(session.expires.idle)),
        ("ends at all", moment(session.expires.absolute)),
        ("lifetime", lifetime.to_owned()),
        ("device", details::device(session)),
    ];
    let rows = rows.map(|(name, value)| [name.to_owned(), value]);
    format!("{}\n", table::of(None, rows))
}
