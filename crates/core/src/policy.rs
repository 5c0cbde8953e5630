//! What a session may do and for how long: every option.

mod checks;

use std::borrow::Cow;
use std::time::Duration;

use crate::cookie_attributes::{CookieLifetime, SameSite};
use crate::csrf::{CsrfRefusal, CsrfRequest, CsrfRules, CsrfTokens, OriginCheck};
use crate::environment::Environment;
use crate::guess_limit::GuessLimit;
use crate::lineage::Rhythm;
use crate::record::Lifetime;
use crate::seal::Sealing;
use crate::session_limit::SessionLimit;

/// Timeouts, cookie attributes and limits.
///
/// The default is the safe one; each method below says what its option means, its default and why,
/// where that comes from, and what it costs. A policy is checked as a whole when
/// [`Sessions`](crate::Sessions) is built, and every problem is reported at once.
///
/// ```
/// use std::time::Duration;
/// use tenure_core::{Policy, SameSite};
///
/// let policy = Policy::default()
///     .idle_timeout(Duration::from_secs(15 * 60))
///     .cookie_same_site(SameSite::Strict);
/// assert!(policy.problems().is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a policy does nothing until `Sessions` is built with it"]
pub struct Policy {
    pub(crate) environment: Environment,
    pub(crate) standard: Timeouts,
    pub(crate) remembered: Timeouts,
    pub(crate) touch_interval: Option<Duration>,
    pub(crate) renew_every: Option<Duration>,
    pub(crate) renewal_grace: Duration,
    pub(crate) session_limit: SessionLimit,
    pub(crate) cookie_name: Cow<'static, str>,
    pub(crate) cookie_path: Cow<'static, str>,
    pub(crate) cookie_domain: Option<Cow<'static, str>>,
    pub(crate) cookie_secure: bool,
    pub(crate) cookie_http_only: bool,
    pub(crate) cookie_same_site: SameSite,
    pub(crate) cookie_partitioned: bool,
    pub(crate) cookie_lifetime: CookieLifetime,
    pub(crate) sealing: Sealing,
    pub(crate) max_data_bytes: usize,
    pub(crate) store_deadline: Duration,
    pub(crate) record_client_address: bool,
    pub(crate) sweep_interval: Option<Duration>,
    #[cfg(feature = "metrics")]
    pub(crate) count_interval: Option<Duration>,
    pub(crate) csrf: CsrfRules,
    pub(crate) guess_limit: GuessLimit,
}

/// An idle and an absolute timeout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timeouts {
    pub(crate) idle: Duration,
    pub(crate) absolute: Duration,
}

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// However long the idle timeout, one write a minute is little.
const LONGEST_TOUCH_INTERVAL: Duration = MINUTE;

impl Default for Policy {
    /// For a web application with accounts: 30 minutes idle, 12 hours in all, `__Host-session`,
    /// data sealed. Production unless `TENURE_ENV=development`.
    fn default() -> Self {
        Self {
            environment: Environment::from_env(),
            standard: Timeouts {
                idle: 30 * MINUTE,
                absolute: 12 * HOUR,
            },
            remembered: Timeouts {
                idle: 14 * DAY,
                absolute: 30 * DAY,
            },
            touch_interval: None,
            renew_every: None,
            renewal_grace: 2 * MINUTE,
            session_limit: SessionLimit::Unlimited,
            cookie_name: Cow::Borrowed("__Host-session"),
            cookie_path: Cow::Borrowed("/"),
            cookie_domain: None,
            cookie_secure: true,
            cookie_http_only: true,
            cookie_same_site: SameSite::Lax,
            cookie_partitioned: false,
            cookie_lifetime: CookieLifetime::AbsoluteTimeout,
            sealing: Sealing::Sealed,
            max_data_bytes: 64 * 1024,
            store_deadline: Duration::from_secs(2),
            record_client_address: false,
            sweep_interval: Some(MINUTE),
            #[cfg(feature = "metrics")]
            count_interval: None,
            csrf: CsrfRules::default(),
            guess_limit: GuessLimit::default(),
        }
    }
}

/// Presets.
impl Policy {
    /// For NIST SP 800-63B-4 AAL1 (section 2.1.3: at most 30 days in all): the default, in which a
    /// remembered session lasts 30 days.
    pub fn aal1() -> Self {
        Self::default()
    }

    /// For NIST SP 800-63B-4 AAL2 (section 2.2.3): 1 hour idle, 24 hours in all; "keep me signed in"
    /// gives no more than that. The cookie goes with the browser (section 5.1: not persistent), its secret is renewed
    /// every 30 minutes, and requests that may change something must have a [token](Self::csrf_tokens) (section 5.1).
    pub fn aal2() -> Self {
        Self::default()
            .all_timeouts(HOUR, 24 * HOUR)
            .renew_every(Some(30 * MINUTE))
            .csrf_tokens(CsrfTokens::Demanded)
    }

    /// For NIST SP 800-63B-4 AAL3 (section 2.3.3): 15 minutes idle, 12 hours in all; "keep me signed
    /// in" gives no more than that. The cookie goes with the browser (section 5.1: not persistent), its secret is
    /// renewed every 10 minutes, and requests that may change something must have a [token](Self::csrf_tokens)
    /// (section 5.1).
    pub fn aal3() -> Self {
        Self::default()
            .all_timeouts(15 * MINUTE, 12 * HOUR)
            .renew_every(Some(10 * MINUTE))
            .csrf_tokens(CsrfTokens::Demanded)
    }

    fn all_timeouts(self, idle: Duration, absolute: Duration) -> Self {
        let timeouts = Timeouts { idle, absolute };
        Self {
            standard: timeouts,
            remembered: timeouts,
            cookie_lifetime: CookieLifetime::BrowserSession,
            ..self
        }
    }
}

/// Where it runs.
impl Policy {
    /// Whether real users are served.
    ///
    /// *Default*: what [`Environment::from_env`] says, so production unless `TENURE_ENV=development`.
    /// *Reason*: a forgotten setting must fail safe.
    pub fn environment(self, environment: Environment) -> Self {
        Self { environment, ..self }
    }
}

/// Timeouts.
impl Policy {
    /// How long after the last activity a session ends.
    ///
    /// *Default*: 30 minutes. *Reason*: an unattended browser is the cheapest theft there is; OWASP's
    /// Session Management Cheat Sheet gives 15 to 30 minutes for low-risk and 2 to 5 for high-value
    /// applications, ASVS 5.0 asks for one in 7.3.1. *Cost*: a write at most once per
    /// [`touch_interval`](Self::touch_interval) and session.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.standard.idle = timeout;
        self
    }

    /// How long after sign-in, or after creation of a session nobody signed in to, a session ends
    /// whatever happens.
    ///
    /// *Default*: 12 hours. *Reason*: a stolen session must not be kept alive for ever; a working
    /// day fits in (OWASP gives 4 to 8 hours, NIST SP 800-63B-4 24 at AAL2 and 12 at AAL3; ASVS 5.0,
    /// 7.3.2). *Cost*: none.
    pub fn absolute_timeout(mut self, timeout: Duration) -> Self {
        self.standard.absolute = timeout;
        self
    }

    /// The idle timeout of a [remembered](crate::Session::remember) session.
    ///
    /// *Default*: 14 days. *Reason*: "keep me signed in" is what the user asked for on a device of
    /// their own. *Cost*: as [`idle_timeout`](Self::idle_timeout).
    pub fn remembered_idle_timeout(mut self, timeout: Duration) -> Self {
        self.remembered.idle = timeout;
        self
    }

    /// The absolute timeout of a [remembered](crate::Session::remember) session.
    ///
    /// *Default*: 30 days, the most at AAL1 of NIST SP 800-63B-4. *Cost*: none.
    pub fn remembered_absolute_timeout(mut self, timeout: Duration) -> Self {
        self.remembered.absolute = timeout;
        self
    }

    /// How much time passes between two writes that slide the idle deadline, at the least.
    ///
    /// *Default*: a tenth of the idle timeout, one minute at most. *Reason*: a page with thirty
    /// requests should cause one write, not thirty. *Cost*: a session may end up to this much before
    /// its idle timeout, never after it.
    pub fn touch_interval(self, interval: Duration) -> Self {
        Self {
            touch_interval: Some(interval),
            ..self
        }
    }

    /// How often an active session gets a new secret by itself, so that a copied cookie is of use for so long only,
    /// and is found out.
    ///
    /// *Default*: `None`, never; 30 minutes in [`aal2`](Policy::aal2), 10 in [`aal3`](Policy::aal3). *Reason*: OWASP
    /// Session Management Cheat Sheet, "Renewal Timeout". *Cost*: three writes an interval, of sessions that are used.
    ///
    /// It takes two phases: the new secret is offered, and the old one stays good until the new one has been used
    /// twice, [`renewal_grace`](Policy::renewal_grace) apart. So parallel requests, lost responses and a browser that
    /// crashes sign nobody out. A secret that has retired and is used all the same was copied: the session is
    /// ended, for thief and owner alike, and [`EventKind::TokenReused`](crate::EventKind::TokenReused) says so.
    pub fn renew_every(self, interval: Option<Duration>) -> Self {
        Self {
            renew_every: interval,
            ..self
        }
    }

    /// How many sessions one owner may have at once.
    ///
    /// *Default*: [`SessionLimit::Unlimited`]. *Reason*: people have many devices, and a surprise is no security.
    /// OWASP ASVS 5.0, 7.1.2, wants the number to be a decision that is written down. *Cost*: one listing, and as
    /// many removals as there are sessions too many, with each sign-in.
    pub fn session_limit(self, limit: SessionLimit) -> Self {
        Self {
            session_limit: limit,
            ..self
        }
    }

    /// How long the old secret stays good beside the new one, from the first use of the new one.
    ///
    /// *Default*: 2 minutes. *Reason*: longer than a request is on its way, and than browsers take to write their
    /// cookies to disk (30 seconds in Chromium), for one that crashes comes back with what is on the disk. Two requests,
    /// one after the other, and that time must be shorter than seven eighths of it, or the owner may be taken for a
    /// thief: with the default a request may take 37 seconds, from the browser and back.
    /// *Cost*: a copied cookie may be used for so long after the browser moved on.
    pub fn renewal_grace(self, grace: Duration) -> Self {
        Self {
            renewal_grace: grace,
            ..self
        }
    }
}

/// The cookie.
impl Policy {
    /// The cookie's name.
    ///
    /// *Default*: `__Host-session`. *Reason*: the prefix makes the browser refuse the cookie from
    /// anybody but this very host over https, so that neither a sibling domain nor a network
    /// attacker can plant one (RFC 6265bis, section 4.1.3.2; ASVS 5.0, 3.3.3). *Cost*: cookies under
    /// another name than before are not found, so a change signs everybody out.
    pub fn cookie_name(self, name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            cookie_name: name.into(),
            ..self
        }
    }

    /// The paths that the cookie is sent to.
    ///
    /// *Default*: `/`, as `__Host-` demands. *Reason*: a narrower path protects nothing, since any
    /// page of the host can read past it (RFC 6265, section 8.6).
    pub fn cookie_path(self, path: impl Into<Cow<'static, str>>) -> Self {
        Self {
            cookie_path: path.into(),
            ..self
        }
    }

    /// The domain whose every subdomain gets the cookie.
    ///
    /// *Default*: none, so only this host. *Reason*: a cookie shared among subdomains is as safe as
    /// the weakest of them. With a domain, the name must not start with `__Host-`.
    pub fn cookie_domain(self, domain: impl Into<Cow<'static, str>>) -> Self {
        Self {
            cookie_domain: Some(domain.into()),
            ..self
        }
    }

    /// Whether the cookie is sent over https only.
    ///
    /// *Default*: yes; production refuses no. *Reason*: ASVS 5.0, 3.3.1. Chrome and Firefox take
    /// `http://localhost` and `http://127.0.0.1` for secure, so development needs no change there.
    pub fn cookie_secure(self, secure: bool) -> Self {
        Self {
            cookie_secure: secure,
            ..self
        }
    }

    /// Whether scripts are kept from reading the cookie.
    ///
    /// *Default*: yes; no is always refused. *Reason*: an injected script must not carry the session
    /// off (ASVS 5.0, 3.3.4). The option is here so that a set-up that switches it off is told so.
    pub fn cookie_http_only(self, http_only: bool) -> Self {
        Self {
            cookie_http_only: http_only,
            ..self
        }
    }

    /// Which cross-site requests carry the cookie.
    ///
    /// *Default*: [`SameSite::Lax`]. *Reason*: a foreign form gets no session, a link from an e-mail
    /// still arrives signed in (ASVS 5.0, 3.3.2). `Strict` is safer where nobody links to inside pages.
    pub fn cookie_same_site(self, same_site: SameSite) -> Self {
        Self {
            cookie_same_site: same_site,
            ..self
        }
    }

    /// Whether an embedded page gets a cookie of its own for each site that embeds it (CHIPS).
    ///
    /// *Default*: no. *Reason*: only for applications that are meant to run in a foreign frame.
    pub fn cookie_partitioned(self, partitioned: bool) -> Self {
        Self {
            cookie_partitioned: partitioned,
            ..self
        }
    }

    /// How long the browser keeps the cookie.
    ///
    /// *Default*: what is left of the absolute timeout. *Reason*: mobile browsers end at any moment,
    /// and desktop ones restore "session" cookies anyway; the store enforces the timeouts either way
    /// (NIST SP 800-63B-4, section 5.1.1: cookie expiry is not what enforces them).
    pub fn cookie_lifetime(self, lifetime: CookieLifetime) -> Self {
        Self {
            cookie_lifetime: lifetime,
            ..self
        }
    }
}

/// Requests that another site had the browser send.
impl Policy {
    /// Whether requests are checked to come from a page of this application.
    ///
    /// GET, HEAD and OPTIONS pass, for they must change nothing (RFC 9110, section 9.2.1); the opening of a `WebSocket`
    /// is checked nevertheless. Every other request must have been sent by a page of this very origin, as the browser
    /// says by `Sec-Fetch-Site`, or, where it says nothing, by an `Origin` that is the host asked, or by a
    /// [trusted](Self::trusted_origins) origin. A request that has neither header comes from no browser of today and
    /// passes: nobody but its user can have made it.
    ///
    /// *Default*: [`OriginCheck::Enforced`]; production refuses [`OriginCheck::Off`], and takes
    /// [`OriginCheck::DoneElsewhere`] for an answer. *Reason*: `SameSite` lets sibling subdomains in, and guards no
    /// sign-in form, which needs no cookie (OWASP CSRF Prevention Cheat Sheet; ASVS 5.0, 3.5.1; the same
    /// rules as Go's `http.CrossOriginProtection`). *Cost*: two headers are looked at, nothing is allocated. Behind a
    /// proxy that changes the `Host`, old browsers are refused.
    pub fn origin_check(mut self, check: OriginCheck) -> Self {
        self.csrf.origin_check = check;
        self
    }

    /// Other origins whose pages may send requests that change something: `scheme://host`, with `:port` where it is not
    /// the scheme's own. https only, except on this very machine or in development; no wildcards.
    ///
    /// They may do whatever the user may. This says nothing to the browser: for a script of theirs to read the answers,
    /// it takes CORS headers, too, and for the cookie to be sent from another site, `SameSite=None`.
    ///
    /// *Default*: none. *Reason*: each one is as powerful as the application itself.
    ///
    /// ```
    /// use tenure_core::Policy;
    ///
    /// let policy = Policy::default().trusted_origins(["https://app.example.com", "http://localhost:5173"]);
    /// assert!(policy.problems().is_empty());
    /// ```
    pub fn trusted_origins<T: Into<Cow<'static, str>>>(
        mut self,
        origins: impl IntoIterator<Item = T>,
    ) -> Self {
        self.csrf.trusted_origins = origins.into_iter().map(Into::into).collect();
        self
    }

    /// Paths that are not checked, neither for their origin nor for a token: for requests that other servers send, such
    /// as webhooks, and for the answers of sign-in services that come as a foreign form. What is behind them must
    /// prove by itself who sent the request.
    ///
    /// `/hooks/pay` is that very path, letter by letter. `/hooks/*` is everything below: `/hooks/a` and `/hooks/a/b`,
    /// but neither `/hooks` nor `/hooks/`. The path is compared as it came. One that others might read in another way,
    /// because it has percent-encoding, an empty segment, `.` or `..`, a semicolon or a backslash, is below nothing. Where
    /// a router strips a prefix before the layer, as axum's `nest` does, the path is what is left.
    ///
    /// *Default*: none.
    ///
    /// ```
    /// use tenure_core::Policy;
    ///
    /// let policy = Policy::default().csrf_exempt_paths(["/hooks/*", "/sign-in/callback"]);
    /// assert!(policy.problems().is_empty());
    /// assert!(!Policy::default().csrf_exempt_paths(["/*"]).problems().is_empty());
    /// ```
    pub fn csrf_exempt_paths<T: Into<Cow<'static, str>>>(
        mut self,
        paths: impl IntoIterator<Item = T>,
    ) -> Self {
        self.csrf.exempt_paths = paths.into_iter().map(Into::into).collect();
        self
    }

    /// Whether a request that may change something must have its session's [token](crate::CsrfToken).
    ///
    /// If demanded, it is for each method but GET, HEAD and OPTIONS where the request bears a genuine session cookie: in
    /// the header `X-CSRF-Token`, or in the field `_csrf` of a form, which the layer reads as far as there. A request
    /// without a cookie has no session to ride on, and passes; what it could still do, such as sign its user in as
    /// somebody else, is for [`origin_check`](Self::origin_check) to refuse.
    ///
    /// *Default*: [`CsrfTokens::Offered`], and demanded by [`aal2`](Self::aal2) and [`aal3`](Self::aal3). *Reason*: the
    /// check of the origin is enough for browsers of the last years; a token guards older ones as well, and NIST
    /// SP 800-63B-4, section 5.1, asks for one in the content of POST and PUT. *Cost*: every form and script has to send
    /// it; an HMAC-SHA256 for each such request; up to 64 KiB of a form are held until its token has come.
    pub fn csrf_tokens(mut self, tokens: CsrfTokens) -> Self {
        self.csrf.tokens = tokens;
        self
    }

    /// Whether this request may come from where it comes from. The decision alone: nothing is looked up and nobody is
    /// told. A door calls [`Opened::check_csrf`](crate::Opened::check_csrf).
    ///
    /// # Errors
    /// Why it may not.
    pub fn check_origin(&self, request: &CsrfRequest<'_>) -> Result<(), CsrfRefusal> {
        self.csrf.check_origin(request)
    }
}

/// Guesses at cookies.
impl Policy {
    /// How many guesses at session cookies one client has, before it is answered with 429.
    ///
    /// *Default*: 10 refused cookies and 300 unknown sessions a minute for each address. *Reason*: see
    /// [`GuessLimit`]. *Cost*: for a request with a genuine cookie a few dozen nanoseconds; at most 20 MiB of memory,
    /// however many addresses come, of which an application that nobody attacks has less than 1 MiB.
    pub fn guess_limit(self, limit: GuessLimit) -> Self {
        Self {
            guess_limit: limit,
            ..self
        }
    }
}

/// Data, store and privacy.
impl Policy {
    /// Whether the data is sealed at rest.
    ///
    /// *Default*: [`Sealing::Sealed`]. *Reason*: a stolen database must open no session. *Cost*: one
    /// HMAC-SHA256 and one AES-256-GCM per load and per write, about a microsecond, and 33 bytes.
    /// Sessions written under one choice are not readable under the other.
    pub fn sealing(self, sealing: Sealing) -> Self {
        Self { sealing, ..self }
    }

    /// The most that a session's data may come to as JSON, in bytes.
    ///
    /// *Default*: 64 KiB; at most what a store takes, 1 MiB less 33 bytes. *Reason*: it is read with
    /// every request, and an endless one would let a user fill the store.
    pub fn max_data_bytes(self, bytes: usize) -> Self {
        Self {
            max_data_bytes: bytes,
            ..self
        }
    }

    /// How long a request waits for the store in one load or one commit, retries included.
    ///
    /// *Default*: 2 seconds. *Reason*: a store that hangs must not hang the application; the request
    /// is answered with 503 and may be tried again. *Cost*: none while the store answers.
    pub fn store_deadline(self, deadline: Duration) -> Self {
        Self {
            store_deadline: deadline,
            ..self
        }
    }

    /// Whether the client's address is kept with the session, for the account page.
    ///
    /// *Default*: no. *Reason*: it is personal data (GDPR, article 4(1)); keep it only if your users
    /// gain by it. Behind a proxy, tell the layer whom to trust, or every address is the proxy's.
    pub fn record_client_address(self, record: bool) -> Self {
        Self {
            record_client_address: record,
            ..self
        }
    }

    /// How often expired sessions are removed from a store that does not expire them by itself.
    ///
    /// *Default*: every minute, in small batches, from the first session that this process creates
    /// on. `None` for those who call [`Sessions::start_sweeper`](crate::Sessions::start_sweeper) or
    /// sweep from elsewhere. *Reason*: a table that only grows fills a disk in the end. *Cost*: an
    /// indexed query a minute.
    pub fn sweep_interval(self, interval: Option<Duration>) -> Self {
        Self {
            sweep_interval: interval,
            ..self
        }
    }

    /// How often the live sessions are counted, for the gauge `tenure_sessions_live`: from the first session on that
    /// this process loads or creates.
    ///
    /// *Default*: `None`, never. *Reason*: the figure is one for all instances, so one of them is enough to count.
    /// *Cost*: each time, a query over the index of all live sessions; with Redis, a walk over all keys of the store, a
    /// thousand at a time. A minute is often enough.
    #[cfg(feature = "metrics")]
    pub fn count_interval(self, interval: Option<Duration>) -> Self {
        Self {
            count_interval: interval,
            ..self
        }
    }
}

/// What follows from the options.
impl Policy {
    /// Whether the client's address is kept with a session, so that a door need not find it out in vain.
    #[must_use]
    pub fn records_client_address(&self) -> bool {
        self.record_client_address
    }

    /// The longest that a session of this policy can live: the longer one of the two absolute timeouts. An older
    /// secret of the [`Keyring`](crate::Keyring) is needed for that long.
    #[must_use]
    pub fn longest_lifetime(&self) -> Duration {
        self.standard.absolute.max(self.remembered.absolute)
    }

    pub(crate) fn timeouts(&self, lifetime: Lifetime) -> Timeouts {
        match lifetime {
            Lifetime::Standard => self.standard,
            Lifetime::Remembered => self.remembered,
        }
    }

    pub(crate) fn rhythm(&self) -> Rhythm {
        Rhythm {
            renew_every: self.renew_every,
            grace: self.renewal_grace,
        }
    }

    pub(crate) fn effective_touch_interval(&self) -> Duration {
        self.touch_interval
            .unwrap_or_else(|| (self.standard.idle / 10).min(LONGEST_TOUCH_INTERVAL))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let policy = Policy::default();
        assert_eq!(
            policy.standard,
            Timeouts {
                idle: 30 * MINUTE,
                absolute: 12 * HOUR
            }
        );
        assert_eq!(
            policy.remembered,
            Timeouts {
                idle: 14 * DAY,
                absolute: 30 * DAY
            }
        );
        assert_eq!(policy.cookie_name, "__Host-session");
        assert_eq!(policy.cookie_path, "/");
        assert!(policy.cookie_secure && policy.cookie_http_only);
        assert_eq!(policy.cookie_same_site, SameSite::Lax);
        assert_eq!(policy.max_data_bytes, 65_536);
        assert_eq!(policy.store_deadline, Duration::from_secs(2));
        assert_eq!(policy.effective_touch_interval(), MINUTE);
        assert_eq!(
            policy.idle_timeout(MINUTE).effective_touch_interval(),
            MINUTE / 10
        );
    }

    #[test]
    fn the_presets_keep_within_nist_limits() {
        let (two, three) = (Policy::aal2(), Policy::aal3());
        for timeouts in [two.standard, two.remembered] {
            assert!(timeouts.absolute <= 24 * HOUR && timeouts.idle <= HOUR);
        }
        for timeouts in [three.standard, three.remembered] {
            assert!(timeouts.absolute <= 12 * HOUR && timeouts.idle <= 15 * MINUTE);
        }
        assert!(Policy::aal1().remembered.absolute <= 30 * DAY);
        for policy in [two, three] {
            assert_eq!(policy.cookie_lifetime, CookieLifetime::BrowserSession);
        }
    }

    #[test]
    fn the_origin_is_checked_by_default_and_tokens_are_demanded_by_the_higher_presets() {
        assert_eq!(Policy::default().csrf, CsrfRules::default());
        assert_eq!(Policy::default().csrf.origin_check, OriginCheck::Enforced);
        assert_eq!(Policy::aal1().csrf.tokens, CsrfTokens::Offered);
        for policy in [Policy::aal2(), Policy::aal3()] {
            assert_eq!(policy.csrf.tokens, CsrfTokens::Demanded);
        }
    }
}
