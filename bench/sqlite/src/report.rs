//! The tables, the pictures, and the bound.

use measure::{Bar, Bound, Options, Spread, Table, bars, heading, raw, text};
use serde::Serialize;

use crate::keeper::Durability;
use crate::keepers::Kind;
use crate::tasks::Task;

/// All that was found out about one library at one durability.
#[derive(Debug, Serialize)]
pub struct Row {
    pub name: &'static str,
    pub version: String,
    pub is_ours: bool,
    pub durability: Durability,
    /// In the order of [`Task::ALL`], those of each round.
    pub rates: Vec<Vec<f64>>,
}

impl Row {
    pub fn new(kind: &Kind, durability: Durability) -> Self {
        Self {
            name: kind.name,
            version: (kind.version)(),
            is_ours: kind.is_ours,
            durability,
            rates: vec![Vec::new(); Task::ALL.len()],
        }
    }

    pub fn keep(&mut self, task: Task, rate: f64) {
        self.rates[task as usize].push(rate);
    }

    fn rates(&self, task: Task) -> &[f64] {
        &self.rates[task as usize]
    }
}

/// # Errors
/// If they cannot be written.
pub fn write(rows: &[Row], options: &Options) -> anyhow::Result<Vec<Bound>> {
    raw("sqlite", &rows)?;
    let bounds = bounds(rows);
    let mut page = heading("On SQLite", options.is_quick);
    page += "Sessions of 20 keys of 50 bytes in a file in WAL mode, 2,000 of them loaded and saved in turn, 32 at once but for the last \
             column. Each library's own store, asked as its layer asks it; Tenure's save is a compare-and-set, theirs is an upsert. \
             Alternating rounds; a second's, the median and the quartiles.\n\n## Bounds\n\n";
    for bound in &bounds {
        page += &format!("- {bound}\n");
    }
    for durability in [Durability::Full, Durability::Normal] {
        let of_it: Vec<_> = rows.iter().filter(|row| row.durability == durability).collect();
        page += &format!("\n## {durability}\n\n{}", table(&of_it));
        draw(durability, &of_it)?;
    }
    text("sqlite.md", &page)?;
    Ok(bounds)
}

fn table(rows: &[&Row]) -> String {
    let tasks = Task::ALL.map(|task| task.to_string());
    let columns: Vec<_> = ["".to_owned(), "version".to_owned()]
        .into_iter()
        .chain(tasks)
        .collect();
    let mut table = Table::new(&columns);
    for row in rows {
        let cells = Task::ALL.map(|task| {
            let spread = Spread::of(row.rates(task));
            format!(
                "{:.0} ({:.0} – {:.0})",
                spread.median, spread.lower_quartile, spread.upper_quartile
            )
        });
        let name = [row.name.to_owned(), row.version.clone()];
        table.row(&name.into_iter().chain(cells).collect::<Vec<_>>());
    }
    table.finish()
}

fn draw(durability: Durability, rows: &[&Row]) -> anyhow::Result<()> {
    for task in [Task::Create, Task::Load, Task::Save] {
        let drawn: Vec<_> = rows
            .iter()
            .map(|row| {
                let spread = Spread::of(row.rates(task));
                Bar {
                    name: row.name.to_owned(),
                    value: spread.median,
                    spread: Some((spread.lower_quartile, spread.upper_quartile)),
                    is_ours: row.is_ours,
                }
            })
            .collect();
        let name = format!("sqlite-{durability:?}-{task}").to_lowercase();
        bars(
            &name,
            &format!("SQLite, {durability}: sessions {task}"),
            "a second",
            &drawn,
        )?;
    }
    Ok(())
}

/// Saves, against the peer that is best over all rounds; the ratio is that of the same round.
fn bounds(rows: &[Row]) -> Vec<Bound> {
    let median = |row: &Row| Spread::of(row.rates(Task::Save)).median;
    let mut bounds = Vec::new();
    for durability in [Durability::Full, Durability::Normal] {
        let of_it = || rows.iter().filter(move |row| row.durability == durability);
        let best_peer = of_it()
            .filter(|row| !row.is_ours)
            .max_by(|one, other| median(one).total_cmp(&median(other)));
        for (ours, best) in of_it().filter(|row| row.is_ours).zip(best_peer) {
            let rates = ours.rates(Task::Save).iter().zip(best.rates(Task::Save));
            let ratios: Vec<_> = rates.map(|(rate, peer)| rate / peer).collect();
            let what = format!("{durability}: saves a second, of those of {}", best.name);
            bounds.push(Bound::at_least(what, 1.5, Spread::of(&ratios).median));
        }
    }
    bounds
}
