//! A cookie of ours that arrived.

use crate::keyring::KeyRole;
use crate::token::{COOKIE_VALUE_LENGTH, CookieText, Token};
use crate::verified_cookies::Fingerprint;

/// A cookie of ours. What it bears is read when somebody asks for it, for most requests never do.
pub(crate) struct GenuineCookie {
    pub(crate) fingerprint: Fingerprint,
    verified: Verified,
    text: CookieText,
}

/// When it was found to be genuine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verified {
    /// By this request, under a key of this role.
    Now(KeyRole),
    /// By an earlier request, whose session was alive, under the current key.
    Before,
}

impl GenuineCookie {
    pub(crate) fn new(
        value: &[u8; COOKIE_VALUE_LENGTH],
        fingerprint: Fingerprint,
        verified: Verified,
    ) -> Self {
        Self {
            fingerprint,
            verified,
            text: CookieText::of(value),
        }
    }

    pub(crate) fn has_older_key(&self) -> bool {
        self.verified == Verified::Now(KeyRole::Older)
    }

    /// Whether it opened a session before, so that to bring it is no guess.
    pub(crate) fn is_remembered(&self) -> bool {
        self.verified == Verified::Before
    }

    pub(crate) fn is_worth_remembering(&self) -> bool {
        self.verified == Verified::Now(KeyRole::Current)
    }

    /// What it bears, read anew each time.
    pub(crate) fn token(&self) -> Token {
        self.text.token()
    }
}
