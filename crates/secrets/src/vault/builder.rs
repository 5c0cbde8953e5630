//! Sets up a source in Vault.

use std::env;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;

use super::VaultSource;
use super::client::Client;
use super::key_value::KeyValue;
use super::login::VaultLogin;
use super::session::Session;
use crate::setup_error::SetupError;

/// Where Vault listens unless it is told otherwise.
const DEFAULT_ADDRESS: &str = "https://127.0.0.1:8200";

/// Sets up a [`VaultSource`].
///
/// ```
/// use std::time::Duration;
/// use tenure_secrets::{SecretSource, VaultLogin, VaultSource};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let source = VaultSource::builder("secret", "shop")
///     .field("session")
///     .address("https://vault.internal:8200")
///     .namespace("web")
///     .login(VaultLogin::app_role("8c6b2f4e-role", "bcd1-Yb0yP2kV9rT4nXw"))
///     .timeout(Duration::from_secs(2))
///     .build()?;
/// assert_eq!(source.name(), "vault:secret/shop#session");
/// # Ok::<(), tenure_secrets::SetupError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct VaultBuilder {
    mount: String,
    path: String,
    field: Option<String>,
    address: String,
    allows_plain_text: bool,
    ca_file: Option<PathBuf>,
    namespace: Option<String>,
    login: Option<VaultLogin>,
    timeout: Duration,
}

impl VaultBuilder {
    pub(super) fn new(mount: String, path: String) -> Self {
        Self {
            mount,
            path,
            field: None,
            address: DEFAULT_ADDRESS.to_owned(),
            allows_plain_text: false,
            ca_file: None,
            namespace: None,
            login: None,
            timeout: crate::DEFAULT_TIMEOUT,
        }
    }

    /// The field of the entry. *Default*: the only one that it has; for a new entry, `secret`.
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Vault's URL. *Default*: `https://127.0.0.1:8200`, as with its command line.
    pub fn address(mut self, address: impl Into<String>) -> Self {
        self.address = address.into();
        self
    }

    /// Allows `http` to other machines. *Default*: only to this one. *Reason*: the token and the secret could be read on
    /// the way. *Cost*: exactly that, unless something else encrypts, such as a service mesh.
    pub fn allow_plain_text(mut self, allow: bool) -> Self {
        self.allows_plain_text = allow;
        self
    }

    /// A PEM file with the authorities that Vault's certificate may come from, and no others. *Default*: those of the
    /// operating system.
    pub fn ca_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(file.into());
        self
    }

    /// The namespace. *Default*: the root's.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// How to log in. There is no default.
    pub fn login(mut self, login: VaultLogin) -> Self {
        self.login = Some(login);
        self
    }

    /// How long each call may take. *Default*: 5 seconds. *Reason*: a server in another region answers in a tenth of
    /// that, and a start does not hang for long.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Takes from the environment what the command line of Vault or OpenBao takes from there, a variable that begins
    /// with `BAO_` before its twin that begins with `VAULT_`:
    ///
    /// | variable | what |
    /// | --- | --- |
    /// | `VAULT_ADDR` | [`address`](Self::address) |
    /// | `VAULT_CACERT` | [`ca_file`](Self::ca_file) |
    /// | `VAULT_NAMESPACE` | [`namespace`](Self::namespace) |
    /// | `VAULT_TOKEN` | [`VaultLogin::token`] |
    /// | `VAULT_ROLE_ID`, `VAULT_SECRET_ID` | [`VaultLogin::app_role`], if there is no token |
    /// | `VAULT_KUBERNETES_ROLE` | [`VaultLogin::kubernetes`], if there is none of these |
    /// | `VAULT_AUTH_MOUNT` | [`VaultLogin::mounted_at`], for AppRole and Kubernetes |
    ///
    /// Without any of the logins, the token in `~/.vault-token` is used.
    pub fn from_env(self) -> Self {
        self.with_variables(|name| {
            let prefixes = ["BAO", "VAULT"].into_iter();
            prefixes
                .filter_map(|prefix| env::var(format!("{prefix}_{name}")).ok())
                .find(|value| !value.is_empty())
        })
    }

    fn with_variables(mut self, variable: impl Fn(&str) -> Option<String>) -> Self {
        if let Some(address) = variable("ADDR") {
            self.address = address;
        }
        self.ca_file = variable("CACERT").map(PathBuf::from).or(self.ca_file);
        self.namespace = variable("NAMESPACE").or(self.namespace);
        let app_role = variable("ROLE_ID").zip(variable("SECRET_ID"));
        let login = match (variable("TOKEN"), app_role, variable("KUBERNETES_ROLE")) {
            (Some(token), _, _) => Some(VaultLogin::token(token)),
            (_, Some((role, secret)), _) => Some(VaultLogin::app_role(role, secret)),
            (_, _, Some(role)) => Some(VaultLogin::kubernetes(role)),
            _ => env::home_dir().map(|home| VaultLogin::token_file(home.join(".vault-token"))),
        };
        let login = login.map(|login| match variable("AUTH_MOUNT") {
            Some(mount) => login.mounted_at(mount),
            None => login,
        });
        self.login = login.or(self.login);
        self
    }

    /// The source. Nothing is asked of Vault yet.
    ///
    /// # Errors
    /// If a setting can't be used.
    pub fn build(self) -> Result<VaultSource, SetupError> {
        for (setting, path) in [("mount", &self.mount), ("path", &self.path)] {
            check_path(setting, path)?;
        }
        let login = self.login.ok_or_else(|| {
            SetupError::setting("login", "say how to log in: by a token, AppRole or Kubernetes")
        })?;
        check_path("mounted_at", &login.mount)?;
        let address = parse_address(&self.address, self.allows_plain_text)?;
        let namespace = self.namespace.map(|namespace| {
            HeaderValue::from_str(&namespace)
                .map_err(|_| SetupError::setting("namespace", "it has characters that no namespace has"))
        });
        let client = Client {
            http: http_client(&address, self.ca_file, self.timeout)?,
            address,
            namespace: namespace.transpose()?,
            timeout: self.timeout,
        };
        let field = self
            .field
            .as_ref()
            .map(|field| format!("#{field}"))
            .unwrap_or_default();
        let name = format!("vault:{}/{}{field}", self.mount, self.path);
        let session = Session::new(client, login);
        Ok(VaultSource::new(
            name,
            KeyValue::new(session, self.mount, self.path, self.field),
        ))
    }
}

fn check_path(setting: &'static str, path: &str) -> Result<(), SetupError> {
    let is_part = |part: &str| !part.is_empty() && part != "." && part != "..";
    if path.split('/').all(is_part) {
        return Ok(());
    }
    Err(SetupError::setting(
        setting,
        "it has to have names with single slashes between them, such as team/shop",
    ))
}

fn parse_address(address: &str, allows_plain_text: bool) -> Result<Url, SetupError> {
    let refused = |reason: &str| SetupError::setting("address", reason);
    let url =
        Url::parse(address).map_err(|_| refused("it has to be a URL such as https://vault.internal:8200"))?;
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
        return Err(refused(
            "leave out user, password and query; Vault takes none there",
        ));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if allows_plain_text || is_this_machine(&url) => Ok(url),
        "http" => Err(refused(
            "http would show the token and the secret on the way; use https, or allow_plain_text where something else \
             encrypts",
        )),
        _ => Err(refused("it has to begin with https://")),
    }
}

fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn http_client(
    address: &Url,
    ca_file: Option<PathBuf>,
    timeout: Duration,
) -> Result<reqwest::Client, SetupError> {
    let mut builder = reqwest::Client::builder()
        .timeout(timeout)
        .https_only(address.scheme() == "https")
        .redirect(Policy::limited(1));
    if address.scheme() == "http" {
        // There is nothing to check, and reading the operating system's certificates takes time.
        builder = builder.tls_certs_only([]);
    } else if let Some(file) = ca_file {
        let unusable = |cause| SetupError::File {
            setting: "ca_file",
            cause,
        };
        let pem = std::fs::read(file).map_err(|error| unusable(error.into()))?;
        let authorities =
            reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| unusable(error.into()))?;
        if authorities.is_empty() {
            return Err(unusable("there is no PEM certificate in it".into()));
        }
        builder = builder.tls_certs_only(authorities);
    }
    builder
        .build()
        .map_err(|error| SetupError::Client { cause: error.into() })
}
