//! What can be said on the command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

use crate::exit::EXIT_CODES;
use crate::secret::SecretCommand;
use crate::sessions::SessionsCommand;

/// Runs what an application on Tenure needs beside itself: makes, checks and rotates its secret, shows and ends its
/// sessions.
///
/// No command takes a secret as an argument, where other users of the machine could read it, and none prints one but
/// `tenure secret generate`.
#[derive(Parser)]
#[command(name = "tenure", version, arg_required_else_help = true, after_long_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Makes, checks and rotates the secret that signs the cookies.
    #[command(subcommand, arg_required_else_help = true, after_long_help = EXIT_CODES)]
    Secret(SecretCommand),

    /// Shows and ends the sessions in a store.
    ///
    /// It works on the store alone, beside the applications that use it, and takes effect at their next request. It never
    /// shows what a session holds, nor anything that opens one.
    #[command(subcommand, arg_required_else_help = true, after_long_help = EXIT_CODES)]
    Sessions(SessionsCommand),

    /// Prints what lets a shell complete the arguments of `tenure`.
    #[command(
        arg_required_else_help = true,
        after_long_help = "\
Examples:
  tenure completions bash > ~/.local/share/bash-completion/completions/tenure
  tenure completions zsh > ~/.zfunc/_tenure
  tenure completions fish > ~/.config/fish/completions/tenure.fish"
    )]
    Completions {
        /// The shell.
        shell: Shell,
    },

    /// Prints the manual page of `tenure`, or writes those of all its commands.
    #[command(after_long_help = "\
Examples:
  tenure man | man -l -
  tenure man --dir /usr/local/share/man/man1")]
    Man {
        /// Writes a page for each command into this folder, which is made if it is not there.
        #[arg(long, value_name = "FOLDER")]
        dir: Option<PathBuf>,
    },
}
