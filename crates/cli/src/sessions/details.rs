//! A session, for people and for programs.

use serde::Serialize;
use tenure_core::{Lifetime, SessionDetails};

use crate::times;

/// What programs get of a session. These names stay as they are.
#[derive(Serialize)]
pub(super) struct Reported {
    id: String,
    state: &'static str,
    owner: Option<String>,
    created_at: String,
    signed_in_at: Option<String>,
    last_seen_at: String,
    idle_expires_at: String,
    absolute_expires_at: String,
    lifetime: &'static str,
    user_agent: Option<String>,
    address: Option<String>,
}

impl Reported {
    pub(super) fn of(session: &SessionDetails) -> Self {
        Self {
            id: session.id.to_string(),
            state: if session.expired.is_some() {
                "expired"
            } else {
                "live"
            },
            owner: session.owner.as_ref().map(ToString::to_string),
            created_at: times::rfc3339(session.created_at),
            signed_in_at: session.signed_in_at.map(times::rfc3339),
            last_seen_at: times::rfc3339(session.last_seen_at),
            idle_expires_at: times::rfc3339(session.expires.idle),
            absolute_expires_at: times::rfc3339(session.expires.absolute),
            lifetime: match session.lifetime {
                Lifetime::Standard => "standard",
                Lifetime::Remembered => "remembered",
            },
            user_agent: session.device.user_agent().map(str::to_owned),
            address: session.device.address().map(|address| address.to_string()),
        }
    }
}

/// Whose it is, or that it is nobody's.
pub(super) fn owner(session: &SessionDetails) -> String {
    match &session.owner {
        Some(owner) => plain(owner.as_str()),
        None => "(nobody)".to_owned(),
    }
}

/// What the browser called itself, and where it was.
pub(super) fn device(session: &SessionDetails) -> String {
    let user_agent = session.device.user_agent().map(plain);
    let address = session.device.address().map(|address| address.to_string());
    let known: Vec<_> = user_agent.into_iter().chain(address).collect();
    known.join(", ")
}

/// Without what turns a line of a terminal around, and makes it read as another.
fn plain(text: &str) -> String {
    let turns = |character| {
        matches!(character,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    text.chars()
        .map(|character| if turns(character) { '\u{fffd}' } else { character })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_turns_a_line_around_is_not_shown_as_it_is() {
        assert_eq!(plain("ada\u{202e}nimda"), "ada\u{fffd}nimda");
        assert_eq!(plain("Ada Müller-łódź 愛"), "Ada Müller-łódź 愛");
    }
}
