//! What a request costs, as what it meets grows.

mod contents;
mod keys;
mod live_sessions;
mod report;
mod site;
mod size;
mod writers;

use std::process::ExitCode;

use measure::{Options, conclude};
use serde::Serialize;

/// A request's cost over one argument.
#[derive(Debug, Serialize)]
pub struct Growth {
    pub name: &'static str,
    pub argument: &'static str,
    pub curves: Vec<Measured>,
}

#[derive(Debug, Serialize)]
pub struct Measured {
    pub name: &'static str,
    /// The argument, and the nanoseconds of a request.
    pub points: Vec<(f64, f64)>,
}

fn main() -> anyhow::Result<ExitCode> {
    let options = Options::from_args()?;
    let all = [
        live_sessions::measured(&options)?,
        size::measured(&options)?,
        keys::measured(&options)?,
        writers::measured(&options)?,
    ];
    let bounds = report::write(&all, &options)?;
    conclude("growth", &bounds)
}
