//! Secrets in Azure Key Vault.

mod failure;
mod listing;

use std::env;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use azure_core::credentials::TokenCredential;
use azure_identity::{
    ClientSecretCredential, DeveloperToolsCredential, ManagedIdentityCredential,
    ManagedIdentityCredentialOptions, UserAssignedId, WorkloadIdentityCredential,
};
use azure_security_keyvault_secrets::models::{SecretClientGetSecretOptions, SetSecretParameters};
use azure_security_keyvault_secrets::{ResourceExt, SecretClient};
use futures_util::TryStreamExt;
use tenure_core::{Secret, Timestamp};
use zeroize::Zeroizing;

use crate::fetch_error::{FetchError, RotateError};
use crate::known_values::KnownValues;
use crate::secret_text::SecretText;
use crate::setup_error::SetupError;
use crate::source::{Fetched, SecretSource, SourceFuture};
use crate::value::{empty, trimmed};
use crate::version::SecretVersion;
use failure::Failure;
use listing::Listed;

/// A secret in Azure Key Vault: `azure:shop/session` is the secret `session` of the vault
/// `https://shop.vault.azure.net`. For vaults of other clouds, write the whole host: `azure:shop.vault.azure.cn/session`.
///
/// **Versions**, named by their ids, from the newest on: those that are enabled and have not expired (`exp`). One that
/// becomes valid later (`nbf`) verifies and does not sign until then, and the source says when to look again. Disabling
/// a version revokes it. A version's value never changes, so each is fetched once and kept.
///
/// **Permission** needed: `get` and `list` for secrets (the role "Key Vault Secrets User" has both); to rotate, `set` as
/// well ("Key Vault Secrets Officer").
///
/// **Credentials** come from the environment: `AZURE_CLIENT_SECRET` with `AZURE_TENANT_ID` and `AZURE_CLIENT_ID`; or
/// else `AZURE_FEDERATED_TOKEN_FILE`, as workload identity sets it in Kubernetes; or else the managed identity of the
/// machine, with `AZURE_CLIENT_ID` if it has several. With `AZURE_TOKEN_CREDENTIALS=dev`, the command lines `az` and
/// `azd` are asked instead. [`with_client`](Self::with_client) takes any other.
///
/// There is no emulator of Key Vault. This is tested with the official client against a stand-in that answers as the
/// documentation says, and not against Azure itself.
///
/// ```no_run
/// use tenure_secrets::{AzureSource, SecretSource};
///
/// let source = AzureSource::connect("shop", "session")?;
/// assert_eq!(source.name(), "azure:shop/session");
/// # Ok::<(), tenure_secrets::SetupError>(())
/// ```
pub struct AzureSource {
    name: String,
    client: SecretClient,
    secret: String,
    timeout: Duration,
    known: KnownValues,
}

impl AzureSource {
    /// The secret of this name in this vault, with credentials from the environment. Nothing is asked of Azure yet.
    ///
    /// # Errors
    /// If the names can't be those of a vault and a secret, or the environment's credentials are incomplete.
    pub fn connect(vault: &str, secret: &str) -> Result<Self, SetupError> {
        let is_host = |name: &str| {
            name.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-.:".contains(&byte))
        };
        if vault.is_empty() || !is_host(vault) {
            return Err(SetupError::setting(
                "the vault's name",
                "it has letters, digits and hyphens, or is a host name",
            ));
        }
        let endpoint = if vault.contains(['.', ':']) {
            format!("https://{vault}")
        } else {
            format!("https://{vault}.vault.azure.net")
        };
        let client = SecretClient::new(&endpoint, credential()?, None).map_err(not_set_up)?;
        Self::with_client(client, vault, secret)
    }

    /// The secret of this name, by a client of the SDK. The vault's name is for messages only.
    ///
    /// # Errors
    /// If it can't be a secret's name.
    pub fn with_client(client: SecretClient, vault: &str, secret: &str) -> Result<Self, SetupError> {
        let is_name = |name: &str| {
            name.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if secret.is_empty() || secret.len() > 127 || !is_name(secret) {
            return Err(SetupError::setting(
                "the secret's name",
                "it has up to 127 letters, digits and hyphens",
            ));
        }
        Ok(Self {
            name: format!("azure:{vault}/{secret}"),
            client,
            secret: secret.to_owned(),
            timeout: crate::DEFAULT_TIMEOUT,
            known: KnownValues::default(),
        })
    }

    /// How long each call may take, with the client's own further tries and the login. *Default*: 5 seconds. *Reason*:
    /// another region answers in a tenth of it, and a start does not hang for long.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    async fn read(&self) -> Result<Fetched, FetchError> {
        let listed = self.list().await.map_err(|failure| failure.named(&self.name))?;
        let now = Timestamp::from(SystemTime::now());
        let wanted = listing::wanted(listed, now).map_err(|failure| failure.named(&self.name))?;
        self.known
            .keep_only(wanted.versions.iter().map(|(listed, _)| listed.id.as_str()));
        let mut versions = Vec::new();
        for (listed, stage) in wanted.versions {
            let secret = match self.known.get(&listed.id) {
                Some(secret) => secret,
                None => self.value_of(&listed.id).await?,
            };
            self.known.insert(&listed.id, &secret);
            versions.push(SecretVersion {
                name: listed.id,
                secret,
                stage,
                created_at: listed.created_at,
            });
        }
        Ok(Fetched {
            versions,
            look_again_in: wanted.look_again_in,
        })
    }

    async fn list(&self) -> Result<Vec<Listed>, Failure> {
        let mut pager = self
            .client
            .list_secret_properties_versions(&self.secret, None)
            .map_err(|error| Failure::of(&error))?;
        let mut listed = Vec::new();
        while let Some(properties) = self.in_time(pager.try_next()).await? {
            listed.push(Listed::from_properties(&properties)?);
        }
        Ok(listed)
    }

    async fn value_of(&self, version: &str) -> Result<Secret, FetchError> {
        let options = SecretClientGetSecretOptions {
            secret_version: Some(version.to_owned()),
            ..SecretClientGetSecretOptions::default()
        };
        let call = async {
            let response = self.client.get_secret(&self.secret, Some(options)).await?;
            response.into_model()
        };
        let model = self
            .in_time(call)
            .await
            .map_err(|failure| failure.named(&self.name))?;
        let value = Zeroizing::new(model.value.unwrap_or_default());
        trimmed(value.as_bytes()).ok_or_else(|| empty(&self.name, &format!("version {version}")))
    }

    async fn write(&self, secret: &SecretText) -> Result<String, RotateError> {
        let parameters = SetSecretParameters {
            value: Some(secret.expose().to_owned()),
            ..SetSecretParameters::default()
        };
        let call = async {
            let response = self
                .client
                .set_secret(&self.secret, parameters.try_into()?, None)
                .await?;
            response.into_model()?.resource_id()
        };
        match self.in_time(call).await {
            Ok(resource) => Ok(resource.version.unwrap_or_default()),
            Err(Failure::Denied(reason)) => Err(RotateError::Refused {
                origin: self.name.clone(),
                reason: format!("{reason}; it needs the permission `set` for secrets"),
            }),
            Err(failure) => Err(failure.named(&self.name).into()),
        }
    }

    async fn in_time<T>(&self, call: impl Future<Output = azure_core::Result<T>>) -> Result<T, Failure> {
        match tokio::time::timeout(self.timeout, call).await {
            Ok(outcome) => outcome.map_err(|error| Failure::of(&error)),
            Err(_) => Err(Failure::Unreachable("no answer in time".to_owned())),
        }
    }
}

/// As the libraries of Azure for other languages choose, in the same order.
fn credential() -> Result<Arc<dyn TokenCredential>, SetupError> {
    let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
    if variable("AZURE_TOKEN_CREDENTIALS").is_some_and(|which| which == "dev") {
        return Ok(DeveloperToolsCredential::new(None).map_err(not_set_up)?);
    }
    if let Some(secret) = variable("AZURE_CLIENT_SECRET") {
        let (Some(tenant), Some(client)) = (variable("AZURE_TENANT_ID"), variable("AZURE_CLIENT_ID")) else {
            return Err(SetupError::setting(
                "AZURE_CLIENT_SECRET",
                "it needs AZURE_TENANT_ID and AZURE_CLIENT_ID beside it",
            ));
        };
        return Ok(ClientSecretCredential::new(&tenant, client, secret.into(), None).map_err(not_set_up)?);
    }
    if variable("AZURE_FEDERATED_TOKEN_FILE").is_some() {
        return Ok(WorkloadIdentityCredential::new(None).map_err(not_set_up)?);
    }
    let options = ManagedIdentityCredentialOptions {
        user_assigned_id: variable("AZURE_CLIENT_ID").map(UserAssignedId::ClientId),
        ..ManagedIdentityCredentialOptions::default()
    };
    Ok(ManagedIdentityCredential::new(Some(options)).map_err(not_set_up)?)
}

/// Only what it says: nothing that it holds.
fn not_set_up(error: azure_core::Error) -> SetupError {
    SetupError::Client {
        cause: error.to_string().into(),
    }
}

impl SecretSource for AzureSource {
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

impl fmt::Debug for AzureSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AzureSource")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
