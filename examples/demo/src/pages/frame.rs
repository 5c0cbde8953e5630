//! What stands around every page: who is signed in, and the message to be shown once.

use axum::extract::Query;
use serde::{Deserialize, Serialize};
use tenure::axum::Session;
use tenure::{DataError, Key};

use crate::App;
use crate::ended::Ended;

/// Kept from the request that did something to the page that comes after it.
const MESSAGE: Key<Message> = Key::new("message");

/// What `base.html` needs.
pub(super) struct Frame {
    pub(super) owner: Option<String>,
    pub(super) message: Option<Message>,
    /// `None` if there is no session, so that there is nothing to count down.
    pub(super) countdown: Option<Countdown>,
}

/// Where `app.js` begins to count, in seconds.
pub(super) struct Countdown {
    pub(super) idle: u64,
    pub(super) absolute: u64,
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
    pub(super) fn new(app: &App, session: &Session, reason: &Query<Reason>) -> Result<Self, DataError> {
        let ended = Ended::of(session.status()).or_else(|| reason.ended());
        let message = session.take(MESSAGE)?.or_else(|| ended.map(Message::notice));
        let expires = session.id().and(session.expires());
        let seconds_until = |deadline| app.sessions.now().until(deadline).as_secs();
        Ok(Self {
            owner: session.owner().map(|owner| owner.to_string()),
            message,
            countdown: expires.map(|expires| Countdown {
                idle: seconds_until(expires.idle),
                absolute: seconds_until(expires.absolute),
            }),
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
