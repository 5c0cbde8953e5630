//! Why a source gives no keyring.

use std::error::Error;
use std::fmt::Write;
use std::time::Duration;

use tenure_core::Weakness;

use crate::fetch_error::FetchError;
use crate::version::SecretVersion;

/// A source could not be read, or what it has makes no keyring. No message holds a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FollowError {
    /// The source could not be read.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The source did not answer in time.
    #[error("{origin} did not answer within {deadline:?}; check its address and the network")]
    TooSlow {
        /// The source's name.
        origin: String,
        /// The deadline of one read.
        deadline: Duration,
    },
    /// Versions that would be in use are too weak.
    #[error("{origin} has secrets that are too weak: {}", list(.versions))]
    Weak {
        /// The source's name.
        origin: String,
        /// Which versions, and why.
        versions: Vec<WeakVersion>,
    },
    /// There is no version at all, or every one is held back.
    #[error(
        "{origin} has no version that may sign; put a secret made with `openssl rand -base64 32` there, or release one that is pending"
    )]
    NothingMaySign {
        /// The source's name.
        origin: String,
    },
}

/// A version that is too weak to be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("version {name}: {weakness}")]
pub struct WeakVersion {
    /// The source's name for it.
    pub name: String,
    /// What is wrong with it.
    pub weakness: Weakness,
}

impl WeakVersion {
    pub(crate) fn of(version: &SecretVersion) -> Option<Self> {
        let weakness = version.secret.weakness()?;
        Some(Self {
            name: version.name.clone(),
            weakness,
        })
    }
}

fn list(versions: &[WeakVersion]) -> String {
    let versions: Vec<_> = versions.iter().map(WeakVersion::to_string).collect();
    versions.join("; ")
}

impl FollowError {
    /// The message with those of its causes behind it.
    pub(crate) fn with_causes(&self) -> String {
        let mut message = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            // Writing to a string never fails.
            let _ = write!(message, ": {error}");
            cause = error.source();
        }
        message
    }
}
