//! The manager: policy, keyring and store, and what can be done with them.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use http::HeaderMap;
use http::header::USER_AGENT;

use crate::clock::{Clock, SystemClock, Timestamp};
use crate::commit::{self, CommitError};
use crate::cookie_header::cookies_named;
use crate::deadline::Deadline;
use crate::environment::Environment;
use crate::event::{self, Event, EventKind, Listener, Refusal};
use crate::keyring::{KeyAge, Keyring};
use crate::opened::{Arrival, Client, Opened};
use crate::outgoing::Outgoing;
use crate::owner::Owner;
use crate::policy::{Policy, Problem, SetupError};
use crate::session_id::SessionId;
use crate::store::{Operation, Persistence, Store, StoreError};
use crate::sweeper::Sweeper;
use crate::token::{CookieFault, Token};

/// The manager of an application's sessions. Cheap to clone; make one and share it.
///
/// ```
/// use tenure_core::{Environment, Keyring, MemoryStore, Policy, Secret, Sessions};
///
/// let sessions = Sessions::new(
///     Policy::default().environment(Environment::Development),
///     Keyring::new(Secret::new("T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r")),
///     MemoryStore::new(),
/// )?;
/// # Ok::<(), tenure_core::SetupError>(())
/// ```
///
/// A request is [opened](Sessions::open) by its headers and [committed](Sessions::commit) before its
/// response goes out. A door into a web framework does both for you; without one:
///
/// ```
/// use http::{HeaderMap, HeaderValue};
/// use tenure_core::{Key, Sessions};
///
/// const VISITS: Key<u32> = Key::new("visits");
///
/// async fn answer(sessions: &Sessions, request: &HeaderMap) -> Result<HeaderMap, Box<dyn std::error::Error>> {
///     let opened = sessions.open(request);
///
///     let session = opened.load().await?;
///     session.update(VISITS, |visits| visits.unwrap_or(0) + 1)?;
///
///     let mut response = HeaderMap::new();
///     sessions.commit(&opened).await?.apply(&mut response);
///     Ok(response)
/// }
/// # use tenure_core::{Environment, Keyring, MemoryStore, Policy, Secret};
/// # let sessions = Sessions::new(
/// #     Policy::default().environment(Environment::Development),
/// #     Keyring::new(Secret::new("T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r")),
/// #     MemoryStore::new(),
/// # )?;
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let first = answer(&sessions, &HeaderMap::new()).await?;
/// let set_cookie = first["set-cookie"].to_str()?;
/// assert!(set_cookie.starts_with("__Host-session="));
///
/// let mut next = HeaderMap::new();
/// next.insert("cookie", HeaderValue::from_str(set_cookie.split(';').next().unwrap_or_default())?);
/// assert!(answer(&sessions, &next).await?.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Loading and committing wait for the store with Tokio's timer, so they run inside a Tokio runtime.
#[derive(Clone)]
pub struct Sessions {
    engine: Arc<Engine>,
}

pub(crate) struct Engine {
    pub(crate) policy: Policy,
    pub(crate) keyring: Keyring,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Box<dyn Clock>,
    listener: Option<Box<dyn Listener>>,
    /// Writers of one contended session queue up here instead of racing each other in circles.
    pub(crate) queues: Box<[tokio::sync::Mutex<()>]>,
    pub(crate) sweeper: OnceLock<Sweeper>,
}

/// How many queues there are. Sessions that share one only meet while both are contended.
const QUEUES: usize = 64;

/// How many cookies of our name are looked at. More than one is somebody's attempt at planting one.
const MOST_CANDIDATES: usize = 8;

/// Builds [`Sessions`] with more than the three things they always need.
///
/// ```
/// use tenure_core::{Environment, Event, Keyring, ManualClock, MemoryStore, Policy, Secret, Sessions};
///
/// let policy = Policy::default().environment(Environment::Development);
/// let keyring = Keyring::new(Secret::new("T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r"));
/// let sessions = Sessions::builder(policy, keyring, MemoryStore::new())
///     .clock(ManualClock::default())
///     .listener(|event: &Event| println!("{}", event.kind.name()))
///     .build()?;
/// # Ok::<(), tenure_core::SetupError>(())
/// ```
#[must_use = "nothing is built before `build`"]
pub struct SessionsBuilder {
    policy: Policy,
    keyring: Keyring,
    store: Arc<dyn Store>,
    clock: Box<dyn Clock>,
    listener: Option<Box<dyn Listener>>,
}

impl SessionsBuilder {
    /// The clock that every deadline is checked against. *Default*: [`SystemClock`].
    pub fn clock(self, clock: impl Clock) -> Self {
        Self {
            clock: Box::new(clock),
            ..self
        }
    }

    /// Who is told every [`Event`]. *Default*: nobody but `tracing`.
    pub fn listener(self, listener: impl Listener) -> Self {
        Self {
            listener: Some(Box::new(listener)),
            ..self
        }
    }

    /// Checks everything as a whole and builds.
    ///
    /// # Errors
    /// All that is wrong with the policy, the keyring and the store, at once.
    pub fn build(self) -> Result<Sessions, SetupError> {
        let Self {
            policy,
            keyring,
            store,
            clock,
            listener,
        } = self;
        let mut problems = policy.problems();
        problems.extend(keyring.problems().into_iter().map(Problem::WeakSecret));
        if store.persistence() == Persistence::Process && policy.environment == Environment::Production {
            problems.push(Problem::StoreNotDurable { store: store.name() });
        }
        SetupError::of(problems)?;
        let queues = (0..QUEUES).map(|_| tokio::sync::Mutex::default()).collect();
        let sweeper = OnceLock::new();
        Ok(Sessions {
            engine: Arc::new(Engine {
                policy,
                keyring,
                store,
                clock,
                listener,
                queues,
                sweeper,
            }),
        })
    }
}

impl Sessions {
    /// The manager of this policy, keyring and store.
    ///
    /// # Errors
    /// All that is wrong with them, at once.
    pub fn new(policy: Policy, keyring: Keyring, store: impl Store) -> Result<Self, SetupError> {
        Self::builder(policy, keyring, store).build()
    }

    /// For a clock or a listener of your own.
    pub fn builder(policy: Policy, keyring: Keyring, store: impl Store) -> SessionsBuilder {
        SessionsBuilder {
            policy,
            keyring,
            store: Arc::new(store),
            clock: Box::new(SystemClock),
            listener: None,
        }
    }

    /// Opens a request by its headers: finds the cookie and verifies it, without a look at the store.
    pub fn open(&self, headers: &HeaderMap) -> Opened {
        self.open_from(headers, None)
    }

    /// The same for a request from a known address, which is kept with the session if the
    /// [policy asks for it](Policy::record_client_address).
    pub fn open_from(&self, headers: &HeaderMap, address: Option<IpAddr>) -> Opened {
        let arrival = self.engine.arrival(headers);
        if let Arrival::Refused(refusal) = arrival {
            self.engine.tell(EventKind::CookieRefused(refusal), None, None);
        }
        let address = address.filter(|_| self.engine.policy.record_client_address);
        let client = Client {
            user_agent: headers.get(USER_AGENT).cloned(),
            address,
        };
        Opened::new(Arc::clone(&self.engine), arrival, client)
    }

    /// Writes what the request did to its session, and says what the response must carry. To be
    /// called when the handler has answered and before the response goes out.
    ///
    /// # Errors
    /// If the store fails, nothing is overwritten and no cookie is set or removed: answer with 503.
    /// See [`CommitError`] for the rest.
    pub async fn commit(&self, opened: &Opened) -> Result<Outgoing, CommitError> {
        commit::commit(opened.visit()).await
    }

    /// Ends a session, whosoever it is: for operators. The account page of a user ends that user's
    /// own ones with [`OwnerSessions::revoke`](crate::OwnerSessions::revoke).
    ///
    /// # Errors
    /// If the store fails.
    pub async fn revoke(&self, id: SessionId) -> Result<bool, StoreError> {
        let engine = &self.engine;
        let removed = engine
            .deadline()
            .call(Operation::Remove, engine.store.remove(id))
            .await;
        let removed = engine.reported(Operation::Remove, id, removed)?;
        if removed {
            engine.tell(EventKind::Revoked { sessions: 1 }, Some(id), None);
        }
        Ok(removed)
    }

    /// Whether the store answers: for health checks.
    ///
    /// # Errors
    /// If it doesn't.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.engine
            .deadline()
            .call(Operation::Ping, self.engine.store.ping())
            .await
    }

    /// The name of the cookie.
    #[must_use]
    pub fn cookie_name(&self) -> &str {
        &self.engine.policy.cookie_name
    }

    /// The policy in force.
    pub fn policy(&self) -> &Policy {
        &self.engine.policy
    }

    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sessions")
            .field("store", &self.engine.store.name())
            .field("keyring", &self.engine.keyring)
            .field("policy", &self.engine.policy)
            .finish_non_exhaustive()
    }
}

impl Engine {
    fn arrival(&self, headers: &HeaderMap) -> Arrival {
        let name = &*self.policy.cookie_name;
        let mut arrival = Arrival::NoCookie;
        for value in cookies_named(headers, name).take(MOST_CANDIDATES) {
            match Token::from_cookie(value, name, &self.keyring) {
                Ok((token, age)) => return Arrival::Genuine { token, age },
                Err(CookieFault::Forged) => arrival = Arrival::Refused(Refusal::Forged),
                Err(CookieFault::Malformed) if matches!(arrival, Arrival::NoCookie) => {
                    arrival = Arrival::Refused(Refusal::Malformed);
                }
                Err(CookieFault::Malformed) => {}
            }
        }
        arrival
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn deadline(&self) -> Deadline {
        Deadline::new(self.policy.store_deadline, self.store.name())
    }

    pub(crate) fn queue(&self, id: SessionId) -> &tokio::sync::Mutex<()> {
        &self.queues[usize::from(id.as_bytes()[1]) % QUEUES]
    }

    pub(crate) fn tell(&self, kind: EventKind, session: Option<SessionId>, owner: Option<Owner>) {
        event::tell(
            self.listener.as_deref(),
            &Event {
                at: self.now(),
                kind,
                session,
                owner,
            },
        );
    }

    /// Hands a store's failure on after telling of it.
    pub(crate) fn reported<T>(
        &self,
        operation: Operation,
        session: impl Into<Option<SessionId>>,
        result: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if result.is_err() {
            self.tell(EventKind::StoreFailed(operation), session.into(), None);
        }
        result
    }
}

impl Arrival {
    pub(crate) fn has_older_key(&self) -> bool {
        matches!(
            self,
            Self::Genuine {
                age: KeyAge::Older,
                ..
            }
        )
    }
}
