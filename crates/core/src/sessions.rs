//! The manager: policy, keyring and store, and what can be done with them.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use http::header::USER_AGENT;

use crate::arrival::Arrival;
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::commit::{self, CommitError};
use crate::engine::Engine;
use crate::environment::Environment;
use crate::event::{EventKind, Listener};
use crate::events::Events;
use crate::live_keyring::LiveKeyring;
use crate::opened::Opened;
use crate::outgoing::Outgoing;
use crate::owner::Owner;
use crate::policy::Policy;
use crate::session_id::SessionId;
use crate::setup_error::{Problem, SetupError};
use crate::store::{Operation, Persistence, Store, StoreError};
use crate::sweeper::{Batch, PAUSE_BETWEEN_BATCHES, Sweeper};
use crate::verified_cookies::VerifiedCookies;
use crate::visit::Sender;

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
    keyring: LiveKeyring,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    listener: Option<Box<dyn Listener>>,
}

impl SessionsBuilder {
    /// The clock that every deadline is checked against. *Default*: [`SystemClock`].
    pub fn clock(self, clock: impl Clock) -> Self {
        Self {
            clock: Arc::new(clock),
            ..self
        }
    }

    /// Who is told every [`Event`](crate::Event), off the requests' path. *Default*: nobody but `tracing`.
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
        problems.extend(keyring.load().problems().into_iter().map(Problem::WeakSecret));
        if store.persistence() == Persistence::Process && policy.environment == Environment::Production {
            problems.push(Problem::StoreNotDurable { store: store.name() });
        }
        SetupError::of(problems)?;
        let events = Events::told_to(listener)
            .map_err(|error| SetupError::one(Problem::NoThreadForListener(error.kind())))?;
        let verified =
            VerifiedCookies::new().map_err(|error| SetupError::one(Problem::NoRandomBytes(error)))?;
        if policy.environment == Environment::Development {
            tracing::warn!(target: "tenure", "sessions run in development, where insecure settings are accepted");
        }
        Ok(Sessions {
            engine: Arc::new(Engine::new(policy, keyring, store, clock, events, verified)),
        })
    }
}

impl Sessions {
    /// The manager of this policy, keyring and store. The keyring is a [`Keyring`](crate::Keyring) that stays as it
    /// is, or a [`LiveKeyring`] that is replaced while requests are served.
    ///
    /// # Errors
    /// All that is wrong with them, at once.
    pub fn new(
        policy: Policy,
        keyring: impl Into<LiveKeyring>,
        store: impl Store,
    ) -> Result<Self, SetupError> {
        Self::builder(policy, keyring, store).build()
    }

    /// For a clock or a listener of your own.
    pub fn builder(policy: Policy, keyring: impl Into<LiveKeyring>, store: impl Store) -> SessionsBuilder {
        SessionsBuilder {
            policy,
            keyring: keyring.into(),
            store: Arc::new(store),
            clock: Arc::new(SystemClock),
            listener: None,
        }
    }

    /// Opens a request by its headers: finds the cookie and verifies it, without a look at the store.
    pub fn open(&self, headers: &HeaderMap) -> Opened {
        self.open_from(headers, None)
    }

    /// The same for a request from a known address, whose guesses are [limited](Policy::guess_limit), and which is kept
    /// with the session if the [policy asks for it](Policy::record_client_address).
    pub fn open_from(&self, headers: &HeaderMap, address: Option<IpAddr>) -> Opened {
        self.open_located_by(headers, || address)
    }

    /// The same for an address that it takes some work to find out. Nearly no request needs it.
    pub fn open_located_by(&self, headers: &HeaderMap, address: impl FnOnce() -> Option<IpAddr>) -> Opened {
        let engine = &self.engine;
        let mut arrival = Arrival::of(headers, engine);
        let guessing = engine.guessing.as_ref();
        let is_needed = engine.policy.record_client_address
            || guessing.is_some_and(|guessing| guessing.needs_address(&arrival));
        let sender = Sender {
            user_agent: headers.get(USER_AGENT).cloned(),
            address: is_needed.then(address).flatten(),
        };
        arrival.count(engine, &sender);
        Opened::new(Arc::clone(engine), arrival, sender)
    }

    /// Writes what the request did to its session, and says what the response must carry. To be
    /// called when the handler has answered and before the response goes out.
    ///
    /// # Errors
    /// If the store fails, nothing that it did not do is promised, and no cookie is set or removed: answer with 503.
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
        self.revoke_of(id, None).await
    }

    /// The same, whose owner is known if one is given.
    pub(crate) async fn revoke_of(&self, id: SessionId, owner: Option<Owner>) -> Result<bool, StoreError> {
        let engine = &self.engine;
        let removed = engine
            .deadline()
            .call(Operation::Remove, engine.store.remove(id))
            .await;
        let removed = engine.reported(Operation::Remove, id, removed)?;
        if removed {
            engine.tell(EventKind::Revoked { sessions: 1 }, Some(id), owner);
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

    /// Starts the sweeper, or gives the handle of the one that runs. It starts by itself with the first
    /// session that this process creates, unless [the policy](Policy::sweep_interval) says not to.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    #[must_use = "the handle stops it; drop it to let it run"]
    pub fn start_sweeper(&self) -> Sweeper {
        let interval = self
            .engine
            .policy
            .sweep_interval
            .unwrap_or(Duration::from_mins(1));
        self.engine.start_sweeper(interval)
    }

    /// Removes every session that has expired by now, in bounded batches. Says how many. For those who
    /// sweep from a scheduler instead of in the background.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn sweep(&self) -> Result<u64, StoreError> {
        let mut swept = 0;
        loop {
            match self.engine.sweep_batch(Duration::ZERO).await? {
                Batch::Last(removed) => return Ok(swept + removed),
                Batch::Full(removed) => swept += removed,
            }
            tokio::time::sleep(PAUSE_BETWEEN_BATCHES).await;
        }
    }

    /// How many events the listener was too slow for since the start. *Unit*: events.
    #[must_use]
    pub fn events_dropped(&self) -> u64 {
        self.engine.events.dropped()
    }

    /// Waits until the listener has returned from every event that came before, at most for `patience`, and says whether
    /// it has. For the end of a program, whose last events would be lost otherwise; **blocks the thread**.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # fn shut_down(sessions: &tenure_core::Sessions) {
    /// if !sessions.flush_events(Duration::from_secs(5)) {
    ///     eprintln!("the last events did not reach the listener");
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn flush_events(&self, patience: Duration) -> bool {
        self.engine.events.flush(patience)
    }

    /// The time by the clock that every deadline is checked against, to tell a user how much is left.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.engine.now()
    }

    /// The keyring in use: to replace it, or to see which keys are.
    #[must_use]
    pub fn keyring(&self) -> &LiveKeyring {
        &self.engine.keyring
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

    pub(crate) fn with_engine(engine: Arc<Engine>) -> Self {
        Self { engine }
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
