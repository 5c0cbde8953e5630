//! The extractor of a token.

use std::fmt;
use std::ops::Deref;

use axum_core::extract::FromRequestParts;
use http::request::Parts;

use crate::error::SessionError;
use crate::extract::innermost;

/// A token for the page that the handler renders. See [`tenure_core::CsrfToken`], which it derefs to.
///
/// Extracting it loads the session, which is activity. A visitor without a session gets one: a token is of a session. A
/// handler that signs in or renews, and answers with a page all the same, calls
/// [`Session::csrf_token`](tenure_core::Session::csrf_token) after that instead, for its token is of the new secret.
///
/// Rejects with 503 if the store fails.
///
/// ```
/// use axum::response::Html;
/// use tenure_tower::CsrfToken;
///
/// async fn transfer_page(token: CsrfToken) -> Html<String> {
///     let field = token.hidden_field();
///     Html(format!("<form method=post>{field}<input name=amount><button>Send</button></form>"))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct CsrfToken(tenure_core::CsrfToken);

impl<S: Sync> FromRequestParts<S> for CsrfToken {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionError> {
        let session = innermost(parts)?.load().await?;
        Ok(Self(session.csrf_token().await?))
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
