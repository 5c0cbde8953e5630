//! The layer over real connections.

mod common;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use base64ct::{Base64UrlUnpadded, Encoding};
use common::{Browser, client, faulty_store, keyring, policy, serve, sessions};
use http::StatusCode;
use http::header::{COOKIE, SET_COOKIE};
use http_body_util::StreamBody;
use tenure_core::store::Operation;
use tenure_core::{Key, MemoryStore, Sessions};
use tenure_testkit::{SplitMix64, YieldingStore};
use tenure_tower::{Client, Session, SessionError, SessionLayer, SignedIn, TrustProxy};
use tokio::io::AsyncWriteExt;
use tokio::sync::Notify;

const COUNT: Key<u64> = Key::new("count");

async fn count(session: Session) -> Result<String, SessionError> {
    Ok(session.update(COUNT, |count| count.unwrap_or(0) + 1)?.to_string())
}

async fn read(session: Session) -> Result<String, SessionError> {
    Ok(session.get(COUNT)?.unwrap_or(0).to_string())
}

fn routes() -> Router {
    Router::new()
        .route("/count", get(count))
        .route("/read", get(read))
        .route(
            "/sign-in",
            get(async |session: Session| session.sign_in("ada").unwrap()),
        )
        .route("/sign-out", get(async |session: Session| session.sign_out()))
        .route("/me", get(async |user: SignedIn| user.owner().to_string()))
}

#[tokio::test]
async fn http_1_and_http_2_share_a_session() {
    let url = serve(routes().layer(SessionLayer::new(sessions(MemoryStore::new())))).await;
    let browser = Browser::default();
    let http_2 = reqwest::Client::builder()
        .http2_prior_knowledge()
        .build()
        .unwrap();
    let first = browser.get(&client(), &format!("{url}/count")).await;
    assert_eq!(first.version(), http::Version::HTTP_11);
    let second = browser.get(&http_2, &format!("{url}/count")).await;
    assert_eq!(second.version(), http::Version::HTTP_2);
    assert_eq!(second.text().await.unwrap(), "2");
}

#[tokio::test]
async fn the_page_after_a_redirect_always_sees_the_write_however_slow_the_store() {
    let store = faulty_store();
    store.delay(Duration::from_millis(80));
    let write = async |session: Session| -> Result<Redirect, SessionError> {
        session.update(COUNT, |count| count.unwrap_or(0) + 1)?;
        Ok(Redirect::to("/read"))
    };
    let url = serve(
        routes()
            .route("/write", get(write))
            .layer(SessionLayer::new(sessions(store))),
    )
    .await;
    let client = client();
    let (browser, url) = (Browser::default(), &url);
    for round in 1..=10 {
        let redirect = browser.get(&client, &format!("{url}/write")).await;
        assert_eq!(redirect.status(), StatusCode::SEE_OTHER);
        let next = browser.get(&client, &format!("{url}/read")).await;
        assert_eq!(next.text().await.unwrap(), round.to_string());
    }
}

/// 100 rounds, in each of which one request signs out while others write. The order in which they reach the
/// store is left to a seeded store that yields, and to the network.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_written_late_brings_a_session_back_after_sign_out() {
    const SEED: u64 = 7;
    let store = YieldingStore::new(MemoryStore::new(), SEED);
    let url = serve(routes().layer(SessionLayer::new(sessions(store)))).await;
    let (client, mut random) = (client(), SplitMix64::new(SEED));
    for round in 0..100 {
        let browser = Browser::default();
        browser.get(&client, &format!("{url}/sign-in")).await;
        let cookie = browser.cookie().unwrap();
        let mut paths = vec!["sign-out", "count", "count", "read", "count", "sign-in"];
        random.shuffle(&mut paths);
        let requests: Vec<_> = paths
            .into_iter()
            .map(|path| {
                let request = client.get(format!("{url}/{path}")).header(COOKIE, &cookie);
                tokio::spawn(async move { (path, request.send().await.unwrap()) })
            })
            .collect();
        let mut borne = vec![cookie.clone()];
        for request in requests {
            let (path, response) = request.await.unwrap();
            assert!(
                response.status().is_success(),
                "round {round} of seed {SEED}: {path}"
            );
            // A sign-in that came before renewed the session; one that came after began another one.
            let fresh = Browser::default();
            fresh.take_in(response.headers());
            borne.extend(
                fresh
                    .cookie()
                    .filter(|fresh| session_id(fresh) == session_id(&cookie)),
            );
        }
        for cookie in borne {
            let status = Browser::bearing(&cookie)
                .get(&client, &format!("{url}/me"))
                .await
                .status();
            assert_eq!(status, StatusCode::UNAUTHORIZED, "round {round} of seed {SEED}");
        }
    }
}

/// The session id within a cookie.
fn session_id(cookie: &str) -> Vec<u8> {
    let (_, value) = cookie.split_once('=').unwrap();
    Base64UrlUnpadded::decode_vec(value).unwrap()[5..21].to_vec()
}

#[tokio::test]
async fn a_planted_cookie_never_becomes_a_session() {
    let url = serve(routes().layer(SessionLayer::new(sessions(MemoryStore::new())))).await;
    let client = client();
    let attacker = Browser::default();
    attacker.get(&client, &format!("{url}/count")).await;
    let planted = attacker.cookie().unwrap();
    let victim = Browser::bearing(&planted);
    victim.get(&client, &format!("{url}/sign-in")).await;
    assert_ne!(victim.cookie().unwrap(), planted);
    assert_eq!(
        victim
            .get(&client, &format!("{url}/me"))
            .await
            .text()
            .await
            .unwrap(),
        "ada"
    );
    assert_eq!(
        attacker.get(&client, &format!("{url}/me")).await.status(),
        StatusCode::UNAUTHORIZED
    );
    let response = attacker.get(&client, &format!("{url}/read")).await;
    assert!(!response.headers().contains_key(SET_COOKIE));
    assert_eq!(response.text().await.unwrap(), "0");
}

#[tokio::test]
async fn a_streaming_body_goes_on_with_a_session_that_was_saved() {
    async fn stream(session: Session) -> Result<Response, SessionError> {
        session.insert(COUNT, &1)?;
        session.save().await?;
        let body = async_stream(move |step| {
            let session = session.clone();
            async move {
                session.update(COUNT, |count| count.unwrap_or(0) + 1).unwrap();
                session.save().await.unwrap();
                Bytes::from(format!("{step};"))
            }
        });
        Ok(Body::new(body).into_response())
    }
    let url = serve(
        routes()
            .route("/stream", get(stream))
            .layer(SessionLayer::new(sessions(MemoryStore::new()))),
    )
    .await;
    let (client, browser) = (client(), Browser::default());
    let response = browser.get(&client, &format!("{url}/stream")).await;
    assert!(browser.cookie().is_some());
    assert_eq!(response.text().await.unwrap(), "0;1;2;");
    assert_eq!(
        browser
            .get(&client, &format!("{url}/read"))
            .await
            .text()
            .await
            .unwrap(),
        "4"
    );
}

/// A body of three frames, each made by `step`.
fn async_stream<F, Fut>(
    step: F,
) -> impl http_body::Body<Data = Bytes, Error = std::io::Error> + Send + 'static
where
    F: Fn(u8) -> Fut + Send + 'static,
    Fut: Future<Output = Bytes> + Send + 'static,
{
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        for number in 0..3 {
            let frame = http_body::Frame::data(step(number).await);
            if sender.send(Ok(frame)).await.is_err() {
                return;
            }
        }
    });
    StreamBody::new(ReceiverStream(receiver))
}

struct ReceiverStream<T>(tokio::sync::mpsc::Receiver<T>);

impl<T> futures_core::Stream for ReceiverStream<T> {
    type Item = T;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<T>> {
        self.0.poll_recv(context)
    }
}

#[tokio::test]
async fn a_client_that_goes_away_in_the_middle_leaves_nothing_half_done() {
    let store = faulty_store();
    let (entered, dropped) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (enter, guard) = (Arc::clone(&entered), Arc::clone(&dropped));
    let slow = async move |session: Session| {
        let _told = NotifyOnDrop(Arc::clone(&guard));
        session.insert(COUNT, &99).unwrap();
        session.sign_out();
        enter.notify_one();
        std::future::pending::<()>().await;
    };
    let url = serve(
        routes()
            .route("/slow", get(slow))
            .layer(SessionLayer::new(sessions(store.clone()))),
    )
    .await;
    let (client, browser) = (client(), Browser::default());
    browser.get(&client, &format!("{url}/count")).await;
    store.reset_counts();

    let mut connection = tokio::net::TcpStream::connect(url.strip_prefix("http://").unwrap())
        .await
        .unwrap();
    let request = format!(
        "GET /slow HTTP/1.1\r\nHost: localhost\r\nCookie: {}\r\n\r\n",
        browser.cookie().unwrap()
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    entered.notified().await;
    drop(connection);
    dropped.notified().await;

    assert_eq!(store.calls(Operation::Load), 1);
    assert_eq!(store.total_calls(), 1, "nothing was written");
    assert_eq!(
        browser
            .get(&client, &format!("{url}/count"))
            .await
            .text()
            .await
            .unwrap(),
        "2"
    );
    browser.get(&client, &format!("{url}/sign-out")).await;
    assert_eq!(browser.cookie(), None, "and a later sign-out works");
}

struct NotifyOnDrop(Arc<Notify>);

impl Drop for NotifyOnDrop {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[tokio::test]
async fn hostile_cookie_headers_cost_no_store_call_and_no_server_error() {
    let store = faulty_store();
    let url = serve(routes().layer(SessionLayer::new(sessions(store.clone())))).await;
    let client = client();
    let thousand: String = (0..1_000)
        .map(|number| format!("__Host-session=v{number}; "))
        .collect();
    let bad_utf_8 = http::HeaderValue::from_bytes(b"__Host-session=\xff\xfe; a=\x80").unwrap();
    for header in [
        http::HeaderValue::from_str(&format!("__Host-session={}", "A".repeat(100 * 1024))).unwrap(),
        http::HeaderValue::from_str(&thousand).unwrap(),
        bad_utf_8,
        http::HeaderValue::from_static(";;;=;__Host-session;__Host-session=;__Host-session==;"),
    ] {
        let response = client
            .get(format!("{url}/read"))
            .header(COOKIE, header)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert!(
            response.headers()[SET_COOKIE]
                .to_str()
                .unwrap()
                .contains("Max-Age=0")
        );
    }
    assert_eq!(store.total_calls(), 0);
}

#[tokio::test]
async fn the_address_is_kept_only_if_asked_for_and_as_the_proxy_says() {
    for (records, expected) in [(false, None), (true, Some("203.0.113.9"))] {
        let policy = policy().record_client_address(records);
        let sessions = Sessions::new(policy, keyring(), MemoryStore::new()).unwrap();
        let layer = SessionLayer::new(sessions.clone()).trust_proxy(TrustProxy::hops(1));
        let who = async |client: Client| {
            client
                .address
                .map(|address| address.to_string())
                .unwrap_or_default()
        };
        let url = serve(routes().route("/who", get(who)).layer(layer)).await;
        let request = client()
            .get(format!("{url}/sign-in"))
            .header("x-forwarded-for", "198.51.100.1, 203.0.113.9");
        request.send().await.unwrap();
        let listed = sessions
            .of(tenure_core::Owner::new("ada").unwrap())
            .list(None)
            .await
            .unwrap();
        let kept = listed[0].device.address().map(|address| address.to_string());
        assert_eq!(kept.as_deref(), expected);
        let seen = client()
            .get(format!("{url}/who"))
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        assert_eq!(seen, "127.0.0.1");
    }
}
