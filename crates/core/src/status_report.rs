//! What a browser is told about its session, so that a page can tell its user about time.

use std::time::Duration;

use aws_lc_rs::digest;
use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};

use crate::clock::{Timestamp, whole_millis};
use crate::event::Refusal;
use crate::owner::Owner;
use crate::record::{Deadlines, Expiry, Lifetime, Record};
use crate::session::Session;
use crate::state::{Absence, Standing};

/// How a session stands at a moment, in the words of the page that shows it: the answer of a door's status
/// route, and what `packages/browser` reads.
///
/// It holds no id, no secret and no data of the session. A page needs it to warn before a timeout, which
/// W3C WCAG 2.2 asks for in success criterion 2.2.1 (Timing Adjustable).
///
/// ```
/// use std::time::Duration;
/// use tenure_core::{Deadlines, Lifetime, ReportedSession, StatusReport, Timestamp};
///
/// let report = StatusReport {
///     now: Timestamp::from_millis(1_000),
///     session: ReportedSession::Live {
///         deadlines: Deadlines {
///             idle: Timestamp::from_millis(61_000),
///             absolute: Timestamp::from_millis(601_000),
///         },
///         idle_timeout: Duration::from_secs(60),
///         lifetime: Lifetime::Standard,
///         user: None,
///     },
/// };
/// assert_eq!(
///     report.to_json(),
///     r#"{"absolute_deadline":601000,"idle_deadline":61000,"idle_timeout":60000,"lifetime":"standard","now":1000,"signed_in":false,"state":"live","user":null}"#
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusReport {
    /// The time by the server's clock: the browser's may be wrong.
    pub now: Timestamp,
    /// What there is.
    pub session: ReportedSession,
}

/// The session in a [`StatusReport`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReportedSession {
    /// It lives.
    Live {
        /// When it ends, by each timeout.
        deadlines: Deadlines,
        /// How much time activity gives.
        idle_timeout: Duration,
        /// Which pair of the policy's timeouts it lives by.
        lifetime: Lifetime,
        /// Stands for the signed-in user, if there is one. The same for the same owner and else another, so that a
        /// page that was made for one user notices that it is now another's: the first 9 bytes of the SHA-256 of
        /// the owner, as base64url. The owner itself, which may be an internal number, is not told.
        user: Option<String>,
    },
    /// There is none.
    None(NoSession),
}

/// Why a [`StatusReport`] has no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoSession {
    /// The request brought no session cookie, or none of ours. It may have been removed after an end that
    /// another request was told of.
    NoCookie,
    /// The idle timeout has passed.
    IdleTimeout,
    /// The absolute timeout has passed.
    AbsoluteTimeout,
    /// This very request ended it.
    SignedOut,
    /// It was ended before this request: by a sign-out, from another device, by an operator; or it expired so
    /// long ago that it was swept.
    Ended,
    /// The browser's cookie may be as good as ever, and only this request or this instance can't tell: another
    /// request has just renewed the session, or another instance holds its key. Ask again.
    Undecided,
}

impl StatusReport {
    /// How this session stands in the store, as this request knows it. What the request has changed and not
    /// yet saved is not in it, but that it has ended the session is.
    #[must_use]
    pub fn of(session: &Session) -> Self {
        let visit = session.visit();
        let now = visit.engine.now();
        let session = match &visit.state().standing {
            Standing::Live(live) => ReportedSession::live(&live.record),
            Standing::Absent(absence) => ReportedSession::None(NoSession::after(*absence)),
            Standing::Unasked => ReportedSession::None(NoSession::NoCookie),
        };
        Self { now, session }
    }

    /// The report as one JSON object. Times are milliseconds since the Unix epoch, spans are milliseconds.
    ///
    /// | field | when | what |
    /// | --- | --- | --- |
    /// | `state` | always | `"live"` or `"none"` |
    /// | `now` | always | the server's time |
    /// | `idle_deadline`, `absolute_deadline` | live | when the session ends |
    /// | `idle_timeout` | live | how much time activity gives |
    /// | `lifetime` | live | `"standard"` or `"remembered"` |
    /// | `signed_in`, `user` | live | whether somebody is signed in, and a mark that stands for them, or `null` |
    /// | `reason` | none | a [`NoSession::name`] |
    #[must_use]
    pub fn to_json(&self) -> String {
        self.to_value().to_string()
    }

    fn to_value(&self) -> Value {
        let now = self.now.as_millis();
        match &self.session {
            ReportedSession::Live {
                deadlines,
                idle_timeout,
                lifetime,
                user,
            } => json!({
                "state": "live",
                "now": now,
                "idle_deadline": deadlines.idle.as_millis(),
                "absolute_deadline": deadlines.absolute.as_millis(),
                "idle_timeout": whole_millis(*idle_timeout),
                "lifetime": match lifetime {
                    Lifetime::Standard => "standard",
                    Lifetime::Remembered => "remembered",
                },
                "signed_in": user.is_some(),
                "user": user,
            }),
            ReportedSession::None(reason) => json!({ "state": "none", "now": now, "reason": reason.name() }),
        }
    }
}

impl ReportedSession {
    fn live(record: &Record) -> Self {
        Self::Live {
            deadlines: record.deadlines(),
            idle_timeout: record.idle_timeout,
            lifetime: record.lifetime,
            user: record.owner.as_ref().map(mark_of),
        }
    }
}

impl NoSession {
    /// The reason's name in [JSON](StatusReport::to_json): `no-cookie`, `idle-timeout`, `absolute-timeout`,
    /// `signed-out`, `ended` or `undecided`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NoCookie => "no-cookie",
            Self::IdleTimeout => "idle-timeout",
            Self::AbsoluteTimeout => "absolute-timeout",
            Self::SignedOut => "signed-out",
            Self::Ended => "ended",
            Self::Undecided => "undecided",
        }
    }

    fn after(absence: Absence) -> Self {
        match absence {
            Absence::NoCookie | Absence::Refused(Refusal::Malformed | Refusal::Forged) => Self::NoCookie,
            Absence::Refused(Refusal::Expired(Expiry::Idle)) => Self::IdleTimeout,
            Absence::Refused(Refusal::Expired(Expiry::Absolute)) => Self::AbsoluteTimeout,
            Absence::Destroyed => Self::SignedOut,
            Absence::Superseded | Absence::Refused(Refusal::UnknownKey) => Self::Undecided,
            Absence::Refused(_) | Absence::Gone => Self::Ended,
        }
    }
}

fn mark_of(owner: &Owner) -> String {
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(b"tenure status user");
    hash.update(owner.as_str().as_bytes());
    Base64UrlUnpadded::encode_string(&hash.finish().as_ref()[..9])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_the_same_for_the_same_owner_only() {
        let [ada, bob] = ["ada", "bob"].map(|name| mark_of(&Owner::new(name).unwrap()));
        assert_eq!(ada, mark_of(&Owner::new("ada").unwrap()));
        assert_ne!(ada, bob);
        assert_eq!(ada.len(), 12);
    }

    #[test]
    fn every_absence_has_its_reason() {
        let refused = |refusal| NoSession::after(Absence::Refused(refusal)).name();
        assert_eq!(refused(Refusal::Expired(Expiry::Idle)), "idle-timeout");
        assert_eq!(refused(Refusal::Expired(Expiry::Absolute)), "absolute-timeout");
        assert_eq!(refused(Refusal::Unknown), "ended");
        assert_eq!(refused(Refusal::Tampered), "ended");
        assert_eq!(refused(Refusal::Forged), "no-cookie");
        assert_eq!(refused(Refusal::UnknownKey), "undecided");
        assert_eq!(NoSession::after(Absence::Destroyed).name(), "signed-out");
        assert_eq!(NoSession::after(Absence::Superseded).name(), "undecided");
        assert_eq!(NoSession::after(Absence::Gone).name(), "ended");
        assert_eq!(NoSession::after(Absence::NoCookie).name(), "no-cookie");
    }
}
