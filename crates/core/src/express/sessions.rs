//! Sessions that are shared with an Express application.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use http::header::{COOKIE, USER_AGENT};

use crate::commit::CommitError;
use crate::csrf::{CsrfRefusal, CsrfRequest};
use crate::event::EventKind;
use crate::express::builder::ExpressSessionsBuilder;
use crate::express::engine::Engine;
use crate::express::visit::Visit;
use crate::express::{CookieSecrets, ExpressOpened, ExpressStore, SidCookie, commit};
use crate::outgoing::Outgoing;
use crate::store::{Operation, StoreError};

/// Sessions that are shared with an Express application on express-session: the same cookie, the same records, live.
///
/// [`open`](Self::open) a request's session, and [`commit`](Self::commit) it before the response goes out. Knows no
/// web framework; the doors do both. Cheap to clone.
///
/// # What it does as express-session does, and what not
///
/// The cookie, the records and when they end are express-session's, byte for byte. What is different can't be seen in
/// them:
///
/// - Two requests at once that write different keys both win, also where the other one is in the Express application
///   and comes first: a write is a compare-and-set, and what this request did is done again on the newer record. The
///   Express application itself writes over whatever is there.
/// - A session that somebody ended in the meantime is not brought back by a late write. The Express application does,
///   unless it is told `resave: false` and the late request did not change the session.
/// - A request that writes nothing makes no session, as with `saveUninitialized: false`.
/// - A request that another site had the browser send is [refused](ExpressSessionsBuilder::origin_check).
/// - A store that fails is an error of the request, and the cookie is left alone.
/// - Ending a session removes the cookie from the browser.
///
/// # It is weaker than [`Sessions`](crate::Sessions)
///
/// Who reads the store can sign in as anybody, for the id in it is what the browser bears; what a session holds is plain
/// text; there is no absolute timeout and no list of a user's sessions. So it is for sharing and for moving, one service
/// at a time.
///
/// ```
/// use http::HeaderMap;
/// use tenure_core::Key;
/// use tenure_core::express::{CookieSecrets, ExpressSessions, MemoryExpressStore};
///
/// const VISITS: Key<u32> = Key::new("visits");
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let secrets = CookieSecrets::new("keyboard cat");
/// let sessions = ExpressSessions::builder(secrets, MemoryExpressStore::new()).build()?;
///
/// let opened = sessions.open(&HeaderMap::new());
/// let session = opened.load().await?;
/// session.update(VISITS, |visits| visits.unwrap_or(0) + 1)?;
///
/// let mut response_headers = HeaderMap::new();
/// sessions.commit(&opened).await?.apply(&mut response_headers);
/// let cookie = response_headers["set-cookie"].to_str()?;
/// assert!(cookie.starts_with("connect.sid=s%3A") && cookie.ends_with("; Path=/; HttpOnly; Secure; SameSite=Lax"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ExpressSessions {
    engine: Arc<Engine>,
}

impl ExpressSessions {
    /// Sessions by the secrets of the Express application, in its store. The first of its secrets is the current one
    /// here, too.
    pub fn builder(secrets: CookieSecrets, store: impl ExpressStore) -> ExpressSessionsBuilder {
        ExpressSessionsBuilder::new(secrets, Arc::new(store))
    }

    pub(super) fn over(engine: Engine) -> Self {
        Self {
            engine: Arc::new(engine),
        }
    }

    /// Opens a request: verifies its cookie, and does not ask the store yet.
    #[must_use]
    pub fn open(&self, headers: &HeaderMap) -> ExpressOpened {
        let engine = &self.engine;
        let cookie = SidCookie::read(&cookies(headers), &engine.cookie_name, &engine.secrets);
        ExpressOpened::new(Visit::new(
            Arc::clone(engine),
            cookie,
            headers.get(USER_AGENT).cloned(),
        ))
    }

    /// Whether a request may go to its handler, or may be one that another site had the user's browser send: see
    /// [`origin_check`](ExpressSessionsBuilder::origin_check). A door asks before anything else.
    ///
    /// # Errors
    /// If it may: answer with 403, and run no handler.
    pub fn check_origin(&self, request: &CsrfRequest<'_>) -> Result<(), CsrfRefusal> {
        let checked = self.engine.csrf.check_origin(request);
        if let Err(refusal) = checked {
            let user_agent = request.headers.get(USER_AGENT);
            self.engine.tell(EventKind::CsrfRefused(refusal), user_agent);
        }
        checked
    }

    /// Writes what the request did to its session, and says what the response must carry. To be called when the handler
    /// has answered and before the response goes out; what is done to the session afterwards is lost.
    ///
    /// A session that was loaded and not changed is touched, so that it lives on.
    ///
    /// # Errors
    /// If the store fails, nothing that it did not do is promised, and no cookie is set or removed: answer with 503. See
    /// [`CommitError`] for the rest.
    pub async fn commit(&self, opened: &ExpressOpened) -> Result<Outgoing, CommitError> {
        commit::commit(opened.visit()).await
    }

    /// Whether the store answers: for health checks.
    ///
    /// # Errors
    /// If it doesn't.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut deadline = self.engine.deadline();
        deadline.call(Operation::Ping, self.engine.store.ping()).await
    }

    /// How many events the listener was too slow for since the start. *Unit*: events.
    #[must_use]
    pub fn events_dropped(&self) -> u64 {
        self.engine.events.dropped()
    }

    /// Waits until the listener has returned from every event that came before, at most for `patience`, and says whether
    /// it has. As [`Sessions::flush_events`](crate::Sessions::flush_events), it **blocks the thread**.
    #[must_use]
    pub fn flush_events(&self, patience: Duration) -> bool {
        self.engine.events.flush(patience)
    }

    /// The name of the cookie.
    #[must_use]
    pub fn cookie_name(&self) -> &str {
        &self.engine.cookie_name
    }
}

impl fmt::Debug for ExpressSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExpressSessions")
            .field("store", &self.engine.store.name())
            .field("secrets", &self.engine.secrets)
            .field("cookie_name", &self.engine.cookie_name)
            .finish_non_exhaustive()
    }
}

/// All `Cookie` headers as one, as Node has them. HTTP/2 may split one into several.
fn cookies(headers: &HeaderMap) -> String {
    let mut joined = String::new();
    for header in headers.get_all(COOKIE) {
        if !joined.is_empty() {
            joined.push_str("; ");
        }
        joined.push_str(&String::from_utf8_lossy(header.as_bytes()));
    }
    joined
}
