//! What happens to the secrets, told to a listener and to `tracing`.

use std::time::Duration;

use tenure_core::{KeyId, Timestamp};

/// Something that happened between a source and the keyring that follows it. Holds names of versions and ids of keys,
/// never a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretEvent {
    /// When, by the application's clock.
    pub at: Timestamp,
    /// The source's name.
    pub source: String,
    /// What.
    pub kind: SecretEventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretEventKind {
    /// The source was read, and has these versions.
    Fetched {
        /// Their names, the one to sign with first.
        versions: Vec<String>,
    },
    /// The source could not be read, or what it has can't be used. The last good set stays in service.
    FetchFailed {
        /// What went wrong, and what to do.
        error: String,
        /// For how long the source has been failing; zero at the first failure.
        failing_for: Duration,
    },
    /// The source can be read again.
    Recovered {
        /// For how long it could not be.
        after: Duration,
    },
    /// There is a version that was not there before. It verifies from now on.
    VersionAdded {
        /// The source's name for it.
        version: String,
        /// Its key's id.
        key: KeyId,
    },
    /// Another version signs from now on.
    Rotated {
        /// The source's name for it.
        version: String,
        /// Its key's id.
        key: KeyId,
    },
    /// A version is no longer there, and its cookies are refused from now on.
    VersionDropped {
        /// The source's name for it.
        version: String,
        /// Its key's id.
        key: KeyId,
    },
    /// No session under a version can be alive any more, and it verifies no longer.
    VersionRetired {
        /// The source's name for it.
        version: String,
        /// Its key's id.
        key: KeyId,
    },
}

impl SecretEventKind {
    /// A name for logs and metrics.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Fetched { .. } => "secret_fetched",
            Self::FetchFailed { .. } => "secret_fetch_failed",
            Self::Recovered { .. } => "secret_source_recovered",
            Self::VersionAdded { .. } => "secret_version_added",
            Self::Rotated { .. } => "secret_rotated",
            Self::VersionDropped { .. } => "secret_version_dropped",
            Self::VersionRetired { .. } => "secret_version_retired",
        }
    }
}

/// Is told every [`SecretEvent`], in the task that follows the source: hand it on and return.
pub trait SecretListener: Send + Sync + 'static {
    /// Called once for each event.
    fn notice(&self, event: &SecretEvent);
}

impl<F: Fn(&SecretEvent) + Send + Sync + 'static> SecretListener for F {
    fn notice(&self, event: &SecretEvent) {
        self(event);
    }
}

pub(crate) fn tell(listener: Option<&dyn SecretListener>, event: &SecretEvent) {
    log(event);
    if let Some(listener) = listener {
        listener.notice(event);
    }
}

fn log(event: &SecretEvent) {
    let (name, source) = (event.kind.name(), event.source.as_str());
    let detail = tracing::field::debug(&event.kind);
    match event.kind {
        SecretEventKind::Fetched { .. } => tracing::debug!(target: "tenure", name, source, detail),
        SecretEventKind::FetchFailed { .. } => tracing::error!(target: "tenure", name, source, detail),
        SecretEventKind::VersionDropped { .. } => tracing::warn!(target: "tenure", name, source, detail),
        _ => tracing::info!(target: "tenure", name, source, detail),
    }
}
