//! A set-up that was refused, and all that is wrong with it.

use std::fmt;
use std::time::Duration;

use crate::keyring::KeyringProblem;
use crate::random::RandomError;
use crate::record::Lifetime;

/// One thing that is wrong with a set-up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Sessions would vanish at every restart and be unknown to every other instance.
    #[error(
        "the {store} store keeps sessions in this process only, so production refuses it; \
         use a database, such as the SQLite store, or set TENURE_ENV=development on a developer's machine"
    )]
    StoreNotDurable {
        /// The store's name.
        store: &'static str,
    },
    /// A secret that can be guessed signs cookies for everybody.
    #[error("{0}")]
    WeakSecret(KeyringProblem),
    /// `Secure` off in production.
    #[error(
        "the cookie is not Secure, so anybody on the network could read it, and production refuses that; \
         remove cookie_secure(false), or set TENURE_ENV=development on a developer's machine"
    )]
    InsecureCookieInProduction,
    /// `HttpOnly` off.
    #[error(
        "the cookie is not HttpOnly, so an injected script could carry it off; \
         remove cookie_http_only(false): a script that needs to know who is signed in can ask the application"
    )]
    CookieReadableByScripts,
    /// `SameSite=None` without `Secure`.
    #[error(
        "SameSite=None needs a Secure cookie, browsers drop it otherwise; remove cookie_secure(false) or use SameSite::Lax"
    )]
    SameSiteNoneWithoutSecure,
    /// `__Host-` with a Domain.
    #[error(
        "a cookie whose name starts with __Host- must have no Domain, browsers drop it otherwise; remove cookie_domain or name the cookie __Secure-…"
    )]
    HostPrefixWithDomain,
    /// `__Host-` with another Path than `/`.
    #[error(
        "a cookie whose name starts with __Host- must have the Path / instead of {path:?}, browsers drop it otherwise; remove cookie_path or name the cookie __Secure-…"
    )]
    HostPrefixWithPath {
        /// The path that was given.
        path: String,
    },
    /// A name whose prefix demands `Secure`.
    #[error(
        "a cookie named {name:?} must be Secure, browsers drop it otherwise; remove cookie_secure(false) or, in development, give it a name without prefix"
    )]
    PrefixWithoutSecure {
        /// The name that was given.
        name: String,
    },
    /// `Partitioned` without `Secure`.
    #[error("Partitioned needs a Secure cookie, browsers drop it otherwise; remove cookie_secure(false)")]
    PartitionedWithoutSecure,
    /// A timeout of nothing.
    #[error(
        "a timeout of {lifetime} sessions is zero, so they would end at once; give at least a millisecond"
    )]
    ZeroTimeout {
        /// Which sessions.
        lifetime: Lifetime,
    },
    /// Idle longer than absolute.
    #[error(
        "the idle timeout of {lifetime} sessions ({idle:?}) is longer than their absolute timeout ({absolute:?}) and would never count; shorten it or lengthen the other"
    )]
    IdleLongerThanAbsolute {
        /// Which sessions.
        lifetime: Lifetime,
        /// The idle timeout.
        idle: Duration,
        /// The absolute timeout.
        absolute: Duration,
    },
    /// Longer than any browser keeps a cookie.
    #[error(
        "{lifetime} sessions would live {absolute:?}; browsers keep a cookie for 400 days at most, so give an absolute timeout up to that"
    )]
    LifetimeTooLong {
        /// Which sessions.
        lifetime: Lifetime,
        /// The absolute timeout.
        absolute: Duration,
    },
    /// The name is not a token.
    #[error("{name:?} is no cookie name; use letters, digits and !#$%&'*+-.^_`|~ (RFC 6265, section 4.1.1)")]
    InvalidCookieName {
        /// The name that was given.
        name: String,
    },
    /// Name and value together are longer than browsers take.
    #[error(
        "the cookie's name and value come to {bytes} bytes; browsers take 4096 at most, so shorten the name"
    )]
    CookieTooLong {
        /// Name and value together.
        bytes: usize,
    },
    /// The path is not one.
    #[error(
        "{path:?} is no cookie path; give one that starts with / and has printable ASCII without semicolons, 1024 bytes at most"
    )]
    InvalidCookiePath {
        /// The path that was given.
        path: String,
    },
    /// The domain is not one.
    #[error("{domain:?} is no cookie domain; give a host name such as example.com")]
    InvalidCookieDomain {
        /// The domain that was given.
        domain: String,
    },
    /// More data than a store takes.
    #[error(
        "max_data_bytes is {bytes}, but a store takes {most} at most; keep big things elsewhere and their key in the session"
    )]
    DataLimitTooLarge {
        /// The limit that was given.
        bytes: usize,
        /// The most that may be given.
        most: usize,
    },
    /// No time for the store to answer in.
    #[error(
        "store_deadline is zero, so every request would fail; give the store a time such as the default, 2 seconds"
    )]
    ZeroStoreDeadline,
    /// The listener would hear of nothing.
    #[error(
        "the operating system gives no thread to tell the listener in ({0}); raise the limit of threads, or set no listener"
    )]
    NoThreadForListener(std::io::ErrorKind),
    /// No key for what is kept in memory, and none for a session either.
    #[error("{0}")]
    NoRandomBytes(RandomError),
    /// Sweeping without a pause.
    #[error("sweep_interval is zero; give a pause such as a minute, or None to sweep from elsewhere")]
    ZeroSweepInterval,
    /// Counting without a pause.
    #[cfg(feature = "metrics")]
    #[error("count_interval is zero; give a pause such as a minute, or None to count nothing")]
    ZeroCountInterval,
    /// Nobody checks where requests come from.
    #[error(
        "origin_check is off, so any site could have the user's browser change things here, and production refuses that; \
         remove origin_check(OriginCheck::Off), exempt the paths that need it by csrf_exempt_paths, or say \
         OriginCheck::DoneElsewhere if a gateway checks the same"
    )]
    OriginUncheckedInProduction,
    /// A trusted origin that is none.
    #[error(
        "{origin:?} is no origin; give scheme://host or scheme://host:port of http or https, without a path, a slash at the end or a wildcard"
    )]
    InvalidTrustedOrigin {
        /// The origin that was given.
        origin: String,
    },
    /// A trusted origin that anybody on the network can pretend to be.
    #[error(
        "the trusted origin {origin:?} is not https, so anybody on the network could pretend to be it, and production refuses that; \
         give https://, or set TENURE_ENV=development on a developer's machine"
    )]
    InsecureTrustedOrigin {
        /// The origin that was given.
        origin: String,
    },
    /// An exemption that is neither a path nor all below one.
    #[error(
        "{path:?} can't be exempt; give a path such as \"/hooks/pay\", or \"/hooks/*\" for all below it, without percent-encoding, \
         empty segments, dots alone, semicolons or other wildcards"
    )]
    InvalidExemptPath {
        /// The path that was given.
        path: String,
    },
    /// Activity would not be noticed before the session ends.
    #[error(
        "touch_interval ({interval:?}) is not shorter than the shortest idle timeout ({idle:?}), so active users would be signed out; shorten it, or remove touch_interval for the default, a tenth of the idle timeout"
    )]
    TouchIntervalTooLong {
        /// The interval that was given.
        interval: Duration,
        /// The shortest idle timeout.
        idle: Duration,
    },
    /// A renewal would begin before the one before it can have ended.
    #[error(
        "renew_every ({interval:?}) is not longer than renewal_grace ({grace:?}), so no renewal would come to its end; lengthen the first or shorten the second"
    )]
    RenewalShorterThanGrace {
        /// The interval that was given.
        interval: Duration,
        /// The grace.
        grace: Duration,
    },
}

/// A set-up was refused. Shows every problem, a line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetupError {
    problems: Vec<Problem>,
}

impl SetupError {
    pub(crate) fn one(problem: Problem) -> Self {
        Self {
            problems: vec![problem],
        }
    }

    pub(crate) fn of(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Self { problems })
        }
    }

    /// Every problem, in the order of the checks. Never empty.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the session set-up was refused:")?;
        self.problems
            .iter()
            .try_for_each(|problem| write!(f, "\n- {problem}"))
    }
}

impl std::error::Error for SetupError {}
