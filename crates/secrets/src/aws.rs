//! Secrets in AWS Secrets Manager.

mod failure;
mod listing;

use std::fmt;
use std::time::{Duration, SystemTime};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
use serde_json::Value;
use tenure_core::{Secret, Timestamp};
use zeroize::Zeroizing;

use crate::fetch_error::{FetchError, RotateError};
use crate::known_values::KnownValues;
use crate::secret_text::SecretText;
use crate::setup_error::SetupError;
use crate::source::{Fetched, SecretSource, SourceFuture};
use crate::value::{empty, trimmed, without_repetition};
use crate::version::{SecretVersion, Stage};
use failure::Failure;
use listing::{Label, Listed};

/// The longest that a remembered session lives by default.
const KEEP_UNLABELLED_FOR: Duration = Duration::from_hours(30 * 24);

/// A secret in AWS Secrets Manager: `aws:shop/session`, or `aws:shop#session` for one key of a JSON object.
///
/// **Versions**, named by their ids: the one labelled `AWSCURRENT` first, then `AWSPREVIOUS`, then those that have lost
/// their labels, since a session can outlive two rotations. `AWSPENDING` verifies and does not sign. A version's value
/// never changes, so each is fetched once and kept, but for the current one, which is asked for each time to see whether
/// it may still be read. A look is two calls.
///
/// **Revoking** is different here: AWS lets nobody delete a single version. To revoke a leaked secret, rotate twice and
/// set [`keep_unlabelled_for`](Self::keep_unlabelled_for) to zero, or begin a secret under another name.
///
/// **Permission** needed: `secretsmanager:GetSecretValue`, and `secretsmanager:ListSecretVersionIds` for versions without
/// a label: where that is denied, the labelled ones have to do. To rotate, `secretsmanager:PutSecretValue`; with a key of
/// the customer's own, `kms:Decrypt` and `kms:GenerateDataKey`.
///
/// **Credentials, region and endpoint** come from where the SDK finds them: environment, profile, container, instance,
/// web identity; `AWS_ENDPOINT_URL` for another endpoint. Single sign-on and `credential_process` are left out, as they
/// are for people; with [`with_client`](Self::with_client) every client of the SDK will do.
///
/// **`rotate`** is one `PutSecretValue`, which makes the new version `AWSCURRENT`. Other keys of a JSON object are kept;
/// of two who write such an object at the same time one may undo the other's, for AWS compares nothing. A secret that is
/// not there yet is not made.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use tenure_secrets::{AwsSource, SecretSource};
///
/// let source = AwsSource::connect("shop/session").await?;
/// println!("{:?}", source.fetch().await?);
/// # Ok(())
/// # }
/// ```
pub struct AwsSource {
    name: String,
    client: Client,
    secret: String,
    json_key: Option<String>,
    keep_unlabelled_for: Duration,
    timeout: Duration,
    known: KnownValues,
}

impl AwsSource {
    /// The secret of this name or ARN, with what the environment says about region and credentials. Nothing is asked of
    /// AWS yet.
    ///
    /// # Errors
    /// If there is no region.
    pub async fn connect(secret: impl Into<String>) -> Result<Self, SetupError> {
        let config = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
        if config.region().is_none() {
            return Err(SetupError::Setting {
                setting: "AWS_REGION",
                reason: "no region is set; set AWS_REGION, such as to eu-central-1".to_owned(),
            });
        }
        Ok(Self::with_client(Client::new(&config), secret))
    }

    /// The secret of this name or ARN, by a client of the SDK.
    #[must_use]
    pub fn with_client(client: Client, secret: impl Into<String>) -> Self {
        let secret = secret.into();
        Self {
            name: format!("aws:{secret}"),
            client,
            secret,
            json_key: None,
            keep_unlabelled_for: KEEP_UNLABELLED_FOR,
            timeout: crate::DEFAULT_TIMEOUT,
            known: KnownValues::default(),
        }
    }

    /// Takes this key of the value, which has to be a JSON object. *Default*: the value as a whole.
    #[must_use]
    pub fn json_key(mut self, key: impl Into<String>) -> Self {
        let key = key.into();
        self.name = format!("aws:{}#{key}", self.secret);
        self.json_key = Some(key);
        self
    }

    /// For how long a version without a label is still given, from the time that the next one was made. *Default*: 30
    /// days. *Reason*: as long as a remembered session lives, and no longer: AWS keeps up to a hundred such versions.
    #[must_use]
    pub fn keep_unlabelled_for(mut self, time: Duration) -> Self {
        self.keep_unlabelled_for = time;
        self
    }

    /// How long each call may take, with the SDK's own further tries. *Default*: 5 seconds. *Reason*: another region
    /// answers in a tenth of it, and a start does not hang for long.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    async fn read(&self) -> Result<Fetched, FetchError> {
        // Always anew: a secret that is marked for deletion or that we may not read any more can still be listed.
        let current = self
            .labelled(Label::Current)
            .await
            .map_err(|failure| failure.named(&self.name))?;
        let current = self.version_in(&current, Label::Current)?;
        self.known.insert(&current.name, &current.secret);
        let versions = match self.list().await {
            Ok(listed) => {
                let now = Timestamp::from(SystemTime::now());
                let wanted = listing::wanted(listed, self.keep_unlabelled_for, now);
                self.listed_versions(wanted).await?
            }
            Err(Failure::Denied(_)) => {
                tracing::warn!(
                    source = %self.name,
                    "secretsmanager:ListSecretVersionIds is denied, so that versions without a label are unknown"
                );
                self.labelled_versions(current).await?
            }
            Err(failure) => return Err(failure.named(&self.name)),
        };
        if !versions.iter().any(|version| version.stage == Stage::Active) {
            return Err(FetchError::NotFound {
                origin: self.name.clone(),
                reason: "it has no version to sign with; put a value there".to_owned(),
            });
        }
        Ok(Fetched {
            versions: without_repetition(versions),
            look_again_in: None,
        })
    }

    async fn list(&self) -> Result<Vec<Listed>, Failure> {
        let request = self.client.list_secret_version_ids().secret_id(&self.secret);
        let mut pages = request.include_deprecated(true).into_paginator().send();
        let mut listed = Vec::new();
        while let Some(page) = self.in_time(async { Ok(pages.next().await) }).await? {
            let page = page.map_err(|error| Failure::of(&error))?;
            listed.extend(page.versions().iter().filter_map(Listed::from_entry));
        }
        Ok(listed)
    }

    async fn listed_versions(&self, listed: Vec<Listed>) -> Result<Vec<SecretVersion>, FetchError> {
        self.known
            .keep_only(listed.iter().map(|listed| listed.id.as_str()));
        let mut versions = Vec::new();
        for Listed {
            id,
            label,
            created_at,
        } in listed
        {
            let value = match self.known.get(&id) {
                Some(value) => Some(value),
                None => self.value_of(&id, label).await?,
            };
            let Some(secret) = value else { continue };
            self.known.insert(&id, &secret);
            versions.push(SecretVersion {
                name: id,
                secret,
                stage: label.stage(),
                created_at,
            });
        }
        Ok(versions)
    }

    /// None for a version that is not there, and need not be: a rotation announces one before it has a value, and one
    /// without a label may go at any time.
    async fn value_of(&self, id: &str, label: Label) -> Result<Option<Secret>, FetchError> {
        let request = self
            .client
            .get_secret_value()
            .secret_id(&self.secret)
            .version_id(id);
        let sent = self.in_time(async { request.send().await.map_err(|error| Failure::of(&error)) });
        match sent.await {
            Ok(output) => self.secret_in(&output).map(Some),
            Err(Failure::NotFound(_)) if label.may_be_missing() => Ok(None),
            Err(failure) => Err(failure.named(&self.name)),
        }
    }

    async fn labelled_versions(&self, current: SecretVersion) -> Result<Vec<SecretVersion>, FetchError> {
        let mut versions = vec![current];
        for label in [Label::Previous, Label::Pending] {
            match self.labelled(label).await {
                Ok(output) => versions.push(self.version_in(&output, label)?),
                Err(Failure::NotFound(_)) => {}
                Err(failure) => return Err(failure.named(&self.name)),
            }
        }
        Ok(versions)
    }

    async fn labelled(&self, label: Label) -> Result<GetSecretValueOutput, Failure> {
        let request = self.client.get_secret_value().secret_id(&self.secret);
        let request = request.version_stage(label.name());
        self.in_time(async { request.send().await.map_err(|error| Failure::of(&error)) })
            .await
    }

    fn version_in(&self, output: &GetSecretValueOutput, label: Label) -> Result<SecretVersion, FetchError> {
        Ok(SecretVersion {
            name: output.version_id().unwrap_or_default().to_owned(),
            secret: self.secret_in(output)?,
            stage: label.stage(),
            created_at: output.created_date().and_then(listing::timestamp),
        })
    }

    fn secret_in(&self, output: &GetSecretValueOutput) -> Result<Secret, FetchError> {
        let place = || format!("version {}", output.version_id().unwrap_or("without a name"));
        let value = bytes_of(output);
        let secret = match &self.json_key {
            None => trimmed(value),
            Some(key) => trimmed(self.key_in(value, key, &place())?.as_bytes()),
        };
        secret.ok_or_else(|| empty(&self.name, &place()))
    }

    fn key_in(&self, value: &[u8], key: &str, place: &str) -> Result<Zeroizing<String>, FetchError> {
        let unusable = |what: String| FetchError::Unusable {
            origin: self.name.clone(),
            reason: what,
        };
        match serde_json::from_slice::<Value>(value) {
            Ok(Value::Object(mut object)) => match object.remove(key) {
                Some(Value::String(text)) => Ok(Zeroizing::new(text)),
                Some(_) => Err(unusable(format!("the key {key:?} of {place} is no text"))),
                None => Err(unusable(format!("{place} has no key {key:?}"))),
            },
            _ => Err(unusable(format!(
                "{place} is no JSON object; leave out #{key} to take it as a whole"
            ))),
        }
    }

    async fn write(&self, secret: &SecretText) -> Result<String, RotateError> {
        let value = match &self.json_key {
            None => Zeroizing::new(secret.expose().to_owned()),
            Some(key) => self.with_key(key, secret).await?,
        };
        let request = self.client.put_secret_value().secret_id(&self.secret);
        let request = request.secret_string(value.as_str());
        let sent = self.in_time(async { request.send().await.map_err(|error| Failure::of(&error)) });
        match sent.await {
            Ok(output) => Ok(output.version_id().unwrap_or_default().to_owned()),
            Err(Failure::Denied(reason)) => Err(RotateError::Refused {
                origin: self.name.clone(),
                reason: format!("{reason}; it needs secretsmanager:PutSecretValue"),
            }),
            Err(failure) => Err(failure.named(&self.name).into()),
        }
    }

    /// The value in use with another text under one key.
    async fn with_key(&self, key: &str, secret: &SecretText) -> Result<Zeroizing<String>, FetchError> {
        let output = self
            .labelled(Label::Current)
            .await
            .map_err(|failure| failure.named(&self.name))?;
        let Ok(Value::Object(mut object)) = serde_json::from_slice(bytes_of(&output)) else {
            return Err(FetchError::Unusable {
                origin: self.name.clone(),
                reason: format!("the value is no JSON object; leave out #{key} to replace it as a whole"),
            });
        };
        object.insert(key.to_owned(), Value::String(secret.expose().to_owned()));
        Ok(Zeroizing::new(Value::Object(object).to_string()))
    }

    async fn in_time<T>(&self, call: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let outcome = tokio::time::timeout(self.timeout, call).await;
        outcome.unwrap_or_else(|_| Err(Failure::Unreachable("no answer in time".to_owned())))
    }
}

fn bytes_of(output: &GetSecretValueOutput) -> &[u8] {
    let binary = || output.secret_binary().map(AsRef::as_ref);
    output
        .secret_string()
        .map(str::as_bytes)
        .or_else(binary)
        .unwrap_or_default()
}

impl SecretSource for AwsSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn fetch(&self) -> SourceFuture<'_, Result<Fetched, FetchError>> {
        Box::pin(self.read())
    }

    fn rotate<'a>(&'a self, secret: &'a SecretText) -> SourceFuture<'a, Result<String, RotateError>> {
        Box::pin(self.write(secret))
    }
}

impl fmt::Debug for AwsSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsSource")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
