//! How many guesses at session cookies a client has.

use std::num::NonZeroU32;

/// How many guesses at session cookies one client has in a minute. A client is an IPv4 address, or a /64 of IPv6.
///
/// Nobody guesses a cookie: the tag has 128 bits and the secret behind it 256. The limit is there so that trying is
/// neither free for the one nor costly for the other (OWASP Session Management Cheat Sheet, "Session ID Guessing and
/// Brute Force Detection"; ASVS 5.0, 2.4.1): past it there is no handler, no call of the store and no line in the log,
/// but an answer of 429.
///
/// Both budgets begin full, refill evenly and are never fuller than a minute's worth. They are in the memory of each
/// process, by intent: counting in the store would give every guess the store call that it is not to have. So
/// several instances allow as many times as much.
///
/// | a request with | counts against | past the budget |
/// | --- | --- | --- |
/// | no cookie of ours, or a genuine one of a live session | nothing | is served as ever |
/// | a malformed or forged cookie | `refused` | 429 before the handler, with the removal of the cookie |
/// | a genuine cookie of a session that was ended, has expired or never was, or with a secret that is no longer the session's | `unknown`, once it was looked up | 429 instead of the look-up, unless the cookie was seen alive lately or was found dead within the last minute |
///
/// A genuine cookie is told from a forged one by one HMAC-SHA256, also past the budget. That is what a guess costs, less than a
/// microsecond; to save it would mean to shut out everybody who shares the guesser's address: an office, a mobile
/// network.
///
/// A request whose address is not known is not limited, for all such requests would share one budget, and whoever
/// spends it would shut out everybody else. `tracing` is told so once. With axum, serve by
/// `into_make_service_with_connect_info::<SocketAddr>()`; behind a proxy, tell the layer whom to trust, or the whole
/// world is one client, the proxy.
///
/// ```
/// use std::num::NonZeroU32;
/// use tenure_core::{GuessLimit, Policy};
///
/// const TWENTY: NonZeroU32 = NonZeroU32::new(20).expect("twenty is not zero");
/// const THOUSAND: NonZeroU32 = NonZeroU32::new(1_000).expect("a thousand is not zero");
/// let policy = Policy::default().guess_limit(GuessLimit::PerClient {
///     refused: TWENTY,
///     unknown: THOUSAND,
/// });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuessLimit {
    /// So many a minute for each client.
    PerClient {
        /// Requests whose cookie is refused without a look at the store. *Default*: 10. *Reason*: a browser with a
        /// dead cookie sends it once, or a few times at once, and is rid of it with the first answer, whether that is
        /// 429 or not.
        refused: NonZeroU32,
        /// Look-ups that find no session for a genuine cookie. *Default*: 300. *Reason*: such a cookie is common, for
        /// everybody who comes back after the timeout brings one, and a whole office may come back at once; a guesser needs the
        /// application's secret to make one.
        unknown: NonZeroU32,
    },
    /// No limit here, because what stands in front of the application has one, or because none is wanted.
    Unlimited,
}

impl GuessLimit {
    const REFUSED: NonZeroU32 = NonZeroU32::new(10).expect("ten is not zero");
    const UNKNOWN: NonZeroU32 = NonZeroU32::new(300).expect("three hundred is not zero");
}

impl Default for GuessLimit {
    /// 10 refused cookies and 300 unknown sessions a minute for each client.
    fn default() -> Self {
        Self::PerClient {
            refused: Self::REFUSED,
            unknown: Self::UNKNOWN,
        }
    }
}
