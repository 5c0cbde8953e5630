//! What stands around every page: who is signed in, and the message to be shown once.

use axum::extract::Query;
use serde::{Deserialize, Serialize};
use tenure::axum::Session;
use tenure::{DataError, Key};

use crate::ended::Ended;

/// Kept from the request that did something to the page that comes after it.
const MESSAGE: Key<Message> = Key::new("message");

/// What `base.html` needs.
pub(super) struct Frame {
    pub(super) owner: Option<String>,
    pub(super) message: Option<Message>,
    /// Whether the page shows something of a session, and is to be hidden when that has ended.
    pub(super) has_session: bool,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Message {
    pub(super) tone: Tone,
    pub(super) text: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Tone {
    Good,
    Bad,
    Notice,
}

/// Why a page is shown, such as `?reason=idle`.
#[derive(Deserialize)]
pub(super) struct Reason {
    reason: Option<String>,
}

impl Frame {
    pub(super) fn new(session: &Session, reason: &Query<Reason>) -> Result<Self, DataError> {
        let ended = Ended::of(session.status()).or_else(|| reason.ended());
        let message = session.take(MESSAGE)?.or_else(|| ended.map(Message::notice));
        Ok(Self {
            owner: session.owner().map(|owner| owner.to_string()),
            message,
            has_session: session.id().is_some(),
        })
    }
}

impl Reason {
    fn ended(&self) -> Option<Ended> {
        Ended::with_reason(self.reason.as_deref()?)
    }
}

impl Message {
    fn notice(ended: Ended) -> Self {
        Self {
            tone: Tone::Notice,
            text: ended.message().to_owned(),
        }
    }
}

impl Tone {
    /// What went wrong interrupts a screen reader; what went well waits for its turn.
    pub(super) fn role(self) -> &'static str {
        match self {
            Self::Good => "status",
            Self::Bad | Self::Notice => "alert",
        }
    }

    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Notice => "notice",
        }
    }
}

/// Has the next page say that something worked.
pub(super) fn praise(session: &Session, text: impl Into<String>) -> Result<(), DataError> {
    tell(session, Tone::Good, text)
}

/// Has the next page say that something did not.
pub(super) fn complain(session: &Session, text: impl Into<String>) -> Result<(), DataError> {
    tell(session, Tone::Bad, text)
}

fn tell(session: &Session, tone: Tone, text: impl Into<String>) -> Result<(), DataError> {
    let text = text.into();
    session.insert(MESSAGE, &Message { tone, text })
}
