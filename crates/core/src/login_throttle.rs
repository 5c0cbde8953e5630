//! A limit on guessing passwords, for the application's sign-in form.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;

use crate::clock::Timestamp;
use crate::deadline::Deadline;
use crate::device::Device;
use crate::engine::Engine;
use crate::event::{Event, EventKind};
use crate::known_device;
use crate::login_attempt::{AllowedAttempt, Attempt};
use crate::login_limit::LoginLimit;
use crate::login_subject::{Counted, LoginSubject};
use crate::login_tally::{Reservation, Reserved, Standing, Tally};
use crate::sessions::Sessions;
use crate::store::StoreError;

/// When to come again where others were faster, or where a wait is about to end.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// Slows down and stops the guessing of passwords: for each account, over all addresses, and for each address, over
/// all accounts. Cheap to clone.
///
/// ```
/// use http::HeaderMap;
/// use std::net::IpAddr;
/// use tenure_core::{Attempt, KnownDevice, LoginThrottle, StoreError};
///
/// enum SignIn {
///     Welcome(Option<KnownDevice>),
///     WrongPassword,
///     /// To be answered with 429 and `Retry-After`.
///     TryAgainIn(u64),
/// }
///
/// async fn sign_in(
///     throttle: &LoginThrottle, account: &str, password: &str, address: IpAddr, headers: &HeaderMap,
/// ) -> Result<SignIn, StoreError> {
///     let attempt = throttle.begin(account, Some(address), headers).await?;
///     Ok(match attempt {
///         Attempt::Refused(refused) => SignIn::TryAgainIn(refused.retry_after_seconds()),
///         Attempt::Allowed(attempt) if is_password_of(account, password) => SignIn::Welcome(attempt.succeeded().await?),
///         Attempt::Allowed(attempt) => {
///             attempt.failed();
///             SignIn::WrongPassword
///         }
///     })
/// }
/// # fn is_password_of(_: &str, password: &str) -> bool { password == "analytical engine" }
/// # use tenure_core::{Environment, Keyring, MemoryStore, Policy, Secret, Sessions};
/// # let sessions = Sessions::new(
/// #     Policy::default().environment(Environment::Development),
/// #     Keyring::new(Secret::new("T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r")),
/// #     MemoryStore::new(),
/// # )?;
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let throttle = LoginThrottle::new(&sessions);
/// let (address, none) = ([203, 0, 113, 7].into(), HeaderMap::new());
/// for _ in 0..5 {
///     assert!(matches!(sign_in(&throttle, "ada", "guess", address, &none).await?, SignIn::WrongPassword));
/// }
/// // Not even the right password gets through now: it is not looked at.
/// let refused = sign_in(&throttle, "ada", "analytical engine", address, &none).await?;
/// assert!(matches!(refused, SignIn::TryAgainIn(1)));
/// # Ok::<(), StoreError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # What is counted, and where
///
/// Failures are kept in the session store, so all instances count together. Each attempt is counted **before** the
/// password is looked at, by compare-and-set: of a thousand at once, no more than are free get through. Where the
/// store fails there is an error, and where too many write at once a refusal; never a pass. An attempt that is
/// neither [`succeeded`](AllowedAttempt::succeeded) nor [`failed`](AllowedAttempt::failed), because its client left,
/// stays counted.
///
/// - **An account's** failures are forgotten when it is signed in to.
/// - **An address's** are not: whoever owns one account would otherwise sign in to it between two guesses at others.
///   A success only takes its own count back, so that an office's sign-ins cost its address nothing. IPv6 counts by
///   /64, the least that one client gets.
/// - **A known device's** are counted apart from both. Whoever keeps an account locked by failing on purpose does not
///   reach the devices that its owner has signed in from: see [`KnownDevice`](crate::KnownDevice).
///
/// Who waits is refused without being counted, so that impatience makes no wait longer.
///
/// # What it tells an attacker
///
/// Nothing of whether an account exists: any name is counted just the same, before anybody looks it up. The
/// application's part is to do the same work for an unknown name, such as to compare with a stand-in's hash.
///
/// The database learns no names and addresses: they are kept as HMACs under a key of the keyring. During a rotation
/// failures are counted under the current secret and looked for under each of the ring, so a rotation forgets nothing
/// as long as an older secret stays in the ring for longer than failures are remembered.
///
/// The name is taken as it is given. If `Ada` and `ada` are one account, give one spelling: each other spelling would
/// be guesses of its own.
///
/// Sources: OWASP Authentication Cheat Sheet, *Login Throttling*; NIST SP 800-63B-4, section 3.2.2.
#[derive(Clone)]
pub struct LoginThrottle {
    engine: Arc<Engine>,
    accounts: LoginLimit,
    addresses: LoginLimit,
}

impl LoginThrottle {
    /// Counts in the store of these sessions, by the default limits.
    #[must_use]
    pub fn new(sessions: &Sessions) -> Self {
        Self {
            engine: Arc::clone(sessions.engine()),
            accounts: LoginLimit::for_accounts(),
            addresses: LoginLimit::for_addresses(),
        }
    }

    /// The limit of each account, and of each known device. *Default*: [`LoginLimit::for_accounts`]. It locks after
    /// [`LoginLimit::MOST_FAILURES`] at the latest.
    #[must_use]
    pub fn account_limit(self, limit: LoginLimit) -> Self {
        Self {
            accounts: limit.within_nist(),
            ..self
        }
    }

    /// The limit of each address over all accounts. *Default*: [`LoginLimit::for_addresses`].
    #[must_use]
    pub fn address_limit(self, limit: LoginLimit) -> Self {
        Self {
            addresses: limit,
            ..self
        }
    }

    /// Asks whether a password may be looked at now, and counts the attempt in advance if so.
    ///
    /// `account` is the name that was typed, in the one spelling that the account has. `address` is the client's;
    /// behind a proxy the one that [`TrustProxy`](crate::TrustProxy) finds. Without one only the account's failures
    /// count. `headers` are the request's, in which the cookie of a [known device](crate::KnownDevice) is looked for.
    ///
    /// It costs two look-ups and two writes; a refusal costs the look-ups only.
    ///
    /// # Errors
    /// If the store fails. Let nobody in then: answer with 503.
    pub async fn begin(
        &self,
        account: &str,
        address: Option<IpAddr>,
        headers: &HeaderMap,
    ) -> Result<Attempt, StoreError> {
        let engine = &self.engine;
        let (now, mut deadline) = (engine.now(), engine.deadline());
        let keyring = engine.keyring.load();
        let nonce = known_device::known_to(account, headers, &keyring, &engine.policy, now);
        let counted = match nonce {
            Some(nonce) => vec![Counted::KnownDevice { account, nonce }],
            // The address first: who is refused by it does not count against the account.
            None => address
                .map(Counted::Address)
                .into_iter()
                .chain([Counted::Account(account)])
                .collect(),
        };
        let tallies: Vec<_> = counted
            .into_iter()
            .map(|counted| (counted.subject(), self.tally(counted, counted.keychain(&keyring))))
            .collect();
        drop(keyring);
        let client = address.filter(|_| engine.policy.records_client_address());
        let client = client.map(|address| Device::new(None, Some(address)));

        let outcome = self.reserve(tallies, &mut deadline, now).await?;
        Ok(match outcome {
            Ok(reservations) => Attempt::Allowed(AllowedAttempt::new(
                Arc::clone(engine),
                account,
                nonce,
                client,
                reservations,
            )),
            Err((subject, retry_after)) => {
                self.tell_refused(subject, client);
                Attempt::refused(subject, retry_after)
            }
        })
    }

    fn tally(&self, counted: Counted<'_>, keychain: crate::login_subject::Keychain) -> Tally {
        let limit = match counted.subject() {
            LoginSubject::Address => self.addresses,
            LoginSubject::Account | LoginSubject::KnownDevice => self.accounts,
        };
        Tally { keychain, limit }
    }

    /// Looks at all of them first, so that a refusal writes nothing.
    async fn reserve(
        &self,
        tallies: Vec<(LoginSubject, Tally)>,
        deadline: &mut Deadline,
        now: Timestamp,
    ) -> Result<Result<Vec<(LoginSubject, Reservation)>, (LoginSubject, Duration)>, StoreError> {
        let engine = &self.engine;
        let mut standings: Vec<Standing> = Vec::with_capacity(tallies.len());
        for (subject, tally) in &tallies {
            let standing = tally.look(engine, deadline, now).await?;
            if let Some(until) = standing.blocked_until(now) {
                return Ok(Err((*subject, now.until(until))));
            }
            standings.push(standing);
        }
        let mut reservations: Vec<(LoginSubject, Reservation)> = Vec::with_capacity(tallies.len());
        for ((subject, tally), standing) in tallies.into_iter().zip(standings) {
            let wait = match tally.reserve(standing, engine, deadline, now).await? {
                Reserved::Made(reservation) => {
                    reservations.push((subject, *reservation));
                    continue;
                }
                Reserved::Blocked { until } => now.until(until),
                Reserved::Contended => SHORTEST_WAIT,
            };
            for (_, reservation) in &reservations {
                reservation.take_back(engine, deadline, now).await?;
            }
            return Ok(Err((subject, wait)));
        }
        Ok(Ok(reservations))
    }

    fn tell_refused(&self, subject: LoginSubject, client: Option<Device>) {
        self.engine.tell_of(Event {
            client,
            ..Event::new(self.engine.now(), EventKind::LoginThrottled(subject))
        });
    }
}

impl fmt::Debug for LoginThrottle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginThrottle")
            .field("accounts", &self.accounts)
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}
