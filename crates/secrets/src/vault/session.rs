//! A token, from the login to its end.

use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use reqwest::Method as Http;
use reqwest::header::HeaderValue;
use serde::Deserialize;
use tokio::sync::{Mutex, Notify};
use tokio::task::AbortHandle;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::client::{Answer, Call, Client, VaultError};
use super::login::{Method, VaultLogin};

/// How long to wait after a renewal that failed, at least.
const NOT_SOONER: Duration = Duration::from_secs(1);

/// Logged in when it is needed, and kept so.
#[derive(Debug)]
pub(super) struct Session {
    shared: Arc<Shared>,
    renewing: OnceLock<AbortHandle>,
}

#[derive(Debug)]
struct Shared {
    client: Client,
    login: VaultLogin,
    lease: Mutex<Option<Lease>>,
    /// There is another lease to renew.
    changed: Arc<Notify>,
}

/// A token and how long it lasts.
#[derive(Clone, Debug)]
struct Lease {
    token: HeaderValue,
    /// None for a token that does not end.
    time: Option<LeaseTime>,
}

#[derive(Clone, Copy, Debug)]
struct LeaseTime {
    duration: Duration,
    renew_at: Instant,
    ends_at: Instant,
    is_renewable: bool,
}

#[derive(Deserialize)]
struct LoginAnswer<'a> {
    #[serde(borrow)]
    auth: Option<Auth<'a>>,
}

#[derive(Deserialize)]
struct Auth<'a> {
    client_token: &'a str,
    lease_duration: u64,
    renewable: bool,
}

#[derive(Deserialize)]
struct LookupAnswer {
    data: Lookup,
}

#[derive(Deserialize)]
struct Lookup {
    ttl: u64,
    #[serde(default)]
    renewable: bool,
}

impl Session {
    pub(super) fn new(client: Client, login: VaultLogin) -> Self {
        let shared = Shared {
            client,
            login,
            lease: Mutex::new(None),
            changed: Arc::new(Notify::new()),
        };
        Self {
            shared: Arc::new(shared),
            renewing: OnceLock::new(),
        }
    }

    /// Calls with a token. Where it is refused, once more with another, if there is a way to one: it may have been
    /// revoked.
    pub(super) async fn call(
        &self,
        method: &Http,
        path: &str,
        version: Option<u64>,
        body: Option<&Zeroizing<String>>,
    ) -> Result<Answer, VaultError> {
        let token = self.shared.token().await?;
        self.keep_renewing();
        let call = |token| {
            self.shared.client.call(Call {
                method: method.clone(),
                path,
                version,
                token: Some(token),
                body: body.map(|body| body.to_string()),
            })
        };
        let answer = call(&token).await?;
        if answer.status.as_u16() != 403 || !self.shared.login.can_be_repeated() {
            return Ok(answer);
        }
        self.shared.forget(&token).await;
        let token = self.shared.token().await?;
        call(&token).await
    }

    fn keep_renewing(&self) {
        self.renewing.get_or_init(|| {
            let shared = Arc::downgrade(&self.shared);
            let changed = Arc::clone(&self.shared.changed);
            tokio::spawn(renew(shared, changed)).abort_handle()
        });
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(renewing) = self.renewing.get() {
            renewing.abort();
        }
    }
}

/// Renews in time, for as long as there is a session.
async fn renew(shared: Weak<Shared>, changed: Arc<Notify>) {
    loop {
        let Some(session) = shared.upgrade() else { return };
        let renew_at = session.renew_at().await;
        drop(session);
        let is_due = async {
            match renew_at {
                Some(renew_at) => tokio::time::sleep_until(renew_at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = changed.notified() => continue,
            () = is_due => {}
        }
        let Some(session) = shared.upgrade() else { return };
        session.renew().await;
    }
}

impl Shared {
    /// The token in use, or one of a new login.
    async fn token(&self) -> Result<HeaderValue, VaultError> {
        let mut lease = self.lease.lock().await;
        if let Some(lease) = lease.as_ref().filter(|lease| lease.is_alive(Instant::now())) {
            return Ok(lease.token.clone());
        }
        let new = self.log_in().await?;
        self.changed.notify_one();
        Ok(lease.insert(new).token.clone())
    }

    async fn forget(&self, token: &HeaderValue) {
        // Another call may have logged in meanwhile.
        self.lease.lock().await.take_if(|lease| lease.token == token);
    }

    async fn renew_at(&self) -> Option<Instant> {
        let lease = self.lease.lock().await;
        lease
            .as_ref()
            .and_then(|lease| lease.time)
            .map(|time| time.renew_at)
    }

    /// Renews the lease, or takes another; a failure is tried again until the lease ends.
    async fn renew(&self) {
        let mut lease = self.lease.lock().await;
        let Some(old) = lease.clone() else { return };
        let Some(time) = old.time else { return };
        let renewed = match self.renewed(&old, time).await {
            Some(renewed) => Some(renewed),
            None if self.login.can_be_repeated() => self.log_in().await.ok(),
            None => None,
        };
        *lease = match renewed {
            Some(renewed) => Some(renewed),
            None if old.is_alive(Instant::now()) => {
                tracing::warn!("the lease of Vault's token was not renewed; it is tried again until it ends");
                Some(old.with_later_renewal(time))
            }
            None => None,
        };
    }

    /// The lease made longer; none, if the server does not make it much longer any more.
    async fn renewed(&self, lease: &Lease, time: LeaseTime) -> Option<Lease> {
        if !time.is_renewable {
            return None;
        }
        let answer = self.client.call(Call {
            method: Http::POST,
            path: "auth/token/renew-self",
            version: None,
            token: Some(&lease.token),
            body: Some("{}".to_owned()),
        });
        let renewed = lease_in(&answer.await.ok()?).ok()?;
        let lasts = renewed.time.is_none_or(|new| new.duration >= time.duration / 2);
        (lasts || !self.login.can_be_repeated()).then_some(renewed)
    }

    async fn log_in(&self) -> Result<Lease, VaultError> {
        let (body, hint) = match &self.login.method {
            Method::Token(token) => return self.look_up(token).await,
            Method::TokenFile(file) => return self.look_up(&read_token(file)?).await,
            Method::AppRole { role_id, secret_id } => (
                serde_json::json!({ "role_id": **role_id, "secret_id": **secret_id }),
                "check the role id and the secret id, and whether the latter has ended or is used up",
            ),
            Method::Kubernetes { role, token_file } => (
                serde_json::json!({ "role": role, "jwt": *read_token(token_file)? }),
                "check the role, and that it is bound to this service account and namespace",
            ),
        };
        let path = format!("auth/{}/login", self.login.mount);
        let answer = self.client.call(Call {
            method: Http::POST,
            path: &path,
            version: None,
            token: None,
            body: Some(body.to_string()),
        });
        let answer = answer.await?;
        match answer.status.as_u16() {
            200 => lease_in(&answer),
            400 | 401 | 403 | 404 => Err(VaultError::Denied(format!(
                "the login at {path} failed with status {}; {hint}",
                answer.status.as_u16()
            ))),
            _ => Err(VaultError::by_status(answer.status)),
        }
    }

    /// How long a token lasts that was made elsewhere.
    async fn look_up(&self, token: &str) -> Result<Lease, VaultError> {
        let token = header(token)?;
        let answer = self.client.call(Call {
            method: Http::GET,
            path: "auth/token/lookup-self",
            version: None,
            token: Some(&token),
            body: None,
        });
        let answer = answer.await?;
        let time = match answer.status.as_u16() {
            200 => {
                let lookup: LookupAnswer =
                    serde_json::from_slice(&answer.body).map_err(|_| VaultError::garbage())?;
                LeaseTime::of(lookup.data.ttl, lookup.data.renewable)
            }
            // It may be a good token that may not look itself up. Reading will tell.
            403 => None,
            _ => return Err(VaultError::by_status(answer.status)),
        };
        Ok(Lease { token, time })
    }
}

impl Lease {
    fn is_alive(&self, now: Instant) -> bool {
        self.time.is_none_or(|time| now < time.ends_at)
    }

    fn with_later_renewal(mut self, time: LeaseTime) -> Self {
        let now = Instant::now();
        let left = time.ends_at.saturating_duration_since(now);
        self.time = Some(LeaseTime {
            renew_at: now + NOT_SOONER.max(left / 4),
            ..time
        });
        self
    }
}

impl LeaseTime {
    /// None for zero seconds, which is how Vault says "for ever".
    fn of(seconds: u64, is_renewable: bool) -> Option<Self> {
        if seconds == 0 {
            return None;
        }
        let (now, duration) = (Instant::now(), Duration::from_secs(seconds));
        Some(Self {
            duration,
            renew_at: now + duration * 2 / 3,
            ends_at: now + duration,
            is_renewable,
        })
    }
}

fn lease_in(answer: &Answer) -> Result<Lease, VaultError> {
    if answer.status.as_u16() != 200 {
        return Err(VaultError::by_status(answer.status));
    }
    let answer: LoginAnswer<'_> = serde_json::from_slice(&answer.body).map_err(|_| VaultError::garbage())?;
    let auth = answer.auth.ok_or_else(VaultError::garbage)?;
    Ok(Lease {
        token: header(auth.client_token)?,
        time: LeaseTime::of(auth.lease_duration, auth.renewable),
    })
}

fn header(token: &str) -> Result<HeaderValue, VaultError> {
    let mut header = HeaderValue::from_str(token)
        .map_err(|_| VaultError::Denied("the token has characters that no token has".to_owned()))?;
    header.set_sensitive(true);
    Ok(header)
}

fn read_token(file: &std::path::Path) -> Result<Zeroizing<String>, VaultError> {
    let unreadable =
        |error| VaultError::Denied(format!("the token in {} can't be read: {error}", file.display()));
    let token = Zeroizing::new(std::fs::read_to_string(file).map_err(unreadable)?);
    Ok(Zeroizing::new(token.trim().to_owned()))
}
