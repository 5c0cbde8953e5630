//! What a request brought: a genuine cookie, one that is refused, or none.

use http::HeaderMap;

use crate::cookie_header::cookies_named;
use crate::event::Refusal;
use crate::keyring::{KeyAge, Keyring};
use crate::token::{CookieFault, Token};

/// What the request brought.
pub(crate) enum Arrival {
    NoCookie,
    Refused(Refusal),
    Genuine { token: Token, age: KeyAge },
}

/// How many cookies of our name are looked at. More than one is somebody's attempt at planting one.
const MOST_CANDIDATES: usize = 8;

impl Arrival {
    /// Verifies the cookies of this name until one is genuine.
    pub(crate) fn of(headers: &HeaderMap, name: &str, keyring: &Keyring) -> Self {
        let mut arrival = Self::NoCookie;
        for value in cookies_named(headers, name).take(MOST_CANDIDATES) {
            match Token::from_cookie(value, name, keyring) {
                Ok((token, age)) => return Self::Genuine { token, age },
                Err(CookieFault::Forged) => arrival = Self::Refused(Refusal::Forged),
                Err(CookieFault::Malformed) if matches!(arrival, Self::NoCookie) => {
                    arrival = Self::Refused(Refusal::Malformed);
                }
                Err(CookieFault::Malformed) => {}
            }
        }
        arrival
    }

    pub(crate) fn has_older_key(&self) -> bool {
        matches!(
            self,
            Self::Genuine {
                age: KeyAge::Older,
                ..
            }
        )
    }
}
