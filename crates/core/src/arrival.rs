//! What a request brought: a genuine cookie, one that is refused, or none.

use http::HeaderMap;

use crate::cookie_header::cookies_named;
use crate::engine::Engine;
use crate::event::{Event, EventKind, GuessedCookie, Refusal};
use crate::genuine_cookie::{GenuineCookie, Verified};
use crate::guessing::Counted;
use crate::keyring::Keyring;
use crate::token::{COOKIE_VALUE_LENGTH, CookieFault, Token};
use crate::too_many_guesses::TooManyGuesses;
use crate::visit::Sender;

/// What the request brought.
pub(crate) enum Arrival {
    NoCookie,
    Refused(Refusal),
    /// Refused, from a client that has no guesses left.
    OverLimit(Refusal, TooManyGuesses),
    Genuine(GenuineCookie),
}

/// How many cookies of our name are looked at. More than one is somebody's attempt at planting one.
const MOST_CANDIDATES: usize = 8;

impl Arrival {
    /// Verifies the cookies of this name until one is genuine.
    pub(crate) fn of(headers: &HeaderMap, engine: &Engine) -> Self {
        let keys = engine.keyring.load();
        let mut arrival = Self::NoCookie;
        for value in cookies_named(headers, &engine.policy.cookie_name).take(MOST_CANDIDATES) {
            match verify(value, engine, &keys) {
                Ok(cookie) => return Self::Genuine(cookie),
                Err(CookieFault::UnknownKey) if engine.keyring.may_be_outdated() => {
                    arrival = Self::Refused(Refusal::UnknownKey);
                }
                Err(CookieFault::Forged | CookieFault::UnknownKey) => {
                    arrival = arrival.or_forged();
                }
                Err(CookieFault::Malformed) if matches!(arrival, Self::NoCookie) => {
                    arrival = Self::Refused(Refusal::Malformed);
                }
                Err(CookieFault::Malformed) => {}
            }
        }
        arrival
    }

    /// A planted cookie beside one that may be a newer key's does not get that one removed.
    fn or_forged(self) -> Self {
        match self {
            Self::Refused(Refusal::UnknownKey) => self,
            _ => Self::Refused(Refusal::Forged),
        }
    }

    /// Counts a cookie that is refused against its client's budget, and tells of it as long as there is some.
    pub(crate) fn count(&mut self, engine: &Engine, sender: &Sender) {
        let Self::Refused(refusal) = *self else {
            return;
        };
        let counted = engine
            .guessing
            .as_ref()
            .map_or(Counted::Within, |guessing| guessing.count_refused(sender.address));
        match counted {
            Counted::Within => {
                engine.tell_of(Event {
                    client: Some(sender.device(&engine.policy)),
                    ..Event::new(engine.now(), EventKind::CookieRefused(refusal))
                });
            }
            Counted::Unlimited => {}
            Counted::Spent(spent) => {
                engine.tell_of_spent(GuessedCookie::Refused, &spent, sender);
                *self = Self::OverLimit(refusal, spent.refusal);
            }
        }
    }

    pub(crate) fn has_older_key(&self) -> bool {
        matches!(self, Self::Genuine(cookie) if cookie.has_older_key())
    }
}

fn verify(value: &[u8], engine: &Engine, keys: &Keyring) -> Result<GenuineCookie, CookieFault> {
    // Before anything that takes longer the longer the value is.
    let value: &[u8; COOKIE_VALUE_LENGTH] = value.try_into().map_err(|_| CookieFault::Malformed)?;
    let fingerprint = engine.verified.fingerprint(value, keys);
    if engine.verified.has(fingerprint) {
        keys.current().count_cookie();
        return Ok(GenuineCookie::new(value, fingerprint, Verified::Before));
    }
    let (_, key) = Token::from_cookie(value, &engine.policy.cookie_name, keys)?;
    Ok(GenuineCookie::new(value, fingerprint, Verified::Now(key)))
}
