//! What is told of sessions that are shared with an Express application: each thing once, and nothing that opens one.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::header::{COOKIE, ORIGIN, SET_COOKIE, USER_AGENT};
use http::{HeaderMap, Method, Uri};
use tenure_core::express::{
    CookieSecrets, ExpressExpiry, ExpressOpened, ExpressSession, ExpressSessions, ExpressStore,
    MemoryExpressStore,
};
use tenure_core::store::Operation;
use tenure_core::{Clock, CsrfRequest, Dropped, Event, EventKind, Key, Refusal, SystemClock};

const NOTE: Key<String> = Key::new("note");
const PLACE: Key<String> = Key::new("place");
const SECRET: &str = "keyboard cat";
const CONFIDENTIAL: &str = "the launch is on tuesday";

/// A service whose events are collected.
struct Service {
    sessions: ExpressSessions,
    told: Arc<Mutex<Vec<Event>>>,
}

impl Service {
    fn on(store: impl ExpressStore) -> Self {
        let told = Arc::<Mutex<Vec<Event>>>::default();
        let telling = Arc::clone(&told);
        let sessions = ExpressSessions::builder(CookieSecrets::new(SECRET), store)
            .listener(move |event: &Event| telling.lock().unwrap().push(event.clone()))
            .build()
            .unwrap();
        Self { sessions, told }
    }

    async fn load(&self, cookie: Option<&str>) -> (ExpressOpened, ExpressSession) {
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, "Firefox/140.0".parse().unwrap());
        if let Some(cookie) = cookie {
            headers.insert(COOKIE, cookie.parse().unwrap());
        }
        let opened = self.sessions.open(&headers);
        let session = opened.load().await.unwrap();
        (opened, session)
    }

    /// The cookie that the browser has after the response, if it got one.
    async fn commit(&self, opened: &ExpressOpened) -> Option<String> {
        let mut headers = HeaderMap::new();
        self.sessions.commit(opened).await.unwrap().apply(&mut headers);
        let set_cookie = headers.get(SET_COOKIE)?.to_str().unwrap();
        set_cookie.split(';').next().map(str::to_owned)
    }

    async fn request(&self, cookie: Option<&str>, handler: impl FnOnce(&ExpressSession)) -> Option<String> {
        let (opened, session) = self.load(cookie).await;
        handler(&session);
        self.commit(&opened).await
    }

    /// All that was told since the last time.
    fn events(&self) -> Vec<Event> {
        assert!(self.sessions.flush_events(Duration::from_secs(60)));
        std::mem::take(&mut self.told.lock().unwrap())
    }

    fn kinds(&self) -> Vec<EventKind> {
        self.events().into_iter().map(|event| event.kind).collect()
    }
}

fn note(session: &ExpressSession) {
    session.insert(NOTE, &CONFIDENTIAL.to_owned()).unwrap();
}

#[tokio::test]
async fn a_life_is_told_event_by_event() {
    let service = Service::on(MemoryExpressStore::new());
    service.request(None, |_| {}).await;
    assert_eq!(service.kinds(), []);

    let cookie = service.request(None, note).await.unwrap();
    service
        .request(Some(&cookie), |session| assert!(session.is_loaded()))
        .await;
    assert_eq!(service.kinds(), [EventKind::Created]);

    let (late, session) = service.load(Some(&cookie)).await;
    session.insert(PLACE, &"late".to_owned()).unwrap();
    service
        .request(Some(&cookie), |session| session.remove(NOTE))
        .await;
    service.commit(&late).await;
    assert_eq!(service.kinds(), [EventKind::ConflictReplayed]);

    let renewed = service
        .request(Some(&cookie), ExpressSession::regenerate)
        .await
        .unwrap();
    assert_eq!(service.kinds(), [EventKind::Renewed]);
    service.request(Some(&cookie), |_| {}).await;
    assert_eq!(service.kinds(), [EventKind::CookieRefused(Refusal::Unknown)]);

    let (late, session) = service.load(Some(&renewed)).await;
    note(&session);
    service.request(Some(&renewed), ExpressSession::destroy).await;
    service.commit(&late).await;
    let lost = EventKind::WriteDropped(Dropped::SessionGone);
    assert_eq!(service.kinds(), [EventKind::Destroyed, lost]);
}

#[tokio::test]
async fn cookies_and_requests_that_are_refused_are_told() {
    let service = Service::on(MemoryExpressStore::new());
    let forged = CookieSecrets::new("another secret").cookie_value("sid");
    service.load(Some(&format!("connect.sid={forged}"))).await;
    service.load(Some("connect.sid=unsigned")).await;
    let mut headers = HeaderMap::new();
    headers.insert(ORIGIN, "https://evil.example".parse().unwrap());
    headers.insert(USER_AGENT, "Firefox/140.0".parse().unwrap());
    let uri = Uri::from_static("https://shop.example/buy");
    let refusal = service
        .sessions
        .check_origin(&CsrfRequest::new(&Method::POST, &uri, &headers))
        .unwrap_err();
    let events = service.events();
    for event in &events {
        let client = event.client.as_ref().and_then(|client| client.user_agent());
        assert_eq!(client, Some("Firefox/140.0"), "{event:?}");
    }
    let kinds: Vec<_> = events.into_iter().map(|event| event.kind).collect();
    assert_eq!(
        kinds,
        [
            EventKind::CookieRefused(Refusal::Forged),
            EventKind::CookieRefused(Refusal::Malformed),
            EventKind::CsrfRefused(refusal),
        ]
    );
}

#[tokio::test]
async fn a_record_that_is_none_is_told_as_a_failure_of_the_store() {
    let store = Arc::new(MemoryExpressStore::new());
    let service = Service::on(Arc::clone(&store));
    let expiry = ExpressExpiry {
        now: SystemClock.now(),
        ends_at: None,
    };
    store.insert("spoiled", CONFIDENTIAL, expiry).await.unwrap();
    let mut headers = HeaderMap::new();
    let value = CookieSecrets::new(SECRET).cookie_value("spoiled");
    headers.insert(COOKIE, format!("connect.sid={value}").parse().unwrap());
    service.sessions.open(&headers).load().await.unwrap_err();
    assert_eq!(service.kinds(), [EventKind::StoreFailed(Operation::Load)]);
}

#[tokio::test]
async fn an_event_names_the_browser_and_nothing_that_opens_a_session() {
    let service = Service::on(MemoryExpressStore::new());
    let cookie = service.request(None, note).await.unwrap();
    service.request(Some(&cookie), ExpressSession::destroy).await;
    let sid = cookie["connect.sid=s%3A".len()..].split('.').next().unwrap();
    for event in service.events() {
        let client = event.client.as_ref().and_then(|client| client.user_agent());
        assert_eq!(client, Some("Firefox/140.0"));
        assert_eq!((event.session, &event.owner), (None, &None));
        let shown = format!("{event:?}");
        assert!(!shown.contains(sid) && !shown.contains(CONFIDENTIAL), "{shown}");
    }
}
