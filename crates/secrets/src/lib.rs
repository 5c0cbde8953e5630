//! Where Tenure's secrets come from, and a keyring that follows them.

#![cfg_attr(not(test), warn(clippy::unwrap_used))]

#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "azure")]
mod azure;
mod connect;
mod env;
mod fetch_error;
#[cfg(feature = "file")]
mod file;
mod follow_error;
mod follow_options;
mod following_keyring;
mod intake;
mod jitter;
#[cfg(any(feature = "aws", feature = "azure"))]
mod known_values;
mod observed;
mod plan;
mod preview;
mod rotation_schedule;
mod secret_event;
mod secret_text;
mod setup_error;
mod source;
mod value;
#[cfg(feature = "vault")]
mod vault;
mod version;

#[cfg(feature = "aws")]
pub use aws::AwsSource;
#[cfg(feature = "azure")]
pub use azure::AzureSource;
pub use connect::{ConnectError, connect};
pub use env::EnvSource;
pub use fetch_error::{FetchError, RotateError};
#[cfg(feature = "file")]
pub use file::FileSource;
pub use follow_error::{FollowError, WeakVersion};
pub use follow_options::FollowOptions;
pub use following_keyring::{Failing, FollowStatus, FollowingKeyring, VersionStatus};
pub use preview::{Preview, VersionPreview};
pub use rotation_schedule::RotationSchedule;
pub use secret_event::{SecretEvent, SecretEventKind, SecretListener};
pub use secret_text::{GenerateError, SecretText};
pub use setup_error::SetupError;
pub use source::{Fetched, SecretSource, SourceFuture};
#[cfg(feature = "vault")]
pub use vault::{VaultBuilder, VaultLogin, VaultSource};
pub use version::{SecretVersion, Stage};

/// How long a call of a source may take: a server in another region answers in a tenth of it, and a start does not hang
/// for long.
#[cfg(any(feature = "file", feature = "vault", feature = "aws", feature = "azure"))]
pub(crate) const DEFAULT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);
