//! The whole `Cookie` header, as any client may send it: no panic, and no session out of nothing.
#![no_main]

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use tenure_core::{Environment, Keyring, MemoryStore, Policy, Secret, Sessions};

static SESSIONS: LazyLock<Sessions> = LazyLock::new(|| {
    // A short name that the fuzzer finds soon.
    let policy = Policy::default().environment(Environment::Development).cookie_name("s");
    Sessions::new(policy, Keyring::new(Secret::new("T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r")), MemoryStore::new())
        .expect("a fit policy")
});

fuzz_target!(|data: &[u8]| {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n') {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(COOKIE, value);
        }
    }
    let opened = SESSIONS.open(&headers);
    // A cookie is refused, and then removed; or there was none of this name, and nothing is set.
    let outgoing = opened.commit_without_store().expect("nothing was asked for");
    let names_it = data.windows(1).any(|window| window == b"s");
    assert!(names_it || !outgoing.sets_cookie());
});
