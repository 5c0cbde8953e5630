//! Requests that another site had the browser send.

use reqwest::StatusCode;
use tenure_core::{CsrfRefusal, CsrfTokens, EventKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::csrf_cases::{self, CASES, Case};
use super::setup::{Setup, policy};
use super::{Door, Rendering};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// Every case of the table, as bytes on the wire.
pub async fn what_is_refused_as_a_forgery_has_no_effect_and_an_event<D: Door>() {
    let setup = Setup::with::<D>(csrf_cases::policy(), Rendering::Default).await;
    // The target of CONNECT is no URL in HTTP/1.
    for case in CASES.iter().filter(|case| case.method != "CONNECT") {
        let before = setup.app.times_reached();
        setup.events.clear();
        let status = status_of(setup.address(), case).await;
        let reached = setup.app.times_reached() - before;
        match case.outcome {
            Ok(()) => assert_eq!((status, reached), (200, 1), "{}", case.shown()),
            // Some servers refuse two hosts themselves (RFC 9112, section 3.2).
            Err(CsrfRefusal::RepeatedHeader) if status == 400 => assert_eq!(reached, 0),
            Err(refusal) => {
                assert_eq!((status, reached), (403, 0), "{}", case.shown());
                assert_eq!(
                    setup.events.kinds(),
                    [EventKind::CsrfRefused(refusal)],
                    "{}",
                    case.shown()
                );
            }
        }
    }
}

async fn status_of(address: &str, case: &Case) -> u16 {
    let target = match case.target {
        "/" => "/anything",
        target => target,
    };
    // Only HTTP/1.0 may come without a host.
    let names_host = case.headers.iter().any(|(name, _)| *name == "host");
    let version = if names_host { "1.1" } else { "1.0" };
    let mut request = format!("{} {target} HTTP/{version}\r\n", case.method);
    for (name, value) in case.headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    // A proxy names the client, too.
    request.push_str("x-forwarded-for: 192.0.2.1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let mut connection = TcpStream::connect(address).await.expect("a server");
    connection.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.expect("an answer");
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.split(' ').nth(1);
    status
        .and_then(|status| status.parse().ok())
        .unwrap_or_else(|| panic!("{}: {answer}", case.shown()))
}

async fn demanding<D: Door>() -> Setup {
    let policy = policy().csrf_tokens(CsrfTokens::Demanded);
    Setup::with::<D>(policy, Rendering::Default).await
}

/// `X-CSRF-Token`.
pub async fn a_demanded_token_is_taken_from_the_header<D: Door>() {
    let setup = demanding::<D>().await;
    let ada = setup.ada().await;
    let token = ada.get("/token").await.text;
    let post = async |token: &str| ada.post_with("/count", &[("x-csrf-token", token)], "").await;
    assert_eq!(post(&token).await.text, "1");
    assert_eq!(ada.post("/count").await.status, StatusCode::FORBIDDEN);
    assert_eq!(post("").await.status, StatusCode::FORBIDDEN);
    let others = setup.ada().await.get("/token").await.text;
    assert_eq!(post(&others).await.status, StatusCode::FORBIDDEN);
    assert_eq!(ada.get("/read").await.text, "1");
}

/// `_csrf`, wherever it stands.
pub async fn a_demanded_token_is_taken_from_a_form_which_arrives_whole<D: Door>() {
    let setup = demanding::<D>().await;
    let ada = setup.ada().await;
    let token = ada.get("/token").await.text;
    let filler = "x".repeat(10_000);
    for body in [
        format!("_csrf={token}&amount=12&filler={filler}"),
        format!("filler={filler}&amount=12&_csrf={token}"),
    ] {
        let answer = ada.post_with("/form", &[FORM], &body).await;
        assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "12"));
    }
    for body in ["amount=12", "amount=12&_csrf=", "amount=12&_csrf=wrong"] {
        let answer = ada.post_with("/form", &[FORM], body).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{body}");
    }
}

/// Where the handler asks, and not the policy.
pub async fn a_form_that_asks_for_a_token_gets_none_without_one<D: Door>() {
    let setup = Setup::new::<D>().await;
    let ada = setup.ada().await;
    let token = ada.get("/token").await.text;
    let post = async |body: &str| ada.post_with("/guarded-form", &[FORM], body).await;
    assert_eq!(post(&format!("_csrf={token}&amount=12")).await.text, "12");
    assert_eq!(post("amount=12").await.status, StatusCode::FORBIDDEN);
    assert_eq!(post("_csrf=wrong&amount=12").await.status, StatusCode::FORBIDDEN);
    let by_header = ada
        .post_with("/guarded-form", &[FORM, ("x-csrf-token", &token)], "amount=12")
        .await;
    assert_eq!(by_header.text, "12");
    let wrong_form = post(&format!("_csrf={token}&sum=12")).await;
    assert!(wrong_form.status.is_client_error() && wrong_form.status != StatusCode::FORBIDDEN);
}

/// Renewal and sign-out end it.
pub async fn a_token_dies_with_its_session<D: Door>() {
    let setup = Setup::new::<D>().await;
    for end in ["/renew", "/sign-out"] {
        let ada = setup.ada().await;
        let body = format!("_csrf={}&amount=12", ada.get("/token").await.text);
        assert_eq!(ada.post_with("/guarded-form", &[FORM], &body).await.text, "12");
        ada.post(end).await;
        let late = ada.post_with("/guarded-form", &[FORM], &body).await;
        assert_eq!(late.status, StatusCode::FORBIDDEN, "{end}");
    }
}
