//! Sessions that are shared with an Express application: what a request does to the store and to the cookie. The Express
//! application's side is played by writes to the store as its stores make them.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use http::header::{COOKIE, SET_COOKIE};
use tenure_core::express::{
    CookieSecrets, ExpressCookie, ExpressExpiry, ExpressOpened, ExpressSession, ExpressSessions,
    ExpressSessionsBuilder, ExpressStore, MemoryExpressStore, Replaced, SidCookie,
};
use tenure_core::store::{Inserted, Operation, StoreError, StoreFuture};
use tenure_core::{Clock, CommitError, DataError, Key, LoadError, ManualClock, Timestamp};

const VISITS: Key<u32> = Key::new("visits");
const NAME: Key<String> = Key::new("name");
const SECRET: &str = "keyboard cat";

/// A service, and the store that it shares with an Express application.
struct Service {
    sessions: ExpressSessions,
    store: Arc<MemoryExpressStore>,
    clock: ManualClock,
}

impl Service {
    fn new() -> Self {
        Self::with(|sessions| sessions.max_age(Duration::from_secs(60)))
    }

    fn with(options: impl FnOnce(ExpressSessionsBuilder) -> ExpressSessionsBuilder) -> Self {
        let store = Arc::new(MemoryExpressStore::new());
        let clock = ManualClock::default();
        let builder = ExpressSessions::builder(CookieSecrets::new(SECRET), Arc::clone(&store));
        let sessions = options(builder.clock(clock.clone())).build().unwrap();
        Self {
            sessions,
            store,
            clock,
        }
    }

    async fn load(&self, cookie: Option<&str>) -> (ExpressOpened, ExpressSession) {
        let opened = self.sessions.open(&request(cookie));
        let session = opened.load().await.unwrap();
        (opened, session)
    }

    /// The `Set-Cookie` of the response.
    async fn commit(&self, opened: &ExpressOpened) -> Option<String> {
        let mut headers = HeaderMap::new();
        self.sessions.commit(opened).await.unwrap().apply(&mut headers);
        headers
            .get(SET_COOKIE)
            .map(|cookie| cookie.to_str().unwrap().to_owned())
    }

    /// A whole request.
    async fn request(&self, cookie: Option<&str>, handler: impl FnOnce(&ExpressSession)) -> Option<String> {
        let (opened, session) = self.load(cookie).await;
        handler(&session);
        self.commit(&opened).await
    }

    /// A session with a first visit, as the browser has it.
    async fn visited(&self) -> String {
        let set_cookie = self.request(None, visit).await.unwrap();
        set_cookie.split(';').next().unwrap().to_owned()
    }

    /// What the Express application would find.
    async fn json(&self, cookie: &str) -> Option<String> {
        self.store.load(&sid(cookie), self.clock.now()).await.unwrap()
    }

    /// What an Express application does when it writes: it writes over whatever is there.
    async fn express_writes(&self, cookie: &str, json: &str) {
        let (sid, now) = (sid(cookie), self.clock.now());
        let expiry = ExpressExpiry {
            now,
            ends_at: Some(now.plus(Duration::from_secs(60))),
        };
        self.store.remove(&sid).await.unwrap();
        self.store.insert(&sid, json, expiry).await.unwrap();
    }
}

fn request(cookie: Option<&str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(cookie) = cookie {
        headers.insert(COOKIE, cookie.parse().unwrap());
    }
    headers
}

fn sid(cookie: &str) -> String {
    match SidCookie::read(cookie, "connect.sid", &CookieSecrets::new(SECRET)) {
        SidCookie::Genuine(sid) => sid,
        other => panic!("{other:?}"),
    }
}

fn visit(session: &ExpressSession) {
    session.update(VISITS, |visits| visits.unwrap_or(0) + 1).unwrap();
}

#[tokio::test]
async fn a_new_session_is_a_record_and_a_cookie_as_express_session_makes_them() {
    let service = Service::with(|sessions| {
        sessions
            .max_age(Duration::from_secs(60))
            .cookie(ExpressCookie::like_express_session())
    });
    let set_cookie = service.request(None, visit).await.unwrap();
    let (cookie, attributes) = set_cookie.split_once("; ").unwrap();
    assert_eq!(
        attributes,
        "Path=/; Expires=Thu, 01 Jan 2026 00:01:00 GMT; HttpOnly"
    );
    assert_eq!(sid(cookie).len(), 32);
    assert_eq!(
        service.json(cookie).await.unwrap(),
        r#"{"cookie":{"originalMaxAge":60000,"expires":"2026-01-01T00:01:00.000Z","httpOnly":true,"path":"/"},"visits":1}"#
    );
}

#[tokio::test]
async fn a_request_that_writes_nothing_makes_no_session() {
    let service = Service::new();
    let set_cookie = service.request(None, |session| assert_eq!(session.get(VISITS).unwrap(), None));
    assert_eq!(set_cookie.await, None);
    assert_eq!(service.request(None, ExpressSession::clear).await, None);
    assert_eq!(service.request(None, ExpressSession::regenerate).await, None);
    assert_eq!(service.request(None, ExpressSession::destroy).await, None);
}

#[tokio::test]
async fn what_express_wrote_is_read_and_what_it_keeps_to_itself_is_written_back_byte_for_byte() {
    let service = Service::new();
    let cookie = service.visited().await;
    let by_express = r#"{"cookie":{"originalMaxAge":60000,"expires":"2026-01-01T00:01:00.000Z","httpOnly":true,"path":"/","custom":[1.50]},"z":{"b":1e2,"a":"\u00e9"},"visits":41,"a":null}"#;
    service.express_writes(&cookie, by_express).await;
    service.request(Some(&cookie), visit).await;
    assert_eq!(
        service.json(&cookie).await.unwrap(),
        by_express.replace("41", "42")
    );
}

#[tokio::test]
async fn a_session_that_express_ended_is_gone_and_its_id_is_never_adopted() {
    let service = Service::new();
    let cookie = service.visited().await;
    service.store.remove(&sid(&cookie)).await.unwrap();
    let (opened, session) = service.load(Some(&cookie)).await;
    assert!(!session.is_loaded());
    visit(&session);
    let set_cookie = service.commit(&opened).await.unwrap();
    assert_ne!(sid(set_cookie.split(';').next().unwrap()), sid(&cookie));
    assert_eq!(service.json(&cookie).await, None);
}

#[tokio::test]
async fn an_expired_session_is_never_adopted_either() {
    let service = Service::new();
    let cookie = service.visited().await;
    service.clock.advance(Duration::from_secs(61));
    let set_cookie = service.request(Some(&cookie), visit).await.unwrap();
    assert_ne!(sid(set_cookie.split(';').next().unwrap()), sid(&cookie));
}

#[tokio::test]
async fn forged_and_unsigned_cookies_ask_the_store_nothing() {
    let sessions = ExpressSessions::builder(CookieSecrets::new(SECRET), Failing)
        .build()
        .unwrap();
    let genuine = CookieSecrets::new("another secret").cookie_value("sid");
    for cookie in [
        "connect.sid=sid".to_owned(),
        "connect.sid=s%3Asid.x".to_owned(),
        format!("connect.sid={genuine}"),
        format!("other.sid={}", CookieSecrets::new(SECRET).cookie_value("sid")),
    ] {
        let session = sessions.open(&request(Some(&cookie))).load().await.unwrap();
        assert!(!session.is_loaded(), "{cookie}");
    }
}

#[tokio::test]
async fn a_cookie_that_an_older_secret_signed_is_taken_and_one_split_over_headers_is_found() {
    let service = Service::new();
    let cookie = service.visited().await;
    let secrets = CookieSecrets::new("this year's").with_older(SECRET);
    let sessions = ExpressSessions::builder(secrets, Arc::clone(&service.store))
        .clock(service.clock.clone())
        .build()
        .unwrap();
    let mut headers = request(Some("theme=dark"));
    headers.append(COOKIE, cookie.parse().unwrap());
    let session = sessions.open(&headers).load().await.unwrap();
    assert_eq!(session.get(VISITS).unwrap(), Some(1));
}

#[tokio::test]
async fn every_request_that_looks_at_the_session_lets_it_live_on() {
    let service = Service::new();
    let cookie = service.visited().await;
    let json = service.json(&cookie).await;
    for _ in 0..3 {
        service.clock.advance(Duration::from_secs(50));
        assert_eq!(service.request(Some(&cookie), |_| ()).await, None);
    }
    assert_eq!(service.json(&cookie).await, json, "and its JSON is left alone");
    service.clock.advance(Duration::from_secs(50));
    let unasked = service.sessions.open(&request(Some(&cookie)));
    assert!(unasked.is_unasked());
    assert_eq!(service.commit(&unasked).await, None);
    service.clock.advance(Duration::from_secs(11));
    assert_eq!(service.json(&cookie).await, None);
}

#[tokio::test]
async fn the_cookie_is_set_when_express_session_would_set_it() {
    // Of a known session: if it has changed and the cookie expires, or with `rolling`.
    for (max_age, rolling, on_read, on_write) in [
        (Some(60), false, false, true),
        (Some(60), true, true, true),
        (None, false, false, false),
        (None, true, true, true),
    ] {
        let service = Service::with(|sessions| match max_age {
            Some(seconds) => sessions.rolling(rolling).max_age(Duration::from_secs(seconds)),
            None => sessions.rolling(rolling),
        });
        let cookie = service.visited().await;
        service.clock.advance(Duration::from_secs(1));
        let read = service.request(Some(&cookie), |_| ()).await;
        assert_eq!(read.is_some(), on_read, "{max_age:?} {rolling}");
        let written = service.request(Some(&cookie), visit).await;
        assert_eq!(written.is_some(), on_write, "{max_age:?} {rolling}");
        for set_cookie in read.into_iter().chain(written) {
            assert!(
                set_cookie.starts_with(&format!("{cookie}; Path=/")),
                "{set_cookie}"
            );
            let expires = set_cookie.contains("; Expires=Thu, 01 Jan 2026 00:01:01 GMT");
            assert_eq!(expires, max_age.is_some(), "{set_cookie}");
        }
    }
}

#[tokio::test]
async fn writing_what_is_there_already_is_no_change() {
    let service = Service::new();
    let cookie = service.visited().await;
    let set_cookie = service.request(Some(&cookie), |session| {
        session.insert(VISITS, &1).unwrap();
        session.update(VISITS, |visits| visits.unwrap_or(0)).unwrap();
        session.remove(NAME);
    });
    assert_eq!(set_cookie.await, None);
}

#[tokio::test]
async fn values_are_written_removed_and_listed() {
    let service = Service::new();
    let cookie = service.visited().await;
    let handler = |session: &ExpressSession| {
        session.insert(NAME, &"Ada".to_owned()).unwrap();
        assert_eq!(session.keys(), ["name", "visits"]);
        session.remove(VISITS);
        assert_eq!(session.get(VISITS).unwrap(), None);
        assert_eq!(session.keys(), ["name"]);
    };
    service.request(Some(&cookie), handler).await;
    assert!(
        service
            .json(&cookie)
            .await
            .unwrap()
            .ends_with(r#"},"name":"Ada"}"#)
    );
    service.request(Some(&cookie), ExpressSession::clear).await;
    assert!(
        service
            .json(&cookie)
            .await
            .unwrap()
            .ends_with(r#""path":"/","sameSite":"lax"}}"#)
    );
}

#[tokio::test]
async fn a_key_that_express_would_drop_is_refused() {
    let service = Service::new();
    let (_, session) = service.load(None).await;
    for key in ["cookie", "id", "save", "__proto__"] {
        let key: Key<u32> = Key::new(key);
        let refused = session.insert(key, &1).unwrap_err();
        assert!(matches!(refused, DataError::Reserved { .. }), "{refused}");
        session.update(key, |_| 1).unwrap_err();
    }
}

#[tokio::test]
async fn what_is_too_large_is_refused_when_it_is_written() {
    let service = Service::with(|sessions| sessions.max_data_bytes(300));
    let cookie = service.visited().await;
    let (opened, session) = service.load(Some(&cookie)).await;
    let refused = session.insert(NAME, &"x".repeat(299)).unwrap_err();
    assert!(matches!(
        refused,
        DataError::TooLarge {
            bytes: 301,
            limit: 300,
            ..
        }
    ));
    session.insert(NAME, &"x".repeat(250)).unwrap();
    let refused = service.sessions.commit(&opened).await.unwrap_err();
    assert!(
        matches!(refused, CommitError::TooLarge { limit: 300, .. }),
        "{refused}"
    );
}

#[tokio::test]
async fn writes_to_different_keys_both_win_whichever_service_made_them() {
    let service = Service::new();
    let cookie = service.visited().await;
    let (opened, session) = service.load(Some(&cookie)).await;
    session.insert(NAME, &"Ada".to_owned()).unwrap();
    visit(&session);
    let json = service.json(&cookie).await.unwrap();
    let by_express = json.replace(r#""visits":1"#, r#""visits":10,"cart":[7]"#);
    service.express_writes(&cookie, &by_express).await;
    service.commit(&opened).await;
    assert!(
        service
            .json(&cookie)
            .await
            .unwrap()
            .ends_with(r#""visits":11,"cart":[7],"name":"Ada"}"#)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_requests_at_once_no_update_is_lost() {
    let service = Arc::new(Service::new());
    let cookie: Arc<str> = service.visited().await.into();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let (service, cookie) = (Arc::clone(&service), Arc::clone(&cookie));
        tasks.spawn(async move { service.request(Some(&cookie), visit).await });
    }
    tasks.join_all().await;
    let (_, session) = service.load(Some(&cookie)).await;
    assert_eq!(session.get(VISITS).unwrap(), Some(201));
}

#[tokio::test]
async fn a_late_write_does_not_bring_an_ended_session_back_and_sets_no_cookie() {
    for rolling in [false, true] {
        let service = Service::with(|sessions| sessions.max_age(Duration::from_secs(60)).rolling(rolling));
        let cookie = service.visited().await;
        let (writer, session) = service.load(Some(&cookie)).await;
        visit(&session);
        let (reader, _) = service.load(Some(&cookie)).await;
        let (mover, session) = service.load(Some(&cookie)).await;
        session.regenerate();

        let removal = service
            .request(Some(&cookie), ExpressSession::destroy)
            .await
            .unwrap();
        assert!(
            removal.starts_with("connect.sid=; Path=/; Expires=Thu, 01 Jan 1970"),
            "{removal}"
        );
        for late in [writer, reader, mover] {
            assert_eq!(service.commit(&late).await, None);
        }
        assert!(service.store.is_empty());
    }
}

#[tokio::test]
async fn writing_after_destroying_begins_another_session() {
    let service = Service::new();
    let cookie = service.visited().await;
    let set_cookie = service.request(Some(&cookie), |session| {
        session.destroy();
        assert_eq!(session.get(VISITS).unwrap(), None);
        session.insert(NAME, &"Ada".to_owned()).unwrap();
    });
    let set_cookie = set_cookie.await.unwrap();
    let other = set_cookie.split(';').next().unwrap();
    assert_ne!(sid(other), sid(&cookie));
    assert_eq!(service.json(&cookie).await, None);
    assert!(service.json(other).await.unwrap().ends_with(r#"},"name":"Ada"}"#));
}

#[tokio::test]
async fn a_regenerated_session_has_its_data_under_another_id_and_the_old_id_opens_nothing() {
    let service = Service::new();
    let cookie = service.visited().await;
    let set_cookie = service.request(Some(&cookie), |session| {
        session.regenerate();
        visit(session);
    });
    let set_cookie = set_cookie.await.unwrap();
    let other = set_cookie.split(';').next().unwrap();
    assert_ne!(sid(other), sid(&cookie));
    assert_eq!(service.json(&cookie).await, None);
    let (_, session) = service.load(Some(other)).await;
    assert_eq!(session.get(VISITS).unwrap(), Some(2));
}

#[tokio::test]
async fn regenerating_loses_no_write_that_another_request_makes_meanwhile() {
    let service = Service::new();
    let cookie = service.visited().await;
    let (opened, session) = service.load(Some(&cookie)).await;
    session.regenerate();
    visit(&session);
    service.request(Some(&cookie), visit).await;
    let set_cookie = service.commit(&opened).await.unwrap();
    let (_, session) = service.load(set_cookie.split(';').next()).await;
    assert_eq!(session.get(VISITS).unwrap(), Some(3));
    assert_eq!(service.json(&cookie).await, None);
    assert_eq!(service.store.len(), 1);
}

#[tokio::test]
async fn a_store_that_fails_is_an_error_and_no_empty_session() {
    let sessions = ExpressSessions::builder(CookieSecrets::new(SECRET), Failing)
        .build()
        .unwrap();
    let cookie = format!("connect.sid={}", CookieSecrets::new(SECRET).cookie_value("sid"));
    let failed = sessions.open(&request(Some(&cookie))).load().await.unwrap_err();
    assert!(matches!(failed, LoadError::Store(StoreError::Unavailable { .. })));

    let opened = sessions.open(&request(None));
    visit(&opened.load().await.unwrap());
    let failed = sessions.commit(&opened).await.unwrap_err();
    assert!(matches!(
        failed,
        CommitError::Store(StoreError::Unavailable { .. })
    ));
    sessions.ping().await.unwrap_err();
}

#[tokio::test]
async fn a_record_that_express_session_did_not_write_is_an_error_that_shows_nothing_of_it() {
    let service = Service::new();
    let cookie = service.visited().await;
    service.express_writes(&cookie, r#"{"secret":"plan"}"#).await;
    let opened = service.sessions.open(&request(Some(&cookie)));
    let failed = opened.load().await.unwrap_err();
    assert!(matches!(
        failed,
        LoadError::Store(StoreError::Corrupt { what: "JSON", .. })
    ));
    assert!(!format!("{failed:?}").contains("plan"));
    assert!(service.json(&cookie).await.is_some(), "it is left alone");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_is_waited_for_no_longer_than_the_deadline() {
    let sessions = ExpressSessions::builder(CookieSecrets::new(SECRET), Hanging)
        .store_deadline(Duration::from_millis(300))
        .build()
        .unwrap();
    let opened = sessions.open(&request(None));
    visit(&opened.load().await.unwrap());
    let failed = sessions.commit(&opened).await.unwrap_err();
    assert!(matches!(failed, CommitError::Store(StoreError::TimedOut { .. })));
}

/// A store that is not there.
struct Failing;

/// A store that never answers.
struct Hanging;

fn unavailable<'a, T: Send + 'a>(operation: Operation) -> StoreFuture<'a, T> {
    Box::pin(async move {
        Err(StoreError::Unavailable {
            store: "failing",
            operation,
            source: "down".into(),
        })
    })
}

fn never<'a, T: Send + 'a>(_: Operation) -> StoreFuture<'a, T> {
    Box::pin(std::future::pending())
}

macro_rules! always {
    ($store:ty, $answer:ident) => {
        impl ExpressStore for $store {
            fn name(&self) -> &'static str {
                "failing"
            }

            fn load<'a>(&'a self, _: &'a str, _: Timestamp) -> StoreFuture<'a, Option<String>> {
                $answer(Operation::Load)
            }

            fn insert<'a>(&'a self, _: &'a str, _: &'a str, _: ExpressExpiry) -> StoreFuture<'a, Inserted> {
                $answer(Operation::Insert)
            }

            fn replace<'a>(
                &'a self,
                _: &'a str,
                _: &'a str,
                _: &'a str,
                _: ExpressExpiry,
            ) -> StoreFuture<'a, Replaced> {
                $answer(Operation::Update)
            }

            fn touch<'a>(&'a self, _: &'a str, _: ExpressExpiry) -> StoreFuture<'a, bool> {
                $answer(Operation::Update)
            }

            fn remove<'a>(&'a self, _: &'a str) -> StoreFuture<'a, bool> {
                $answer(Operation::Remove)
            }

            fn remove_unchanged<'a>(
                &'a self,
                _: &'a str,
                _: &'a str,
                _: Timestamp,
            ) -> StoreFuture<'a, Replaced> {
                $answer(Operation::Remove)
            }

            fn ping(&self) -> StoreFuture<'_, ()> {
                $answer(Operation::Ping)
            }
        }
    };
}

always!(Failing, unavailable);
always!(Hanging, never);
