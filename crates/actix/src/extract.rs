//! The extractors.

use std::fmt;
use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError};
use futures_util::future::LocalBoxFuture;
use tenure_core::{Owner, SessionFailure};

use crate::current::Current;
use crate::error::SessionError;

/// The request's session. See [`tenure_core::Session`], which it derefs to, for what it can do.
///
/// Extracting it loads the session, which is activity. A request without one gets a handle all the
/// same, and the first write through it makes a session.
///
/// Fails with 503 if the store fails.
#[derive(Clone, Debug)]
pub struct Session(tenure_core::Session);

/// The request's session, looked at without counting as activity: for a page that polls and must
/// not keep a session alive by itself. Otherwise as [`Session`].
#[derive(Clone, Debug)]
pub struct PassiveSession(tenure_core::Session);

/// The session of a signed-in user. Fails with 401 if nobody is signed in; `Option<SignedIn>` is
/// `None` then.
///
/// ```
/// use tenure_actix::SignedIn;
///
/// async fn hello(user: SignedIn) -> String {
///     format!("Hello, {}!", user.owner())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct SignedIn {
    session: tenure_core::Session,
    owner: Owner,
}

/// The request's session, or why it could not be loaded: for a handler that has something to answer
/// even while the store fails. Any other extractor's failure is answered with 503, whatever the handler says.
///
/// ```
/// use tenure_actix::TrySession;
///
/// async fn front_page(TrySession(session): TrySession) -> String {
///     match session {
///         Ok(session) => format!("Hello, {:?}!", session.owner()),
///         Err(_) => "Hello! Your basket is not to be had at the moment.".to_owned(),
///     }
/// }
/// ```
#[derive(Debug)]
pub struct TrySession(pub Result<tenure_core::Session, SessionError>);

/// The session of the layer whose cookie is `N`'s, where several layers are one inside another.
///
/// ```
/// use tenure_actix::{NamedSession, Session, SessionError, SessionName};
/// use tenure_core::Key;
///
/// struct Admin;
///
/// impl SessionName for Admin {
///     const COOKIE: &'static str = "__Host-admin";
/// }
///
/// const THEME: Key<String> = Key::new("theme");
///
/// async fn both(inner: Session, admin: NamedSession<Admin>) -> Result<String, SessionError> {
///     Ok(format!("{:?} {:?}", inner.owner(), admin.get(THEME)?))
/// }
/// ```
pub struct NamedSession<N> {
    session: tenure_core::Session,
    name: PhantomData<fn() -> N>,
}

/// Names one of several session layers by its cookie. See [`NamedSession`].
pub trait SessionName: 'static {
    /// The [cookie name](tenure_core::Policy::cookie_name) of the layer's policy.
    const COOKIE: &'static str;
}

/// Who sent the request, as far as can be known. See [`tenure_core::Client`], which it derefs to.
///
/// Fails outside a session layer, which is told whom to believe.
#[derive(Clone, Copy, Debug)]
pub struct Client(tenure_core::Client);

/// Why a [`SignedIn`] was not to be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotSignedIn {
    /// Nobody is signed in: 401.
    #[error("nobody is signed in")]
    Nobody,
    /// The session could not be loaded.
    #[error(transparent)]
    Failed(#[from] SessionError),
}

impl FromRequest for Session {
    type Error = SessionError;
    type Future = LocalBoxFuture<'static, Result<Self, SessionError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let current = innermost(request);
        Box::pin(async move { Ok(Self(current?.load().await?)) })
    }
}

impl FromRequest for PassiveSession {
    type Error = SessionError;
    type Future = LocalBoxFuture<'static, Result<Self, SessionError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let current = innermost(request);
        Box::pin(async move { Ok(Self(current?.peek().await?)) })
    }
}

impl FromRequest for SignedIn {
    type Error = NotSignedIn;
    type Future = LocalBoxFuture<'static, Result<Self, NotSignedIn>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let current = innermost(request);
        Box::pin(async move {
            let session = current?.load().await?;
            let owner = session.owner().ok_or(NotSignedIn::Nobody)?;
            Ok(Self { session, owner })
        })
    }
}

impl FromRequest for TrySession {
    type Error = SessionError;
    type Future = LocalBoxFuture<'static, Result<Self, SessionError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let current = innermost(request);
        Box::pin(async move { Ok(Self(current?.opened.load().await.map_err(SessionError::from))) })
    }
}

impl<N: SessionName> FromRequest for NamedSession<N> {
    type Error = SessionError;
    type Future = LocalBoxFuture<'static, Result<Self, SessionError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let named = innermost(request).and_then(|current| {
            let named = current.named(N::COOKIE).cloned();
            named.ok_or_else(|| SessionFailure::NoLayerNamed { cookie: N::COOKIE }.into())
        });
        Box::pin(async move {
            Ok(Self {
                session: named?.load().await?,
                name: PhantomData,
            })
        })
    }
}

impl FromRequest for Client {
    type Error = SessionError;
    type Future = Ready<Result<Self, SessionError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(innermost(request).map(|current| Self(current.client)))
    }
}

pub(crate) fn innermost(request: &HttpRequest) -> Result<Current, SessionError> {
    let current = request.extensions().get::<Current>().cloned();
    current.ok_or_else(|| SessionFailure::NoLayer.into())
}

impl Session {
    /// The engine's handle, for code that knows no web framework.
    #[must_use]
    pub fn into_inner(self) -> tenure_core::Session {
        self.0
    }
}

impl SignedIn {
    /// The signed-in user.
    #[must_use]
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// The session as an extractor would give it.
    #[must_use]
    pub fn into_session(self) -> Session {
        Session(self.session)
    }
}

impl<N> Clone for NamedSession<N> {
    fn clone(&self) -> Self {
        Self {
            session: self.session.clone(),
            name: PhantomData,
        }
    }
}

impl<N> fmt::Debug for NamedSession<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NamedSession").field(&self.session).finish()
    }
}

impl Deref for Client {
    type Target = tenure_core::Client;

    fn deref(&self) -> &tenure_core::Client {
        &self.0
    }
}

impl Deref for Session {
    type Target = tenure_core::Session;

    fn deref(&self) -> &tenure_core::Session {
        &self.0
    }
}

impl Deref for PassiveSession {
    type Target = tenure_core::Session;

    fn deref(&self) -> &tenure_core::Session {
        &self.0
    }
}

impl Deref for SignedIn {
    type Target = tenure_core::Session;

    fn deref(&self) -> &tenure_core::Session {
        &self.session
    }
}

impl<N> Deref for NamedSession<N> {
    type Target = tenure_core::Session;

    fn deref(&self) -> &tenure_core::Session {
        &self.session
    }
}

impl ResponseError for NotSignedIn {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Nobody => StatusCode::UNAUTHORIZED,
            Self::Failed(error) => error.status_code(),
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::Nobody => HttpResponse::Unauthorized()
                .insert_header((CONTENT_TYPE, "text/plain; charset=utf-8"))
                .body("Please sign in.\n"),
            Self::Failed(error) => error.error_response(),
        }
    }
}
