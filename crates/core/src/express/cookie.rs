//! The attributes of the cookie of a session that begins here.

use serde_json::value::RawValue;

use crate::SameSite;
use crate::clock::Timestamp;
use crate::express::RecordCookie;
use crate::express::record::raw;

/// The attributes of the cookie, for sessions that begin in this service. One that began in the Express application keeps
/// those that it began with: they are in its record.
///
/// The two may differ, but then a browser that has one cookie of each path or domain sends both, so give this the
/// Express application's [`path`](Self::path) and [`domain`](Self::domain).
///
/// ```
/// use tenure_core::SameSite;
/// use tenure_core::express::ExpressCookie;
///
/// // What `cookie: { secure: true, sameSite: 'strict', domain: 'example.com' }` is in Express.
/// let cookie = ExpressCookie::default().same_site(Some(SameSite::Strict)).domain("example.com");
///
/// // What leaving `cookie` out is in Express: neither Secure nor SameSite.
/// let cookie = ExpressCookie::like_express_session();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressCookie {
    pub(super) path: String,
    pub(super) domain: Option<String>,
    pub(super) http_only: bool,
    pub(super) secure: bool,
    pub(super) same_site: Option<SameSite>,
    pub(super) partitioned: bool,
    pub(super) priority: Option<CookiePriority>,
}

/// Which cookies a browser keeps when it has too many: the attribute `Priority`, which Chromium knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CookiePriority {
    /// Goes first.
    Low,
    /// As if nothing were said.
    Medium,
    /// Stays longest.
    High,
}

impl Default for ExpressCookie {
    /// `Path=/; HttpOnly; Secure; SameSite=Lax`.
    fn default() -> Self {
        Self {
            path: "/".to_owned(),
            domain: None,
            http_only: true,
            secure: true,
            same_site: Some(SameSite::Lax),
            partitioned: false,
            priority: None,
        }
    }
}

impl ExpressCookie {
    /// What express-session sets when it is told nothing: `Path=/; HttpOnly`. Such a cookie goes over connections that
    /// anybody on the way can read, and along with requests of other sites.
    #[must_use]
    pub fn like_express_session() -> Self {
        Self {
            secure: false,
            same_site: None,
            ..Self::default()
        }
    }

    /// Under which paths the browser sends it.
    ///
    /// *Default*: `/`, as in express-session.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// The domain whose hosts all get it.
    ///
    /// *Default*: none, so the host alone that set it. *Reason*: fewer hosts to trust. *Cost*: the Express application has to
    /// be under the same host.
    #[must_use]
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// Whether scripts in a page are kept from it.
    ///
    /// *Default*: yes. *Reason*: a script that is smuggled into a page can't send it elsewhere.
    #[must_use]
    pub fn http_only(mut self, http_only: bool) -> Self {
        self.http_only = http_only;
        self
    }

    /// Whether it goes by https alone. Browsers take `http://localhost` for safe as well.
    ///
    /// *Default*: yes. *Reason*: whoever reads along has the session. express-session says no.
    #[must_use]
    pub fn secure(mut self, secure: bool) -> Self {
        self.secure = secure;
        self
    }

    /// Which requests from other sites carry it. `None` leaves it to the browser.
    ///
    /// *Default*: [`SameSite::Lax`]. *Reason*: a form on another site is not sent in the user's name. express-session says
    /// nothing.
    #[must_use]
    pub fn same_site(mut self, same_site: Option<SameSite>) -> Self {
        self.same_site = same_site;
        self
    }

    /// Whether there is one cookie for each site that shows this one in a frame.
    ///
    /// *Default*: no.
    #[must_use]
    pub fn partitioned(mut self, partitioned: bool) -> Self {
        self.partitioned = partitioned;
        self
    }

    /// Which cookies the browser drops first.
    ///
    /// *Default*: nothing is said.
    #[must_use]
    pub fn priority(mut self, priority: CookiePriority) -> Self {
        self.priority = Some(priority);
        self
    }

    /// The cookie part of a record that begins now, as express-session writes it with these options.
    pub(super) fn of_new_record(&self, max_age: Option<i64>, now: Timestamp) -> RecordCookie {
        let attributes: [(&str, Option<Box<RawValue>>); 7] = [
            ("partitioned", self.partitioned.then(|| raw(&true))),
            ("priority", self.priority.map(|priority| raw(priority.name()))),
            ("secure", self.secure.then(|| raw(&true))),
            ("httpOnly", Some(raw(&self.http_only))),
            ("domain", self.domain.as_deref().map(raw)),
            ("path", Some(raw(self.path.as_str()))),
            ("sameSite", self.same_site.map(|same_site| raw(name(same_site)))),
        ];
        attributes.into_iter().fold(
            RecordCookie::new(max_age, now),
            |cookie, (attribute, value)| match value {
                Some(value) => cookie.with_attribute(attribute, value),
                None => cookie,
            },
        )
    }
}

impl CookiePriority {
    fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

fn name(same_site: SameSite) -> &'static str {
    match same_site {
        SameSite::Strict => "strict",
        SameSite::Lax => "lax",
        SameSite::None => "none",
    }
}
