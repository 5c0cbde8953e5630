//! Who we are to Vault.

use std::fmt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// The file in which Kubernetes keeps a container's token.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// How a [`VaultSource`](crate::VaultSource) logs in. `Debug` shows no credential.
///
/// ```
/// use tenure_secrets::VaultLogin;
///
/// let login = VaultLogin::app_role("8c6b2f4e-role", "bcd1-Yb0yP2kV9rT4nXw");
/// assert_eq!(format!("{login:?}"), "VaultLogin::AppRole(redacted)");
/// ```
#[derive(Clone)]
pub struct VaultLogin {
    pub(super) method: Method,
    pub(super) mount: String,
}

#[derive(Clone)]
pub(super) enum Method {
    Token(Zeroizing<String>),
    TokenFile(PathBuf),
    AppRole {
        role_id: Zeroizing<String>,
        secret_id: Zeroizing<String>,
    },
    Kubernetes {
        role: String,
        token_file: PathBuf,
    },
}

impl VaultLogin {
    /// A token that was made elsewhere. It is renewed as long as the server lets it, and then there is no other.
    #[must_use]
    pub fn token(token: impl Into<String>) -> Self {
        Self::by(Method::Token(Zeroizing::new(token.into())), "token")
    }

    /// The token in a file such as `~/.vault-token`, or the sink of a Vault agent. It is read again when it is
    /// refused or has ended.
    #[must_use]
    pub fn token_file(file: impl Into<PathBuf>) -> Self {
        Self::by(Method::TokenFile(file.into()), "token")
    }

    /// AppRole, mounted at `approle`.
    #[must_use]
    pub fn app_role(role_id: impl Into<String>, secret_id: impl Into<String>) -> Self {
        let method = Method::AppRole {
            role_id: Zeroizing::new(role_id.into()),
            secret_id: Zeroizing::new(secret_id.into()),
        };
        Self::by(method, "approle")
    }

    /// The service account of a container in Kubernetes, mounted at `kubernetes`. Its token is read again at each
    /// login, for Kubernetes replaces it.
    #[must_use]
    pub fn kubernetes(role: impl Into<String>) -> Self {
        let method = Method::Kubernetes {
            role: role.into(),
            token_file: SERVICE_ACCOUNT.into(),
        };
        Self::by(method, "kubernetes")
    }

    /// Where the method is mounted, if it is not at its usual place.
    #[must_use]
    pub fn mounted_at(mut self, mount: impl Into<String>) -> Self {
        self.mount = mount.into();
        self
    }

    /// The file with the service account's token. *Default*: where Kubernetes puts it. Only for
    /// [`kubernetes`](Self::kubernetes); no other method looks at it.
    #[must_use]
    pub fn service_account_file(mut self, file: impl AsRef<Path>) -> Self {
        if let Method::Kubernetes { token_file, .. } = &mut self.method {
            file.as_ref().clone_into(token_file);
        }
        self
    }

    fn by(method: Method, mount: &str) -> Self {
        Self {
            method,
            mount: mount.to_owned(),
        }
    }

    /// Whether there is more to try than the same again.
    pub(super) fn can_be_repeated(&self) -> bool {
        !matches!(self.method, Method::Token(_))
    }
}

impl fmt::Debug for VaultLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.method {
            Method::Token(_) => "VaultLogin::Token(redacted)",
            Method::TokenFile(_) => "VaultLogin::TokenFile",
            Method::AppRole { .. } => "VaultLogin::AppRole(redacted)",
            Method::Kubernetes { .. } => "VaultLogin::Kubernetes",
        })
    }
}
