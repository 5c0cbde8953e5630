//! `tenure secret`: the secret that signs the cookies.

mod check;
mod generate;
mod rotate;
mod timing;

use clap::{Args, Subcommand};

use crate::exit::{EXIT_CODES, Exit};
use crate::failure::Failure;
use crate::waiting::waiting_for;
use timing::Timing;

const SOURCES: &str = "\
The place of the secret. Credentials come from the environment, as with the command line of each place:

  env:VARIABLE            an environment variable
  file:PATH               a file, or a folder with one for each version
  vault:MOUNT/PATH#FIELD  Vault or OpenBao (VAULT_ADDR, VAULT_TOKEN, ...)
  aws:NAME                AWS Secrets Manager (AWS_REGION, ...)
  aws:NAME#KEY            the same, one key of a JSON object
  azure:VAULT/NAME        Azure Key Vault (AZURE_CLIENT_ID, ...)";

#[derive(Subcommand)]
pub(crate) enum SecretCommand {
    /// Prints a new secret: 32 bytes of the operating system's generator, as text.
    ///
    /// It is written in base64url without padding, or in hexadecimal. Nothing else goes to standard output but a line
    /// end.
    #[command(after_long_help = "\
Examples:
  (umask 077; tenure secret generate > session.secret)
  tenure secret generate | docker secret create session_secret -
  tenure secret generate | vault kv put -mount=secret shop session=-")]
    Generate {
        /// In hexadecimal: 64 characters, and not 43.
        #[arg(long)]
        hex: bool,
    },

    /// Says whether a source has what an application needs, and which version would do what.
    ///
    /// It reads the source as an application does that starts now, and prints no secret: the versions by name, when
    /// they were made, whether they are strong enough, which one would sign, which ones would verify, and from when or
    /// until when.
    ///
    /// Give the timing of the application where it is not the default.
    #[command(after_long_help = format!("\
Examples:
  tenure secret check file:/run/secrets/session
  tenure secret check vault:secret/shop#session --refresh-every 1m --longest-lifetime 12h
  tenure secret check env:SESSION_SECRET --json | jq .usable

{EXIT_CODES}"))]
    Check(About),

    /// Writes a new secret to a source, as its newest version, and says what happens when.
    ///
    /// Applications that follow the source take cookies under the new version as soon as they read it, and sign with it
    /// after the propagation delay. Nobody is signed out. The older versions stay where they are.
    ///
    /// A source without any version gets its first one. One whose versions can't be used is left as it is.
    #[command(after_long_help = format!("\
Examples:
  tenure secret rotate file:/etc/shop/session
  tenure secret rotate vault:secret/shop#session --json

{EXIT_CODES}"))]
    Rotate(About),
}

/// A source, the timing of those who follow it, and who wants to know.
#[derive(Args)]
pub(crate) struct About {
    /// The place of the secret.
    #[arg(value_name = "SOURCE", long_help = SOURCES)]
    source: String,

    #[command(flatten)]
    timing: Timing,

    /// Prints JSON, for programs.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: SecretCommand) -> Result<Exit, Failure> {
    match command {
        SecretCommand::Generate { hex } => generate::run(hex),
        SecretCommand::Check(about) => waiting_for(check::run(&about), about.json),
        SecretCommand::Rotate(about) => waiting_for(rotate::run(&about), about.json),
    }
}
