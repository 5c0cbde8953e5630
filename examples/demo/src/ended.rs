//! Why a session is over, in words.

use axum::response::Redirect;
use tenure::{Absence, Expiry, Refusal, Status};

/// How somebody's session came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Idle,
    Absolute,
    Elsewhere,
    SignedOut,
    NeverBegan,
}

/// Each with the reason that stands in an address, such as `/sign-in?reason=idle`, and what is said.
const ENDINGS: &[(Ended, &str, &str)] = &[
    (
        Ended::Idle,
        "idle",
        "Your session has expired: there was no activity for a while.",
    ),
    (
        Ended::Absolute,
        "absolute",
        "Your session has expired: it reached its time limit.",
    ),
    (
        Ended::Elsewhere,
        "ended",
        "Your session was ended: you signed out elsewhere, or it had expired long ago.",
    ),
    (Ended::SignedOut, "signed-out", "You are signed out."),
    (Ended::NeverBegan, "sign-in-first", "Please sign in first."),
];

impl Ended {
    /// Why this request came without a session although it came with a cookie.
    pub(crate) fn of(status: Status) -> Option<Self> {
        match status {
            Status::Absent(Absence::Refused(Refusal::Expired(Expiry::Idle))) => Some(Self::Idle),
            Status::Absent(Absence::Refused(Refusal::Expired(Expiry::Absolute))) => Some(Self::Absolute),
            Status::Absent(Absence::Refused(_) | Absence::Gone) => Some(Self::Elsewhere),
            _ => None,
        }
    }

    /// The ending of that reason. `None` for what somebody made up.
    pub(crate) fn with_reason(reason: &str) -> Option<Self> {
        ENDINGS
            .iter()
            .find(|(_, known, _)| *known == reason)
            .map(|(ended, _, _)| *ended)
    }

    pub(crate) fn message(self) -> &'static str {
        self.words().1
    }

    pub(crate) fn to_sign_in(self) -> Redirect {
        Redirect::to(&format!("/sign-in?reason={}", self.words().0))
    }

    fn words(self) -> (&'static str, &'static str) {
        ENDINGS
            .iter()
            .find(|(ended, _, _)| *ended == self)
            .map_or(("", ""), |(_, reason, message)| (reason, message))
    }
}
