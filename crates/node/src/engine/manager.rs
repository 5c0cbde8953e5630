//! The manager of an application's sessions.

use napi::bindgen_prelude::*;
use napi_derive::napi;
use tenure::{Keyring, LiveKeyring, Secret, SessionFailure, SessionId, Sessions, TrustProxy};

use super::event::{EventFunction, listener};
use super::failure::{Failure, outcome, with_causes};
use super::options::EngineOptions;
use super::request_head::{Head, RequestHead};
use super::secrets::FollowedSecrets;
use super::store::EngineStore;
use super::visit::Visit;

/// The sessions of one application.
#[napi]
pub struct Manager {
    pub(super) sessions: Sessions,
    trust_proxy: TrustProxy,
}

#[napi]
impl Manager {
    /// Checks everything as a whole. The secrets are the given ones, the current one first, or those that are followed.
    #[napi(constructor)]
    pub fn new(
        options: EngineOptions,
        store: &EngineStore,
        secrets: Vec<Buffer>,
        followed: Option<&FollowedSecrets>,
        on_event: Option<EventFunction>,
    ) -> Result<Self> {
        let policy = options.policy()?;
        let trust_proxy = options.trust_proxy()?;
        let keyring = match followed {
            Some(followed) if followed.longest_lifetime < policy.longest_lifetime() => {
                return Err(Error::from_reason(format!(
                    "sessions live for {} ms, and secretFrom lets go of an older secret after {} ms; give it longestLifetime",
                    policy.longest_lifetime().as_millis(),
                    followed.longest_lifetime.as_millis(),
                )));
            }
            Some(followed) => followed.keyring.live().clone(),
            None => LiveKeyring::new(keyring(&secrets)?),
        };
        let mut builder = Sessions::builder(policy, keyring, store.store.clone());
        if let Some(function) = on_event {
            builder = builder.listener(listener(function));
        }
        match builder.build() {
            Ok(sessions) => Ok(Self {
                sessions,
                trust_proxy,
            }),
            Err(error) => Err(Error::from_reason(with_causes(&error))),
        }
    }

    /// Verifies the cookie of a request, and whether the request may go on.
    #[napi]
    pub fn open(&self, head: RequestHead) -> Visit {
        let head = Head::of(&head);
        let opened = self
            .sessions
            .open_located_by(&head.headers, || head.client(&self.trust_proxy).address);
        let admission = opened
            .check_guesses()
            .map_err(SessionFailure::from)
            .and_then(|()| Ok(opened.check_csrf(&head.csrf_request(&self.trust_proxy))?));
        Visit::new(self.sessions.clone(), opened, admission)
    }

    /// Whether the browser says that a page of the same origin sent the request.
    #[napi]
    pub fn is_same_origin(&self, head: RequestHead) -> bool {
        let authority = head.authority.as_deref();
        tenure::is_same_origin(&Head::of(&head).headers, authority)
    }

    /// Ends a session, whosoever it is.
    #[napi]
    pub async fn revoke(&self, id: String) -> Either<bool, Failure> {
        // What is no id is nobody's.
        let Ok(id) = id.parse::<SessionId>() else {
            return Either::A(false);
        };
        outcome(self.sessions.revoke(id).await)
    }

    /// Whether the store answers.
    #[napi]
    pub async fn ping(&self) -> Option<Failure> {
        self.sessions.ping().await.err().map(Failure::from)
    }

    /// Removes every session that has expired by now.
    #[napi]
    pub async fn sweep(&self) -> Either<f64, Failure> {
        outcome(self.sessions.sweep().await.map(|swept| swept as f64))
    }

    /// How many events the function was too slow for.
    #[napi(getter)]
    pub fn events_dropped(&self) -> f64 {
        self.sessions.events_dropped() as f64
    }
}

fn keyring(secrets: &[Buffer]) -> Result<Keyring> {
    let mut secrets = secrets.iter().map(|secret| Secret::new(&secret[..]));
    let current = secrets
        .next()
        .ok_or_else(|| Error::from_reason("there is no secret; make one with `openssl rand -base64 32`"))?;
    Ok(secrets.fold(Keyring::new(current), Keyring::with_older))
}
