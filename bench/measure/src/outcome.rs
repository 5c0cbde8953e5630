//! How a part of the comparison ends.

use std::fs;
use std::process::ExitCode;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::bound::{Bound, Verdict};
use crate::results::{raw, results_folder};

/// What a part's process ends with if a bound was missed. Where it could not be run it ends with 1.
pub const MISSED: u8 = 3;

/// What a part had to show.
#[derive(Debug, Serialize, Deserialize)]
pub struct Outcome {
    pub bounds: Vec<Bound>,
}

/// Prints the bounds, and keeps them for the summary.
///
/// # Errors
/// If they cannot be written.
pub fn conclude(part: &str, bounds: &[Bound]) -> anyhow::Result<ExitCode> {
    for bound in bounds {
        println!("{bound}");
    }
    let outcome = Outcome {
        bounds: bounds.to_vec(),
    };
    raw(&format!("{part}.bounds"), &outcome)?;
    let are_met = bounds.iter().all(|bound| bound.verdict() == Verdict::Met);
    Ok(if are_met {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(MISSED)
    })
}

/// What was kept of a part that has run, now or some time before.
///
/// # Errors
/// If it does not read.
pub fn outcome_of(part: &str) -> anyhow::Result<Option<Outcome>> {
    let file = results_folder().join(format!("{part}.bounds.json"));
    if !file.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(&file)?;
    let outcome =
        serde_json::from_str(&text).with_context(|| format!("{} was written by a part", file.display()))?;
    Ok(Some(outcome))
}
