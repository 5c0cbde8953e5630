//! Against the number of keys, of 20 bytes each.

use measure::Options;

use crate::{Growth, contents};

const NUMBERS: [u32; 6] = [1, 4, 16, 64, 256, 1_024];

pub fn measured(options: &Options) -> anyhow::Result<Growth> {
    let texts = |number| (0..number).map(|at| (name(at), "x".repeat(20))).collect();
    contents::measured("keys", "keys in the session", &NUMBERS, texts, options)
}

/// Keys are names in the program's text, so a made-up one lives as long as the program.
fn name(at: u32) -> &'static str {
    format!("key{at:04}").leak()
}
