//! Bytes as hexadecimal digits.

use std::fmt;

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Writes two lower-case digits for each byte; all at once, for a store's key is made so with every request.
pub(crate) fn write_hex<const N: usize>(bytes: &[u8; N], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let pairs = bytes.map(|byte| [byte >> 4, byte & 0xf].map(|digit| DIGITS[usize::from(digit)]));
    f.write_str(std::str::from_utf8(pairs.as_flattened()).map_err(|_| fmt::Error)?)
}
