//! How thoroughly it is measured.

use crate::work::{Payload, Task, Work};

#[derive(Clone, Debug)]
pub struct Options {
    pub rounds: u32,
    pub requests_a_round: u32,
    /// Whether instructions are counted, which takes minutes.
    pub counts_instructions: bool,
    pub is_quick: bool,
    /// Serve one contender's requests and nothing else, for a profiler.
    pub sole: Option<SoleRun>,
}

#[derive(Clone, Debug)]
pub struct SoleRun {
    pub contender: String,
    pub work: Work,
    pub requests: u32,
}

impl Options {
    /// From the command line: `--quick`, or `--sole NAME TASK PAYLOAD REQUESTS`.
    ///
    /// # Errors
    /// If it is neither.
    pub fn from_args() -> anyhow::Result<Self> {
        let args: Vec<_> = std::env::args().skip(1).collect();
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        let mut options = Self {
            rounds: 100,
            requests_a_round: 300,
            counts_instructions: true,
            is_quick: false,
            sole: None,
        };
        match args[..] {
            [] => {}
            ["--quick"] => {
                options.rounds = 15;
                options.requests_a_round = 200;
                options.counts_instructions = false;
                options.is_quick = true;
            }
            ["--sole", contender, task, payload, requests] => {
                options.sole = Some(SoleRun {
                    contender: contender.to_owned(),
                    work: Work::new(named(&Task::ALL, task)?, named(&Payload::ALL, payload)?),
                    requests: requests.parse()?,
                });
            }
            _ => anyhow::bail!("expected nothing, --quick, or --sole NAME TASK PAYLOAD REQUESTS"),
        }
        Ok(options)
    }
}

fn named<T: Copy + std::fmt::Debug>(all: &[T], name: &str) -> anyhow::Result<T> {
    let found = all.iter().find(|one| format!("{one:?}") == name);
    found
        .copied()
        .ok_or_else(|| anyhow::anyhow!("{name} is none of {all:?}"))
}
