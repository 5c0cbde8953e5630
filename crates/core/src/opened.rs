//! One request, opened: its cookie verified, its session not yet asked for.

use std::fmt;
use std::sync::Arc;

use crate::arrival::Arrival;
use crate::commit;
use crate::engine::Engine;
use crate::outgoing::Outgoing;
use crate::session::Session;
use crate::sessions::Sessions;
use crate::state::Attendance;
use crate::too_many_guesses::TooManyGuesses;
use crate::visit::{LoadError, Sender, Visit};

/// One request, [opened](crate::Sessions::open): its cookie is verified, its session not yet asked
/// for. Cheap to clone; clones are the same request.
#[derive(Clone)]
pub struct Opened {
    visit: Arc<Visit>,
}

impl Opened {
    pub(crate) fn new(engine: Arc<Engine>, arrival: Arrival, sender: Sender) -> Self {
        Self {
            visit: Arc::new(Visit::new(engine, arrival, sender)),
        }
    }

    /// The request's session; loads it the first time. This is activity: it slides the idle deadline.
    ///
    /// A request without a session gets a handle all the same; the first write through it makes one.
    ///
    /// # Errors
    /// If the store fails; loading may be tried again. If the client has no guesses left.
    pub async fn load(&self) -> Result<Session, LoadError> {
        self.ask(Attendance::Active).await
    }

    /// The request's session, if no store has to be asked for it: one that was loaded before, or that of a request whose
    /// cookie is missing or was refused. For doors where waiting has its price.
    ///
    /// ```
    /// use tenure_core::{LoadError, Opened, Session};
    ///
    /// async fn session_of(opened: &Opened) -> Result<Session, LoadError> {
    ///     match opened.load_without_store() {
    ///         Some(session) => Ok(session),
    ///         None => opened.load().await,
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn load_without_store(&self) -> Option<Session> {
        let is_known = self.check_guesses().is_ok() && self.visit.is_answered_for(Attendance::Active);
        is_known.then(|| Session::new(Arc::clone(&self.visit)))
    }

    /// The request's session, without counting as activity: for a page that polls and must not keep a
    /// session alive by itself.
    ///
    /// # Errors
    /// As [`Opened::load`].
    pub async fn peek(&self) -> Result<Session, LoadError> {
        self.ask(Attendance::Passive).await
    }

    /// The request's session, for a user who says "I am still here": as [`Opened::load`], but the idle deadline is
    /// slid and written at once, even if it was slid within the
    /// [touch interval](crate::Policy::touch_interval), so that what the user is told next is what the store has.
    ///
    /// ```
    /// use tenure_core::{LoadError, Opened, StatusReport};
    ///
    /// async fn still_here(opened: &Opened) -> Result<String, LoadError> {
    ///     let session = opened.extend().await?;
    ///     Ok(StatusReport::of(&session).to_json())
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`Opened::load`].
    pub async fn extend(&self) -> Result<Session, LoadError> {
        self.ask(Attendance::Extending).await
    }

    /// Whether the request may go to its handler, or its client has brought too many cookies that were refused: see
    /// [`GuessLimit`](crate::GuessLimit). A door asks before anything else.
    ///
    /// # Errors
    /// If there were too many: answer with 429, a Retry-After, and [what goes with a
    /// refusal](Self::outgoing_after_refusal).
    pub fn check_guesses(&self) -> Result<(), TooManyGuesses> {
        match self.visit.arrival {
            Arrival::OverLimit(_, refusal) => Err(refusal),
            Arrival::NoCookie | Arrival::Refused(_) | Arrival::Genuine(_) => Ok(()),
        }
    }

    /// What goes with the answer to a request that was refused before its handler: the removal of a dead cookie, if
    /// there were [too many](Self::check_guesses), so that whoever bears one without ill will is rid of it.
    pub fn outgoing_after_refusal(&self) -> Outgoing {
        match self.check_guesses() {
            Err(_) => commit::answer_without_store(&self.visit),
            Ok(()) => Outgoing::nothing(),
        }
    }

    /// What [`commit`](crate::Sessions::commit) would answer, if that needs no store: so a request that
    /// wrote nothing need not wait for anything.
    #[must_use]
    pub fn commit_without_store(&self) -> Option<Outgoing> {
        commit::commit_without_store(&self.visit)
    }

    /// The cookie that earlier [saves](Session::save) of this request made necessary, for a response
    /// whose final commit failed: what is saved is saved, and the browser must learn of it.
    ///
    /// It never removes a cookie.
    pub fn outgoing_after_failure(&self) -> Outgoing {
        commit::outgoing_after_failure(&self.visit)
    }

    /// The manager that opened it.
    #[must_use]
    pub fn sessions(&self) -> Sessions {
        Sessions::with_engine(Arc::clone(&self.visit.engine))
    }

    /// The name of the session cookie that it was opened by.
    #[must_use]
    pub fn cookie_name(&self) -> &str {
        &self.visit.engine.policy.cookie_name
    }

    pub(crate) fn visit(&self) -> &Arc<Visit> {
        &self.visit
    }

    async fn ask(&self, attendance: Attendance) -> Result<Session, LoadError> {
        self.check_guesses()?;
        self.visit.ask(attendance).await?;
        Ok(Session::new(Arc::clone(&self.visit)))
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened")
            .field("cookie_name", &self.cookie_name())
            .finish_non_exhaustive()
    }
}
