//! Calls to Vault's HTTP API.

use std::error::Error;
use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::{Method, StatusCode, Url};
use zeroize::Zeroizing;

use crate::fetch_error::{FetchError, RotateError};

/// No answer of Vault that holds secrets of sessions is longer.
const MOST_BYTES: usize = 1024 * 1024;

#[derive(Debug)]
pub(super) struct Client {
    pub(super) http: reqwest::Client,
    pub(super) address: Url,
    pub(super) namespace: Option<HeaderValue>,
    pub(super) timeout: Duration,
}

/// What to do, and with what.
pub(super) struct Call<'a> {
    pub(super) method: Method,
    /// The path behind `v1/`, its parts between slashes.
    pub(super) path: &'a str,
    pub(super) version: Option<u64>,
    pub(super) token: Option<&'a HeaderValue>,
    pub(super) body: Option<String>,
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Zeroizing<Vec<u8>>,
}

/// Why there is nothing from Vault. Gets the source's name where it leaves the source.
#[derive(Debug)]
pub(super) enum VaultError {
    Unreachable(Box<dyn Error + Send + Sync>),
    Denied(String),
    NotFound(String),
    Unusable(String),
}

/// Why nothing was written to Vault.
#[derive(Debug)]
pub(super) enum WriteError {
    Refused(String),
    Conflict,
    Read(VaultError),
}

impl Client {
    pub(super) async fn call(&self, call: Call<'_>) -> Result<Answer, VaultError> {
        let outcome = tokio::time::timeout(self.timeout, self.answer(call)).await;
        outcome.map_err(|late| VaultError::Unreachable(late.into()))?
    }

    async fn answer(&self, call: Call<'_>) -> Result<Answer, VaultError> {
        let mut url = self.address.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("v1").extend(call.path.split('/'));
        }
        if let Some(version) = call.version {
            url.set_query(Some(&format!("version={version}")));
        }
        let mut request = self.http.request(call.method, url);
        // A Vault agent may ask for it, as a defence against forged requests of browsers.
        request = request.header("X-Vault-Request", "true");
        if let Some(namespace) = &self.namespace {
            request = request.header("X-Vault-Namespace", namespace);
        }
        if let Some(token) = call.token {
            request = request.header("X-Vault-Token", token);
        }
        if let Some(body) = call.body {
            request = request.header("Content-Type", "application/json").body(body);
        }
        let mut response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let mut body = Zeroizing::new(Vec::new());
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            body.extend_from_slice(&chunk);
            if body.len() > MOST_BYTES {
                return Err(VaultError::Unreachable(
                    "the answer is too long for one of Vault".into(),
                ));
            }
        }
        Ok(Answer { status, body })
    }
}

/// Without the URL, so that nothing of it is in a log.
fn unreachable(error: reqwest::Error) -> VaultError {
    VaultError::Unreachable(error.without_url().into())
}

impl VaultError {
    /// For an answer that says neither yes nor no.
    pub(super) fn by_status(status: StatusCode) -> Self {
        let meaning = match status.as_u16() {
            503 => ": it is sealed, or in maintenance",
            429 | 472 | 473 => ": it is a standby, or asked too often",
            _ => "",
        };
        Self::Unreachable(format!("it answered with status {}{meaning}", status.as_u16()).into())
    }

    /// For an answer that makes no sense. What it is stays out of the message: it may be the secret.
    pub(super) fn garbage() -> Self {
        Self::Unreachable("the answer is not one of Vault's; is the address right?".into())
    }

    pub(super) fn named(self, origin: &str) -> FetchError {
        let origin = origin.to_owned();
        match self {
            Self::Unreachable(cause) => FetchError::Unreachable { origin, cause },
            Self::Denied(reason) => FetchError::Denied { origin, reason },
            Self::NotFound(reason) => FetchError::NotFound { origin, reason },
            Self::Unusable(reason) => FetchError::Unusable { origin, reason },
        }
    }
}

impl From<VaultError> for WriteError {
    fn from(error: VaultError) -> Self {
        Self::Read(error)
    }
}

impl WriteError {
    pub(super) fn named(self, origin: &str) -> RotateError {
        match self {
            Self::Read(error) => RotateError::Fetch(error.named(origin)),
            Self::Conflict => RotateError::Conflict {
                origin: origin.to_owned(),
            },
            Self::Refused(reason) => RotateError::Refused {
                origin: origin.to_owned(),
                reason,
            },
        }
    }
}
