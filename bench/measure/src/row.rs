//! One row of work, measured for all contenders.

use serde::Serialize;

use crate::alternating::{Contender, Measured, measure};
use crate::callgrind::instructions_a_request;
use crate::options::Options;
use crate::picture::{Bar, bars};
use crate::table::Table;
use crate::work::{Payload, Task, Work};

/// All that was found out about one row.
#[derive(Serialize)]
pub struct Row {
    pub work: Work,
    pub measured: Vec<Measured>,
    /// Instructions a request over the bare baseline's, if they were counted.
    pub instructions: Vec<Option<f64>>,
}

impl Row {
    /// The first contender is the bare baseline.
    ///
    /// # Errors
    /// If instructions are to be counted, and cannot be.
    pub fn measured(work: Work, contenders: &mut [Contender], options: &Options) -> anyhow::Result<Self> {
        let measured = measure(contenders, options);
        let counted = |name: &str| instructions_a_request(name, work);
        let instructions = if options.counts_instructions {
            let all = measured
                .iter()
                .map(|one| counted(&one.name))
                .collect::<anyhow::Result<Vec<_>>>()?;
            all.iter().map(|one| Some(one - all[0])).collect()
        } else {
            vec![None; measured.len()]
        };
        Ok(Self {
            work,
            measured,
            instructions,
        })
    }

    /// The ratio is to `reference`, in the same run.
    pub fn table(&self, reference: &str) -> String {
        let columns = [
            "",
            "median ns",
            "quartiles",
            "best ns",
            "ratio",
            "allocations",
            "bytes",
            "instructions",
        ];
        let mut table = Table::new(&columns);
        let reference = self.measured.iter().find(|one| one.name == reference);
        for (one, instructions) in self.measured.iter().zip(&self.instructions) {
            let ratio = reference.map(|reference| one.added.median / reference.added.median);
            table.row(&[
                one.name.clone(),
                format!("{:.0}", one.added.median),
                format!(
                    "{:.0} – {:.0}",
                    one.added.lower_quartile, one.added.upper_quartile
                ),
                format!("{:.0}", one.added.best),
                ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}")),
                one.allocations.to_string(),
                one.bytes.to_string(),
                instructions.map_or_else(|| "–".to_owned(), |count| format!("{count:.0}")),
            ]);
        }
        table.finish()
    }
}

/// Bars of what each contender adds, with the quartiles, in the row of this task with one key; none if there is no such row.
///
/// # Errors
/// If the picture cannot be written.
pub fn draw_added(rows: &[Row], task: Task, file: &str, title: &str) -> anyhow::Result<()> {
    let work = Work::new(task, Payload::OneKey);
    let Some(row) = rows.iter().find(|row| row.work == work) else {
        return Ok(());
    };
    let contenders = row.measured.iter().skip(1);
    let drawn: Vec<_> = contenders
        .map(|one| Bar {
            name: one.name.clone(),
            value: one.added.median,
            spread: Some((one.added.lower_quartile, one.added.upper_quartile)),
            is_ours: one.name.starts_with("Tenure"),
        })
        .collect();
    bars(file, title, "ns", &drawn)
}
