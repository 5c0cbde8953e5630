//! Secrets in HashiCorp Vault or OpenBao.

mod builder;
mod client;
mod key_value;
mod login;
mod session;

use tenure_core::Timestamp;

use crate::fetch_error::{FetchError, RotateError};
use crate::secret_text::SecretText;
use crate::source::{Fetched, SecretSource, SourceFuture};
pub use builder::VaultBuilder;
use key_value::KeyValue;
pub use login::VaultLogin;

/// One field of an entry in HashiCorp Vault or OpenBao, in a secrets engine of the kind "KV version 2":
/// `vault:secret/shop#session` is the field `session` of the entry `shop` in the engine that is mounted at `secret`.
///
/// **Versions** are those of the entry, named by their number. Deleted and destroyed ones are not given, so deleting a
/// version revokes it. The entry keeps as many as its `max_versions` says (10, unless set). Where the field is the same
/// in versions that follow each other, it counts as one version, the first; keep the secret in an entry of its own all
/// the same, or changes of other fields push old secrets out.
///
/// **Permission** needed: `read` on `secret/data/shop`; to rotate, `create` and `update` as well. Nothing needs `list`
/// or `secret/metadata`.
///
/// **The token** that a login gives is renewed when a third of its lease is left, in the background, and there is a new
/// login when it can't be renewed. A token that was given by hand is renewed as long as its server lets it.
///
/// **`rotate`** writes with check-and-set: if somebody else has written since it was read, theirs stays and the error
/// says so. Other fields of the entry stay as they are; an entry that is not there yet is made.
///
/// Redirections are followed once, as a standby server answers with one, and never from TLS to plain text.
///
/// The client is a plain HTTP one. The wrapper of Vault's API that is best kept, `vaultrs`, brings 30 crates more, keeps
/// whole answers in its errors, which then have the secret in them, and renews nothing by itself.
///
/// ```no_run
/// use tenure_secrets::{VaultLogin, VaultSource};
///
/// let source = VaultSource::builder("secret", "shop")
///     .field("session")
///     .address("https://vault.internal:8200")
///     .ca_file("/etc/ssl/internal-ca.pem")
///     .login(VaultLogin::kubernetes("shop"))
///     .build()?;
/// # Ok::<(), tenure_secrets::SetupError>(())
/// ```
#[derive(Debug)]
pub struct VaultSource {
    name: String,
    key_value: KeyValue,
}

impl VaultSource {
    /// Where a source is set up, for the entry `path` of the engine that is mounted at `mount`. Both may have slashes.
    pub fn builder(mount: impl Into<String>, path: impl Into<String>) -> VaultBuilder {
        VaultBuilder::new(mount.into(), path.into())
    }

    fn new(name: String, key_value: KeyValue) -> Self {
        Self { name, key_value }
    }
}

impl SecretSource for VaultSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn fetch(&self) -> SourceFuture<'_, Result<Fetched, FetchError>> {
        Box::pin(async move {
            let now = Timestamp::from(std::time::SystemTime::now());
            self.key_value
                .versions(now)
                .await
                .map_err(|error| error.named(&self.name))
        })
    }

    fn rotate<'a>(&'a self, secret: &'a SecretText) -> SourceFuture<'a, Result<String, RotateError>> {
        Box::pin(async move {
            let written = self.key_value.write(secret.expose()).await;
            written.map_err(|error| error.named(&self.name))
        })
    }
}
