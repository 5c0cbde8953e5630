//! The base64 of cookies: base64url without padding (RFC 4648, section 5).
//!
//! Not in constant time: whoever sent the text knows it, and nobody else learns a bit that they could use before the next
//! request.

use std::sync::LazyLock;

use base64::engine::general_purpose::NO_PAD;
use base64::{DecodeSliceError, Engine};

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
static ENGINE: LazyLock<base64::engine::Simd> = LazyLock::new(|| base64::engine::Simd::url_safe(NO_PAD));

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
static ENGINE: LazyLock<base64::engine::GeneralPurpose> =
    LazyLock::new(|| base64::engine::GeneralPurpose::new(&base64::alphabet::URL_SAFE, NO_PAD));

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    ENGINE.encode(bytes)
}

/// The bytes of `text` at the start of `bytes`, and how many they are.
pub(crate) fn decode_into(text: &[u8], bytes: &mut [u8]) -> Result<usize, DecodeSliceError> {
    ENGINE.decode_slice(text, bytes)
}
