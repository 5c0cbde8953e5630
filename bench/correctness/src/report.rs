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
    page += "The same probes over HTTP against each library, on a site of two instances that share a store in memory; \
             Tenure's engine for Express has its in Redis. An empty cell is as it must be; anything else is what happened.\n\n";
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
    page += WHAT_A_THIEF_HAS;
    page
}

const WHAT_A_THIEF_HAS: &str = "
The thief of *a dump* has all that the store holds, and no secret. The thief of *a dump and the secret* also has the secret that the \
application signs, encrypts or seals its cookies with, and makes cookies as the library does: of everything that stands in the store \
one, and first a genuine one anew, to show that they can. Most libraries keep in the store the very text that the cookie needs. \
iron-session has no store, and its secret makes a session of anybody's. Tenure keeps a hash of the secret that each cookie has in it, \
so every 32 bytes that stand together in the dump are tried in that place, under a genuine tag.

Both only read. Whoever has the secret *and* writes to the store makes a session for anybody, with Tenure as with the others. And \
data that is not sealed needs no cookie to be read.
";

fn bounds(all: &[Examined]) -> Vec<Bound> {
    let ours = all.iter().filter(|one| one.library.ours == Ours::Engine);
    ours.map(|one| {
        let is_broken = |finding: &&Finding| matches!(finding, Finding::Broken(_));
        let blemishes = one.findings.iter().filter(is_broken).count();
        Bound::at_most(format!("{}: blemishes", one.library.name), 0.0, blemishes as f64)
    })
    .collect()
}
