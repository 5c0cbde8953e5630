//! One way in: a source by its URL.

use std::sync::Arc;

use crate::env::EnvSource;
use crate::setup_error::SetupError;
use crate::source::SecretSource;

/// A source could not be had by its URL. Shows nothing of the URL but its scheme, for somebody may have put the secret
/// itself there.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// use tenure_secrets::{ConnectError, connect};
///
/// let mistaken = connect("mQ7Yb0yP2kV9rT4nXwE6uLsJ1dHfCaGz").await;
/// assert!(matches!(mistaken, Err(ConnectError::UnknownScheme { scheme }) if scheme.is_empty()));
/// # });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL has no scheme of a source.
    #[error(
        "{scheme:?} is no scheme of a place for secrets; the URL starts with one of env:, file:, vault:, aws:, azure:"
    )]
    UnknownScheme {
        /// What stands before the first colon, if it can be a scheme.
        scheme: String,
    },
    /// The source is known, and was not compiled in.
    #[error(
        "{scheme}: needs the feature {scheme:?} of the crate tenure-secrets: cargo add tenure-secrets --features {scheme}"
    )]
    MissingFeature {
        /// The URL's scheme, which is the feature's name as well.
        scheme: &'static str,
    },
    /// What stands behind the scheme is not what this source takes.
    #[error("{scheme}: is followed by something else than expected; write it as {expected}")]
    Malformed {
        /// The URL's scheme.
        scheme: &'static str,
        /// How it is written.
        expected: &'static str,
    },
    /// The source could not be set up.
    #[error("the source {scheme}: could not be set up")]
    Failed {
        /// The URL's scheme.
        scheme: &'static str,
        /// What is wrong, and what to do.
        #[source]
        source: SetupError,
    },
}

/// The source that a URL names, with its defaults. The credentials come from the environment, as with the command line
/// of each.
///
/// | URL | source | feature |
/// | --- | --- | --- |
/// | `env:VARIABLE` | [`EnvSource`] | none |
/// | `file:PATH` | `FileSource` | `file` |
/// | `vault:MOUNT/PATH#FIELD`, or without `#FIELD` if there is only one | `VaultSource`, by `VaultBuilder::from_env` | `vault` |
/// | `aws:NAME`, or `aws:NAME#KEY` for a value that is a JSON object | `AwsSource` | `aws` |
/// | `azure:VAULT/NAME` | `AzureSource` | `azure` |
///
/// Nothing is fetched yet, so a server that is down is told by the first `fetch`.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let source = tenure_secrets::connect("env:SESSION_SECRET").await?;
/// assert_eq!(source.name(), "env:SESSION_SECRET");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the scheme is unknown, the source's feature is off, the rest of the URL is not what it takes, or it can't be set
/// up.
pub async fn connect(url: &str) -> Result<Arc<dyn SecretSource>, ConnectError> {
    let (scheme, rest) = url.split_once(':').unwrap_or((url, ""));
    match scheme {
        "env" => env(rest),
        "file" => file(rest),
        "vault" => vault(rest),
        "aws" => aws(rest).await,
        "azure" => azure(rest),
        _ => Err(ConnectError::UnknownScheme {
            scheme: shown_scheme(url, scheme),
        }),
    }
}

fn env(variable: &str) -> Result<Arc<dyn SecretSource>, ConnectError> {
    if variable.is_empty() || variable.contains(['=', '\0']) {
        return Err(ConnectError::Malformed {
            scheme: "env",
            expected: "env:VARIABLE",
        });
    }
    Ok(Arc::new(EnvSource::new(variable)))
}

#[cfg(feature = "file")]
fn file(path: &str) -> Result<Arc<dyn SecretSource>, ConnectError> {
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() {
        return Err(ConnectError::Malformed {
            scheme: "file",
            expected: "file:PATH",
        });
    }
    Ok(Arc::new(crate::file::FileSource::new(path)))
}

#[cfg(feature = "vault")]
fn vault(place: &str) -> Result<Arc<dyn SecretSource>, ConnectError> {
    let (path, field) = with_fragment(place);
    let (mount, path) = path.split_once('/').ok_or(ConnectError::Malformed {
        scheme: "vault",
        expected: "vault:MOUNT/PATH#FIELD",
    })?;
    let mut builder = crate::vault::VaultSource::builder(mount, path).from_env();
    if let Some(field) = field {
        builder = builder.field(field);
    }
    let source = builder.build().map_err(|source| ConnectError::Failed {
        scheme: "vault",
        source,
    })?;
    Ok(Arc::new(source))
}

#[cfg(feature = "aws")]
async fn aws(place: &str) -> Result<Arc<dyn SecretSource>, ConnectError> {
    let (name, key) = with_fragment(place);
    if name.is_empty() {
        return Err(ConnectError::Malformed {
            scheme: "aws",
            expected: "aws:NAME or aws:NAME#KEY",
        });
    }
    let connected = crate::aws::AwsSource::connect(name).await;
    let mut source = connected.map_err(|source| ConnectError::Failed {
        scheme: "aws",
        source,
    })?;
    if let Some(key) = key {
        source = source.json_key(key);
    }
    Ok(Arc::new(source))
}

#[cfg(feature = "azure")]
fn azure(place: &str) -> Result<Arc<dyn SecretSource>, ConnectError> {
    let (vault, name) = place.split_once('/').ok_or(ConnectError::Malformed {
        scheme: "azure",
        expected: "azure:VAULT/NAME",
    })?;
    let source = crate::azure::AzureSource::connect(vault, name).map_err(|source| ConnectError::Failed {
        scheme: "azure",
        source,
    })?;
    Ok(Arc::new(source))
}

#[cfg(not(feature = "file"))]
fn file(_: &str) -> Result<Arc<dyn SecretSource>, ConnectError> {
    Err(ConnectError::MissingFeature { scheme: "file" })
}

#[cfg(not(feature = "vault"))]
fn vault(_: &str) -> Result<Arc<dyn SecretSource>, ConnectError> {
    Err(ConnectError::MissingFeature { scheme: "vault" })
}

#[cfg(not(feature = "aws"))]
async fn aws(_: &str) -> Result<Arc<dyn SecretSource>, ConnectError> {
    Err(ConnectError::MissingFeature { scheme: "aws" })
}

#[cfg(not(feature = "azure"))]
fn azure(_: &str) -> Result<Arc<dyn SecretSource>, ConnectError> {
    Err(ConnectError::MissingFeature { scheme: "azure" })
}

#[cfg(any(feature = "vault", feature = "aws"))]
fn with_fragment(place: &str) -> (&str, Option<&str>) {
    match place.split_once('#') {
        Some((path, fragment)) => (path, Some(fragment).filter(|fragment| !fragment.is_empty())),
        None => (place, None),
    }
}

/// The scheme, unless it can't be one: then the whole text may be anything, a secret included.
fn shown_scheme(url: &str, scheme: &str) -> String {
    let is_scheme =
        url.contains(':') && scheme.len() <= 10 && scheme.bytes().all(|byte| byte.is_ascii_lowercase());
    if is_scheme {
        scheme.to_owned()
    } else {
        String::new()
    }
}
