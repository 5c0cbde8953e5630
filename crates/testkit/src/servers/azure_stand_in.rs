//! A stand-in for Azure Key Vault, which has no emulator: it answers as the documentation of its REST API says.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{Path, Query, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::serve::Listener;
use axum::{Json, Router};
use http::{HeaderMap, StatusCode, header};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::{Certificates, StartError};

/// Fewer than the real one's 25, so that there is always a second page.
const PAGE: usize = 2;

/// A vault of its own, for one secret after the other. Ends when it is dropped.
#[derive(Debug)]
pub struct AzureStandIn {
    certificates: Certificates,
    port: u16,
    vault: Shared,
    serving: JoinHandle<()>,
}

/// One version of a secret, as an operator sees it. Times are in seconds since the Unix epoch.
#[derive(Clone, Debug)]
pub struct AzureVersion {
    /// 32 hexadecimal digits.
    pub id: String,
    /// The secret.
    pub value: String,
    /// When it was made.
    pub created: u64,
    /// Whether it may be read.
    pub enabled: bool,
    /// Not to be used before.
    pub not_before: Option<u64>,
    /// Not to be used after.
    pub expires: Option<u64>,
}

/// What the vault does instead of answering as it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AzureMood {
    /// Answers as it should.
    Well,
    /// Refuses everybody to read.
    DeniesReading,
    /// Refuses everybody to write.
    DeniesWriting,
    /// Fails.
    Fails,
    /// Sends the secret where no secret belongs, in an answer that can't be understood.
    TalksNonsense,
}

#[derive(Debug)]
struct Vault {
    token: String,
    versions: Vec<AzureVersion>,
    mood: AzureMood,
    values_read: usize,
}

type Shared = Arc<Mutex<Vault>>;

impl AzureStandIn {
    /// The host that its certificate is for. Its clients have to be told that it is on the loopback.
    pub const HOST: &str = "shop.vault.azure.net";

    /// The secret that it has.
    pub const SECRET: &str = "session";

    /// Starts one that believes whoever bears `token`. Needs a Tokio runtime.
    ///
    /// # Errors
    /// If there is no port or no certificate.
    pub async fn start(token: &str) -> Result<Self, StartError> {
        let certificates = Certificates::generate_for(Self::HOST)?;
        let acceptor = acceptor(&certificates).map_err(|error| StartError::NotReady(error.to_string()))?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let vault = Arc::new(Mutex::new(Vault {
            token: token.to_owned(),
            versions: Vec::new(),
            mood: AzureMood::Well,
            values_read: 0,
        }));
        let app = router(Arc::clone(&vault));
        let serving = tokio::spawn(async move {
            // It never ends by itself.
            let _ = axum::serve(TlsListener { listener, acceptor }, app).await;
        });
        Ok(Self {
            certificates,
            port,
            vault,
            serving,
        })
    }

    /// Where it really is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://{}:{}", Self::HOST, self.port)
    }

    /// The PEM of the authority that signed its certificate.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.certificates.authority
    }

    /// Gives the secret these versions and no others.
    pub fn set_versions(&self, versions: Vec<AzureVersion>) {
        lock(&self.vault).versions = versions;
    }

    /// The versions that it has.
    #[must_use]
    pub fn versions(&self) -> Vec<AzureVersion> {
        lock(&self.vault).versions.clone()
    }

    /// What it does from now on.
    pub fn set_mood(&self, mood: AzureMood) {
        lock(&self.vault).mood = mood;
    }

    /// How often a value was read.
    #[must_use]
    pub fn values_read(&self) -> usize {
        lock(&self.vault).values_read
    }
}

impl Drop for AzureStandIn {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn lock(vault: &Shared) -> MutexGuard<'_, Vault> {
    vault.lock().unwrap_or_else(PoisonError::into_inner)
}

fn acceptor(certificates: &Certificates) -> Result<TlsAcceptor, Box<dyn std::error::Error>> {
    let chain = CertificateDer::pem_slice_iter(certificates.server.as_bytes()).collect::<Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(certificates.server_key.as_bytes())?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

struct TlsListener {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, address)) = self.listener.accept().await else {
                continue;
            };
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

fn router(vault: Shared) -> Router {
    Router::new()
        .route("/secrets/{name}", axum::routing::put(set))
        .route("/secrets/{name}/versions", get(list))
        .route("/secrets/{name}/{version}", get(read))
        .layer(middleware::from_fn_with_state(Arc::clone(&vault), authenticate))
        .with_state(vault)
}

async fn authenticate(State(vault): State<Shared>, request: Request, next: Next) -> Response {
    let (expected, mood) = {
        let vault = lock(&vault);
        (format!("Bearer {}", vault.token), vault.mood)
    };
    let Some(given) = request.headers().get(header::AUTHORIZATION) else {
        let challenge = "Bearer authorization=\"https://login.microsoftonline.com/00000000-0000-0000-0000-000000000001\", \
                         resource=\"https://vault.azure.net\"";
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)]).into_response();
    };
    if given.as_bytes() != expected.as_bytes() {
        return error(StatusCode::UNAUTHORIZED, "Unauthorized");
    }
    match mood {
        AzureMood::Fails => error(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError"),
        AzureMood::TalksNonsense => {
            let secret = lock(&vault).versions.first().map(|version| version.value.clone());
            format!("<html>{secret:?}").into_response()
        }
        _ => next.run(request).await,
    }
}

async fn list(
    State(vault): State<Shared>,
    Path(name): Path<String>,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Response {
    let vault = lock(&vault);
    if vault.mood == AzureMood::DeniesReading {
        return error(StatusCode::FORBIDDEN, "Forbidden");
    }
    if name != AzureStandIn::SECRET {
        return Json(json!({ "value": [], "nextLink": null })).into_response();
    }
    let skip = query.iter().find(|(key, _)| key == "$skiptoken");
    let skip: usize = skip.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    let page: Vec<Value> = vault
        .versions
        .iter()
        .skip(skip)
        .take(PAGE)
        .map(|version| properties(version, host))
        .collect();
    let next = (skip + PAGE < vault.versions.len()).then(|| {
        format!(
            "https://{host}/secrets/{name}/versions?api-version=7.6&$skiptoken={}",
            skip + PAGE
        )
    });
    Json(json!({ "value": page, "nextLink": next })).into_response()
}

async fn read(
    State(vault): State<Shared>,
    Path((name, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let mut vault = lock(&vault);
    if vault.mood == AzureMood::DeniesReading {
        return error(StatusCode::FORBIDDEN, "Forbidden");
    }
    vault.values_read += 1;
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    let version = vault
        .versions
        .iter()
        .find(|version| name == AzureStandIn::SECRET && version.id == id);
    match version {
        Some(version) if version.enabled => Json(bundle(version, host)).into_response(),
        Some(_) => error(StatusCode::FORBIDDEN, "Forbidden"),
        None => error(StatusCode::NOT_FOUND, "SecretNotFound"),
    }
}

async fn set(
    State(vault): State<Shared>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let mut vault = lock(&vault);
    if vault.mood == AzureMood::DeniesWriting || name != AzureStandIn::SECRET {
        return error(StatusCode::FORBIDDEN, "Forbidden");
    }
    let Some(value) = body["value"].as_str() else {
        return error(StatusCode::BAD_REQUEST, "BadParameter");
    };
    let newest = vault
        .versions
        .iter()
        .map(|version| version.created)
        .max()
        .unwrap_or(0);
    let version = AzureVersion {
        id: format!("{:032x}", 0xabc0 + vault.versions.len()),
        value: value.to_owned(),
        created: newest + 1,
        enabled: true,
        not_before: None,
        expires: None,
    };
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    let answer = bundle(&version, host);
    vault.versions.push(version);
    Json(answer).into_response()
}

fn properties(version: &AzureVersion, host: &str) -> Value {
    let mut attributes = json!({
        "enabled": version.enabled,
        "created": version.created,
        "updated": version.created,
        "recoveryLevel": "Recoverable+Purgeable",
        "recoverableDays": 90,
    });
    if let Some(time) = version.not_before {
        attributes["nbf"] = time.into();
    }
    if let Some(time) = version.expires {
        attributes["exp"] = time.into();
    }
    json!({
        "id": format!("https://{host}/secrets/{}/{}", AzureStandIn::SECRET, version.id),
        "attributes": attributes,
    })
}

fn bundle(version: &AzureVersion, host: &str) -> Value {
    let mut bundle = properties(version, host);
    bundle["value"] = version.value.clone().into();
    bundle
}

fn error(status: StatusCode, code: &str) -> Response {
    let body = json!({ "error": { "code": code, "message": "as the tests have asked for" } });
    (status, Json(body)).into_response()
}
