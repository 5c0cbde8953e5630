//! The header that has a browser forget what it keeps of the site.

use std::convert::Infallible;

use axum_core::response::{IntoResponseParts, ResponseParts};
use http::{HeaderName, HeaderValue};

/// Adds `Clear-Site-Data: "cache", "storage"` to a response: the browser drops the origin's HTTP cache, its local and
/// session storage, its databases (`IndexedDB`) and its service workers (W3C Clear Site Data, sections 3.1 and 3.3; OWASP ASVS 5.0,
/// 14.3.1).
///
/// For the answer to a sign-out, where the application keeps something of the user's in the browser and nothing
/// else there that is to stay: drafts, a chosen theme or another application on the same origin go too, and clearing
/// the cache can take a browser seconds. That is why no sign-out sends it unless asked to. It says nothing of cookies:
/// `"cookies"` would take those of every subdomain, and the session's own is removed anyway. Browsers honour
/// it over https and on `localhost` only.
///
/// ```
/// use axum::response::{IntoResponse, Redirect};
/// use tenure_tower::{ClearSiteData, Session};
///
/// async fn sign_out(session: Session) -> impl IntoResponse {
///     session.sign_out();
///     (ClearSiteData, Redirect::to("/sign-in"))
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClearSiteData;

impl IntoResponseParts for ClearSiteData {
    type Error = Infallible;

    fn into_response_parts(self, mut response: ResponseParts) -> Result<ResponseParts, Infallible> {
        response.headers_mut().insert(
            HeaderName::from_static("clear-site-data"),
            HeaderValue::from_static(tenure_core::CLEAR_SITE_DATA),
        );
        Ok(response)
    }
}
