//! What lets a shell complete the arguments.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::command::Cli;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

pub(crate) fn print(shell: Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "tenure", &mut script);
    output::print_raw(&script)?;
    Ok(Exit::Well)
}
