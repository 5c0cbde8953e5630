//! Where Tenure's secrets come from, and a keyring that follows them.
//!
//! A [`SecretSource`] has the versions of one secret; a [`FollowingKeyring`] looks at it again and again, and signs with
//! a new version once every instance has had the time to see it. [`connect`] picks a source by its URL:
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let source = tenure_secrets::connect("env:SESSION_SECRET").await?;
//! assert_eq!(source.name(), "env:SESSION_SECRET");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The sources
//!
//! Each is behind a feature that is off by default, and has a type of its own with more options. Without any of them
//! there is the environment, and this crate adds nothing to what the engine needs.
//!
//! | source | URL | feature | crates it adds | type |
//! | --- | --- | --- | --- | --- |
//! | environment variables | `env:SESSION_SECRET` | none | 0 | `EnvSource` |
//! | a file, or a folder of them: Docker, Kubernetes, systemd | `file:/run/secrets/session` | `file` | 10 | `FileSource` |
//! | HashiCorp Vault, OpenBao (KV version 2) | `vault:secret/shop#session` | `vault` | 67 | `VaultSource` |
//! | AWS Secrets Manager | `aws:shop/session`, `aws:shop#session` | `aws` | 110 | `AwsSource` |
//! | Azure Key Vault | `azure:shop/session` | `azure` | 99 | `AzureSource` |
//!
//! | source | who we are to it | versions | revoking one | changes are seen | written by `rotate` | tested against |
//! | --- | --- | --- | --- | --- | --- | --- |
//! | environment | the process | a list with commas, and `…_PREVIOUS` | take it out, restart | at a restart | no | a process's environment |
//! | file | the user; files that others may read are refused | lines, or files of a folder | remove the line or file | at once (inotify and its like), or at the next look | yes, atomically, where Kubernetes does not write | the file system, with links swapped as Kubernetes swaps them |
//! | Vault, OpenBao | a token, AppRole, or a service account of Kubernetes; leases are renewed | all that the entry keeps | delete the version | at the next look | yes, with check-and-set | OpenBao 2.7, in plain text and by TLS |
//! | AWS | what the SDK finds: environment, profile, container, instance, web identity | `AWSCURRENT`, `AWSPREVIOUS`, `AWSPENDING` (verifies only), and for 30 days those without a label | rotate twice and keep none without a label | at the next look | yes | the SDK, against moto 5.2 |
//! | Azure | client secret, workload identity, managed identity | all that are enabled and have not expired; before `nbf` they verify only | disable the version | at the next look, or when a version's time comes | yes | the official client, against a stand-in: there is no emulator |
//!
//! # What all have in common
//!
//! - White space around a secret does not count. Whether a secret is strong enough is judged by the keyring.
//! - A fetch gives all versions that count, or an error that says what to do: [`FetchError::Unreachable`],
//!   [`FetchError::Denied`], [`FetchError::NotFound`] or [`FetchError::Unusable`].
//! - Every call ends within 5 seconds unless another `timeout` is set.
//! - No error, no `Debug` and no event of a log has a secret, a token or an answer of the server in it.
//! - Nothing is asked for before the first fetch.
//!
//! ```
//! # #[cfg(feature = "vault")]
//! # fn main() -> Result<(), tenure_secrets::SetupError> {
//! use tenure_secrets::{SecretSource, VaultLogin, VaultSource};
//!
//! let source = VaultSource::builder("secret", "shop")
//!     .field("session")
//!     .address("https://vault.internal:8200")
//!     .login(VaultLogin::kubernetes("shop"))
//!     .build()?;
//! assert_eq!(source.name(), "vault:secret/shop#session");
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "vault"))]
//! # fn main() {}
//! ```

#![cfg_attr(not(test), warn(clippy::unwrap_used))]

#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "azure")]
mod azure;
mod connect;
mod core_dumps;
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
pub use core_dumps::forbid_core_dumps;
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
