//! `tenure sessions revoke`, `revoke-owner` and `revoke-all`.

use serde::Serialize;
use tenure_core::{Owner, SessionId};

use super::progress::Progress;
use super::{At, Leave, ask};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// What programs get. These names stay as they are.
#[derive(Serialize)]
struct OfIds {
    revoked: Vec<String>,
    not_found: Vec<String>,
}

#[derive(Serialize)]
struct OfOwner<'a> {
    owner: &'a str,
    revoked: u64,
}

#[derive(Serialize)]
struct All {
    revoked: u64,
}

pub(super) async fn some(ids: &[SessionId], at: &At, leave: &Leave) -> Result<Exit, Failure> {
    ask::leave_to(&format!("End {}?", counted(ids.len() as u64)), leave)?;
    let administration = at.place.open().await?;
    let (mut revoked, mut not_found) = (Vec::new(), Vec::new());
    let mut failure = None;
    for id in ids {
        let those = match administration.revoke(*id).await {
            Ok(true) => &mut revoked,
            Ok(false) => &mut not_found,
            Err(error) => {
                failure = Some(error);
                break;
            }
        };
        those.push(id.to_string());
    }
    let exit = if not_found.is_empty() {
        Exit::Well
    } else {
        Exit::Unfit
    };
    if at.json {
        output::print_json(&OfIds { revoked, not_found })?;
    } else {
        output::print(&ended(revoked.len() as u64))?;
        for id in not_found {
            output::print(&format!("There was no session {id}.\n"))?;
        }
    }
    // Only now, so that what was ended before is told.
    failure.map_or(Ok(exit), |error| Err(error.into()))
}

pub(super) async fn of_owner(
    owner: &Owner,
    except: Option<SessionId>,
    at: &At,
    leave: &Leave,
) -> Result<Exit, Failure> {
    let spared = if except.is_some() { " but one" } else { "" };
    ask::leave_to(
        &format!("End all sessions of {:?}{spared}?", owner.as_str()),
        leave,
    )?;
    let administration = at.place.open().await?;
    let revoked = administration.revoke_owner(owner, except).await?;
    if at.json {
        let owner = owner.as_str();
        output::print_json(&OfOwner { owner, revoked })?;
    } else {
        output::print(&ended(revoked))?;
    }
    Ok(Exit::Well)
}

pub(super) async fn all(at: &At, leave: &Leave) -> Result<Exit, Failure> {
    ask::leave_by_words(
        "This signs everybody out, and ends the sessions of those who are not signed in.",
        "end all sessions",
        leave,
    )?;
    let administration = at.place.open().await?;
    let progress = Progress::towards(Some(administration.count().await?), "sessions ended");
    let revoked = administration
        .revoke_all(|so_far| progress.has_come_to(so_far))
        .await?;
    drop(progress);
    if at.json {
        output::print_json(&All { revoked })?;
    } else {
        output::print(&ended(revoked))?;
    }
    Ok(Exit::Well)
}

fn ended(sessions: u64) -> String {
    format!("{} ended.\n", counted(sessions))
}

fn counted(sessions: u64) -> String {
    match sessions {
        1 => "1 session".to_owned(),
        _ => format!("{sessions} sessions"),
    }
}
