//! One request's dealings with its session.

use std::sync::{Mutex, MutexGuard, PoisonError};

use http::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, VARY};
use napi::bindgen_prelude::*;
use napi_derive::napi;
use tenure::{
    AssuranceLevel, CLEAR_SITE_DATA, CsrfDemand, DataError, Opened, Outgoing, Saved, Session, SessionFailure,
    Sessions, StatusReport,
};

use super::csrf_form::CsrfForm;
use super::failure::{Failure, outcome};
use super::session_info::CurrentSession;

/// A request, opened.
#[napi]
pub struct Visit {
    sessions: Sessions,
    opened: Opened,
    state: Mutex<State>,
}

/// What JavaScript takes out of it by and by.
struct State {
    admission: Option<std::result::Result<CsrfDemand, SessionFailure>>,
    session: Option<Session>,
    outgoing: Outgoing,
}

/// How a session is asked for.
#[napi(string_enum = "camelCase")]
pub enum Attendance {
    /// A look that is no activity.
    Passive,
    Active,
    /// Activity that is written at once.
    Extending,
}

/// What became of a `replace`, known once it is saved.
#[napi]
pub struct Replacement {
    replacement: tenure::Replacement,
}

#[napi]
impl Replacement {
    #[napi(getter)]
    pub fn happened(&self) -> bool {
        self.replacement.happened()
    }
}

impl Visit {
    pub(super) fn new(
        sessions: Sessions,
        opened: Opened,
        admission: std::result::Result<CsrfDemand, SessionFailure>,
    ) -> Self {
        let state = Mutex::new(State {
            admission: Some(admission),
            session: None,
            outgoing: Outgoing::default(),
        });
        Self {
            sessions,
            opened,
            state,
        }
    }

    pub(super) fn session(&self) -> Option<Session> {
        self.state().session.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn loaded(&self) -> Result<Session> {
        self.session()
            .ok_or_else(|| Error::from_reason("the session was not loaded"))
    }

    fn refuse(&self, failure: SessionFailure) -> Failure {
        self.state().outgoing = self.opened.outgoing_after_refusal();
        failure.into()
    }
}

/// Before the handler.
#[napi]
impl Visit {
    /// Whether the request may go on: why not, the form that its token may be in, or neither.
    #[napi]
    pub fn admission(&self) -> Option<Either<Failure, CsrfForm>> {
        let admission = self.state().admission.take();
        match admission {
            None | Some(Ok(CsrfDemand::Nothing)) => None,
            Some(Ok(CsrfDemand::InForm(field))) => Some(Either::B(CsrfForm::new(field))),
            Some(Err(failure)) => Some(Either::A(self.refuse(failure))),
        }
    }

    /// Whether the form that was read has the token.
    #[napi]
    pub fn verify_form(&self, form: &CsrfForm) -> Option<Failure> {
        let refusal = self.opened.verify_csrf_token(form.token()).err()?;
        Some(self.refuse(refusal.into()))
    }

    /// Whether a token that was read elsewhere is the one.
    #[napi]
    pub fn verify_token(&self, token: Option<String>) -> Option<Failure> {
        let refusal = self
            .opened
            .verify_csrf_token(token.as_ref().map(String::as_bytes))
            .err()?;
        Some(self.refuse(refusal.into()))
    }

    /// Whether the session is known without asking the store.
    #[napi]
    pub fn load_now(&self) -> bool {
        let session = self.opened.load_without_store();
        let is_known = session.is_some();
        self.state().session = session;
        is_known
    }

    #[napi]
    pub async fn load(&self, attendance: Attendance) -> Option<Failure> {
        let loaded = match attendance {
            Attendance::Passive => self.opened.peek().await,
            Attendance::Active => self.opened.load().await,
            Attendance::Extending => self.opened.extend().await,
        };
        match loaded {
            Ok(session) => {
                self.state().session = Some(session);
                None
            }
            Err(error) => Some(self.refuse(error.into())),
        }
    }
}

/// The data.
#[napi]
impl Visit {
    /// All of it, as one JSON object.
    #[napi]
    pub fn data(&self) -> Result<String> {
        Ok(self.loaded()?.json())
    }

    /// One value as JSON.
    #[napi]
    pub fn value(&self, name: String) -> Result<Option<String>> {
        Ok(self.loaded()?.json_of(&name))
    }

    /// Sets values, given as names and JSON by turns, and removes others.
    #[napi]
    pub fn write(&self, set: Vec<String>, removed: Vec<String>) -> Result<Option<Failure>> {
        let session = self.loaded()?;
        for name in removed {
            session.remove_json(name);
        }
        let written = set
            .chunks_exact(2)
            .try_for_each(|pair| session.insert_json(pair[0].as_str(), &pair[1]));
        Ok(written.err().map(Failure::from))
    }

    /// Replaces a value if it is still the one that was seen.
    #[napi]
    pub fn replace(
        &self,
        name: String,
        seen: Option<String>,
        new: Option<String>,
    ) -> Result<Either<Replacement, Failure>> {
        let replaced: std::result::Result<_, DataError> =
            self.loaded()?.replace_json(name, seen.as_deref(), new.as_deref());
        Ok(outcome(replaced.map(|replacement| Replacement { replacement })))
    }

    #[napi]
    pub fn clear(&self) -> Result<()> {
        self.loaded()?.clear();
        Ok(())
    }
}

/// Its life.
#[napi]
impl Visit {
    #[napi]
    pub fn sign_in(&self, owner: String, level: u8) -> Result<Option<Failure>> {
        let signed_in = self.loaded()?.sign_in_with(owner, assurance_level(level)?);
        Ok(signed_in.err().map(Failure::from))
    }

    #[napi]
    pub fn step_up(&self, level: u8) -> Result<()> {
        self.loaded()?.step_up(assurance_level(level)?);
        Ok(())
    }

    #[napi]
    pub fn authenticated_within(&self, millis: f64, level: u8) -> Result<bool> {
        let duration = super::secrets::from_millis(millis);
        Ok(self
            .loaded()?
            .authenticated_within(duration, assurance_level(level)?))
    }

    #[napi]
    pub fn renew(&self) -> Result<()> {
        self.loaded()?.renew();
        Ok(())
    }

    #[napi]
    pub fn remember(&self) -> Result<()> {
        self.loaded()?.remember();
        Ok(())
    }

    #[napi]
    pub fn sign_out(&self) -> Result<()> {
        self.loaded()?.sign_out();
        Ok(())
    }

    #[napi]
    pub fn destroy(&self) -> Result<()> {
        self.loaded()?.destroy();
        Ok(())
    }

    /// Writes what was done so far. Tells whether it was kept, and not dropped because the session has ended.
    #[napi]
    pub async fn save(&self) -> Result<Either<bool, Failure>> {
        let saved = self.loaded()?.save().await;
        Ok(outcome(saved.map(|saved| !matches!(saved, Saved::Dropped(_)))))
    }

    #[napi]
    pub fn info(&self) -> Result<CurrentSession> {
        Ok(CurrentSession::of(&self.loaded()?))
    }

    #[napi]
    pub async fn csrf_token(&self) -> Result<Either<String, Failure>> {
        let token = self.loaded()?.csrf_token().await;
        Ok(outcome(token.map(|token| token.as_str().to_owned())))
    }

    /// Whether it is a token of the session as it is now.
    #[napi]
    pub fn verify_csrf_token(&self, token: Option<String>) -> Result<Option<Failure>> {
        let session = self.loaded()?;
        let verified = match token {
            Some(token) => session.verify_csrf_token(token.as_bytes()),
            None => Err(tenure::CsrfRefusal::TokenMissing),
        };
        Ok(verified.err().map(Failure::from))
    }

    /// How the session stands, as the JSON that the web component reads.
    #[napi]
    pub fn status_report(&self) -> Result<String> {
        Ok(StatusReport::of(&self.loaded()?).to_json())
    }
}

/// After the handler.
#[napi]
impl Visit {
    /// Whether the response may go, because nothing has to be written first.
    #[napi]
    pub fn commit_now(&self) -> bool {
        let Some(outgoing) = self.opened.commit_without_store() else {
            return false;
        };
        self.state().outgoing = outgoing;
        true
    }

    /// Writes what the request did to its session.
    #[napi]
    pub async fn commit(&self) -> Option<Failure> {
        let (outgoing, failure) = match self.sessions.commit(&self.opened).await {
            Ok(outgoing) => (outgoing, None),
            Err(error) => (
                self.opened.outgoing_after_failure(),
                Some(Failure::from(SessionFailure::from(error))),
            ),
        };
        self.state().outgoing = outgoing;
        failure
    }

    /// Nothing more is written; a cookie that was promised earlier in the request goes out all the same.
    #[napi]
    pub fn give_up(&self) {
        self.state().outgoing = self.opened.outgoing_after_failure();
    }

    /// Whether the response has to carry a cookie, new or removed.
    #[napi(getter)]
    pub fn sets_cookie(&self) -> bool {
        self.state().outgoing.sets_cookie()
    }

    /// The headers of such a response: Set-Cookie to add, Cache-Control and Vary to set. Takes the values that
    /// the two have.
    #[napi]
    pub fn outgoing(&self, cache_control: Vec<String>, vary: Vec<String>) -> Vec<Vec<String>> {
        let mut headers = HeaderMap::new();
        append(&mut headers, CACHE_CONTROL, &cache_control);
        append(&mut headers, VARY, &vary);
        std::mem::take(&mut self.state().outgoing).apply(&mut headers);
        headers
            .keys()
            .map(|name| {
                let values = headers.get_all(name).iter();
                let values = values.filter_map(|value| Some(value.to_str().ok()?.to_owned()));
                std::iter::once(name.as_str().to_owned()).chain(values).collect()
            })
            .collect()
    }
}

/// The value of the header that has a browser forget what it keeps of the site.
#[napi]
pub const CLEAR_SITE_DATA_VALUE: &str = CLEAR_SITE_DATA;

fn append(headers: &mut HeaderMap, name: HeaderName, values: &[String]) {
    for value in values {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.append(name.clone(), value);
        }
    }
}

fn assurance_level(number: u8) -> Result<AssuranceLevel> {
    AssuranceLevel::from_number(number).ok_or_else(|| {
        Error::new(
            Status::InvalidArg,
            "an assurance level is 1, 2 or 3 (NIST SP 800-63B)",
        )
    })
}
