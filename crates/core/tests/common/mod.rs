//! An application on a virtual clock, over a store that misbehaves on command, and a browser for it.

#![allow(dead_code, reason = "each file of tests uses a part of it")]

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::header::{COOKIE, SET_COOKIE, USER_AGENT};
use http::{HeaderMap, HeaderValue};
use tenure_core::store::Touch;
use tenure_core::{
    Clock, CommitError, Environment, Key, Keyring, LiveKeyring, ManualClock, MemoryStore, Opened, Outgoing,
    Policy, Record, Secret, Session, SessionId, Sessions, Store, Timestamp,
};
use tenure_testkit::records::look;
use tenure_testkit::{EventLog, FaultyStore};

pub(crate) const SECRET: &str = "T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r";
pub(crate) const OTHER_SECRET: &str = "Yb0yP2kV9rT4nXwE6uLsJ1dHfCaGzmQ7";

pub(crate) const COUNT: Key<u64> = Key::new("count");
pub(crate) const LEFT: Key<String> = Key::new("left");
pub(crate) const RIGHT: Key<String> = Key::new("right");

pub(crate) const MILLISECOND: Duration = Duration::from_millis(1);
pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MINUTE: Duration = Duration::from_mins(1);
/// After which all guesses of a client are back, and what was found dead is looked up anew.
pub(crate) const GUESSES_ARE_BACK: Duration = MINUTE;
pub(crate) const HOUR: Duration = Duration::from_hours(1);
pub(crate) const DAY: Duration = Duration::from_hours(24);

/// What a handler does.
pub(crate) type Act = fn(&Session);

/// The default policy, without a sweeper that would add calls to those that are counted.
pub(crate) fn policy() -> Policy {
    Policy::default()
        .environment(Environment::Development)
        .sweep_interval(None)
}

pub(crate) fn keyring() -> Keyring {
    Keyring::new(Secret::new(SECRET))
}

/// One instance of an application.
pub(crate) struct App<S = FaultyStore<MemoryStore>> {
    pub(crate) sessions: Sessions,
    pub(crate) store: S,
    pub(crate) clock: ManualClock,
    pub(crate) events: EventLog,
}

impl App {
    pub(crate) fn new() -> Self {
        Self::with_policy(policy())
    }

    pub(crate) fn with_policy(policy: Policy) -> Self {
        Self::over(FaultyStore::new(MemoryStore::new()), policy)
    }

    /// The record as it is in the store, without a count and without a fault.
    pub(crate) async fn record(&self, id: SessionId) -> Option<Record> {
        look(self.store.inner(), id).await
    }

    /// Puts a record in place of the one under its id, as somebody with access to the database could.
    pub(crate) async fn plant(&self, record: &Record) {
        self.store.inner().remove(record.id).await.unwrap();
        self.store.inner().insert(record).await.unwrap();
    }
}

impl<S: Store + Clone> App<S> {
    /// The version in the store, by a look that slides nothing.
    pub(crate) async fn version(&self, id: SessionId) -> Option<u64> {
        let record = self.store.load(id, Touch::No).await.unwrap();
        record.map(|record| record.version)
    }

    pub(crate) fn over(store: S, policy: Policy) -> Self {
        Self::instance(store, policy, keyring(), ManualClock::default(), EventLog::new())
    }

    /// Another instance over the same store, such as after a restart with another configuration.
    pub(crate) fn beside(&self, policy: Policy, keyring: impl Into<LiveKeyring>) -> Self {
        Self::instance(
            self.store.clone(),
            policy,
            keyring,
            self.clock.clone(),
            self.events.clone(),
        )
    }

    fn instance(
        store: S,
        policy: Policy,
        keyring: impl Into<LiveKeyring>,
        clock: ManualClock,
        events: EventLog,
    ) -> Self {
        let builder = Sessions::builder(policy, keyring, store.clone()).clock(clock.clone());
        let sessions = events.build(builder).unwrap();
        Self {
            sessions,
            store,
            clock,
            events,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn open(&self, browser: &Browser) -> Opened {
        self.sessions.open(&browser.request())
    }

    pub(crate) async fn load(&self, browser: &Browser) -> (Opened, Session) {
        let opened = self.open(browser);
        let session = opened.load().await.unwrap();
        (opened, session)
    }

    /// Commits, and hands the response to the browser.
    pub(crate) async fn answer(&self, opened: &Opened, browser: &mut Browser) -> SentCookie {
        let outgoing = self.sessions.commit(opened).await.unwrap();
        browser.receive(&response(outgoing))
    }

    /// A whole request: opens, loads, runs the handler, commits.
    pub(crate) async fn visit<R>(&self, browser: &mut Browser, handler: impl FnOnce(&Session) -> R) -> R {
        self.visit_and_tell(browser, handler).await.0
    }

    /// The same, and what it did to the cookie.
    pub(crate) async fn visit_and_tell<R>(
        &self,
        browser: &mut Browser,
        handler: impl FnOnce(&Session) -> R,
    ) -> (R, SentCookie) {
        let (opened, session) = self.load(browser).await;
        let result = handler(&session);
        let cookie = self.answer(&opened, browser).await;
        (result, cookie)
    }

    /// A whole request whose commit may fail. The browser learns nothing of the failure.
    pub(crate) async fn try_visit(
        &self,
        browser: &mut Browser,
        handler: impl FnOnce(&Session),
    ) -> Result<SentCookie, CommitError> {
        let (opened, session) = self.load(browser).await;
        handler(&session);
        let outgoing = self.sessions.commit(&opened).await?;
        Ok(browser.receive(&response(outgoing)))
    }

    /// A browser with a session that has `COUNT` = 1.
    pub(crate) async fn visitor(&self) -> Browser {
        let mut browser = Browser::new();
        self.visit(&mut browser, |session| session.insert(COUNT, &1).unwrap())
            .await;
        browser
    }

    /// A browser whose session has an owner and `COUNT` = 1.
    pub(crate) async fn signed_in(&self, owner: &str) -> Browser {
        let mut browser = Browser::new();
        self.visit(&mut browser, |session| {
            session.insert(COUNT, &1).unwrap();
            session.sign_in(owner).unwrap();
        })
        .await;
        browser
    }

    pub(crate) async fn count(&self, browser: &Browser) -> Option<u64> {
        self.load(browser).await.1.get(COUNT).unwrap()
    }

    pub(crate) async fn owner(&self, browser: &Browser) -> Option<String> {
        let owner = self.load(browser).await.1.owner();
        owner.map(|owner| owner.as_str().to_owned())
    }

    pub(crate) async fn id(&self, browser: &Browser) -> SessionId {
        self.load(browser)
            .await
            .1
            .id()
            .expect("the browser has a session")
    }
}

/// What a browser keeps of a session. A clone of it is a thief who copied the cookie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Browser {
    /// Name and value, as they are sent.
    pub(crate) cookie: Option<(String, String)>,
    pub(crate) user_agent: Option<String>,
}

impl Browser {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn with_cookie(name: &str, value: &str) -> Self {
        Self {
            cookie: Some((name.to_owned(), value.to_owned())),
            user_agent: None,
        }
    }

    pub(crate) fn value(&self) -> &str {
        &self.cookie.as_ref().expect("the browser has a cookie").1
    }

    /// The headers of its next request.
    pub(crate) fn request(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some((name, value)) = &self.cookie {
            headers.insert(COOKIE, header(&format!("theme=dark; {name}={value}")));
        }
        if let Some(user_agent) = &self.user_agent {
            headers.insert(USER_AGENT, header(user_agent));
        }
        headers
    }

    pub(crate) fn receive(&mut self, response: &HeaderMap) -> SentCookie {
        let sent = SentCookie::from_response(response);
        match &sent {
            SentCookie::None => {}
            SentCookie::New(cookie) => self.cookie = Some((cookie.name.clone(), cookie.value.clone())),
            SentCookie::Removal(_) => self.cookie = None,
        }
        sent
    }
}

/// What a response said of the session cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SentCookie {
    None,
    New(SetCookie),
    Removal(SetCookie),
}

/// A `Set-Cookie` header, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SetCookie {
    pub(crate) name: String,
    pub(crate) value: String,
    /// In order, without the two that say how long it lasts.
    pub(crate) attributes: Vec<String>,
    pub(crate) max_age: Option<u64>,
}

impl SentCookie {
    pub(crate) fn from_response(response: &HeaderMap) -> Self {
        let sent: Vec<_> = response.get_all(SET_COOKIE).iter().collect();
        assert!(sent.len() <= 1, "one Set-Cookie at most, not {}", sent.len());
        let Some(sent) = sent.first() else {
            return Self::None;
        };
        let cookie = SetCookie::parse(sent.to_str().unwrap());
        if cookie.max_age == Some(0) {
            assert_eq!(cookie.value, "");
            Self::Removal(cookie)
        } else {
            Self::New(cookie)
        }
    }

    #[track_caller]
    pub(crate) fn new_cookie(self) -> SetCookie {
        match self {
            Self::New(cookie) => cookie,
            other => panic!("a new cookie was expected, not {other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn removal(self) -> SetCookie {
        match self {
            Self::Removal(cookie) => cookie,
            other => panic!("a removal cookie was expected, not {other:?}"),
        }
    }
}

impl SetCookie {
    fn parse(header: &str) -> Self {
        let mut parts = header.split("; ");
        let (name, value) = parts.next().unwrap().split_once('=').unwrap();
        let mut cookie = Self {
            name: name.to_owned(),
            value: value.to_owned(),
            attributes: Vec::new(),
            max_age: None,
        };
        for part in parts {
            match part.split_once('=') {
                Some(("Max-Age", seconds)) => cookie.max_age = Some(seconds.parse().unwrap()),
                Some(("Expires", _)) => {}
                _ => cookie.attributes.push(part.to_owned()),
            }
        }
        cookie
    }
}

pub(crate) fn response(outgoing: Outgoing) -> HeaderMap {
    let mut headers = HeaderMap::new();
    outgoing.apply(&mut headers);
    headers
}

pub(crate) fn header(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).unwrap()
}

/// Polls a future at most so many times, and gives it up then, as a server does when the client goes away.
pub(crate) fn poll_at_most<F: Future>(times: usize, future: F) -> Option<F::Output> {
    let mut future = Box::pin(future);
    (0..times).find_map(|_| poll_once(future.as_mut()))
}

pub(crate) fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Option<F::Output> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}
