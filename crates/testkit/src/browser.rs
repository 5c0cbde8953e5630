//! A browser, as far as sessions see it.

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};

/// What a browser keeps: the cookie. A clone is another tab, which knows nothing of what comes later.
#[derive(Clone, Debug, Default)]
pub struct Browser {
    cookie: Option<HeaderValue>,
}

impl Browser {
    /// The headers of its next request.
    #[must_use]
    pub fn request(&self) -> HeaderMap {
        let cookie = self.cookie.iter().map(|cookie| (COOKIE, cookie.clone()));
        cookie.collect()
    }

    /// Takes the cookie of a response, or its removal.
    ///
    /// # Panics
    /// If the cookie is none.
    pub fn receive(&mut self, response: &HeaderMap) {
        if let Some(sent) = response.get(SET_COOKIE) {
            let pair = sent.to_str().expect("a cookie that is text");
            let pair = pair.split(';').next().unwrap_or_default();
            let is_removal = pair.ends_with('=');
            self.cookie = (!is_removal).then(|| pair.parse().expect("a cookie that a header takes"));
        }
    }
}
