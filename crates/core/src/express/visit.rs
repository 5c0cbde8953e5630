//! One request's state.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OnceCell;

use crate::changes::{Changes, Verdict};
use crate::clock::Timestamp;
use crate::data::{Data, DataBuilder, Raw};
use crate::deadline::Deadline;
use crate::express::engine::Engine;
use crate::express::{SessionRecord, SidCookie};
use crate::store::{Operation, StoreError};
use crate::visit::LoadError;

pub(super) struct Visit {
    pub(super) engine: Arc<Engine>,
    cookie: SidCookie,
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
    pub(super) fn new(engine: Arc<Engine>, cookie: SidCookie) -> Self {
        Self {
            engine,
            cookie,
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
                Live::load(&self.engine, &mut deadline, sid, self.engine.now()).await?
            }
            SidCookie::Absent | SidCookie::Unsigned | SidCookie::Forged => None,
        };
        self.state().standing = live.map_or(Standing::Absent, Standing::Live);
        Ok(())
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
    /// The session of this id that is alive at `now`.
    pub(super) async fn load(
        engine: &Engine,
        deadline: &mut Deadline,
        sid: Arc<str>,
        now: Timestamp,
    ) -> Result<Option<Self>, StoreError> {
        let loaded = deadline
            .call(Operation::Load, engine.store.load(&sid, now))
            .await?;
        let live = loaded.map(|json| Self::read(sid, json));
        live.transpose().map_err(|_| StoreError::Corrupt {
            store: engine.store.name(),
            what: "JSON",
        })
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
