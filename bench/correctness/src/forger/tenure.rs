//! Cookies of Tenure, with a genuine tag, and with what the store has in the place of the browser's secret.

use std::collections::BTreeSet;

use anyhow::Context;
use aws_lc_rs::{hkdf, hmac};
use base64ct::{Base64UrlUnpadded, Encoding};

use super::{Forger, Forgery};

/// A copy of the engine's key for cookies.
pub struct TenureForger {
    cookie_key: hmac::Key,
}

const COOKIE_NAME: &str = "__Host-session";

/// A version, and what the store has, too: the key's id, the session's, and how many secrets it has had.
const HEAD_LENGTH: usize = 1 + 4 + 16 + 4;
const SECRET_LENGTH: usize = 32;
const TAG_LENGTH: usize = 16;

impl TenureForger {
    /// # Errors
    /// If no key comes of it.
    pub fn new(secret: &str) -> anyhow::Result<Self> {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"tenure 1").extract(secret.as_bytes());
        let mut key = [0; 32];
        root.expand(&[b"cookie"], hkdf::HKDF_SHA256)?.fill(&mut key)?;
        Ok(Self {
            cookie_key: hmac::Key::new(hmac::HMAC_SHA256, &key),
        })
    }

    fn signed(&self, head: &[u8], secret: &[u8]) -> String {
        let mut context = hmac::Context::with_key(&self.cookie_key);
        context.update(COOKIE_NAME.as_bytes());
        context.update(head);
        context.update(secret);
        let tag = context.sign();
        Base64UrlUnpadded::encode_string(&[head, secret, &tag.as_ref()[..TAG_LENGTH]].concat())
    }
}

impl Forger for TenureForger {
    fn forge(&self, genuine: &str, dump: &[String]) -> anyhow::Result<Forgery> {
        let genuine = Base64UrlUnpadded::decode_vec(genuine).context("a cookie is base64url")?;
        let (head, rest) = genuine
            .split_at_checked(HEAD_LENGTH)
            .context("a cookie of Tenure")?;
        let (secret, _) = rest
            .split_at_checked(SECRET_LENGTH)
            .context("a cookie of Tenure")?;
        let forged = runs_in(dump).iter().map(|run| self.signed(head, run)).collect();
        Ok(Forgery {
            remade: self.signed(head, secret),
            forged,
        })
    }
}

/// Whatever stands in the store and is as long as a secret.
fn runs_in(dump: &[String]) -> BTreeSet<Vec<u8>> {
    let decoded = dump
        .iter()
        .filter_map(|text| Base64UrlUnpadded::decode_vec(text).ok());
    let plain = dump.iter().map(|text| text.as_bytes().to_vec());
    decoded
        .chain(plain)
        .flat_map(|bytes| {
            bytes
                .windows(SECRET_LENGTH)
                .map(<[u8]>::to_vec)
                .collect::<Vec<_>>()
        })
        .collect()
}
