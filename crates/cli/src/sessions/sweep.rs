//! `tenure sessions sweep`.

use serde::Serialize;

use super::At;
use super::progress::Progress;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// What programs get. This name stays as it is.
#[derive(Serialize)]
struct Swept {
    removed: u64,
}

pub(super) async fn run(at: &At) -> Result<Exit, Failure> {
    let administration = at.place.open().await?;
    let progress = Progress::towards(None, "removed");
    let removed = administration
        .sweep(|so_far| progress.has_come_to(so_far))
        .await?;
    drop(progress);
    if at.json {
        output::print_json(&Swept { removed })?;
    } else {
        output::print(&format!("Removed {removed} that had expired.\n"))?;
    }
    Ok(Exit::Well)
}
