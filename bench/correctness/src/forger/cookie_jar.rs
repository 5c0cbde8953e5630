//! Cookies as the `cookie` crate signs them, with what the store knows the session by in them.

use anyhow::Context;
use tower_cookies::Key;
use tower_cookies::cookie::{Cookie, CookieJar};

use super::{Forger, Forgery};

pub struct CookieJarForger {
    key: Key,
    /// What is signed behind the cookie's text, and is not in the cookie.
    unsent: &'static str,
}

/// It is not signed.
const NAME: &str = "session";

impl CookieJarForger {
    pub fn new(key: &[u8; 64], unsent: &'static str) -> Self {
        Self {
            key: Key::from(key),
            unsent,
        }
    }

    fn signed(&self, text: &str) -> String {
        let mut jar = CookieJar::new();
        jar.signed_mut(&self.key)
            .add(Cookie::new(NAME, format!("{text}{}", self.unsent)));
        let signed = jar.get(NAME).map_or("", Cookie::value);
        let sent = signed.strip_suffix(self.unsent).unwrap_or_default().to_owned();
        let pair = Cookie::new(NAME, sent).encoded().to_string();
        pair.split_once('=')
            .map_or_else(String::new, |(_, value)| value.to_owned())
    }

    fn opened(&self, cookie: &str) -> anyhow::Result<String> {
        let mut cookie = Cookie::parse_encoded(format!("{NAME}={cookie}"))?;
        cookie.set_value(format!("{}{}", cookie.value(), self.unsent));
        let opened = CookieJar::new().signed(&self.key).verify(cookie);
        let opened = opened.context("it is not signed in this way")?;
        let text = opened.value().strip_suffix(self.unsent);
        Ok(text.unwrap_or_default().to_owned())
    }
}

impl Forger for CookieJarForger {
    fn forge(&self, genuine: &str, dump: &[String]) -> anyhow::Result<Forgery> {
        Ok(Forgery {
            remade: self.signed(&self.opened(genuine)?),
            forged: dump.iter().map(|text| self.signed(text)).collect(),
        })
    }
}
