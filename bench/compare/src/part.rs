//! A part of the comparison: a program of its own.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;
use measure::{MISSED, results_folder};

/// One of them.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Its package here, and the name of its page.
    pub name: &'static str,
    pub shows: &'static str,
}

pub const PARTS: [Part; 7] = [
    Part {
        name: "correctness",
        shows: "where sessions go wrong: the same probes against each library",
    },
    Part {
        name: "in-process",
        shows: "what a session layer adds to a request, in memory",
    },
    Part {
        name: "in-process-actix",
        shows: "the same on actix-web",
    },
    Part {
        name: "servers",
        shows: "round trips and throughput on Redis and PostgreSQL",
    },
    Part {
        name: "sqlite",
        shows: "sessions made, loaded and saved a second in a SQLite file",
    },
    Part {
        name: "node",
        shows: "what a session library adds to a request on Node.js",
    },
    Part {
        name: "growth",
        shows: "what a request costs as what it meets grows",
    },
];

/// How one ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Met,
    Missed,
    Failed,
}

impl Part {
    /// Builds and runs it. Whatever it showed before is forgotten.
    ///
    /// # Errors
    /// If cargo is not there, or old results cannot be removed.
    pub fn run(&self, is_quick: bool) -> anyhow::Result<Ending> {
        for stale in [
            self.page(),
            results_folder().join(format!("{}.bounds.json", self.name)),
        ] {
            if stale.exists() {
                fs::remove_file(stale)?;
            }
        }
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command
            .current_dir(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".."))
            .args(["run", "--release", "--quiet", "--locked", "--package", self.name]);
        if is_quick {
            command.args(["--", "--quick"]);
        }
        let status = command.status().context("cargo runs each part")?;
        Ok(match status.code() {
            Some(0) => Ending::Met,
            Some(code) if code == i32::from(MISSED) => Ending::Missed,
            _ => Ending::Failed,
        })
    }

    pub fn page(&self) -> PathBuf {
        results_folder().join(format!("{}.md", self.name))
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Met => "all that it had to show was shown",
            Self::Missed => "a bound was missed",
            Self::Failed => "did not run to its end",
        })
    }
}
