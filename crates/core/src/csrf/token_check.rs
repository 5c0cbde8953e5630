//! The second lock: a request that may change something must have its session's token.

use http::header::HeaderName;

use super::form_field::FormCsrfField;
use super::refusal::CsrfRefusal;
use super::request::{CsrfRequest, Once};
use super::rules::CsrfTokens;
use super::token::{CsrfKey, CsrfToken};
use crate::arrival::Arrival;
use crate::commit::CommitError;
use crate::event::EventKind;
use crate::opened::Opened;
use crate::session::Session;

const X_CSRF_TOKEN: HeaderName = HeaderName::from_static(CsrfToken::HEADER);

/// What a request still owes after its headers were looked at.
#[derive(Debug)]
#[must_use = "a request that owes a token must not reach its handler before it was found"]
pub enum CsrfDemand {
    /// Nothing: it may go to its handler.
    Nothing,
    /// A form, whose token may be among its fields. Read the body by this, and give what it finds to
    /// [`Opened::verify_csrf_token`].
    InForm(FormCsrfField),
}

impl Opened {
    /// Whether this request may go to its handler: whether it [comes from where it may](crate::Policy::origin_check),
    /// and has the [token that the policy demands](crate::Policy::csrf_tokens). By its headers alone and without a look
    /// at the store: the token is of the secret that the cookie bears. For doors, which call it when they have opened
    /// the request, with the same request that they opened.
    ///
    /// ```
    /// # use tenure_core::{CsrfDemand, CsrfRefusal, CsrfRequest, Opened, Sessions};
    /// fn admit(sessions: &Sessions, request: &http::request::Parts) -> Result<Opened, CsrfRefusal> {
    ///     let opened = sessions.open(&request.headers);
    ///     let looked_at = CsrfRequest::new(&request.method, &request.uri, &request.headers);
    ///     match opened.check_csrf(&looked_at)? {
    ///         CsrfDemand::Nothing => Ok(opened),
    ///         // A door that reads no bodies.
    ///         CsrfDemand::InForm(_) => opened.verify_csrf_token(None).map(|()| opened),
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// Why it may not, with an event: answer with 403.
    pub fn check_csrf(&self, request: &CsrfRequest<'_>) -> Result<CsrfDemand, CsrfRefusal> {
        let policy = &self.visit().engine.policy;
        policy
            .check_origin(request)
            .map_err(|refusal| self.refused(refusal))?;
        let is_demanded = policy.csrf.tokens == CsrfTokens::Demanded
            && request.is_unsafe()
            && matches!(self.visit().arrival, Arrival::Genuine(_))
            && !policy.csrf.exempts(request);
        if !is_demanded {
            return Ok(CsrfDemand::Nothing);
        }
        match request.header(&X_CSRF_TOKEN) {
            Once::Is(text) => self
                .verify_csrf_token(text.as_bytes())
                .map(|()| CsrfDemand::Nothing),
            Once::Repeated => Err(self.refused(CsrfRefusal::RepeatedHeader)),
            Once::Absent => request
                .content_type()
                .and_then(FormCsrfField::of)
                .map(CsrfDemand::InForm)
                .ok_or_else(|| self.refused(CsrfRefusal::TokenMissing)),
        }
    }

    /// Whether `text` is a token of the secret that this request's cookie bears. `None` is a form without one.
    ///
    /// # Errors
    /// If it isn't: answer with 403.
    pub fn verify_csrf_token<'a>(&self, text: impl Into<Option<&'a [u8]>>) -> Result<(), CsrfRefusal> {
        let Some(text) = text.into() else {
            return Err(self.refused(CsrfRefusal::TokenMissing));
        };
        match &self.visit().arrival {
            Arrival::Genuine(cookie) if CsrfKey::of(&cookie.token().secret).verifies(text) => Ok(()),
            _ => Err(self.refused(CsrfRefusal::TokenWrong)),
        }
    }

    fn refused(&self, refusal: CsrfRefusal) -> CsrfRefusal {
        let id = match &self.visit().arrival {
            Arrival::Genuine(cookie) => Some(cookie.token().id),
            Arrival::NoCookie | Arrival::Refused(_) | Arrival::OverLimit(..) => None,
        };
        self.visit().tell(EventKind::CsrfRefused(refusal), id, None);
        refusal
    }
}

/// Its token against forgeries.
impl Session {
    /// A token for the pages of this session. See [`CsrfToken`] for what it is, and
    /// [`Policy::csrf_tokens`](crate::Policy::csrf_tokens) for who asks for it.
    ///
    /// It is of the session as it will be after this request: if there is no session yet, **one begins**, and is saved
    /// at once, and so is a sign-in or renewal that was asked for before. One that is asked for afterwards ends the
    /// token; so call this last. For a session that is there it costs an HMAC-SHA256 and nothing in the store.
    ///
    /// Where no session can begin, because another request renewed this one or its cookie is signed by a key that is
    /// not here yet, the token is worth nothing, and what is sent with it is refused.
    ///
    /// # Errors
    /// If the session must be saved and that fails, or the operating system gives no random bytes.
    pub async fn csrf_token(&self) -> Result<CsrfToken, CommitError> {
        let needs_save = {
            let mut state = self.visit().state();
            let is_there = state.live().is_some();
            if !is_there {
                state.pending.begins = true;
            }
            !is_there || state.whole_pending().needs_new_secret()
        };
        if needs_save {
            self.save().await?;
        }
        let key = self.csrf_key();
        Ok(key.map_or_else(CsrfKey::random, Ok)?.masked()?)
    }

    /// Whether `text` is a token of this session, as it is now in the store: for handlers that ask for one without the
    /// [policy](crate::Policy::csrf_tokens) doing it.
    ///
    /// # Errors
    /// If it isn't, or there is no session: answer with 403.
    pub fn verify_csrf_token(&self, text: &[u8]) -> Result<(), CsrfRefusal> {
        if self.csrf_key().is_some_and(|key| key.verifies(text)) {
            return Ok(());
        }
        let refusal = CsrfRefusal::TokenWrong;
        self.visit()
            .tell(EventKind::CsrfRefused(refusal), self.id(), self.owner());
        Err(refusal)
    }

    fn csrf_key(&self) -> Option<CsrfKey> {
        Some(CsrfKey::of(&self.visit().state().live()?.secret))
    }
}
