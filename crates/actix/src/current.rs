//! The opened session as a handler finds it in its request.

use std::cell::RefCell;
use std::rc::Rc;

use actix_web::dev::Extensions;
use tenure_core::{Client, LoadError, Opened, Session};

use crate::error::SessionError;

/// What the layer puts into the request's extensions.
#[derive(Clone)]
pub(crate) struct Current {
    pub(crate) opened: Opened,
    pub(crate) client: Client,
    unanswered: Unanswered,
    /// The session of a layer further out, which has another cookie.
    outer: Option<Rc<Current>>,
}

/// Why an extractor failed to load the session, for the layer: actix-web may have made `None` of it.
#[derive(Clone, Default)]
pub(crate) struct Unanswered(Rc<RefCell<Option<SessionError>>>);

impl Unanswered {
    pub(crate) fn take(&self) -> Option<SessionError> {
        self.0.borrow_mut().take()
    }
}

impl Current {
    pub(crate) fn enter(extensions: &mut Extensions, opened: Opened, client: Client) -> Unanswered {
        let unanswered = Unanswered::default();
        let outer = extensions.remove::<Self>().map(Rc::new);
        extensions.insert(Self {
            opened,
            client,
            unanswered: unanswered.clone(),
            outer,
        });
        unanswered
    }

    /// The session with this cookie, of this layer or of one further out.
    pub(crate) fn named(&self, cookie_name: &str) -> Option<&Self> {
        if self.opened.cookie_name() == cookie_name {
            return Some(self);
        }
        self.outer.as_ref()?.named(cookie_name)
    }

    pub(crate) async fn load(&self) -> Result<Session, SessionError> {
        self.noted(self.opened.load().await)
    }

    pub(crate) async fn peek(&self) -> Result<Session, SessionError> {
        self.noted(self.opened.peek().await)
    }

    pub(crate) async fn extend(&self) -> Result<Session, SessionError> {
        self.noted(self.opened.extend().await)
    }

    fn noted(&self, loaded: Result<Session, LoadError>) -> Result<Session, SessionError> {
        loaded.map_err(|error| {
            let error = SessionError::from(error);
            *self.unanswered.0.borrow_mut() = Some(error.clone());
            error
        })
    }
}
