//! Secrets that follow the place where they are kept.

use std::time::Duration;

use napi::bindgen_prelude::*;
use napi_derive::napi;
use tenure::Policy;
use tenure::secrets::{FollowOptions, FollowingKeyring};

use super::event::millis;
use super::failure::with_causes;

/// How a place for secrets is followed. All times in milliseconds.
#[napi(object, object_to_js = false)]
pub struct SecretOptions {
    pub longest_lifetime: Option<f64>,
    pub refresh_every: Option<f64>,
    pub propagation_delay: Option<f64>,
}

/// The secrets of such a place.
#[napi]
pub struct FollowedSecrets {
    pub(super) keyring: FollowingKeyring,
    /// How long an older version is kept.
    pub(super) longest_lifetime: Duration,
}

/// How they stand.
#[napi(object, object_from_js = false)]
pub struct SecretsStatus {
    pub source: String,
    pub last_success_at: f64,
    pub failing: Option<String>,
    pub versions: Vec<VersionStatus>,
}

/// How one version stands.
#[napi(object, object_from_js = false)]
pub struct VersionStatus {
    pub name: String,
    pub role: Option<String>,
    pub cookies_verified: f64,
}

#[napi]
impl FollowedSecrets {
    /// How they stand: for health pages.
    #[napi]
    pub fn status(&self) -> SecretsStatus {
        let status = self.keyring.status();
        let versions = status.versions.into_iter().map(|version| VersionStatus {
            name: version.name,
            role: version.role.map(|role| format!("{role:?}").to_lowercase()),
            cookies_verified: version.cookies_verified as f64,
        });
        SecretsStatus {
            source: status.source,
            last_success_at: millis(status.last_success_at),
            failing: status.failing.map(|failing| failing.error),
            versions: versions.collect(),
        }
    }

    /// Reads the place now.
    #[napi]
    pub async fn refresh(&self) -> Result<()> {
        let refreshed = self.keyring.refresh().await;
        refreshed.map_err(|error| Error::from_reason(with_causes(&error)))
    }
}

/// The secrets of the place that a URL names, once they are read.
#[napi]
pub async fn follow_secrets(url: String, options: SecretOptions) -> Result<FollowedSecrets> {
    let source = tenure::secrets::connect(&url)
        .await
        .map_err(|error| Error::from_reason(with_causes(&error)))?;
    let policy = Policy::default();
    let mut follow = FollowOptions::for_policy(&policy);
    let longest_lifetime = options
        .longest_lifetime
        .map_or_else(|| policy.longest_lifetime(), from_millis);
    follow = follow.longest_lifetime(longest_lifetime);
    if let Some(interval) = options.refresh_every {
        follow = follow.refresh_every(from_millis(interval));
    }
    if let Some(delay) = options.propagation_delay {
        follow = follow.propagation_delay(from_millis(delay));
    }
    match FollowingKeyring::start(source, follow).await {
        Ok(keyring) => Ok(FollowedSecrets {
            keyring,
            longest_lifetime,
        }),
        Err(error) => Err(Error::from_reason(with_causes(&error))),
    }
}

/// A time that JavaScript has checked to be a number that is not negative.
pub(super) fn from_millis(millis: f64) -> Duration {
    Duration::from_millis(millis as u64)
}
