//! Who has guesses left: refused cookies and unknown sessions, counted by client.

mod budget;
mod found_dead;
mod seen_alive;
mod sketch;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::arrival::Arrival;
use crate::client_network::ClientNetwork;
use crate::clock::Clock;
use crate::event::Refusal;
use crate::genuine_cookie::GenuineCookie;
use crate::guess_limit::GuessLimit;
use crate::state::Absence;
use crate::token::{Token, TokenSecret};
use crate::too_many_guesses::TooManyGuesses;

use budget::Budget;
use found_dead::FoundDead;
use seen_alive::SeenAlive;

/// What a process remembers of guesses.
pub(crate) struct Guessing {
    clock: Arc<dyn Clock>,
    refused: Limit,
    unknown: Limit,
    seen_alive: SeenAlive,
    found_dead: FoundDead,
    told_of_no_address: AtomicBool,
}

/// A budget, and who was told of that it is spent.
struct Limit {
    budget: Budget,
    notices: Budget,
}

/// A client has spent its budget.
pub(crate) struct Spent {
    pub(crate) refusal: TooManyGuesses,
    pub(crate) notice: Notice,
}

/// Whether somebody is to be told. Once a minute for each client, or an attack would flood the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    Due,
    Given,
}

/// What is to be done with a cookie that is refused without a look at the store.
pub(crate) enum Counted {
    /// It is within the budget.
    Within,
    Spent(Spent),
    /// Whose budget it would be is not known, and more have come than one client has.
    Unlimited,
}

/// What is to be done with a genuine cookie.
pub(crate) enum Prospect {
    LookUp,
    Dead(Refusal),
    Spent(Spent),
}

/// With 50,000 attackers who all have spent their budget, one other client in a thousand shares all its cells.
const BUDGET_BYTES: usize = 8 << 20;
/// To be told of one attacker less does no harm.
const NOTICES_BYTES: usize = 1 << 20;

impl Guessing {
    pub(crate) fn new(limit: GuessLimit, clock: &Arc<dyn Clock>) -> Option<Self> {
        let GuessLimit::PerClient { refused, unknown } = limit else {
            return None;
        };
        Some(Self {
            clock: Arc::clone(clock),
            refused: Limit::per_minute(refused, clock),
            unknown: Limit::per_minute(unknown, clock),
            seen_alive: SeenAlive::new(),
            found_dead: FoundDead::new(),
            told_of_no_address: AtomicBool::new(false),
        })
    }

    /// Whether it takes the client's address to judge this request. To find it out may cost something, and nearly no
    /// request needs it.
    pub(crate) fn needs_address(&self, arrival: &Arrival) -> bool {
        match arrival {
            Arrival::NoCookie => false,
            Arrival::Refused(_) | Arrival::OverLimit(..) => true,
            Arrival::Genuine(cookie) => {
                !cookie.is_remembered() && !self.seen_alive.has(&cookie.token().secret)
            }
        }
    }

    /// A request brought a cookie that is refused without a look at the store.
    pub(crate) fn count_refused(&self, address: Option<IpAddr>) -> Counted {
        let client = self.client(address);
        match self.refused.budget.spend(client) {
            Ok(()) => Counted::Within,
            Err(_) if client.is_none() => Counted::Unlimited,
            Err(wait) => Counted::Spent(self.refused.spent(client, wait)),
        }
    }

    /// A genuine cookie's session is asked for.
    pub(crate) fn consider(&self, token: &Token, address: Option<IpAddr>) -> Prospect {
        if self.seen_alive.has(&token.secret) {
            return Prospect::LookUp;
        }
        if let Some(refusal) = self.found_dead.find(token.id, self.clock.now()) {
            return Prospect::Dead(refusal);
        }
        let client = address.map(ClientNetwork::of);
        match self.unknown.budget.look(client) {
            Err(wait) if client.is_some() => Prospect::Spent(self.unknown.spent(client, wait)),
            _ => Prospect::LookUp,
        }
    }

    /// A cookie is good: it was looked up, or is newly issued.
    pub(crate) fn is_alive(&self, secret: &TokenSecret) {
        self.seen_alive.add(secret);
    }

    /// A genuine cookie was looked up in vain.
    pub(crate) fn count_absence(&self, absence: Absence, cookie: &GenuineCookie, address: Option<IpAddr>) {
        let token = cookie.token();
        match absence {
            Absence::Refused(refusal @ (Refusal::Unknown | Refusal::Expired(_))) => {
                self.found_dead.add(token.id, refusal, self.clock.now());
            }
            Absence::Superseded => {}
            // Nobody guesses those.
            Absence::Refused(_) | Absence::NoCookie | Absence::Destroyed | Absence::Gone => return,
        }
        let was_alive = cookie.is_remembered() || self.seen_alive.has(&token.secret);
        self.seen_alive.remove(&token.secret);
        if was_alive && address.is_none() {
            // No guess, so nobody asked for the address.
            return;
        }
        // Past the budget there is nothing left to take.
        let _ = self.unknown.budget.spend(self.client(address));
    }

    fn client(&self, address: Option<IpAddr>) -> Option<ClientNetwork> {
        if address.is_none() && !self.told_of_no_address.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                target: "tenure",
                "guesses at session cookies are not limited, because the client's address is not known; \
                 with axum, serve by into_make_service_with_connect_info::<SocketAddr>(), \
                 and behind a proxy give the layer a TrustProxy that finds the address"
            );
        }
        address.map(ClientNetwork::of)
    }
}

impl Limit {
    fn per_minute(units: NonZeroU32, clock: &Arc<dyn Clock>) -> Self {
        Self {
            budget: Budget::per_minute(units, BUDGET_BYTES, Arc::clone(clock)),
            notices: Budget::per_minute(NonZeroU32::MIN, NOTICES_BYTES, Arc::clone(clock)),
        }
    }

    fn spent(&self, client: Option<ClientNetwork>, wait: Duration) -> Spent {
        Spent {
            refusal: TooManyGuesses::until(wait),
            notice: match self.notices.spend(client) {
                Ok(()) => Notice::Due,
                Err(_) => Notice::Given,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::genuine_cookie::Verified;
    use crate::keyring::{KeyRole, Keyring};
    use crate::secret::Secret;
    use crate::token::COOKIE_VALUE_LENGTH;
    use crate::verified_cookies::VerifiedCookies;

    fn guessing() -> Guessing {
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::default());
        Guessing::new(GuessLimit::default(), &clock).unwrap()
    }

    fn has_told(guessing: &Guessing) -> bool {
        guessing.told_of_no_address.load(Ordering::Relaxed)
    }

    #[test]
    fn an_address_that_nobody_asked_for_is_not_missed() {
        let guessing = guessing();
        let keyring = Keyring::new(Secret::new("T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r"));
        let value = Token::generate().unwrap().to_cookie("sid", &keyring);
        let value: &[u8; COOKIE_VALUE_LENGTH] = value.as_bytes().try_into().unwrap();
        let fingerprint = VerifiedCookies::new().unwrap().fingerprint(value, &keyring);
        let cookie = GenuineCookie::new(value, fingerprint, Verified::Now(KeyRole::Current));
        let gone = Absence::Refused(Refusal::Unknown);
        guessing.is_alive(&cookie.token().secret);
        guessing.count_absence(gone, &cookie, None);
        assert!(!has_told(&guessing));
        guessing.count_absence(gone, &cookie, None);
        assert!(has_told(&guessing));
    }
}
