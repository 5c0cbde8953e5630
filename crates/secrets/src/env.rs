//! Secrets in environment variables.

use std::env::{self, VarError};

use tenure_core::Secret;
use zeroize::Zeroizing;

use crate::fetch_error::FetchError;
use crate::source::{Fetched, SecretSource, SourceFuture};
use crate::value::{empty, name_by_value, trimmed, without_repetition};
use crate::version::{SecretVersion, Stage};

/// An environment variable, and a second one for older secrets: `env:SESSION_SECRET`.
///
/// The variable has one secret, or several with commas between them, the one to sign with first. The variable of the
/// same name with `_PREVIOUS` behind it, if it is there, has older ones, in the same way. White space around a secret
/// does not count.
///
/// A process's environment does not change, so a new secret needs a restart, and nothing is written from here. A
/// version is named by its key's id, which is derived one-way.
///
/// ```
/// use tenure_secrets::{EnvSource, SecretSource};
///
/// let source = EnvSource::new("SESSION_SECRET");
/// assert_eq!(source.name(), "env:SESSION_SECRET");
/// ```
#[derive(Debug)]
pub struct EnvSource {
    name: String,
    variable: String,
    previous: String,
}

impl EnvSource {
    /// The secrets in `variable` and in the one of that name with `_PREVIOUS` behind it.
    #[must_use]
    pub fn new(variable: impl Into<String>) -> Self {
        let variable = variable.into();
        Self {
            name: format!("env:{variable}"),
            previous: format!("{variable}_PREVIOUS"),
            variable,
        }
    }

    fn read(&self, variables: impl Fn(&str) -> Result<String, VarError>) -> Result<Fetched, FetchError> {
        let Some(mut secrets) = self.secrets_in(&self.variable, &variables)? else {
            return Err(FetchError::NotFound {
                origin: self.name.clone(),
                reason: format!(
                    "the environment variable {} is not set; set it to a secret made with `openssl rand -base64 32`",
                    self.variable
                ),
            });
        };
        if secrets.is_empty() {
            return Err(empty(&self.name, &self.variable));
        }
        secrets.extend(self.secrets_in(&self.previous, &variables)?.unwrap_or_default());
        let versions = secrets
            .into_iter()
            .map(|secret| SecretVersion {
                name: name_by_value(&secret),
                secret,
                stage: Stage::Active,
                created_at: None,
            })
            .collect();
        Ok(Fetched {
            versions: without_repetition(versions),
            look_again_in: None,
        })
    }

    fn secrets_in(
        &self,
        variable: &str,
        variables: impl Fn(&str) -> Result<String, VarError>,
    ) -> Result<Option<Vec<Secret>>, FetchError> {
        let list = match variables(variable) {
            Ok(list) => Zeroizing::new(list),
            Err(VarError::NotPresent) => return Ok(None),
            Err(VarError::NotUnicode(_)) => {
                return Err(FetchError::Unusable {
                    origin: self.name.clone(),
                    reason: format!("{variable} is not UTF-8; write the secret as text, such as base64"),
                });
            }
        };
        let secrets = list.split(',').filter_map(|secret| trimmed(secret.as_bytes()));
        Ok(Some(secrets.collect()))
    }
}

impl Default for EnvSource {
    /// `SESSION_SECRET` and `SESSION_SECRET_PREVIOUS`.
    fn default() -> Self {
        Self::new("SESSION_SECRET")
    }
}

impl SecretSource for EnvSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn fetch(&self) -> SourceFuture<'_, Result<Fetched, FetchError>> {
        Box::pin(std::future::ready(self.read(|variable| env::var(variable))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: &str = "T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r";
    const OLD: &str = "Yb0yP2kV9rT4nXwE6uLsJ1dHfCaGzmQ7";
    const OLDEST: &str = "mQ7Yb0yP2kV9rT4nXwE6uLsJ1dHfCaGz";

    fn read(current: Option<&str>, previous: Option<&str>) -> Result<Vec<String>, FetchError> {
        let source = EnvSource::default();
        let fetched = source.read(|variable| {
            let value = match variable {
                "SESSION_SECRET" => current,
                "SESSION_SECRET_PREVIOUS" => previous,
                _ => None,
            };
            value.map(str::to_owned).ok_or(VarError::NotPresent)
        })?;
        Ok(fetched.versions.into_iter().map(|version| version.name).collect())
    }

    fn names(secrets: &[&str]) -> Vec<String> {
        secrets
            .iter()
            .map(|secret| name_by_value(&Secret::new(secret)))
            .collect()
    }

    #[test]
    fn older_secrets_stand_behind_commas_or_in_the_second_variable() {
        assert_eq!(read(Some(NEW), None).unwrap(), names(&[NEW]));
        assert_eq!(
            read(Some(&format!("{NEW}, {OLD}\n")), None).unwrap(),
            names(&[NEW, OLD])
        );
        assert_eq!(
            read(Some(NEW), Some(&format!("{OLD},{OLDEST}"))).unwrap(),
            names(&[NEW, OLD, OLDEST])
        );
        assert_eq!(read(Some(NEW), Some("")).unwrap(), names(&[NEW]));
        assert_eq!(read(Some(NEW), Some(NEW)).unwrap(), names(&[NEW]));
    }

    #[test]
    fn no_secret_is_an_error_that_names_the_variable() {
        let missing = read(None, Some(OLD)).unwrap_err();
        assert!(
            matches!(&missing, FetchError::NotFound { reason, .. } if reason.contains("SESSION_SECRET "))
        );
        for nothing in ["", " ", ",", "\n,"] {
            let empty = read(Some(nothing), Some(OLD)).unwrap_err();
            assert!(
                matches!(&empty, FetchError::Unusable { reason, .. } if reason.contains("SESSION_SECRET "))
            );
        }
    }

    #[test]
    fn nothing_of_the_secret_is_in_the_names() {
        for name in read(Some(NEW), Some(OLD)).unwrap() {
            assert_eq!(name.len(), 8);
            assert!(!NEW.contains(&name) && !OLD.contains(&name));
        }
    }
}
