//! The extractor of a token.

use std::fmt;
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;

use crate::error::SessionError;
use crate::extract::innermost;

/// A token for the page that the handler renders. See [`tenure_core::CsrfToken`], which it derefs to.
///
/// Extracting it loads the session, which is activity. A visitor without a session gets one: a token is of a session. A
/// handler that signs in or renews, and answers with a page all the same, calls
/// [`Session::csrf_token`](tenure_core::Session::csrf_token) after that instead, for its token is of the new secret.
///
/// Fails with 503 if the store fails.
///
/// ```
/// use actix_web::web::Html;
/// use tenure_actix::CsrfToken;
///
/// async fn transfer_page(token: CsrfToken) -> Html {
///     let field = token.hidden_field();
///     Html::new(format!("<form method=post>{field}<input name=amount><button>Send</button></form>"))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct CsrfToken(tenure_core::CsrfToken);

impl FromRequest for CsrfToken {
    type Error = SessionError;
    type Future = LocalBoxFuture<'static, Result<Self, SessionError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let current = innermost(request);
        Box::pin(async move {
            let session = current?.load().await?;
            Ok(Self(session.csrf_token().await?))
        })
    }
}

impl CsrfToken {
    /// The engine's token, for code that knows no web framework.
    #[must_use]
    pub fn into_inner(self) -> tenure_core::CsrfToken {
        self.0
    }
}

impl Deref for CsrfToken {
    type Target = tenure_core::CsrfToken;

    fn deref(&self) -> &tenure_core::CsrfToken {
        &self.0
    }
}

impl fmt::Display for CsrfToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
