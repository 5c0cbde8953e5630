//! `tenure sessions`: the sessions in a store.

mod ask;
mod details;
mod list;
mod place;
mod progress;
mod revoke;
mod show;
mod stats;
mod sweep;
mod table;

use clap::{Args, Subcommand};
use tenure_core::{Owner, OwnerError, SessionId};

use crate::exit::{EXIT_CODES, Exit};
use crate::failure::Failure;
use crate::waiting::waiting_for;
use place::Place;

#[derive(Subcommand)]
pub(crate) enum SessionsCommand {
    /// Lists sessions that are alive: of one user, or everybody's.
    ///
    /// A user's come with the last seen first, everybody's in an order of the store's own. With `--json` there is one
    /// line for each session.
    #[command(after_long_help = format!("\
Examples:
  tenure sessions list --owner user-42
  tenure sessions list --all --json | jq -r .user_agent | sort | uniq -c

{EXIT_CODES}"))]
    List(List),

    /// Shows what is known of one session, live or expired.
    #[command(after_long_help = format!("\
Examples:
  tenure sessions show 00112233445566778899aabbccddeeff

{EXIT_CODES}"))]
    Show {
        /// The session's id, as logs show it.
        #[arg(value_name = "ID")]
        id: SessionId,

        #[command(flatten)]
        at: At,
    },

    /// Ends sessions by their ids.
    #[command(after_long_help = format!("\
Examples:
  tenure sessions revoke 00112233445566778899aabbccddeeff
  tenure sessions list --owner user-42 --json | jq -r .id | xargs tenure sessions revoke --yes

{EXIT_CODES}"))]
    Revoke {
        /// The sessions' ids, as logs show them.
        #[arg(value_name = "ID", required = true)]
        ids: Vec<SessionId>,

        #[command(flatten)]
        at: At,

        #[command(flatten)]
        leave: Leave,
    },

    /// Ends all sessions of a user.
    ///
    /// Change the password, or disable the account, first: a sign-in under way may otherwise make a new session just
    /// after.
    #[command(after_long_help = format!("\
Examples:
  tenure sessions revoke-owner user-42
  tenure sessions revoke-owner user-42 --except 00112233445566778899aabbccddeeff

{EXIT_CODES}"))]
    RevokeOwner {
        /// The application's id of the user.
        #[arg(value_parser = owner)]
        owner: Owner,

        /// A session that goes on.
        #[arg(long, value_name = "ID")]
        except: Option<SessionId>,

        #[command(flatten)]
        at: At,

        #[command(flatten)]
        leave: Leave,
    },

    /// Ends everybody's sessions.
    ///
    /// It ends those that there are when it begins. Applications go on beside it, and whoever signs in meanwhile may stay
    /// signed in.
    #[command(after_long_help = format!("\
Examples:
  tenure sessions revoke-all
  tenure sessions revoke-all --yes --json

{EXIT_CODES}"))]
    RevokeAll {
        #[command(flatten)]
        at: At,

        #[command(flatten)]
        leave: Leave,
    },

    /// Removes what has expired from the store.
    ///
    /// Applications do that by themselves, an hour after the expiry; this is for those where that is off. Redis, Valkey
    /// and MongoDB expire what they hold, and leave nothing to remove.
    #[command(after_long_help = EXIT_CODES)]
    Sweep {
        #[command(flatten)]
        at: At,
    },

    /// Counts sessions: live and expired, signed in and not, owners.
    ///
    /// It goes through all of them, page by page.
    #[command(after_long_help = EXIT_CODES)]
    Stats {
        #[command(flatten)]
        at: At,
    },
}

/// Which sessions, and how many.
#[derive(Args)]
pub(crate) struct List {
    /// Only those of this user, by the application's id of it.
    #[arg(long, value_parser = owner)]
    owner: Option<Owner>,

    /// At most so many.
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,

    /// However many there are.
    #[arg(long, conflicts_with = "limit")]
    all: bool,

    #[command(flatten)]
    at: At,
}

/// Which store, and who wants to know.
#[derive(Args)]
pub(crate) struct At {
    #[command(flatten)]
    place: Place,

    /// Prints JSON, for programs.
    #[arg(long)]
    json: bool,
}

/// Whether to go ahead without a question.
#[derive(Args)]
pub(crate) struct Leave {
    /// Does not ask before it ends something. Without it, and without a terminal, nothing is ended.
    #[arg(long, short)]
    yes: bool,
}

pub(crate) fn run(command: SessionsCommand) -> Result<Exit, Failure> {
    match command {
        SessionsCommand::List(list) => waiting_for(list::run(&list), list.at.json),
        SessionsCommand::Show { id, at } => waiting_for(show::run(id, &at), at.json),
        SessionsCommand::Revoke { ids, at, leave } => waiting_for(revoke::some(&ids, &at, &leave), at.json),
        SessionsCommand::RevokeOwner {
            owner,
            except,
            at,
            leave,
        } => waiting_for(revoke::of_owner(&owner, except, &at, &leave), at.json),
        SessionsCommand::RevokeAll { at, leave } => waiting_for(revoke::all(&at, &leave), at.json),
        SessionsCommand::Sweep { at } => waiting_for(sweep::run(&at), at.json),
        SessionsCommand::Stats { at } => waiting_for(stats::run(&at), at.json),
    }
}

fn owner(text: &str) -> Result<Owner, OwnerError> {
    Owner::new(text)
}
