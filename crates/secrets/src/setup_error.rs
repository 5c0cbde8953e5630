//! What keeps a source from being set up.

use std::error::Error;

/// A source could not be set up. No message holds a secret or a credential.
///
/// ```
/// # #[cfg(feature = "vault")]
/// # {
/// use tenure_secrets::{SetupError, VaultLogin, VaultSource};
///
/// let plain = VaultSource::builder("secret", "shop").address("http://vault.internal:8200");
/// let refused = plain.login(VaultLogin::kubernetes("shop")).build();
/// assert!(matches!(refused, Err(SetupError::Setting { setting: "address", .. })));
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// A setting is missing or can't be used.
    #[error("{setting}: {reason}")]
    Setting {
        /// Which one: a method of the builder, a part of the URL, or an environment variable.
        setting: &'static str,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A file that a setting names can't be used.
    #[error(
        "the file of {setting} can't be used; check that it is there, may be read and is of the right kind"
    )]
    File {
        /// Which setting names it.
        setting: &'static str,
        /// What the operating system or the parser says.
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
    /// The client library did not start.
    #[error("the client could not be set up")]
    Client {
        /// What it says.
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
}

#[cfg(any(feature = "vault", feature = "azure"))]
impl SetupError {
    pub(crate) fn setting(setting: &'static str, reason: impl Into<String>) -> Self {
        Self::Setting {
            setting,
            reason: reason.into(),
        }
    }
}
