//! The command `tenure`: for those who run applications that keep their sessions with Tenure.

#![cfg_attr(not(test), warn(clippy::unwrap_used))]

mod command;
mod completions;
mod exit;
mod failure;
mod man;
mod output;
mod secret;
mod sessions;
mod times;
mod usage;
mod waiting;

use std::process::ExitCode;

use clap::Parser;
use command::{Cli, Command};
use exit::Exit;
use failure::Failure;

fn main() -> ExitCode {
    // Where the system refuses, a crash may leave a secret behind; that is no reason not to work.
    let _ = tenure_secrets::forbid_core_dumps();
    let done = match Cli::try_parse() {
        Ok(cli) => run(cli),
        Err(error) => return usage::print(error),
    };
    let exit = done.unwrap_or_else(|failure| {
        output::complain(&failure);
        failure.exit()
    });
    exit.into()
}

fn run(cli: Cli) -> Result<Exit, Failure> {
    match cli.command {
        Command::Secret(command) => secret::run(command),
        Command::Sessions(command) => sessions::run(command),
        Command::Completions { shell } => completions::print(shell),
        Command::Man { dir } => man::write(dir.as_deref()),
    }
}
