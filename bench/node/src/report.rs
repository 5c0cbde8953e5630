//! The tables and the pictures.

use measure::{Bar, Options, Spread, Table, bars, heading, raw, text};
use serde::Serialize;

use crate::contender::Contender;
use crate::work::Work;

/// All that was found out about one kind of requests.
#[derive(Debug, Serialize)]
pub struct Section {
    pub work: Work,
    pub rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
pub struct Row {
    pub name: &'static str,
    pub version: String,
    pub floor: &'static str,
    pub is_ours: bool,
    /// Requests a second, in each round.
    pub rates: Vec<f64>,
    /// Of the processor's time, a request, in each round.
    pub microseconds: Vec<f64>,
}

impl Row {
    pub fn new(contender: &Contender, version: String) -> Self {
        Self {
            name: contender.name,
            version: if contender.is_bare() {
                String::new()
            } else {
                version
            },
            floor: contender.floor,
            is_ours: contender.is_ours,
            rates: Vec::new(),
            microseconds: Vec::new(),
        }
    }
}

/// # Errors
/// If they cannot be written.
pub fn write(sections: &[Section], options: &Options) -> anyhow::Result<()> {
    raw("node", &sections)?;
    let mut page = heading("On Node.js", options.is_quick);
    page += "Over HTTP with `wrk`, 16 connections, 64 sessions; each library in a process of its own, in alternating rounds. What a library \
             adds is the processor's time of its process for a request, less that of the same site without sessions in the same round. \
             Sessions in memory, but for those on Redis. iron-session keeps all in the cookie.\n";
    for section in sections {
        page += &format!("\n## {}\n\n{}", section.work, table(&section.rows));
        draw(section)?;
    }
    text("node.md", &page)
}

fn added(row: &Row, rows: &[Row]) -> Option<Spread> {
    let floor = rows.iter().find(|other| other.name == row.floor)?;
    let added: Vec<_> = row
        .microseconds
        .iter()
        .zip(&floor.microseconds)
        .map(|(all, bare)| all - bare)
        .collect();
    Some(Spread::of(&added))
}

fn table(rows: &[Row]) -> String {
    let columns = [
        "",
        "version",
        "requests/s",
        "quartiles",
        "µs a request",
        "adds µs",
        "quartiles",
    ];
    let mut table = Table::new(&columns);
    for row in rows {
        let rate = Spread::of(&row.rates);
        let added = added(row, rows);
        table.row(&[
            row.name.to_owned(),
            row.version.clone(),
            format!("{:.0}", rate.median),
            format!("{:.0} – {:.0}", rate.lower_quartile, rate.upper_quartile),
            format!("{:.1}", Spread::of(&row.microseconds).median),
            added.map_or_else(String::new, |added| format!("{:.1}", added.median)),
            added.map_or_else(String::new, |added| {
                format!("{:.1} – {:.1}", added.lower_quartile, added.upper_quartile)
            }),
        ]);
    }
    table.finish()
}

fn draw(section: &Section) -> anyhow::Result<()> {
    let mut drawn = Vec::new();
    for row in section.rows.iter().filter(|row| row.name != row.floor) {
        if let Some(added) = added(row, &section.rows) {
            drawn.push(Bar {
                name: row.name.to_owned(),
                value: added.median,
                spread: Some((added.lower_quartile, added.upper_quartile)),
                is_ours: row.is_ours,
            });
        }
    }
    let name = format!("node-{:?}", section.work).to_lowercase();
    bars(
        &name,
        &format!("Node.js: added to a request whose handler {}", section.work),
        "µs",
        &drawn,
    )
}
