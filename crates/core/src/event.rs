//! What happens in a session's life, told to a listener and to `tracing`.

use std::fmt;

use crate::assurance::AssuranceLevel;
use crate::clock::Timestamp;
use crate::csrf::CsrfRefusal;
use crate::device::Device;
use crate::login_subject::LoginSubject;
use crate::observed;
use crate::owner::Owner;
use crate::record::Expiry;
use crate::session_id::SessionId;
use crate::store::Operation;

/// Something that happened to a session. Never holds a token, a secret or data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// When, by the application's clock.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
    /// To which session, if it is known.
    pub session: Option<SessionId>,
    /// Whose session, if somebody is signed in.
    pub owner: Option<Owner>,
    /// The device that the session was created or signed in on, where that may be another than [`Event::client`].
    pub device: Option<Device>,
    /// The device that sent the request, if one did: its user agent and, only if the
    /// [policy asks for it](crate::Policy::record_client_address), its address.
    pub client: Option<Device>,
}

impl Event {
    pub(crate) fn new(at: Timestamp, kind: EventKind) -> Self {
        Self {
            at,
            kind,
            session: None,
            owner: None,
            device: None,
            client: None,
        }
    }
}

/// What happened. [`EventKind::name`] has the names of OWASP's Logging Vocabulary where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// A session was inserted.
    Created,
    /// A session got a new secret.
    Renewed,
    /// A session got an owner, and a new secret with it.
    SignedIn,
    /// The owner proved again who they are, and the session got a new secret with it.
    SteppedUp(AssuranceLevel),
    /// The owner signed out; the session is removed.
    SignedOut,
    /// The application ended the session; it is removed.
    Destroyed,
    /// An operator, or the owner from another device, ended sessions.
    Revoked {
        /// How many.
        sessions: u64,
    },
    /// A session was ended because its owner signed in elsewhere, and had as many as the policy allows.
    Evicted,
    /// A sign-in was refused because the owner had as many sessions as the policy allows.
    SignInRefused,
    /// A cookie was not accepted.
    CookieRefused(Refusal),
    /// A cookie of ours for a live session, with a secret that a renewal has replaced.
    CookieSuperseded,
    /// A cookie of ours that a periodic renewal has retired was used: somebody copied it. The session is ended, for
    /// whoever bears its cookies. [`Event::device`] is where it was signed in, [`Event::client`] who used the cookie.
    TokenReused,
    /// What a request wrote was dropped.
    WriteDropped(Dropped),
    /// Another request was faster, and the changes were replayed on what it wrote.
    ConflictReplayed,
    /// The store did not do what it was asked.
    StoreFailed(Operation),
    /// A request was refused as a possible forgery.
    CsrfRefused(CsrfRefusal),
    /// A client has spent its [budget](crate::GuessLimit) of cookies that are not accepted. Told once a minute for each
    /// client; of those past the budget there is no other event.
    GuessLimitReached(GuessedCookie),
    /// A password was wrong. The name that was typed is not told: it may be a password in the wrong field.
    LoginFailed {
        /// How many attempts on the account have failed in a row now.
        failures: u32,
    },
    /// The password of a known [`Event::owner`] was right after wrong ones.
    LoginSucceededAfterFailures {
        /// How many attempts on the account had failed in a row.
        failures: u32,
    },
    /// An attempt to sign in had to wait; its password was not looked at.
    LoginThrottled(LoginSubject),
    /// So many attempts failed that nobody may try for the lock-out.
    LoginLocked(LoginSubject),
}

/// What a client had too many of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GuessedCookie {
    /// Malformed or forged cookies.
    Refused,
    /// Genuine cookies that no session was found for. Many of them from one client are a sign that the application's
    /// secret has leaked.
    Unknown,
}

/// Why a cookie was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Not the form of a cookie of ours.
    Malformed,
    /// Signed by no key of the keyring.
    Forged,
    /// Genuine, but there is no such session: it was ended, or it expired and was swept.
    Unknown,
    /// The session has expired.
    Expired(Expiry),
    /// Retired by a periodic renewal, and used all the same: somebody copied it. The session was ended.
    Retired,
    /// The record's data was changed or moved in the store, and does not open.
    Tampered,
    /// The record's data is sealed under a key that this keyring does not hold.
    UnknownKey,
}

/// Why a write was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dropped {
    /// The session was ended or expired while the request ran.
    SessionGone,
    /// The session was renewed by another request; this one's secret is no longer current.
    Superseded,
    /// What another request wrote to the session does not open: changed in the store, or sealed under a
    /// key that this keyring does not hold.
    Unreadable,
    /// It was written after the response had gone out, and never saved.
    AfterResponse,
}

impl EventKind {
    /// A name for logs and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "session_created",
            Self::Renewed => "session_renewed",
            Self::SignedIn => "session_signed_in",
            Self::SteppedUp(_) => "session_stepped_up",
            Self::SignedOut => "session_signed_out",
            Self::Destroyed => "session_destroyed",
            Self::Revoked { .. } => "session_revoked",
            Self::Evicted => "session_evicted",
            Self::SignInRefused => "session_limit_reached",
            Self::CookieRefused(Refusal::Expired(_)) => "session_expired",
            Self::CookieRefused(Refusal::Unknown) => "session_use_after_expire",
            Self::CookieRefused(_) => "session_cookie_refused",
            Self::CookieSuperseded => "session_cookie_superseded",
            Self::TokenReused => "authn_token_reuse",
            Self::WriteDropped(_) => "session_write_dropped",
            Self::ConflictReplayed => "session_conflict_replayed",
            Self::StoreFailed(_) => "session_store_failed",
            Self::CsrfRefused(_) => "session_csrf_refused",
            Self::GuessLimitReached(_) => "excess_rate_limit_exceeded",
            Self::LoginFailed { .. } => "authn_login_fail",
            Self::LoginSucceededAfterFailures { .. } => "authn_login_successafterfail",
            Self::LoginThrottled(_) => "authn_login_fail_max",
            Self::LoginLocked(_) => "authn_login_lock",
        }
    }

    /// Why, in a word for the label of a metric, where there is more than one reason.
    ///
    /// ```
    /// use tenure_core::{EventKind, Refusal};
    ///
    /// let kind = EventKind::CookieRefused(Refusal::Forged);
    /// assert_eq!((kind.name(), kind.reason()), ("session_cookie_refused", Some("forged")));
    /// assert_eq!(EventKind::Created.reason(), None);
    /// ```
    #[must_use]
    pub fn reason(self) -> Option<&'static str> {
        Some(match self {
            Self::CookieRefused(refusal) => refusal.name(),
            Self::WriteDropped(dropped) => dropped.name(),
            Self::StoreFailed(operation) => operation.name(),
            Self::CsrfRefused(refusal) => refusal.name(),
            Self::GuessLimitReached(cookie) => cookie.name(),
            Self::LoginThrottled(subject) | Self::LoginLocked(subject) => subject.name(),
            _ => return None,
        })
    }

    fn is_routine(self) -> bool {
        matches!(
            self,
            Self::Created
                | Self::Renewed
                | Self::SignedIn
                | Self::SteppedUp(_)
                | Self::SignedOut
                | Self::Destroyed
                | Self::Revoked { .. }
                | Self::Evicted
                | Self::SignInRefused
                | Self::ConflictReplayed
                | Self::LoginFailed { .. }
                | Self::LoginSucceededAfterFailures { .. }
                | Self::LoginThrottled(_)
                | Self::CookieRefused(Refusal::Expired(_))
        )
    }
}

impl Refusal {
    fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Forged => "forged",
            Self::Unknown => "unknown",
            Self::Expired(Expiry::Idle) => "idle",
            Self::Expired(Expiry::Absolute) => "absolute",
            Self::Retired => "retired",
            Self::Tampered => "tampered",
            Self::UnknownKey => "unknown_key",
        }
    }
}

impl Dropped {
    fn name(self) -> &'static str {
        match self {
            Self::SessionGone => "session_gone",
            Self::Superseded => "superseded",
            Self::Unreadable => "unreadable",
            Self::AfterResponse => "after_response",
        }
    }
}

impl GuessedCookie {
    fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }
}

/// Is told every [`Event`], one after another, in a thread of its own: no request waits for it. It may block, such as to
/// write to a file or a socket.
///
/// 1,024 events wait for one that is slow. Past that an event is dropped, and
/// [counted](crate::Sessions::events_dropped); `tracing` and the metrics have it all the same. A listener that panics is
/// told of the next event.
///
/// A closure is one:
///
/// ```
/// use tenure_core::{Event, Listener};
///
/// fn is_listener(_: impl Listener) {}
/// is_listener(|event: &Event| println!("{}", event.kind.name()));
/// ```
pub trait Listener: Send + Sync + 'static {
    /// Called once for each event.
    fn notice(&self, event: &Event);
}

impl<F: Fn(&Event) + Send + Sync + 'static> Listener for F {
    fn notice(&self, event: &Event) {
        self(event);
    }
}

/// Hands an event to `tracing` and the metrics.
pub(crate) fn publish(event: &Event) {
    observed::event(event.kind);
    log(event);
}

fn log(event: &Event) {
    let name = event.kind.name();
    let session = event
        .session
        .as_ref()
        .map(|id| id as &dyn fmt::Display)
        .map(tracing::field::display);
    let owner = event.owner.as_ref().map(Owner::as_str);
    let detail = tracing::field::debug(event.kind);
    let device = event.device.as_ref().map(tracing::field::debug);
    let client = event.client.as_ref().map(tracing::field::debug);
    if event.kind.is_routine() {
        tracing::info!(target: "tenure", name, session, owner, device, client, detail);
    } else {
        tracing::warn!(target: "tenure", name, session, owner, device, client, detail);
    }
}
