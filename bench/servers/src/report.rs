//! The tables, the pictures, and the bounds.

use measure::{Bar, Bound, Options, Spread, Table, bars, heading, raw, text};
use serde::Serialize;

use crate::contender::{Contender, SEALED};
use crate::database::Database;
use crate::trips::Trips;

/// All that was found out about one contender.
#[derive(Debug, Serialize)]
pub struct Row {
    pub database: Database,
    pub name: &'static str,
    pub version: String,
    pub floor: &'static str,
    pub is_ours: bool,
    pub trips_to_read: f64,
    pub trips_to_write: f64,
    pub reads_a_second: Vec<f64>,
    /// Of the processor's time, for a read.
    pub application_microseconds: Vec<f64>,
    pub server_microseconds: Vec<f64>,
    pub writes_a_second: Vec<f64>,
}

impl Row {
    pub fn new(contender: &'static Contender, trips: Trips) -> Self {
        Self {
            database: contender.database,
            name: contender.name,
            version: (contender.version)(),
            floor: contender.floor,
            is_ours: contender.is_ours,
            trips_to_read: trips.read,
            trips_to_write: trips.write,
            reads_a_second: Vec::new(),
            application_microseconds: Vec::new(),
            server_microseconds: Vec::new(),
            writes_a_second: Vec::new(),
        }
    }
}

/// # Errors
/// If they cannot be written.
pub fn write(rows: &[Row], options: &Options) -> anyhow::Result<Vec<Bound>> {
    raw("servers", &rows)?;
    let bounds = bounds(rows)?;
    let mut page = heading("On Redis and PostgreSQL", options.is_quick);
    page += "Over HTTP with `wrk`, 16 connections, 64 sessions of one number; every library and every bare driver in a process of its own, \
             against one server, in alternating rounds. A ratio is that of the same round to the bare driver that the library uses, the \
             median of all rounds. The microseconds are of the processor's \
             time, for a read. Round trips are counted between the application and the server.\n\n## Bounds\n\n";
    for bound in &bounds {
        page += &format!("- {bound}\n");
    }
    for database in [Database::Redis, Database::Postgres] {
        let of_it: Vec<_> = rows.iter().filter(|row| row.database == database).collect();
        page += &format!("\n## {database}\n\n{}", table(&of_it));
        draw(database, &of_it)?;
    }
    text("servers.md", &page)?;
    Ok(bounds)
}

fn table(rows: &[&Row]) -> String {
    let columns = [
        "",
        "version",
        "trips to read",
        "reads/s",
        "quartiles",
        "of bare",
        "application's µs",
        "server's µs",
        "trips to write",
        "writes/s",
        "quartiles",
        "of bare",
    ];
    let mut table = Table::new(&columns);
    for row in rows {
        let floor = rows.iter().find(|other| other.name == row.floor);
        let mut cells = vec![row.name.to_owned(), row.version.clone()];
        let floors = floor.map(|floor| (&floor.reads_a_second, &floor.writes_a_second));
        cells.extend(cells_of(
            row.trips_to_read,
            &row.reads_a_second,
            floors.map(|floors| floors.0),
        ));
        cells.extend(
            [&row.application_microseconds, &row.server_microseconds].map(|spent| microseconds(spent)),
        );
        cells.extend(cells_of(
            row.trips_to_write,
            &row.writes_a_second,
            floors.map(|floors| floors.1),
        ));
        table.row(&cells);
    }
    table.finish()
}

fn cells_of(trips: f64, rates: &[f64], floor: Option<&Vec<f64>>) -> [String; 4] {
    let spread = Spread::of(rates);
    [
        format!("{trips:.2}"),
        format!("{:.0}", spread.median),
        format!("{:.0} – {:.0}", spread.lower_quartile, spread.upper_quartile),
        floor.map_or_else(String::new, |floor| format!("{:.2}", ratio(rates, floor))),
    ]
}

fn microseconds(spent: &[f64]) -> String {
    if spent.is_empty() {
        return String::new();
    }
    format!("{:.1}", Spread::of(spent).median)
}

fn ratio(rates: &[f64], floor: &[f64]) -> f64 {
    let ratios: Vec<_> = rates
        .iter()
        .zip(floor)
        .map(|(rate, floor)| rate / floor)
        .collect();
    Spread::of(&ratios).median
}

type Rates = fn(&Row) -> &Vec<f64>;

fn draw(database: Database, rows: &[&Row]) -> anyhow::Result<()> {
    let what: [(&str, Rates); 2] = [
        ("reads", |row| &row.reads_a_second),
        ("writes", |row| &row.writes_a_second),
    ];
    for (what, rates) in what {
        let drawn: Vec<_> = rows
            .iter()
            .map(|row| {
                let spread = Spread::of(rates(row));
                Bar {
                    name: row.name.to_owned(),
                    value: spread.median,
                    spread: Some((spread.lower_quartile, spread.upper_quartile)),
                    is_ours: row.is_ours,
                }
            })
            .collect();
        let name = format!("servers-{database}-{what}");
        bars(
            &name,
            &format!("{database}: requests whose handler {what}"),
            "a second",
            &drawn,
        )?;
    }
    Ok(())
}

fn bounds(rows: &[Row]) -> anyhow::Result<Vec<Bound>> {
    let of = |database: Database, name: &str| {
        let found = rows
            .iter()
            .find(|row| row.database == database && row.name == name);
        found.ok_or_else(|| anyhow::anyhow!("{name} was not measured on {database}"))
    };
    let mut bounds = Vec::new();
    for (database, share) in [(Database::Redis, 0.9), (Database::Postgres, 0.85)] {
        let ours = of(database, SEALED)?;
        let floor = of(database, ours.floor)?;
        bounds.push(Bound::at_most(
            format!("{database}: round trips of a read"),
            1.0,
            ours.trips_to_read,
        ));
        bounds.push(Bound::at_most(
            format!("{database}: round trips of a write"),
            2.0,
            ours.trips_to_write,
        ));
        let is = ratio(&ours.reads_a_second, &floor.reads_a_second);
        bounds.push(Bound::at_least(
            format!("{database}: reads a second, of the bare look-up's"),
            share,
            is,
        ));
    }
    Ok(bounds)
}
