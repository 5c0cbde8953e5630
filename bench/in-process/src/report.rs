//! The table, the pictures, and the bounds.

use measure::{Bound, Options, Payload, Row, Table, Task, Work, draw_added, heading, raw, text};

use crate::Tried;
use crate::contenders::{TENURE_SEALED, TENURE_UNSEALED, TOWER_SESSIONS_SIGNED};

/// # Errors
/// If they cannot be written.
pub fn write(rows: &[Row], candidates: &[Tried], options: &Options) -> anyhow::Result<Vec<Bound>> {
    raw("in-process", &rows)?;
    let bounds = bounds(rows)?;
    text("in-process.md", &page(rows, candidates, &bounds, options))?;
    for task in Task::ALL {
        draw(rows, task)?;
    }
    Ok(bounds)
}

fn page(rows: &[Row], candidates: &[Tried], bounds: &[Bound], options: &Options) -> String {
    let mut page = heading("In process", options.is_quick);
    page += &format!(
        "axum's `Router::oneshot`, sessions in memory and warm, a valid cookie in every request; what each adds to the bare router. \
         {} alternating rounds of {} requests; the ratio is to {TOWER_SESSIONS_SIGNED}.\n\n",
        options.rounds, options.requests_a_round
    );
    let mut versions = Table::new(&["library", "version", ""]);
    for tried in candidates {
        let failure = tried.failure.clone().unwrap_or_default();
        versions.row(&[tried.candidate.name, &tried.candidate.version, &failure]);
    }
    page += &versions.finish();
    page += "\n## Bounds\n\n";
    for bound in bounds {
        page += &format!("- {bound}\n");
    }
    for row in rows {
        page += &format!("\n## {}\n\n", row.work);
        page += &row.table(TOWER_SESSIONS_SIGNED);
    }
    page
}

fn draw(rows: &[Row], task: Task) -> anyhow::Result<()> {
    let title = format!("Added to a request whose handler {task} the session (1 key)");
    draw_added(rows, task, &format!("in-process-{task}"), &title)
}

/// What has to be shown of sessions of one key, against tower-sessions signed in the same run.
fn bounds(rows: &[Row]) -> anyhow::Result<Vec<Bound>> {
    let required = [
        (Task::Ignore, TENURE_SEALED, 0.22, 9.0),
        (Task::Read, TENURE_UNSEALED, 0.5, 13.0),
        (Task::Read, TENURE_SEALED, 0.7, 14.0),
        (Task::Write, TENURE_SEALED, 0.75, 20.0),
    ];
    let mut bounds = Vec::new();
    for (task, name, ratio, allocations) in required {
        let row = rows
            .iter()
            .find(|row| row.work == Work::new(task, Payload::OneKey));
        let row = row.ok_or_else(|| anyhow::anyhow!("{task} was not measured"))?;
        let of = |name: &str| {
            let found = row.measured.iter().find(|one| one.name == name);
            found.ok_or_else(|| anyhow::anyhow!("{name} was not measured"))
        };
        let (ours, theirs) = (of(name)?, of(TOWER_SESSIONS_SIGNED)?);
        let is = ours.added.median / theirs.added.median;
        let what = format!("{name}, {task}: time added, of {TOWER_SESSIONS_SIGNED}");
        bounds.push(Bound::at_most(what, ratio, is));
        let what = format!("{name}, {task}: allocations added");
        bounds.push(Bound::at_most(what, allocations, ours.allocations as f64));
    }
    Ok(bounds)
}
