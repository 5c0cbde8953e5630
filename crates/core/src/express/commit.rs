//! Writing what a request did to its session: the rules for two requests at once.

use std::sync::Arc;

use http::HeaderValue;
use tokio::sync::MutexGuard;

use crate::changes::Changes;
use crate::clock::Timestamp;
use crate::commit::CommitError;
use crate::data::Data;
use crate::data_error::DataError;
use crate::deadline::Deadline;
use crate::event::{Dropped, EventKind};
use crate::express::engine::Engine;
use crate::express::set_cookie::{self, Unwritable};
use crate::express::visit::{Live, Standing, State, Visit};
use crate::express::{ExpressExpiry, RecordCookie, Replaced, SessionRecord, new_sid};
use crate::outgoing::Outgoing;
use crate::store::{Inserted, Operation, StoreError};

/// How often a commit is tried when others write to the same session.
const MOST_ATTEMPTS: u32 = 64;

pub(super) async fn commit(visit: &Visit) -> Result<Outgoing, CommitError> {
    let engine = &*visit.engine;
    let State {
        standing,
        changes,
        regenerates,
        ended,
        ..
    } = std::mem::take(&mut *visit.state());
    let mut writing = Writing {
        visit,
        engine,
        deadline: engine.deadline(),
        turn: None,
        changes,
        is_replay: false,
    };
    if let Some(ended) = &ended {
        writing.remove(&ended.sid).await?;
        visit.tell(EventKind::Destroyed);
    }
    let cookie = match standing {
        Standing::Unasked => None,
        Standing::Absent if writing.changes.is_empty() => None,
        Standing::Absent => writing.begin().await?,
        Standing::Live(live) if regenerates => writing.regenerate(live).await?,
        Standing::Live(live) => writing.save(live).await?,
    };
    let cookie = match (cookie, ended) {
        (None, Some(ended)) => {
            Some(writing.written(set_cookie::removal(&engine.cookie_name, ended.record.cookie()))?)
        }
        (cookie, _) => cookie,
    };
    Ok(cookie.map_or_else(Outgoing::nothing, Outgoing::cookie))
}

/// A request's changes on their way into the store.
struct Writing<'e> {
    visit: &'e Visit,
    engine: &'e Engine,
    deadline: Deadline,
    /// Taken once another request was in the way.
    turn: Option<MutexGuard<'e, ()>>,
    changes: Changes,
    /// Whether the session is another than the request saw, so that its updates have to be run again.
    is_replay: bool,
}

/// A record as it is to be in the store.
struct Next {
    record: SessionRecord,
    json: String,
    expiry: ExpressExpiry,
}

impl Writing<'_> {
    async fn begin(&mut self) -> Result<Option<HeaderValue>, CommitError> {
        let Some(data) = self.changes.apply(&Data::empty())? else {
            return Ok(None);
        };
        let now = self.engine.now();
        let cookie = self.engine.cookie.of_new_record(self.engine.max_age, now);
        let next = self.next(SessionRecord::new(cookie), Some(&data), now)?;
        let sid = self.insert(&next).await?;
        self.visit.tell(EventKind::Created);
        self.issue(&sid, next.record.cookie()).map(Some)
    }

    async fn save(&mut self, mut live: Live) -> Result<Option<HeaderValue>, CommitError> {
        let engine = self.engine;
        for _ in 0..MOST_ATTEMPTS {
            let Some(data) = self.outcome(&live.data)? else {
                return self.touch(live).await;
            };
            let next = self.next(live.record.clone(), Some(&data), engine.now())?;
            let replacing = engine
                .store
                .replace(&live.sid, &live.seen, &next.json, next.expiry);
            match self.call(Operation::Update, replacing).await? {
                Replaced::Done => {
                    self.tell_of_replay();
                    let is_due = engine.rolling || next.record.cookie().expires_at().is_some();
                    let cookie = is_due.then(|| self.issue(&live.sid, next.record.cookie()));
                    return cookie.transpose();
                }
                Replaced::Gone => return Ok(self.dropped()),
                Replaced::Stale => match self.reload(&live.sid).await? {
                    Some(newer) => live = newer,
                    None => return Ok(self.dropped()),
                },
            }
        }
        Err(CommitError::Contended {
            attempts: MOST_ATTEMPTS,
        })
    }

    /// The new session is there before the old one goes, and the old one goes only as it is known, so that no write of
    /// another request is lost on the way.
    async fn regenerate(&mut self, mut live: Live) -> Result<Option<HeaderValue>, CommitError> {
        let engine = self.engine;
        for _ in 0..MOST_ATTEMPTS {
            let data = self.outcome(&live.data)?;
            let next = self.next(live.record.clone(), data.as_ref(), engine.now())?;
            let sid = self.insert(&next).await?;
            let removing = engine.store.remove_unchanged(&live.sid, &live.seen, engine.now());
            match self.call(Operation::Remove, removing).await? {
                Replaced::Done => {
                    self.tell_of_replay();
                    self.visit.tell(EventKind::Renewed);
                    return self.issue(&sid, next.record.cookie()).map(Some);
                }
                Replaced::Stale => {
                    self.remove(&sid).await?;
                    match self.reload(&live.sid).await? {
                        Some(newer) => live = newer,
                        None => return Ok(self.dropped()),
                    }
                }
                // Somebody ended the session, and it must not go on under another id.
                Replaced::Gone => {
                    self.remove(&sid).await?;
                    return Ok(self.dropped());
                }
            }
        }
        Err(CommitError::Contended {
            attempts: MOST_ATTEMPTS,
        })
    }

    /// Lets a session live on that has not changed.
    async fn touch(&mut self, live: Live) -> Result<Option<HeaderValue>, CommitError> {
        let engine = self.engine;
        let now = engine.now();
        let mut cookie = live.record.cookie().clone();
        cookie.touch(now);
        let touching = engine.store.touch(&live.sid, engine.expiry(&cookie, now));
        let lives = self.call(Operation::Update, touching).await?;
        let is_due = lives && engine.rolling;
        is_due.then(|| self.issue(&live.sid, &cookie)).transpose()
    }

    async fn insert(&mut self, next: &Next) -> Result<String, CommitError> {
        for _ in 0..MOST_ATTEMPTS {
            let sid = new_sid()?;
            let inserting = self.engine.store.insert(&sid, &next.json, next.expiry);
            match self.call(Operation::Insert, inserting).await? {
                Inserted::New => return Ok(sid),
                Inserted::Taken => {}
            }
        }
        Err(CommitError::Contended {
            attempts: MOST_ATTEMPTS,
        })
    }

    async fn remove(&mut self, sid: &str) -> Result<bool, StoreError> {
        let removing = self.engine.store.remove(sid);
        self.call(Operation::Remove, removing).await
    }

    async fn call<T>(
        &mut self,
        operation: Operation,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let answer = self.deadline.call(operation, call).await;
        self.visit.reported(operation, answer)
    }

    fn tell_of_replay(&self) {
        if self.is_replay {
            self.visit.tell(EventKind::ConflictReplayed);
        }
    }

    /// The session has ended: what was written to it goes nowhere, and a cookie would bring nothing back.
    fn dropped(&self) -> Option<HeaderValue> {
        self.visit.tell(EventKind::WriteDropped(Dropped::SessionGone));
        None
    }

    /// The session as another request left it, for the changes to be done again on it.
    async fn reload(&mut self, sid: &Arc<str>) -> Result<Option<Live>, StoreError> {
        self.is_replay = true;
        if self.turn.is_none() {
            let waiting = self.engine.turn_of(sid).lock();
            self.turn = Some(self.deadline.wait(Operation::Update, waiting).await?);
        }
        Live::load(self.visit, &mut self.deadline, Arc::clone(sid)).await
    }

    /// The data after this request, if it is any different.
    fn outcome(&self, data: &Data) -> Result<Option<Data>, DataError> {
        if self.is_replay {
            self.changes.replay(data)
        } else {
            self.changes.apply(data)
        }
    }

    /// The record with `data`, if it is to have another, and used now.
    fn next(
        &self,
        mut record: SessionRecord,
        data: Option<&Data>,
        now: Timestamp,
    ) -> Result<Next, CommitError> {
        if let Some(data) = data {
            record.hold(data);
        }
        record.cookie_mut().touch(now);
        let json = record.to_json();
        let (bytes, limit) = (json.len(), self.engine.max_data_bytes);
        if data.is_some() && bytes > limit {
            return Err(CommitError::TooLarge { bytes, limit });
        }
        let expiry = self.engine.expiry(record.cookie(), now);
        Ok(Next { record, json, expiry })
    }

    fn issue(&self, sid: &str, cookie: &RecordCookie) -> Result<HeaderValue, CommitError> {
        let value = self.engine.secrets.cookie_value(sid);
        self.written(set_cookie::issue(&self.engine.cookie_name, &value, cookie))
    }

    fn written(&self, header: Result<HeaderValue, Unwritable>) -> Result<HeaderValue, CommitError> {
        header.map_err(|Unwritable| {
            CommitError::Store(StoreError::Corrupt {
                store: self.engine.store.name(),
                what: "cookie",
            })
        })
    }
}
