//! One attempt to sign in: allowed and counted in advance, or refused.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::device::Device;
use crate::engine::Engine;
use crate::event::{Event, EventKind};
use crate::known_device::{KnownDevice, Nonce};
use crate::login_subject::LoginSubject;
use crate::login_tally::Reservation;
use crate::owner::Owner;
use crate::store::StoreError;

/// Whether a password may be looked at. See [`LoginThrottle::begin`](crate::LoginThrottle::begin).
#[derive(Debug)]
#[must_use = "only what is allowed may look at the password"]
pub enum Attempt {
    /// Look at the password, and say what came of it.
    Allowed(AllowedAttempt),
    /// Don't look at it, however right it may be. Answer with 429 and `Retry-After`.
    Refused(RefusedAttempt),
}

/// An attempt to sign in that is counted as failed until it has [succeeded](AllowedAttempt::succeeded).
#[must_use = "say whether the password was right; until then it counts as wrong"]
pub struct AllowedAttempt {
    engine: Arc<Engine>,
    account: Box<str>,
    known: Option<Nonce>,
    client: Option<Device>,
    reservations: Vec<(LoginSubject, Reservation)>,
}

/// An attempt to sign in that has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefusedAttempt {
    /// How long. The same for an account that does not exist.
    pub retry_after: Duration,
    /// Whose failures are the reason: for the log. A user needs to know only how long to wait.
    pub subject: LoginSubject,
}

impl Attempt {
    pub(crate) fn refused(subject: LoginSubject, retry_after: Duration) -> Self {
        Self::Refused(RefusedAttempt { retry_after, subject })
    }
}

impl RefusedAttempt {
    /// What the header `Retry-After` says: whole seconds, rounded up (RFC 9110, section 10.2.3).
    #[must_use]
    pub fn retry_after_seconds(&self) -> u64 {
        let seconds = self.retry_after.as_secs();
        seconds.saturating_add(u64::from(self.retry_after.subsec_nanos() > 0))
    }
}

impl AllowedAttempt {
    pub(crate) fn new(
        engine: Arc<Engine>,
        account: &str,
        known: Option<Nonce>,
        client: Option<Device>,
        reservations: Vec<(LoginSubject, Reservation)>,
    ) -> Self {
        Self {
            engine,
            account: account.into(),
            known,
            client,
            reservations,
        }
    }

    /// How many attempts on the account (from this device, if it is a known one) failed in a row before this one. An
    /// application under NIST SP 800-63B-4 asks for more than a password from
    /// [`LoginLimit::MOST_FAILURES`](crate::LoginLimit::MOST_FAILURES) on.
    #[must_use]
    pub fn failures_before(&self) -> u32 {
        self.of_account().map_or(0, Reservation::failures_before)
    }

    /// The password was right: forgets the failures of the account, or of the known device, and takes this attempt
    /// back from its address. Gives the device, by whose cookie it is known the next time; `None` only if the
    /// operating system gave no random bytes.
    ///
    /// # Errors
    /// If the store fails. Nobody need be kept out for that: the attempt stays counted, and that is all.
    pub async fn succeeded(self) -> Result<Option<KnownDevice>, StoreError> {
        let engine = &self.engine;
        let (now, mut deadline) = (engine.now(), engine.deadline());
        for (subject, reservation) in &self.reservations {
            match subject {
                LoginSubject::Account | LoginSubject::KnownDevice => {
                    reservation.forget_all(engine, &mut deadline).await?;
                }
                LoginSubject::Address => reservation.take_back(engine, &mut deadline, now).await?,
            }
        }
        let failures = self.failures_before();
        if failures > 0 {
            let owner = Owner::new(&self.account).ok();
            self.tell(EventKind::LoginSucceededAfterFailures { failures }, owner);
        }
        let keyring = engine.keyring.load();
        let device = KnownDevice::signed_in(&self.account, self.known, &keyring, &engine.policy, now);
        Ok(device.ok())
    }

    /// The password was wrong: it stays counted.
    pub fn failed(self) {
        let failures = self.failures_before().saturating_add(1);
        self.tell(EventKind::LoginFailed { failures }, None);
        for (subject, reservation) in &self.reservations {
            if reservation.locks() {
                self.tell(EventKind::LoginLocked(*subject), None);
            }
        }
    }

    fn of_account(&self) -> Option<&Reservation> {
        let of_account = |(subject, _): &&(LoginSubject, Reservation)| *subject != LoginSubject::Address;
        self.reservations
            .iter()
            .find(of_account)
            .map(|(_, reservation)| reservation)
    }

    /// Without the name that was typed, which may be a password in the wrong field, unless it was proven.
    fn tell(&self, kind: EventKind, owner: Option<Owner>) {
        self.engine.tell_of(Event {
            owner,
            client: self.client.clone(),
            ..Event::new(self.engine.now(), kind)
        });
    }
}

impl fmt::Debug for AllowedAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AllowedAttempt")
            .field("failures_before", &self.failures_before())
            .finish_non_exhaustive()
    }
}
