//! Sessions in a SQLite file: how many are made, loaded and saved a second.

mod keeper;
mod keepers;
mod report;
mod tasks;

use std::process::ExitCode;

use measure::{Options, conclude, results_folder};
use tokio::runtime::Runtime;

use crate::keeper::Durability;
use crate::keepers::KINDS;
use crate::report::Row;
use crate::tasks::Task;

fn main() -> anyhow::Result<ExitCode> {
    let options = Options::from_args()?;
    let runtime = Runtime::new()?;
    let mut rows = Vec::new();
    for durability in [Durability::Full, Durability::Normal] {
        rows.extend(runtime.block_on(measured(durability, &options))?);
    }
    let bounds = report::write(&rows, &options)?;
    conclude("sqlite", &bounds)
}

async fn measured(durability: Durability, options: &Options) -> anyhow::Result<Vec<Row>> {
    let rounds = if options.is_quick { 2 } else { 15 };
    // On the disk that the project is on; some systems keep temporary files in memory.
    std::fs::create_dir_all(results_folder())?;
    let folder = tempfile::tempdir_in(results_folder())?;
    let mut keepers = Vec::new();
    for kind in &KINDS {
        let file = folder.path().join(format!("{}.db", kind.name));
        keepers.push((kind.open)(file, durability).await?);
    }
    let mut rows: Vec<_> = KINDS.iter().map(|kind| Row::new(kind, durability)).collect();
    for keeper in &keepers {
        tasks::prepare(keeper).await?;
    }
    for round in 0..rounds {
        eprintln!("sqlite: {durability}: round {} of {rounds}", round + 1);
        for task in Task::ALL {
            for (row, keeper) in rows.iter_mut().zip(&keepers) {
                row.keep(task, task.rate(keeper).await?);
            }
        }
    }
    Ok(rows)
}
