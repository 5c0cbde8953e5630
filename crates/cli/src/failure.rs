//! Why a command could not do what it was asked for.

use std::io;
use std::path::PathBuf;

use tenure::store::{Operation, StoreError};
use tenure_core::SessionId;
use tenure_secrets::{ConnectError, FetchError, FollowError, GenerateError, RotateError};

use crate::exit::Exit;

/// A command could not do what it was asked for. No message holds a secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(
        "this `tenure` was built without {scheme}; install it with `cargo install tenure-cli --features {scheme}`"
    )]
    NotBuiltIn { scheme: &'static str },
    #[error(transparent)]
    Connect(ConnectError),
    #[error(transparent)]
    Read(#[from] FollowError),
    #[error("nothing was written, for what is there can't be used, and no application starts with it")]
    Unfit(#[source] FollowError),
    #[error("nothing was written: {0}")]
    Hasty(String),
    #[error(transparent)]
    Write(#[from] RotateError),
    #[error(transparent)]
    Generate(#[from] GenerateError),
    #[error(transparent)]
    OpenStore(tenure::store::ConnectError),
    #[error("there is no database file {}; check the path after sqlite:", .file.display())]
    NoDatabase { file: PathBuf },
    #[error("the sessions of memory: are in the application's own process; nobody else can reach them")]
    InMemory,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("there is no session {0}; it was ended, or it has expired and was swept")]
    NoSession(SessionId),
    #[error("nothing was ended: this asks first, and there is no terminal to ask at; give --yes to go ahead")]
    NobodyToAsk,
    #[error("nothing was ended: the answer was no")]
    Declined,
    #[error("the manual pages could not be written to {}", .dir.display())]
    ManualPages { dir: PathBuf, source: io::Error },
    #[error("standard output takes nothing; what this command did stays done")]
    Output(#[source] io::Error),
    #[error("the runtime did not start")]
    Runtime(#[source] io::Error),
}

impl Failure {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::NotBuiltIn { .. }
            | Self::Connect(_)
            | Self::NoDatabase { .. }
            | Self::InMemory
            | Self::NobodyToAsk => Exit::Usage,
            Self::OpenStore(error) => exit_of_opening(error),
            Self::Store(error) => exit_of_store(error),
            Self::NoSession(_) | Self::Declined => Exit::Unfit,
            Self::Read(error) => exit_of_reading(error),
            Self::Unfit(_) | Self::Hasty(_) => Exit::Unfit,
            Self::Write(RotateError::Fetch(error)) => exit_of_fetching(error),
            Self::Write(_) => Exit::NotWritten,
            Self::Generate(_) | Self::ManualPages { .. } | Self::Output(_) | Self::Runtime(_) => {
                Exit::Machine
            }
        }
    }

    /// A name for programs, which stays as it is.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::NotBuiltIn { .. } => "not_built_in",
            Self::Connect(ConnectError::UnknownScheme { .. } | ConnectError::Malformed { .. }) => {
                "no_such_source"
            }
            Self::Connect(_) => "settings",
            Self::OpenStore(tenure::store::ConnectError::Failed { .. }) => "unreachable",
            Self::OpenStore(_) | Self::NoDatabase { .. } | Self::InMemory => "no_such_store",
            Self::Store(StoreError::Corrupt { .. }) => "unusable",
            Self::Store(_) => "store_failed",
            Self::NoSession(_) => "not_found",
            Self::NobodyToAsk => "not_confirmed",
            Self::Declined => "declined",
            Self::Read(FollowError::Fetch(error)) | Self::Write(RotateError::Fetch(error)) => {
                kind_of_fetching(error)
            }
            Self::Read(FollowError::TooSlow { .. }) => "unreachable",
            Self::Read(_) | Self::Unfit(_) => "unusable",
            Self::Hasty(_) => "timing",
            Self::Write(RotateError::NotWritable { .. }) => "not_writable",
            Self::Write(RotateError::Conflict { .. }) => "conflict",
            Self::Write(_) => "refused",
            Self::Generate(_) => "no_random_bytes",
            Self::ManualPages { .. } | Self::Output(_) | Self::Runtime(_) => "machine",
        }
    }
}

fn exit_of_reading(error: &FollowError) -> Exit {
    match error {
        FollowError::Fetch(error) => exit_of_fetching(error),
        FollowError::TooSlow { .. } => Exit::NotRead,
        _ => Exit::Unfit,
    }
}

fn exit_of_opening(error: &tenure::store::ConnectError) -> Exit {
    match error {
        tenure::store::ConnectError::Failed { .. } => Exit::NotRead,
        _ => Exit::Usage,
    }
}

fn exit_of_store(error: &StoreError) -> Exit {
    match error {
        StoreError::Unavailable { operation, .. } | StoreError::TimedOut { operation, .. }
            if matches!(
                operation,
                Operation::Remove | Operation::RemoveByOwner | Operation::Sweep
            ) =>
        {
            Exit::NotWritten
        }
        _ => Exit::NotRead,
    }
}

fn exit_of_fetching(error: &FetchError) -> Exit {
    match error {
        FetchError::NotFound { .. } | FetchError::Unusable { .. } => Exit::Unfit,
        _ => Exit::NotRead,
    }
}

fn kind_of_fetching(error: &FetchError) -> &'static str {
    match error {
        FetchError::Denied { .. } => "denied",
        FetchError::NotFound { .. } => "not_found",
        FetchError::Unusable { .. } => "unusable",
        _ => "unreachable",
    }
}

impl From<tenure::store::ConnectError> for Failure {
    fn from(error: tenure::store::ConnectError) -> Self {
        match error {
            tenure::store::ConnectError::MissingFeature { feature, .. } => {
                Self::NotBuiltIn { scheme: feature }
            }
            error => Self::OpenStore(error),
        }
    }
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::MissingFeature { scheme } => Self::NotBuiltIn { scheme },
            error => Self::Connect(error),
        }
    }
}
