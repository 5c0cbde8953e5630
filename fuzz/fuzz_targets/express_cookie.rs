//! The `Cookie` header as an Express application reads it: nothing that no secret signed is genuine, and what one did
//! is found wherever it stands first.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tenure_core::express::{CookieSecrets, SidCookie};

// A short name that the fuzzer finds soon.
const NAME: &str = "s";

static SECRETS: LazyLock<CookieSecrets> =
    LazyLock::new(|| CookieSecrets::new("keyboard cat").with_older("older cat"));

fuzz_target!(|header: &str| {
    let read = SidCookie::read(header, NAME, &SECRETS);
    assert!(!matches!(read, SidCookie::Genuine(_)), "a forged cookie was taken for genuine");

    let value = SECRETS.cookie_value(header);
    let found = SidCookie::read(&format!("{NAME}={value}; {header}"), NAME, &SECRETS);
    assert_eq!(found, SidCookie::Genuine(header.to_owned()));
});
