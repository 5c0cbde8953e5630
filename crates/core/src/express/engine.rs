//! What all requests share.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use tokio::sync::Mutex;

use crate::clock::{Clock, Timestamp};
use crate::csrf::CsrfRules;
use crate::deadline::Deadline;
use crate::device::Device;
use crate::event::{Event, EventKind};
use crate::events::Events;
use crate::express::{CookieSecrets, ExpressCookie, ExpressExpiry, ExpressStore, RecordCookie};
use crate::observed::StoreObserved;

const TURNS: usize = 64;

pub(super) struct Engine {
    pub(super) secrets: CookieSecrets,
    pub(super) store: Arc<dyn ExpressStore>,
    pub(super) cookie_name: String,
    pub(super) cookie: ExpressCookie,
    /// Milliseconds.
    pub(super) max_age: Option<i64>,
    pub(super) rolling: bool,
    pub(super) csrf: CsrfRules,
    pub(super) max_data_bytes: usize,
    pub(super) store_deadline: Duration,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) observed: StoreObserved,
    pub(super) events: Events,
    /// Requests of this process that met another one's write take turns, or all but one would fail again each time.
    pub(super) turns: Box<[Mutex<()>]>,
}

impl Engine {
    pub(super) fn turns() -> Box<[Mutex<()>]> {
        (0..TURNS).map(|_| Mutex::default()).collect()
    }

    pub(super) fn turn_of(&self, sid: &str) -> &Mutex<()> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(sid);
        &self.turns[hash as usize % TURNS]
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Never of which session: in this format its id is what the browser bears.
    pub(super) fn tell(&self, kind: EventKind, user_agent: Option<&HeaderValue>) {
        self.events.tell(Event {
            client: Some(Device::from_header(user_agent, None)),
            ..Event::new(self.now(), kind)
        });
    }

    pub(super) fn deadline(&self) -> Deadline {
        Deadline::new(self.store_deadline, self.observed.clone())
    }

    pub(super) fn expiry(&self, cookie: &RecordCookie, now: Timestamp) -> ExpressExpiry {
        ExpressExpiry {
            now,
            ends_at: cookie.expires_at(),
        }
    }
}
