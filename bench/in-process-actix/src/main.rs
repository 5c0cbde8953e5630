//! Session middlewares side by side in actix-web, called without a network, with sessions in memory.

mod contenders;
mod memory_store;
mod report;
mod subject;

use std::process::ExitCode;

use measure::{Contender, Options, Row, Work, conclude};

use crate::contenders::{NAMES, subject};

fn main() -> anyhow::Result<ExitCode> {
    let options = Options::from_args()?;
    if let Some(sole) = &options.sole {
        subject(&sole.contender, sole.work)?.serve(sole.requests);
        return Ok(ExitCode::SUCCESS);
    }
    let rows = Work::all()
        .into_iter()
        .map(|work| row(work, &options))
        .collect::<anyhow::Result<Vec<_>>>()?;
    report::write(&rows, &options)?;
    conclude("in-process-actix", &[])
}

fn row(work: Work, options: &Options) -> anyhow::Result<Row> {
    eprintln!("in process, actix-web: {work}");
    let mut contenders = Vec::new();
    for name in NAMES {
        contenders.push(Contender {
            name: name.to_owned(),
            subject: subject(name, work)?,
        });
    }
    Row::measured(work, &mut contenders, options)
}
