//! The same probes over HTTP against every library: what happens where sessions go wrong.

mod axum_site;
mod control;
mod forger;
mod probe;
mod report;
mod site;
mod sites;

use std::process::ExitCode;

use measure::{Options, conclude};
use tokio::runtime::Runtime;

use crate::probe::{Finding, PROBES, Probe};
use crate::sites::{Library, libraries};

/// What all probes found in one library, in their order.
pub struct Examined {
    pub library: Library,
    pub findings: Vec<Finding>,
}

fn main() -> anyhow::Result<ExitCode> {
    let options = Options::from_args()?;
    let runtime = Runtime::new()?;
    let mut all = Vec::new();
    for library in libraries()? {
        eprintln!("correctness: {}", library.name);
        let findings = PROBES
            .iter()
            .map(|probe| found(&runtime, &library, probe))
            .collect::<anyhow::Result<_>>()?;
        all.push(Examined { library, findings });
    }
    let bounds = report::write(&all, &options)?;
    conclude("correctness", &bounds)
}

/// On a site that nobody has visited before.
fn found(runtime: &Runtime, library: &Library, probe: &Probe) -> anyhow::Result<Finding> {
    let site = runtime.block_on((library.start)())?;
    let finding = (probe.run)(&*site);
    finding.map_err(|error| error.context(format!("{}, {}", library.name, probe.name)))
}
