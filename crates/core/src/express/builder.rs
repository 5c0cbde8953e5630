//! What has to be said about sessions that are shared with an Express application.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, SystemClock};
use crate::csrf::{CsrfRules, Origin, is_exemption};
use crate::event::Listener;
use crate::events::Events;
use crate::express::engine::Engine;
use crate::express::{CookieSecrets, ExpressCookie, ExpressSessions, ExpressStore};
use crate::observed::StoreObserved;
use crate::store::MAX_DATA_BYTES;
use crate::{OriginCheck, SameSite};

/// How [`ExpressSessions`] work. From [`ExpressSessions::builder`].
///
/// ```
/// use std::time::Duration;
/// use tenure_core::express::{CookieSecrets, ExpressSessions, MemoryExpressStore};
///
/// let sessions = ExpressSessions::builder(CookieSecrets::new("keyboard cat"), MemoryExpressStore::new())
///     .cookie_name("shop.sid")
///     .max_age(Duration::from_secs(30 * 60))
///     .rolling(true)
///     .build()?;
/// # Ok::<(), tenure_core::express::ExpressConfigError>(())
/// ```
#[must_use = "nothing is made before `build`"]
pub struct ExpressSessionsBuilder {
    secrets: CookieSecrets,
    store: Arc<dyn ExpressStore>,
    cookie_name: String,
    cookie: ExpressCookie,
    max_age: Option<Duration>,
    rolling: bool,
    csrf: CsrfRules,
    max_data_bytes: usize,
    store_deadline: Duration,
    clock: Arc<dyn Clock>,
    listener: Option<Box<dyn Listener>>,
}

/// What was said about the sessions does not work. Says what to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpressConfigError {
    /// The name is none that a cookie can have (RFC 6265, section 4.1.1).
    #[error(
        "the cookie's name has to be letters, digits and !#$%&'*+-.^_`|~, such as express-session's connect.sid"
    )]
    CookieName,
    /// The name promises what the attributes don't keep (RFC 6265bis, section 4.1.3).
    #[error(
        "a cookie whose name begins with __Host- has to be secure, with the path / and no domain; one with __Secure- has to be secure"
    )]
    CookiePrefix,
    /// The path or the domain has characters that no header takes.
    #[error("the cookie's path and domain have to be visible ASCII without a semicolon")]
    CookieScope,
    /// Browsers refuse the cookie.
    #[error("browsers take a cookie with SameSite=None or Partitioned only if it is secure, too")]
    NeedsSecure,
    /// Sessions would be over before they begin.
    #[error("the max age has to be a millisecond at least, and 285,616 years at most")]
    MaxAge,
    /// A trusted origin is none.
    #[error(
        "a trusted origin is scheme://host, with :port where it is not the scheme's own, and nothing else"
    )]
    TrustedOrigin,
    /// A path can't be exempt.
    #[error(
        "an exempt path is a plain path such as /hook, or a folder such as /hooks/*, and never all paths"
    )]
    ExemptPath,
    /// There is no time to ask the store.
    #[error("the store's deadline has to be more than nothing")]
    StoreDeadline,
    /// The listener would hear of nothing.
    #[error(
        "the operating system gives no thread to tell the listener in ({0}); raise the limit of threads, or set no listener"
    )]
    NoThreadForListener(std::io::ErrorKind),
}

impl ExpressSessionsBuilder {
    pub(super) fn new(secrets: CookieSecrets, store: Arc<dyn ExpressStore>) -> Self {
        Self {
            secrets,
            store,
            cookie_name: "connect.sid".to_owned(),
            cookie: ExpressCookie::default(),
            max_age: None,
            rolling: false,
            csrf: CsrfRules::default(),
            max_data_bytes: MAX_DATA_BYTES,
            store_deadline: Duration::from_secs(2),
            clock: Arc::new(SystemClock),
            listener: None,
        }
    }

    /// The cookie's name: `name` in the Express application's options.
    ///
    /// *Default*: `connect.sid`, as in express-session.
    pub fn cookie_name(mut self, name: impl Into<String>) -> Self {
        self.cookie_name = name.into();
        self
    }

    /// The cookie's attributes for sessions that begin here: `cookie` in the Express application's options.
    ///
    /// *Default*: [`ExpressCookie::default`], which is `Secure; HttpOnly; SameSite=Lax`. *Reason*: express-session sets
    /// neither `Secure` nor `SameSite`.
    pub fn cookie(mut self, cookie: ExpressCookie) -> Self {
        self.cookie = cookie;
        self
    }

    /// How long a session that begins here lives since its last use: `cookie.maxAge` in the Express application's
    /// options, in whole milliseconds. One that began there has its own in its record.
    ///
    /// *Default*: none, as in express-session: the browser keeps the cookie until it closes, and the store the session for
    /// its own time to live since the last use, which is a day for all but MongoDB's two weeks.
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = Some(max_age);
        self
    }

    /// Whether every response of a request with a session sets the cookie anew, so that in the browser, too, it lives for
    /// its max age since the last use: `rolling` in the Express application's options.
    ///
    /// *Default*: no, as in express-session: a response sets it when the session has changed. *Cost*: responses with a
    /// cookie are not kept by caches.
    pub fn rolling(mut self, rolling: bool) -> Self {
        self.rolling = rolling;
        self
    }

    /// Whether requests that may change something, and the opening of `WebSockets`, are refused unless a page of this origin
    /// or of a [trusted](Self::trusted_origins) one sent them: by the same rules as
    /// [`Policy::origin_check`](crate::Policy::origin_check).
    ///
    /// *Default*: [`OriginCheck::Enforced`]. *Reason*: another site can have the user's browser send a request along with
    /// the cookie. express-session does not look.
    pub fn origin_check(mut self, check: OriginCheck) -> Self {
        self.csrf.origin_check = check;
        self
    }

    /// Other origins whose pages may send requests that change something: `scheme://host`, with `:port` where it is not
    /// the scheme's own. They may do whatever the user may.
    ///
    /// *Default*: none.
    pub fn trusted_origins<T: Into<Cow<'static, str>>>(
        mut self,
        origins: impl IntoIterator<Item = T>,
    ) -> Self {
        self.csrf.trusted_origins = origins.into_iter().map(Into::into).collect();
        self
    }

    /// Paths whose requests are not looked at, such as those of webhooks: as in
    /// [`Policy::csrf_exempt_paths`](crate::Policy::csrf_exempt_paths).
    ///
    /// *Default*: none.
    pub fn csrf_exempt_paths<T: Into<Cow<'static, str>>>(
        mut self,
        paths: impl IntoIterator<Item = T>,
    ) -> Self {
        self.csrf.exempt_paths = paths.into_iter().map(Into::into).collect();
        self
    }

    /// The most that a session's JSON may come to, in bytes. One that the Express application made larger can be read.
    ///
    /// *Default*: 1 MiB. *Reason*: it goes over the network with each request. express-session has no limit.
    pub fn max_data_bytes(mut self, bytes: usize) -> Self {
        self.max_data_bytes = bytes;
        self
    }

    /// How long a request waits for the store, at its beginning and at its end.
    ///
    /// *Default*: 2 seconds. *Reason*: a store that hangs must not hang the service. With express-session it does.
    pub fn store_deadline(mut self, deadline: Duration) -> Self {
        self.store_deadline = deadline;
        self
    }

    /// Where the time comes from.
    ///
    /// *Default*: the operating system.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Who is told every [`Event`](crate::Event), off the requests' path; it never says of which session, for in this
    /// format its id is what the browser bears.
    ///
    /// *Default*: nobody but `tracing` and the metrics.
    pub fn listener(mut self, listener: impl Listener) -> Self {
        self.listener = Some(Box::new(listener));
        self
    }

    /// Checks it all.
    ///
    /// # Errors
    /// If something of it does not work; see [`ExpressConfigError`].
    pub fn build(self) -> Result<ExpressSessions, ExpressConfigError> {
        self.check_name()?;
        self.check_attributes()?;
        if !self
            .csrf
            .trusted_origins
            .iter()
            .all(|origin| Origin::parse(origin).is_some())
        {
            return Err(ExpressConfigError::TrustedOrigin);
        }
        if !self.csrf.exempt_paths.iter().all(|path| is_exemption(path)) {
            return Err(ExpressConfigError::ExemptPath);
        }
        if self.store_deadline.is_zero() {
            return Err(ExpressConfigError::StoreDeadline);
        }
        let max_age = self.max_age.map(whole_millis).transpose()?;
        let events = Events::told_to(self.listener)
            .map_err(|error| ExpressConfigError::NoThreadForListener(error.kind()))?;
        Ok(ExpressSessions::over(Engine {
            observed: StoreObserved::of(self.store.name()),
            events,
            secrets: self.secrets,
            store: self.store,
            cookie_name: self.cookie_name,
            cookie: self.cookie,
            max_age,
            rolling: self.rolling,
            csrf: self.csrf,
            max_data_bytes: self.max_data_bytes,
            store_deadline: self.store_deadline,
            clock: self.clock,
            turns: Engine::turns(),
        }))
    }

    fn check_name(&self) -> Result<(), ExpressConfigError> {
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if self.cookie_name.is_empty() || !self.cookie_name.bytes().all(is_token) {
            return Err(ExpressConfigError::CookieName);
        }
        let cookie = &self.cookie;
        let is_host_only = cookie.secure && cookie.path == "/" && cookie.domain.is_none();
        let promises = |prefix: &str| {
            let start = self.cookie_name.get(..prefix.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        };
        if promises("__Host-") && !is_host_only || promises("__Secure-") && !cookie.secure {
            return Err(ExpressConfigError::CookiePrefix);
        }
        Ok(())
    }

    fn check_attributes(&self) -> Result<(), ExpressConfigError> {
        let cookie = &self.cookie;
        let is_plain = |text: &str| {
            text.bytes()
                .all(|byte| matches!(byte, b' '..=b'~') && byte != b';')
        };
        if !is_plain(&cookie.path) || !cookie.domain.as_deref().is_none_or(is_plain) {
            return Err(ExpressConfigError::CookieScope);
        }
        let needs_secure = cookie.partitioned || cookie.same_site == Some(SameSite::None);
        if needs_secure && !cookie.secure {
            return Err(ExpressConfigError::NeedsSecure);
        }
        Ok(())
    }
}

/// JavaScript counts with whole numbers up to 2^53.
fn whole_millis(max_age: Duration) -> Result<i64, ExpressConfigError> {
    let millis = i64::try_from(max_age.as_millis()).map_err(|_| ExpressConfigError::MaxAge)?;
    match millis {
        1..=9_007_199_254_740_991 => Ok(millis),
        _ => Err(ExpressConfigError::MaxAge),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(
        change: impl Fn(ExpressSessionsBuilder) -> ExpressSessionsBuilder,
    ) -> Option<ExpressConfigError> {
        let store = Arc::new(crate::express::MemoryExpressStore::new());
        change(ExpressSessionsBuilder::new(
            CookieSecrets::new("keyboard cat"),
            store,
        ))
        .build()
        .err()
    }

    #[test]
    fn what_browsers_would_refuse_is_refused_here() {
        let plain = ExpressCookie::like_express_session;
        assert_eq!(refused(|sessions| sessions), None);
        assert_eq!(refused(|sessions| sessions.cookie_name("__Host-sid")), None);
        assert_eq!(
            refused(|sessions| sessions.cookie_name("a b")),
            Some(ExpressConfigError::CookieName)
        );
        assert_eq!(
            refused(|sessions| sessions.cookie_name("__host-sid").cookie(plain())),
            Some(ExpressConfigError::CookiePrefix)
        );
        assert_eq!(
            refused(|sessions| sessions.cookie(plain().same_site(Some(SameSite::None)))),
            Some(ExpressConfigError::NeedsSecure)
        );
        assert_eq!(
            refused(|sessions| sessions.cookie(plain().path("/a;b"))),
            Some(ExpressConfigError::CookieScope)
        );
    }

    #[test]
    fn origins_and_paths_that_are_none_are_refused() {
        assert_eq!(
            refused(|sessions| sessions.trusted_origins(["app.example.com"])),
            Some(ExpressConfigError::TrustedOrigin)
        );
        assert_eq!(
            refused(|sessions| sessions.csrf_exempt_paths(["/*"])),
            Some(ExpressConfigError::ExemptPath)
        );
    }

    #[test]
    fn a_session_that_would_not_live_and_a_store_that_could_not_be_asked_are_refused() {
        assert_eq!(
            refused(|sessions| sessions.max_age(Duration::from_micros(999))),
            Some(ExpressConfigError::MaxAge)
        );
        assert_eq!(
            refused(|sessions| sessions.max_age(Duration::MAX)),
            Some(ExpressConfigError::MaxAge)
        );
        assert_eq!(
            refused(|sessions| sessions.store_deadline(Duration::ZERO)),
            Some(ExpressConfigError::StoreDeadline)
        );
    }
}
