//! The extractors for axum.

use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use axum_core::body::Body;
use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use tenure_core::{Opened, Owner, SessionFailure, Status};

use crate::current::Current;
use crate::error::SessionError;
use crate::failure::{Failed, PlainFailure, RenderFailure};
use crate::peer;
use crate::trust::Trust;

/// The request's session. See [`tenure_core::Session`], which it derefs to, for what it can do.
///
/// Extracting it loads the session, which is activity. A request without one gets a handle all the
/// same, and the first write through it makes a session; `Option<Session>` is `None` then.
///
/// Rejects with 503 if the store fails.
#[derive(Clone, Debug)]
pub struct Session(tenure_core::Session);

/// The request's session, looked at without counting as activity: for a page that polls and must
/// not keep a session alive by itself. Otherwise as [`Session`].
#[derive(Clone, Debug)]
pub struct PassiveSession(tenure_core::Session);

/// The session of a signed-in user. Rejects with 401 if nobody is signed in; `Option<SignedIn>` is
/// `None` then.
///
/// ```
/// use tenure_tower::SignedIn;
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

/// The session of the layer whose cookie is `N`'s, where several layers are one inside another.
///
/// ```
/// use tenure_core::Key;
/// use tenure_tower::{NamedSession, Session, SessionError, SessionName};
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

/// Who sent the request, as far as can be known. See [`tenure_core::Client`], which it derefs to.
///
/// The address is unknown if the server does not tell it: with axum, serve by
/// `into_make_service_with_connect_info::<SocketAddr>()`, or put a [`PeerAddress`](crate::PeerAddress) into the
/// request's extensions.
#[derive(Clone, Copy, Debug)]
pub struct Client(tenure_core::Client);

/// Names one of several session layers by its cookie. See [`NamedSession`].
pub trait SessionName: 'static {
    /// The [cookie name](tenure_core::Policy::cookie_name) of the layer's policy.
    const COOKIE: &'static str;
}

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

impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionError> {
        Ok(Self(innermost(parts)?.load().await?))
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Session {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, SessionError> {
        let session = innermost(parts)?.load().await?;
        Ok(is_there(&session).then_some(Self(session)))
    }
}

impl<S: Sync> FromRequestParts<S> for PassiveSession {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionError> {
        Ok(Self(innermost(parts)?.peek().await?))
    }
}

impl<S: Sync> FromRequestParts<S> for SignedIn {
    type Rejection = NotSignedIn;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, NotSignedIn> {
        let session = innermost(parts)?.load().await.map_err(SessionError::from)?;
        let owner = session.owner().ok_or(NotSignedIn::Nobody)?;
        Ok(Self { session, owner })
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for SignedIn {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, SessionError> {
        match <Self as FromRequestParts<S>>::from_request_parts(parts, state).await {
            Ok(signed_in) => Ok(Some(signed_in)),
            Err(NotSignedIn::Nobody) => Ok(None),
            Err(NotSignedIn::Failed(error)) => Err(error),
        }
    }
}

impl<S: Sync, N: SessionName> FromRequestParts<S> for NamedSession<N> {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionError> {
        let current = parts.extensions.get::<Current>().ok_or(SessionFailure::NoLayer)?;
        let opened = current
            .named(N::COOKIE)
            .ok_or(SessionFailure::NoLayerNamed { cookie: N::COOKIE })?;
        Ok(Self {
            session: opened.load().await?,
            name: PhantomData,
        })
    }
}

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let current = parts.extensions.get::<Current>();
        let nobody = Trust::default();
        let trust_proxy = current.map_or(&nobody, |current| &current.trust_proxy);
        let client = peer::client(trust_proxy, &parts.headers, &parts.uri, &parts.extensions);
        Ok(Self(client))
    }
}

pub(crate) fn innermost(parts: &Parts) -> Result<&Opened, SessionError> {
    let current = parts.extensions.get::<Current>();
    let current = current.ok_or(SessionFailure::NoLayer)?;
    Ok(&current.opened)
}

fn is_there(session: &tenure_core::Session) -> bool {
    matches!(session.status(), Status::Loaded | Status::Renewed)
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

impl IntoResponse for SessionError {
    fn into_response(self) -> Response {
        self.log();
        let mut response: Response = RenderFailure::<Body>::render(&PlainFailure, &self);
        response.extensions_mut().insert(Failed(Arc::new(self)));
        response
    }
}

impl IntoResponse for NotSignedIn {
    fn into_response(self) -> Response {
        match self {
            Self::Nobody => (StatusCode::UNAUTHORIZED, "Please sign in.\n").into_response(),
            Self::Failed(error) => error.into_response(),
        }
    }
}
