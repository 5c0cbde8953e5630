//! Tokens against forgeries: masked anew each time, of one session's secret, and dead with it.

use std::collections::HashMap;
use std::time::Duration;

use http::header::{HeaderMap, HeaderValue};
use http::{Method, Uri};
use tenure_core::{
    CsrfDemand, CsrfRefusal, CsrfRequest, CsrfTokens, Environment, Keyring, ManualClock, MemoryStore, Opened,
    Policy, Secret, Session, Sessions, Store,
};
use tenure_testkit::FaultyStore;

const SECRET: &str = "T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r";

fn sessions_with(keyring: Keyring, store: impl Store) -> Sessions {
    let policy = Policy::default()
        .environment(Environment::Development)
        .csrf_tokens(CsrfTokens::Demanded);
    Sessions::new(policy, keyring, store).unwrap()
}

fn sessions() -> Sessions {
    sessions_with(Keyring::new(Secret::new(SECRET)), MemoryStore::new())
}

/// What a browser sends along after this commit.
async fn commit(sessions: &Sessions, opened: &Opened, before: &HeaderMap) -> HeaderMap {
    let mut response = HeaderMap::new();
    sessions.commit(opened).await.unwrap().apply(&mut response);
    let mut next = before.clone();
    if let Some(set_cookie) = response.get("set-cookie") {
        let set_cookie = set_cookie.to_str().unwrap();
        next.clear();
        if !set_cookie.contains("Max-Age=0") {
            let pair = set_cookie.split(';').next().unwrap();
            next.insert("cookie", HeaderValue::from_str(pair).unwrap());
        }
    }
    next
}

async fn request<T>(
    sessions: &Sessions,
    cookie: &mut HeaderMap,
    handler: impl AsyncFnOnce(&Session) -> T,
) -> T {
    let opened = sessions.open(cookie);
    let session = opened.load().await.unwrap();
    let answer = handler(&session).await;
    *cookie = commit(sessions, &opened, cookie).await;
    answer
}

async fn token(sessions: &Sessions, cookie: &mut HeaderMap) -> String {
    request(sessions, cookie, async |session| {
        session.csrf_token().await.unwrap().to_string()
    })
    .await
}

/// What the check says of a POST with this token in the header.
fn posted(sessions: &Sessions, cookie: &HeaderMap, token: &str) -> Result<(), CsrfRefusal> {
    let mut headers = cookie.clone();
    headers.insert("x-csrf-token", HeaderValue::from_str(token).unwrap());
    let target = Uri::from_static("/transfer");
    let opened = sessions.open(&headers);
    match opened.check_csrf(&CsrfRequest::new(&Method::POST, &target, &headers))? {
        CsrfDemand::Nothing => Ok(()),
        CsrfDemand::InForm(_) => unreachable!("it has no content type"),
    }
}

async fn verified(sessions: &Sessions, cookie: &mut HeaderMap, token: &str) -> Result<(), CsrfRefusal> {
    request(sessions, cookie, async |session| {
        session.verify_csrf_token(token.as_bytes())
    })
    .await
}

/// A text of 86 characters is 64 random-looking bytes. A thousand of them have N = 1000 · 61 runs of four bytes. If the
/// bytes are uniform, N(N-1)/2 pairs of runs are equal with a chance of 2^-32 each, which makes 0.43 expected equal pairs;
/// by Poisson, ten or more have a chance of about 4 in 10^11. An unmasked token has at least 1000 · 999 / 2 in each place.
#[tokio::test]
async fn a_thousand_renderings_share_no_run_of_four_bytes_beyond_chance_and_all_verify() {
    use base64ct::{Base64UrlUnpadded, Encoding};
    const MOST_EQUAL_PAIRS: u64 = 9;

    let (sessions, mut cookie) = (sessions(), HeaderMap::new());
    let mut tokens = Vec::new();
    for _ in 0..1000 {
        tokens.push(token(&sessions, &mut cookie).await);
    }
    let mut runs: HashMap<[u8; 4], u64> = HashMap::new();
    for token in &tokens {
        for run in Base64UrlUnpadded::decode_vec(token).unwrap().windows(4) {
            *runs.entry(run.try_into().unwrap()).or_default() += 1;
        }
    }
    assert_eq!(runs.values().sum::<u64>(), 1000 * 61);
    let equal_pairs: u64 = runs.values().map(|count| count * (count - 1) / 2).sum();
    assert!(
        equal_pairs <= MOST_EQUAL_PAIRS,
        "{equal_pairs} pairs of equal runs"
    );

    for token in &tokens {
        assert_eq!(posted(&sessions, &cookie, token), Ok(()));
    }
    request(&sessions, &mut cookie, async |session| session.renew()).await;
    for token in &tokens {
        assert_eq!(posted(&sessions, &cookie, token), Err(CsrfRefusal::TokenWrong));
        assert_eq!(
            verified(&sessions, &mut cookie, token).await,
            Err(CsrfRefusal::TokenWrong)
        );
    }
}

#[tokio::test]
async fn a_token_dies_with_its_session_also_for_whoever_kept_the_cookie() {
    let (sessions, mut cookie) = (sessions(), HeaderMap::new());
    let token = token(&sessions, &mut cookie).await;
    assert_eq!(verified(&sessions, &mut cookie, &token).await, Ok(()));
    let mut kept = cookie.clone();
    request(&sessions, &mut cookie, async |session| session.destroy()).await;
    assert!(cookie.is_empty());
    assert_eq!(
        verified(&sessions, &mut kept, &token).await,
        Err(CsrfRefusal::TokenWrong)
    );
    assert_eq!(
        verified(&sessions, &mut HeaderMap::new(), &token).await,
        Err(CsrfRefusal::TokenWrong)
    );
}

#[tokio::test]
async fn signing_in_ends_the_tokens_from_before() {
    let (sessions, mut cookie) = (sessions(), HeaderMap::new());
    let before = token(&sessions, &mut cookie).await;
    request(&sessions, &mut cookie, async |session| {
        session.sign_in("ada").unwrap();
    })
    .await;
    assert_eq!(posted(&sessions, &cookie, &before), Err(CsrfRefusal::TokenWrong));
    let after = token(&sessions, &mut cookie).await;
    assert_eq!(posted(&sessions, &cookie, &after), Ok(()));
}

#[tokio::test]
async fn a_token_asked_for_after_a_renewal_in_the_same_request_is_of_the_new_secret() {
    let (sessions, mut cookie) = (sessions(), HeaderMap::new());
    request(&sessions, &mut cookie, async |session| {
        session.sign_in("ada").unwrap();
    })
    .await;
    let token = request(&sessions, &mut cookie, async |session| {
        session.renew();
        session.csrf_token().await.unwrap().to_string()
    })
    .await;
    assert_eq!(posted(&sessions, &cookie, &token), Ok(()));
}

/// A page may be open while a periodic renewal goes by, and its form must be good when it is sent at last.
#[tokio::test]
async fn a_token_outlives_the_periodic_renewals_of_its_session_and_not_one_that_takes_effect_at_once() {
    const INTERVAL: Duration = Duration::from_secs(10 * 60);
    let clock = ManualClock::default();
    let policy = Policy::default()
        .environment(Environment::Development)
        .renew_every(Some(INTERVAL))
        .csrf_tokens(CsrfTokens::Demanded);
    let sessions = Sessions::builder(policy, Keyring::new(Secret::new(SECRET)), MemoryStore::new())
        .clock(clock.clone())
        .build()
        .unwrap();
    let mut cookie = HeaderMap::new();
    request(&sessions, &mut cookie, async |session| {
        session.sign_in("ada").unwrap();
    })
    .await;
    let token = token(&sessions, &mut cookie).await;

    let mut cookies = 0;
    for _ in 0..9 {
        clock.advance(INTERVAL / 2);
        let before = cookie.clone();
        assert_eq!(posted(&sessions, &cookie, &token), Ok(()));
        assert_eq!(verified(&sessions, &mut cookie, &token).await, Ok(()));
        cookies += usize::from(cookie != before);
    }
    assert!(cookies >= 3, "the secret was renewed {cookies} times");
    request(&sessions, &mut cookie, async |session| session.renew()).await;
    assert_eq!(posted(&sessions, &cookie, &token), Err(CsrfRefusal::TokenWrong));
}

#[tokio::test]
async fn a_token_is_of_one_session_only() {
    let sessions = sessions();
    let (mut ada, mut eve) = (HeaderMap::new(), HeaderMap::new());
    let adas = token(&sessions, &mut ada).await;
    let eves = token(&sessions, &mut eve).await;
    assert_eq!(posted(&sessions, &ada, &eves), Err(CsrfRefusal::TokenWrong));
    assert_eq!(posted(&sessions, &eve, &adas), Err(CsrfRefusal::TokenWrong));
    assert_eq!(posted(&sessions, &ada, &adas), Ok(()));
}

#[tokio::test]
async fn a_token_outlives_the_rotation_of_the_applications_secret() {
    let store = FaultyStore::new(MemoryStore::new());
    let old = sessions_with(Keyring::new(Secret::new(SECRET)), store.clone());
    let mut cookie = HeaderMap::new();
    let token = token(&old, &mut cookie).await;
    let rotated =
        Keyring::new(Secret::new("Yb0yP2kV9rT4nXwE6uLsJ1dHfCaGzmQ7")).with_older(Secret::new(SECRET));
    let new = sessions_with(rotated, store);
    assert_eq!(posted(&new, &cookie, &token), Ok(()));
    let before = cookie.clone();
    assert_eq!(verified(&new, &mut cookie, &token).await, Ok(()));
    assert_ne!(cookie, before, "the cookie is signed anew");
    assert_eq!(posted(&new, &cookie, &token), Ok(()));
}

#[tokio::test]
async fn a_token_begins_a_session_with_nothing_in_it_and_writes_nothing_to_one_that_is_there() {
    let (sessions, mut cookie) = (sessions(), HeaderMap::new());
    let first = sessions.open(&cookie);
    let session = first.load().await.unwrap();
    assert_eq!(session.id(), None);
    session.csrf_token().await.unwrap();
    let id = session.id();
    assert!(id.is_some() && session.keys().is_empty() && session.owner().is_none());
    cookie = commit(&sessions, &first, &cookie).await;

    let second = sessions.open(&cookie);
    let session = second.load().await.unwrap();
    session.csrf_token().await.unwrap();
    assert_eq!(session.id(), id);
    let outgoing = second.commit_without_store().expect("there is nothing to write");
    assert!(!outgoing.sets_cookie());
}

#[tokio::test]
async fn a_token_in_a_request_whose_secret_was_replaced_is_worth_nothing_and_sets_no_cookie() {
    let (sessions, mut cookie) = (sessions(), HeaderMap::new());
    request(&sessions, &mut cookie, async |session| {
        session.sign_in("ada").unwrap();
    })
    .await;
    let mut old = cookie.clone();
    request(&sessions, &mut cookie, async |session| session.renew()).await;
    let before = old.clone();
    let token = token(&sessions, &mut old).await;
    assert_eq!(old, before);
    assert_eq!(posted(&sessions, &cookie, &token), Err(CsrfRefusal::TokenWrong));
}
