//! Session ids.

use napi::bindgen_prelude::*;
use napi_derive::napi;
use tenure_core::express;

/// A new session id: 24 random bytes as base64url.
#[napi]
pub fn new_sid() -> Result<String> {
    express::new_sid().map_err(|error| Error::from_reason(error.to_string()))
}
