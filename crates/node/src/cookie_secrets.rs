//! Signing and verifying the cookie.

use napi::bindgen_prelude::*;
use napi_derive::napi;
use tenure_core::express;
use tenure_core::express::SidCookie;

/// The secrets of one middleware and the name of its cookie.
#[napi]
pub struct CookieSecrets {
    name: String,
    secrets: express::CookieSecrets,
}

#[napi]
impl CookieSecrets {
    /// The current secret signs, all of them verify.
    #[napi(constructor)]
    pub fn new(name: String, current: Buffer, older: Vec<Buffer>) -> Self {
        let current = express::CookieSecrets::new(&current);
        Self {
            name,
            secrets: older.iter().fold(current, express::CookieSecrets::with_older),
        }
    }

    /// The session id in a `Cookie` header, if it is signed with one of the secrets.
    #[napi]
    pub fn read(&self, header: String) -> Option<String> {
        match SidCookie::read(&header, &self.name, &self.secrets) {
            SidCookie::Genuine(sid) => Some(sid),
            SidCookie::Absent | SidCookie::Unsigned | SidCookie::Forged => None,
        }
    }

    /// `value` and its signature.
    #[napi]
    pub fn sign(&self, value: String) -> String {
        self.secrets.sign(&value)
    }

    /// What was signed, if it was signed with one of the secrets.
    #[napi]
    pub fn unsign(&self, signed: String) -> Option<String> {
        self.secrets.unsign(&signed).map(str::to_owned)
    }
}
