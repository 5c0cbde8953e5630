//! Cookie headers that no browser sends: no panic, and no question to the store.

mod common;

use common::*;
use http::header::{COOKIE, USER_AGENT};
use http::{HeaderMap, HeaderValue};
use tenure_core::{EventKind, Keyring, Refusal, Secret};
use tenure_testkit::SplitMix64;

const NAME: &str = "__Host-session";

fn headers(values: &[Vec<u8>]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(COOKIE, HeaderValue::from_bytes(value).unwrap());
    }
    headers
}

/// The request is answered as one without a session, and the store never hears of it.
async fn assert_refused_without_the_store(app: &App, headers: &HeaderMap, expected: Option<Refusal>) {
    app.store.reset_counts();
    app.events.clear();
    let opened = app.sessions.open(headers);
    let session = opened.load().await.unwrap();
    assert_eq!((session.id(), session.get(COUNT).unwrap()), (None, None));
    let sent = SentCookie::from_response(&response(app.sessions.commit(&opened).await.unwrap()));
    assert_eq!(app.store.total_calls(), 0);
    match expected {
        None => {
            assert_eq!(sent, SentCookie::None);
            assert_eq!(app.events.kinds(), []);
        }
        Some(refusal) => {
            sent.removal();
            assert_eq!(app.events.kinds(), [EventKind::CookieRefused(refusal)]);
        }
    }
}

#[tokio::test]
async fn a_header_of_100_kib_is_refused() {
    let app = App::new();
    let long = "A".repeat(100 * 1024);
    let malformed = Some(Refusal::Malformed);
    for value in [
        format!("{NAME}={long}"),
        format!("{NAME}={};{long}", &long[..92]),
        format!("{NAME}={}", ";".repeat(100 * 1024)),
    ] {
        assert_refused_without_the_store(&app, &headers(&[value.into_bytes()]), malformed).await;
    }
    for value in [
        long.clone(),
        format!("{long}={long}"),
        ";".repeat(100 * 1024),
        "=".repeat(100 * 1024),
    ] {
        assert_refused_without_the_store(&app, &headers(&[value.into_bytes()]), None).await;
    }
}

#[tokio::test]
async fn a_thousand_cookies_of_our_name_are_one_refusal() {
    let app = App::new();
    let forged = headers(&[vec![format!("{NAME}={}", "A".repeat(92)); 1_000]
        .join("; ")
        .into_bytes()]);
    assert_refused_without_the_store(&app, &forged, Some(Refusal::Malformed)).await;
    let elsewhere = App::new()
        .beside(policy(), Keyring::new(Secret::new(OTHER_SECRET)))
        .visitor()
        .await;
    let pair = format!("{NAME}={}", elsewhere.value());
    let one_header = headers(&[vec![pair.clone(); 1_000].join(";").into_bytes()]);
    assert_refused_without_the_store(&app, &one_header, Some(Refusal::Forged)).await;
    let many_headers = headers(&vec![pair.into_bytes(); 1_000]);
    assert_refused_without_the_store(&app, &many_headers, Some(Refusal::Forged)).await;
}

#[tokio::test]
async fn odd_bytes_and_odd_forms_are_refused() {
    let app = App::new();
    let malformed: [&[u8]; 9] = [
        b"__Host-session=",
        b"__Host-session=\"\"",
        b"__Host-session=; __Host-session=",
        b"__Host-session=\xff\xfe\xfd",
        b"\xff\xff=\xff; __Host-session=\xc3\x28",
        b"__Host-session===",
        b"__Host-session=%00%00",
        b"__Host-session=j:{\"a\":1}",
        b" \t__Host-session = x",
    ];
    for value in malformed {
        assert_refused_without_the_store(&app, &headers(&[value.to_vec()]), Some(Refusal::Malformed)).await;
    }
    let none_of_ours: [&[u8]; 8] = [
        b"",
        b";;;;",
        b"=",
        b"__Host-session",
        b"__host-session=x",
        b"x__Host-session=x",
        b"__Host-sessionx=x",
        b"\xff=\xfe",
    ];
    for value in none_of_ours {
        assert_refused_without_the_store(&app, &headers(&[value.to_vec()]), None).await;
    }
}

#[tokio::test]
async fn every_cookie_that_is_a_character_off_is_refused() {
    let app = App::new();
    let genuine = app.visitor().await.value().to_owned();
    for at in 0..genuine.len() {
        for replacement in ["A", "B", "-", "="] {
            if &genuine[at..=at] == replacement {
                continue;
            }
            let mut value = genuine.clone();
            value.replace_range(at..=at, replacement);
            let opened = app
                .sessions
                .open(&headers(&[format!("{NAME}={value}").into_bytes()]));
            app.store.reset_counts();
            assert_eq!(opened.load().await.unwrap().id(), None, "{at} {replacement}");
            assert_eq!(app.store.total_calls(), 0);
        }
    }
}

#[tokio::test]
async fn random_bytes_are_survived() {
    let app = App::new();
    let genuine = app.visitor().await.value().to_owned();
    for seed in 0..2_000 {
        let mut random = SplitMix64::new(seed);
        let mut value = format!("{NAME}={genuine}").into_bytes();
        for _ in 0..=random.below(8) {
            let at = random.below(value.len() as u64) as usize;
            // Any byte that a header may have: what else arrives, the HTTP server refuses.
            let byte = 0x20 + random.below(0xe0) as u8;
            value[at] = if byte == 0x7f { b'\t' } else { byte };
        }
        if value == format!("{NAME}={genuine}").into_bytes() {
            continue;
        }
        app.store.reset_counts();
        let opened = app.sessions.open(&headers(&[value]));
        // A change of the name, or white space around, may leave nothing to refuse or the genuine value.
        opened.load().await.unwrap();
        let _ = app.sessions.commit(&opened).await.unwrap();
        assert!(app.store.total_calls() <= 1, "seed {seed}");
    }
}

#[tokio::test]
async fn a_hostile_user_agent_is_cut_and_cleaned() {
    let app = App::new();
    for bytes in [
        vec![b'x'; 100 * 1024],
        vec![0xff; 1_000],
        "\u{1f980}".repeat(1_000).into_bytes(),
        b"a\tb".to_vec(),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_bytes(&bytes).unwrap());
        let opened = app.sessions.open(&headers);
        let session = opened.load().await.unwrap();
        session.insert(COUNT, &1).unwrap();
        let _ = app.sessions.commit(&opened).await.unwrap();
        let device = app.record(session.id().unwrap()).await.unwrap().device;
        let user_agent = device.user_agent().unwrap();
        assert!(user_agent.len() <= 256 && !user_agent.contains(char::is_control));
    }
}
