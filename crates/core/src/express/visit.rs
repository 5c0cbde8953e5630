//! One request's state.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::HeaderValue;
use tokio::sync::OnceCell;

use crate::changes::{Changes, Verdict};
use crate::data::{Data, DataBuilder, Raw};
use crate::deadline::Deadline;
use crate::event::{EventKind, Refusal};
use crate::express::engine::Engine;
use crate::express::{SessionRecord, SidCookie};
use crate::store::{Operation, StoreError};
use crate::visit::LoadError;

pub(super) struct Visit {
    pub(super) engine: Arc<Engine>,
    cookie: SidCookie,
    user_agent: Option<HeaderValue>,
    asked: OnceCell<()>,
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) standing: Standing,
    pub(super) changes: Changes,
    /// Whether the session is to get another id.
    pub(super) regenerates: bool,
    /// The session that this request ended.
    pub(super) ended: Option<Live>,
    /// How often something was written, so that an update knows whether it was alone.
    pub(super) writes: u64,
}

#[derive(Default)]
pub(super) enum Standing {
    /// Nobody has asked for the session.
    #[default]
    Unasked,
    /// There is none.
    Absent,
    Live(Live),
}

/// A session as the store had it.
#[derive(Clone)]
pub(super) struct Live {
    pub(super) sid: Arc<str>,
    /// The JSON that the store gave.
    pub(super) seen: Arc<str>,
    pub(super) record: SessionRecord,
    pub(super) data: Arc<Data>,
}

impl Visit {
    pub(super) fn new(engine: Arc<Engine>, cookie: SidCookie, user_agent: Option<HeaderValue>) -> Self {
        Self {
            engine,
            cookie,
            user_agent,
            asked: OnceCell::new(),
            state: Mutex::default(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that runs under the lock leaves the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_unasked(&self) -> bool {
        matches!(self.state().standing, Standing::Unasked)
    }

    pub(super) async fn load(&self) -> Result<(), LoadError> {
        let asked = self.asked.get_or_try_init(|| self.ask()).await;
        asked.copied().map_err(LoadError::Store)
    }

    async fn ask(&self) -> Result<(), StoreError> {
        let live = match &self.cookie {
            SidCookie::Genuine(sid) => {
                let mut deadline = self.engine.deadline();
                let sid = Arc::from(sid.as_str());
                let found = Live::load(self, &mut deadline, sid).await?;
                found.ok_or(Some(Refusal::Unknown))
            }
            SidCookie::Unsigned => Err(Some(Refusal::Malformed)),
            SidCookie::Forged => Err(Some(Refusal::Forged)),
            SidCookie::Absent => Err(None),
        };
        if let Err(Some(refusal)) = live {
            self.tell(EventKind::CookieRefused(refusal));
        }
        self.state().standing = live.map_or(Standing::Absent, Standing::Live);
        Ok(())
    }

    /// Tells of what this request caused.
    pub(super) fn tell(&self, kind: EventKind) {
        self.engine.tell(kind, self.user_agent.as_ref());
    }

    /// Hands a store's failure on after telling of it.
    pub(super) fn reported<T>(
        &self,
        operation: Operation,
        result: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if result.is_err() {
            self.tell(EventKind::StoreFailed(operation));
        }
        result
    }
}

impl State {
    pub(super) fn live(&self) -> Option<&Live> {
        match &self.standing {
            Standing::Live(live) => Some(live),
            Standing::Unasked | Standing::Absent => None,
        }
    }

    /// A value, with what this request has done to it.
    pub(super) fn value(&self, key: &str) -> Option<Raw> {
        match self.changes.verdict(key) {
            Verdict::Is(value) => Some(Arc::clone(value)),
            Verdict::IsGone => None,
            Verdict::Untouched => self.live()?.data.get(key).map(Raw::from),
        }
    }
}

impl Live {
    /// The session of this id, if it is alive.
    pub(super) async fn load(
        visit: &Visit,
        deadline: &mut Deadline,
        sid: Arc<str>,
    ) -> Result<Option<Self>, StoreError> {
        let engine = &*visit.engine;
        let loading = engine.store.load(&sid, engine.now());
        let loaded = deadline.call(Operation::Load, loading).await;
        let live = loaded.and_then(|found| {
            let live = found.map(|json| Self::read(Arc::clone(&sid), json));
            live.transpose().map_err(|_| StoreError::Corrupt {
                store: engine.store.name(),
                what: "JSON",
            })
        });
        visit.reported(Operation::Load, live)
    }

    fn read(sid: Arc<str>, json: String) -> Result<Self, crate::express::RecordError> {
        let record = SessionRecord::parse(&json)?;
        Ok(Self {
            sid,
            seen: json.into(),
            data: Arc::new(data_of(&record)),
            record,
        })
    }
}

/// What the record holds beside the cookie.
fn data_of(record: &SessionRecord) -> Data {
    let mut entries: Vec<_> = record.entries().collect();
    entries.sort_by_key(|(key, _)| *key);
    let bytes = entries
        .iter()
        .map(|(key, value)| key.len() + value.get().len() + 4);
    let mut data = DataBuilder::with_capacity(bytes.sum());
    for (key, value) in entries {
        data.push(key, value.get());
    }
    data.finish()
}
