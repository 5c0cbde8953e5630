//! What every source does with a value that it has read.

use tenure_core::{Keyring, Secret};

use crate::fetch_error::FetchError;
use crate::version::SecretVersion;

/// The secret in `value`, without the white space around it that files and command lines leave behind; none, if there
/// is nothing else.
pub(crate) fn trimmed(value: &[u8]) -> Option<Secret> {
    let trimmed = value.trim_ascii();
    (!trimmed.is_empty()).then(|| Secret::new(trimmed))
}

pub(crate) fn empty(origin: &str, place: &str) -> FetchError {
    FetchError::Unusable {
        origin: origin.to_owned(),
        reason: format!("{place} is empty; put a secret there, made with `openssl rand -base64 32`"),
    }
}

/// A name for a secret whose source has none: its key's id, which is derived one-way.
pub(crate) fn name_by_value(secret: &Secret) -> String {
    Keyring::new(secret.clone()).current_key_id().to_string()
}

/// Leaves out what came before: a secret that is written down twice is one version.
pub(crate) fn without_repetition(versions: Vec<SecretVersion>) -> Vec<SecretVersion> {
    let mut seen = std::collections::HashSet::new();
    versions
        .into_iter()
        .filter(|version| seen.insert(version.name.clone()))
        .collect()
}
