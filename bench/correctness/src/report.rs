//! The table of what happened.

use measure::{Bound, Options, Table, heading, raw, text};

use crate::Examined;
use crate::probe::{Finding, PROBES};
use crate::sites::Ours;

/// # Errors
/// If it cannot be written.
pub fn write(all: &[Examined], options: &Options) -> anyhow::Result<Vec<Bound>> {
    let findings: Vec<_> = all
        .iter()
        .map(|one| {
            let by_probe: Vec<_> = PROBES.iter().map(|probe| probe.name).zip(&one.findings).collect();
            (one.library.name, &one.library.version, by_probe)
        })
        .collect();
    raw("correctness", &findings)?;
    text("correctness.md", &page(all, options))?;
    Ok(bounds(all))
}

fn page(all: &[Examined], options: &Options) -> String {
    let mut page = heading("Where sessions go wrong", options.is_quick);
    page += "The same probes over HTTP against each library, on a site of two instances that share a store in memory. \
             An empty cell is as it must be; anything else is what happened.\n\n";
    let columns: Vec<_> = ["library", "version"]
        .into_iter()
        .chain(PROBES.iter().map(|probe| probe.name))
        .collect();
    let mut table = Table::new(&columns);
    for one in all {
        let cells = one.findings.iter().map(|finding| match finding {
            Finding::Held => String::new(),
            Finding::Broken(what) => what.clone(),
            Finding::NotApplicable(why) => format!("({why})"),
        });
        let name = [one.library.name.to_owned(), one.library.version.clone()];
        table.row(&name.into_iter().chain(cells).collect::<Vec<_>>());
    }
    page += &table.finish();
    page += "\n## The probes\n\n";
    for probe in &PROBES {
        page += &format!("- **{}**: {}.\n", probe.name, probe.must);
    }
    page
}

fn bounds(all: &[Examined]) -> Vec<Bound> {
    let ours = all.iter().filter(|one| one.library.ours == Ours::Engine);
    ours.map(|one| {
        let is_broken = |finding: &&Finding| matches!(finding, Finding::Broken(_));
        let blemishes = one.findings.iter().filter(is_broken).count();
        Bound::at_most(format!("{}: blemishes", one.library.name), 0.0, blemishes as f64)
    })
    .collect()
}
