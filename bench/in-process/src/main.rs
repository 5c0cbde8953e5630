//! Session layers side by side over `axum::Router::oneshot`, with sessions in memory.

mod axum_subject;
mod contenders;
mod report;

use measure::{Contender, Options, Row, SoleRun, Subject, Work, conclude};

use crate::axum_subject::AxumSubject;
use crate::contenders::{Candidate, candidates};

fn main() -> anyhow::Result<std::process::ExitCode> {
    // One panics; its report is enough.
    std::panic::set_hook(Box::new(|_| {}));
    let options = Options::from_args()?;
    if let Some(sole) = &options.sole {
        serve_sole(sole)?;
        return Ok(std::process::ExitCode::SUCCESS);
    }
    let candidates: Vec<_> = candidates().into_iter().map(tried).collect();
    let rows = Work::all()
        .into_iter()
        .map(|work| row(work, &candidates, &options))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let bounds = report::write(&rows, &candidates, &options)?;
    conclude("in-process", &bounds)
}

/// A candidate, and whether it runs at all.
pub struct Tried {
    pub candidate: Candidate,
    pub failure: Option<String>,
}

fn tried(candidate: Candidate) -> Tried {
    let attempt = std::panic::catch_unwind(|| AxumSubject::new(&candidate, Work::all()[1]).map(|_| ()));
    let failure = match attempt {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(format!("{error:#}")),
        Err(_) => Some("panics in its first request".to_owned()),
    };
    Tried { candidate, failure }
}

fn row(work: Work, candidates: &[Tried], options: &Options) -> anyhow::Result<Row> {
    eprintln!("in process: {work}");
    let mut contenders = Vec::new();
    for tried in candidates.iter().filter(|tried| tried.failure.is_none()) {
        contenders.push(Contender {
            name: tried.candidate.name.to_owned(),
            subject: Box::new(AxumSubject::new(&tried.candidate, work)?),
        });
    }
    Row::measured(work, &mut contenders, options)
}

fn serve_sole(sole: &SoleRun) -> anyhow::Result<()> {
    let all = candidates();
    let candidate = all.iter().find(|one| one.name == sole.contender);
    let candidate = candidate.ok_or_else(|| anyhow::anyhow!("there is no {}", sole.contender))?;
    AxumSubject::new(candidate, sole.work)?.serve(sole.requests);
    Ok(())
}
