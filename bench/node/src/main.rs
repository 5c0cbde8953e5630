//! Session libraries of Node.js over HTTP, each in a process of its own.

mod contender;
mod report;
mod work;

use std::path::Path;
use std::process::{Command, ExitCode};

use measure::{Load, Options, Served, Visitor, conclude, node_folder, node_version_of};
use tenure_testkit::servers::redis::RedisServer;

use crate::contender::{CONTENDERS, Contender};
use crate::report::{Row, Section};
use crate::work::Work;

/// Enough that 16 connections seldom ask for the same session.
const VISITORS: usize = 64;

fn main() -> anyhow::Result<ExitCode> {
    let options = Options::from_args()?;
    let folder = node_folder()?;
    let redis = RedisServer::with(&["--appendonly", "no"])?;
    let mut sections = Vec::new();
    for work in Work::ALL {
        sections.push(measured(work, &folder, &redis, &options)?);
    }
    report::write(&sections, &options)?;
    conclude("node", &[])
}

struct Running {
    served: Served,
    load: Load,
}

fn measured(work: Work, folder: &Path, redis: &RedisServer, options: &Options) -> anyhow::Result<Section> {
    let (rounds, seconds) = if options.is_quick { (2, 1) } else { (9, 2) };
    let mut rows = Vec::new();
    let mut running = Vec::new();
    for contender in CONTENDERS.iter().filter(|contender| work.fits(contender)) {
        eprintln!("node: {work}: {}", contender.name);
        running.push(start(contender, work, folder, redis)?);
        rows.push(Row::new(contender, node_version_of(folder, contender.package)?));
    }
    for round in 0..rounds {
        eprintln!("node: {work}: round {} of {rounds}", round + 1);
        for (row, running) in rows.iter_mut().zip(&running) {
            let before = running.served.processor_time()?;
            let ran = running.load.run(seconds)?;
            let used = running.served.processor_time()? - before;
            row.rates.push(ran.rate);
            row.microseconds
                .push(used.as_secs_f64() * 1e6 / ran.requests as f64);
        }
    }
    Ok(Section { work, rows })
}

fn start(contender: &Contender, work: Work, folder: &Path, redis: &RedisServer) -> anyhow::Result<Running> {
    let mut command = Command::new("node");
    command.current_dir(folder).env("NODE_ENV", "test").args([
        "served/server.js",
        contender.name,
        &work.bytes().to_string(),
        &redis.url(),
    ]);
    let served = Served::start(&mut command)?;
    let mut cookies = Vec::new();
    for _ in 0..VISITORS {
        let mut visitor = Visitor::default();
        visitor.get(served.address(), "/fill")?;
        let answer = visitor.get(served.address(), work.path())?;
        // Some send it in pieces.
        anyhow::ensure!(
            answer.status == 200 && answer.body.contains("ada"),
            "{}: {} {}",
            contender.name,
            answer.status,
            answer.body
        );
        cookies.push(if contender.is_bare() {
            "other=1".to_owned()
        } else {
            visitor.header()
        });
    }
    let load = Load::new(
        &format!("{work} {}", contender.name),
        served.address(),
        work.path(),
        &cookies,
    )?;
    // So that V8 has compiled what it will compile.
    load.run(1)?;
    Ok(Running { served, load })
}
