//! A cookie's value under the right name: nothing that the keyring did not sign is genuine.
#![no_main]

use std::pin::pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use tenure_core::{Environment, Key, Keyring, MemoryStore, Policy, Secret, Sessions};

const NAME: &str = "__Host-session=";
const KEY: Key<bool> = Key::new("k");

static SESSIONS: LazyLock<Sessions> = LazyLock::new(|| {
    let policy = Policy::default().environment(Environment::Development);
    let keyring = Keyring::new(Secret::new("T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r"))
        .with_older(Secret::new("Yb0yP2kV9rT4nXwE6uLsJ1dHfCaGzmQ7"));
    Sessions::new(policy, keyring, MemoryStore::new()).expect("a fit policy")
});

static GENUINE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let sign = pin!(async {
        let opened = SESSIONS.open(&HeaderMap::new());
        opened.load().await.expect("memory").insert(KEY, &true).expect("small");
        let mut headers = HeaderMap::new();
        SESSIONS.commit(&opened).await.expect("memory").apply(&mut headers);
        let cookie = headers[SET_COOKIE].to_str().expect("ASCII").to_owned();
        let value = cookie.strip_prefix(NAME).and_then(|rest| rest.split(';').next()).expect("ours");
        value.as_bytes().to_vec()
    });
    match sign.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("the memory store answers at once"),
    }
});

fuzz_target!(|data: &[u8]| {
    must_be_refused(data);
    // The same over a part of a genuine value, so that the choice of a key and the tag are met too.
    if let Some((place, part)) = data.split_first() {
        let mut value = GENUINE.clone();
        let place = usize::from(*place) % value.len();
        let end = (place + part.len()).min(value.len());
        value[place..end].copy_from_slice(&part[..end - place]);
        if value != *GENUINE {
            must_be_refused(&value);
        }
    }
});

fn must_be_refused(value: &[u8]) {
    if value == *GENUINE || value.contains(&b';') {
        return;
    }
    let Ok(header) = HeaderValue::from_bytes(&[NAME.as_bytes(), value].concat()) else { return };
    let mut headers = HeaderMap::new();
    headers.insert(COOKIE, header);
    let opened = SESSIONS.open(&headers);
    // What is refused is removed; what is genuine is left alone until somebody asks for it.
    let outgoing = opened.commit_without_store().expect("nothing was asked for");
    assert!(outgoing.sets_cookie(), "a cookie that nobody signed was taken for genuine");
}
