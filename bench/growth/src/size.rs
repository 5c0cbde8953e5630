//! Against the size of the session, in one text.

use measure::Options;

use crate::{Growth, contents};

const SIZES: [u32; 7] = [100, 400, 1_024, 4_096, 16_384, 32_768, 65_536];

pub fn measured(options: &Options) -> anyhow::Result<Growth> {
    let text = |size| vec![("text", "x".repeat(size as usize))];
    contents::measured("size", "bytes in the session", &SIZES, text, options)
}
