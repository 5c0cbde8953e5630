//! What went wrong at a server, told without what it was given.

use std::error::Error;
use std::fmt;

use sqlx::error::DatabaseError;

use super::Dialect;

/// What an error of a server is about, as far as something follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The server ends this connection.
    ConnectionEnds,
    /// The server takes no writes, so it is a replica, or has become one.
    ReadOnly,
    /// The user may not do it.
    Denied,
    /// There is no room left.
    DiskFull,
    /// It has no room for another connection.
    TooManyConnections,
    /// User or password are wrong.
    LoginRefused,
    /// The database is not there.
    NoDatabase,
    /// The table is not there.
    NoTable,
    /// The table has other columns.
    OtherColumns,
    /// It took longer than the statement timeout.
    TookTooLong,
    /// Nothing of it was done, since another write stood in its way.
    Undone,
    /// The values were refused.
    Values,
    /// Something else, in the server's words.
    Other,
}

impl Trouble {
    /// Whether the connection is of no more use. One to a server that takes no writes is of none either: after a
    /// failover the same name leads to another server.
    pub(super) fn spends_connection(self) -> bool {
        matches!(self, Self::ConnectionEnds | Self::ReadOnly)
    }

    fn advice(self) -> Option<&'static str> {
        Some(match self {
            Self::ReadOnly => "the server is read-only: connect to the primary, not to a replica",
            Self::Denied => {
                "this user lacks a permission: grant SELECT, INSERT, UPDATE and DELETE on Tenure's tables, \
                 and CREATE for migrations"
            }
            Self::DiskFull => "the server's disk or table space is full",
            Self::TooManyConnections => {
                "the server takes no more connections: lower the number of connections of each instance, or raise \
                 the server's"
            }
            Self::LoginRefused => "check user and password",
            Self::NoDatabase => "create the database first",
            Self::NoTable => "Tenure's table is missing: let the store migrate, or run its migrations",
            Self::TookTooLong => "it took longer than the statement timeout",
            Self::ConnectionEnds | Self::OtherColumns | Self::Undone | Self::Values | Self::Other => {
                return None;
            }
        })
    }
}

/// What a server or the way to it said. Shows neither a password nor a value that a statement was given.
#[derive(Debug)]
pub(crate) struct ServerError {
    said: String,
    advice: Option<&'static str>,
}

impl ServerError {
    pub(super) fn new<D: Dialect>(error: &sqlx::Error) -> Self {
        match error.as_database_error() {
            Some(database) => Self::said::<D>(database),
            None => Self {
                said: error.to_string(),
                advice: None,
            },
        }
    }

    /// The servers quote in their messages which value they don't like, so those that are about values are kept
    /// to their code.
    fn said<D: Dialect>(error: &dyn DatabaseError) -> Self {
        let trouble = D::trouble(error);
        let code = error.code().unwrap_or_default();
        let said = match trouble {
            Trouble::Values => format!("the server refused a value ({code})"),
            _ => format!("{} ({code})", error.message()),
        };
        Self {
            said,
            advice: trouble.advice(),
        }
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said)?;
        match self.advice {
            Some(advice) => write!(f, "; {advice}"),
            None => Ok(()),
        }
    }
}

impl Error for ServerError {}

/// What `error` is about, if it comes from the server and not from the way to it.
pub(super) fn trouble<D: Dialect>(error: &sqlx::Error) -> Option<Trouble> {
    error.as_database_error().map(D::trouble)
}

/// Whether the connection is of no more use after `error`.
pub(super) fn spends_connection<D: Dialect>(error: &sqlx::Error) -> bool {
    trouble::<D>(error).is_none_or(Trouble::spends_connection)
}
