//! Sessions on Redis and on PostgreSQL over HTTP, beside the same application on a bare look-up.

mod app;
mod apps;
mod contender;
mod counting_proxy;
mod database;
mod report;
mod trips;

use std::process::{Command, ExitCode};
use std::time::Duration;

use measure::{Load, Options, Served, Visitor, conclude};

use crate::contender::{CONTENDERS, Contender};
use crate::database::{Database, Databases};
use crate::report::Row;

/// Enough that 16 connections seldom ask for the same session.
const VISITORS: usize = 64;

fn main() -> anyhow::Result<ExitCode> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    if let [serve, name, url] = &args[..]
        && serve == "serve"
    {
        contender::named(name)?.serve(url)?;
        return Ok(ExitCode::SUCCESS);
    }
    let options = Options::from_args()?;
    let databases = Databases::start()?;
    let mut rows = Vec::new();
    for database in [Database::Redis, Database::Postgres] {
        rows.extend(measured(database, &databases, &options)?);
    }
    let bounds = report::write(&rows, &options)?;
    conclude("servers", &bounds)
}

/// A contender that runs, and what is asked of it.
struct Running {
    contender: &'static Contender,
    served: Served,
    reads: Load,
    writes: Load,
}

fn measured(database: Database, databases: &Databases, options: &Options) -> anyhow::Result<Vec<Row>> {
    let (rounds, seconds) = if options.is_quick { (2, 1) } else { (9, 2) };
    let contenders = CONTENDERS
        .iter()
        .filter(|contender| contender.database == database);
    let mut rows = Vec::new();
    let mut running = Vec::new();
    for contender in contenders {
        eprintln!("servers: {database}: {}", contender.name);
        rows.push(Row::new(contender, trips::of(contender, databases)?));
        running.push(start(contender, databases)?);
    }
    for round in 0..rounds {
        eprintln!("servers: {database}: round {} of {rounds}", round + 1);
        for (row, running) in rows.iter_mut().zip(&running) {
            let before = used(running, databases)?;
            let ran = running.reads.run(seconds)?;
            let after = used(running, databases)?;
            row.reads_a_second.push(ran.rate);
            let microseconds = |after: Duration, before: Duration| {
                (after - before).as_secs_f64() * 1e6 / ran.requests as f64
            };
            row.application_microseconds.push(microseconds(after.0, before.0));
            row.server_microseconds.extend(
                after
                    .1
                    .zip(before.1)
                    .map(|(after, before)| microseconds(after, before)),
            );
            row.writes_a_second.push(running.writes.run(seconds)?.rate);
        }
    }
    Ok(rows)
}

/// Of the processor, by the application and by the server, as far as the latter tells.
fn used(running: &Running, databases: &Databases) -> anyhow::Result<(Duration, Option<Duration>)> {
    let application = running.served.processor_time()?;
    Ok((application, databases.processor_time(running.contender.database)?))
}

fn start(contender: &'static Contender, databases: &Databases) -> anyhow::Result<Running> {
    let served = serve(contender, &databases.url_for(contender))?;
    let mut cookies = Vec::new();
    for _ in 0..VISITORS {
        let mut visitor = Visitor::default();
        visitor.get(served.address(), "/write")?;
        anyhow::ensure!(
            visitor.get(served.address(), "/read")?.status == 200,
            "{}",
            contender.name
        );
        cookies.push(if contender.is_bare {
            "other=1".to_owned()
        } else {
            visitor.header()
        });
    }
    let name = format!("{} {}", contender.database, contender.name);
    Ok(Running {
        contender,
        reads: Load::new(&name, served.address(), "/read", &cookies)?,
        writes: Load::new(&name, served.address(), "/write", &cookies)?,
        served,
    })
}

fn serve(contender: &Contender, url: &str) -> anyhow::Result<Served> {
    let mut command = Command::new(std::env::current_exe()?);
    Served::start(command.args(["serve", &contender.key(), url]))
}
