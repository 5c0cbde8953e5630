//! A cookie of ours that arrived.

use crate::keyring::KeyRole;
use crate::token::{COOKIE_VALUE_LENGTH, CookieText, Token};
use crate::verified_cookies::Fingerprint;

/// A cookie of ours. What it bears is read when somebody asks for it, for most requests never do.
pub(crate) struct GenuineCookie {
    pub(crate) key: KeyRole,
    pub(crate) fingerprint: Fingerprint,
    verified: Verified,
    text: CookieText,
}

/// When it was found to be genuine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verified {
    Now,
    /// By an earlier request, whose session was alive.
    Before,
}

impl GenuineCookie {
    /// One that was verified before.
    pub(crate) fn remembered(value: &[u8; COOKIE_VALUE_LENGTH], fingerprint: Fingerprint) -> Self {
        Self {
            key: KeyRole::Current,
            fingerprint,
            verified: Verified::Before,
            text: CookieText::of(value),
        }
    }

    /// One that was verified just now.
    pub(crate) fn verified(
        value: &[u8; COOKIE_VALUE_LENGTH],
        key: KeyRole,
        fingerprint: Fingerprint,
    ) -> Self {
        Self {
            key,
            fingerprint,
            verified: Verified::Now,
            text: CookieText::of(value),
        }
    }

    /// Whether it opened a session before, so that to bring it is no guess.
    pub(crate) fn is_remembered(&self) -> bool {
        self.verified == Verified::Before
    }

    pub(crate) fn is_worth_remembering(&self) -> bool {
        self.verified == Verified::Now && self.key == KeyRole::Current
    }

    /// What it bears, read anew each time.
    pub(crate) fn token(&self) -> Token {
        self.text.token()
    }
}
