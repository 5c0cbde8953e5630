//! The one command: runs the parts of the comparison, and sums them up in `results/README.md`.

mod part;
mod selection;
mod summary;

use std::process::ExitCode;

use measure::MISSED;

use crate::part::Ending;
use crate::selection::Selection;

fn main() -> anyhow::Result<ExitCode> {
    let selection = Selection::from_args()?;
    let mut endings = Vec::new();
    for part in &selection.parts {
        eprintln!("== {}", part.name);
        endings.push((part.name, part.run(selection.is_quick)?));
    }
    let summary = summary::write()?;
    println!("\nThe table: {}", summary.display());
    for (name, ending) in &endings {
        println!("{name}: {ending}");
    }
    let ended = |which: Ending| endings.iter().any(|(_, ending)| *ending == which);
    Ok(if ended(Ending::Failed) {
        ExitCode::FAILURE
    } else if ended(Ending::Missed) {
        ExitCode::from(MISSED)
    } else {
        ExitCode::SUCCESS
    })
}
