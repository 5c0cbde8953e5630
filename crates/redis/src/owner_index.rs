//! Which sessions an owner may have: an index that holds more than it must and never misses one.
//!
//! A session and its owner's index are two keys, which in a cluster may be on two nodes, so no script can
//! change both at once. Instead the index is a superset: an entry is written *before* a record takes the
//! owner, and whoever reads the index looks at each record and believes that.
//!
//! Entries of sessions that ended are taken out when the index is read. That must not hit a session that is
//! just being written: its entry is there already, its record not yet. So an entry stays for
//! [`SETTLED_AFTER`], counted by the clock of the index's own server. Suppose that an entry written at `t` is
//! taken out. Then its reader read the index at `r ≥ t + SETTLED_AFTER` and saw after `r` that no record of
//! this owner is behind it. A record that took the owner within [`LONGEST_WRITE`] of `t` was there by then,
//! and would have been seen. And a writer who took longer writes the entry once more before it answers
//! ([`IndexWrite::is_late`]). So whatever was answered is in the index. What was never answered may be
//! missing, and harms nobody: no browser ever got its cookie.

use std::time::{Duration, Instant, SystemTime};

use futures_util::stream::{self, StreamExt, TryStreamExt};
use redis::Value;
use tenure_core::store::StoreError;
use tenure_core::{Owner, Record, SessionId};

use crate::client::Client;
use crate::failure::Failure;
use crate::fields::{self, METADATA};
use crate::keys::Keys;
use crate::request::{INDEX_ADD, INDEX_CLEAN, INDEX_READ, REMOVE_IF_OWNED, Repeat, Request};

/// From this age on an entry without a record is litter.
const SETTLED_AFTER: Duration = Duration::from_secs(10 * 60);

/// A write that takes longer than this writes its entry again. The difference to [`SETTLED_AFTER`] is what
/// the clocks of an index's server and of the one that takes over from it may differ.
const LONGEST_WRITE: Duration = Duration::from_secs(60);

/// How many sessions are looked at at once.
const AT_ONCE: usize = 256;

/// An index of this size, of twice it, and so on, is cleaned by who adds to it: one that nobody ever reads
/// would grow with every sign-in.
const CLEANED_FROM: u64 = 64;

/// The owners' indexes.
pub(crate) struct OwnerIndex<'a> {
    pub(crate) client: &'a Client,
    pub(crate) keys: &'a Keys,
}

/// An entry that was written, and when.
pub(crate) struct IndexWrite {
    began: Instant,
    began_on_the_wall: SystemTime,
}

impl IndexWrite {
    fn begin() -> Self {
        Self {
            began: Instant::now(),
            began_on_the_wall: SystemTime::now(),
        }
    }

    /// Whether the entry may have been taken for litter meanwhile. By two clocks: one may stand still while the
    /// process is suspended, and the other may be set back.
    pub(crate) fn is_late(&self) -> bool {
        let by_the_wall = self.began_on_the_wall.elapsed().unwrap_or(Duration::MAX);
        self.began.elapsed().max(by_the_wall) > LONGEST_WRITE
    }
}

/// What an index held when it was read.
struct Listing {
    /// By the server's clock, in milliseconds.
    read_at: i64,
    ids: Vec<SessionId>,
}

impl OwnerIndex<'_> {
    /// Enters a session, for as long as it may live.
    pub(crate) async fn add(
        &self,
        owner: &Owner,
        id: SessionId,
        lives: Duration,
    ) -> Result<IndexWrite, Failure> {
        let write = IndexWrite::begin();
        let request = Request::script(&INDEX_ADD, self.keys.index(owner))
            .arg(id.to_string())
            .arg(fields::countable(fields::millis(lives)))
            .writing(Repeat::Safe);
        if let Some(size) = grown_to(&self.client.call(&request).await?)
            && size >= CLEANED_FROM
            && size.is_power_of_two()
        {
            // What could not be cleaned now is cleaned another time.
            let _ = self.records(owner).await;
        }
        Ok(write)
    }

    /// The records of an owner, without their data, those that expired included. Two round trips, and a third
    /// where there was litter.
    pub(crate) async fn records(&self, owner: &Owner) -> Result<Vec<Record>, IndexError> {
        let listing = self.read(owner).await?;
        let found = self.look_at_all(&listing.ids).await?;
        let mut records = Vec::new();
        let mut litter = Vec::new();
        for (id, record) in found {
            match record {
                Some(record) if record.owner.as_ref() == Some(owner) => records.push(record),
                _ => litter.push(id),
            }
        }
        self.clean(owner, listing.read_at, &litter).await;
        Ok(records)
    }

    /// Removes the sessions of an owner but `except`. Says how many there were.
    pub(crate) async fn remove_records(
        &self,
        owner: &Owner,
        except: Option<SessionId>,
    ) -> Result<u64, IndexError> {
        let listing = self.read(owner).await?;
        let condemned = listing.ids.into_iter().filter(|id| Some(*id) != except);
        stream::iter(condemned)
            .map(|id| self.remove_if_owned(owner, id))
            .buffer_unordered(AT_ONCE)
            .try_fold(0, |sum, removed| async move { Ok(sum + removed) })
            .await
    }

    async fn read(&self, owner: &Owner) -> Result<Listing, IndexError> {
        let request = Request::script(&INDEX_READ, self.keys.index(owner));
        let answer = self.client.call(&request).await?;
        listing(answer).ok_or(IndexError::Corrupt)
    }

    /// The records of these sessions, as far as they are there, without their data.
    pub(crate) async fn looked_up(&self, ids: &[SessionId]) -> Result<Vec<Record>, IndexError> {
        let found = self.look_at_all(ids).await?;
        Ok(found.into_iter().filter_map(|(_, record)| record).collect())
    }

    async fn look_at_all(&self, ids: &[SessionId]) -> Result<Vec<(SessionId, Option<Record>)>, IndexError> {
        stream::iter(ids.iter().copied())
            .map(|id| async move { Ok::<_, IndexError>((id, self.look(id).await?)) })
            .buffered(AT_ONCE)
            .try_collect()
            .await
    }

    async fn look(&self, id: SessionId) -> Result<Option<Record>, IndexError> {
        let request = Request::plain("HMGET", self.keys.session(id), METADATA);
        let answer = self.client.call(&request).await?;
        fields::record(id, answer).map_err(IndexError::Record)
    }

    async fn remove_if_owned(&self, owner: &Owner, id: SessionId) -> Result<u64, IndexError> {
        let request = Request::script(&REMOVE_IF_OWNED, self.keys.session(id))
            .arg(owner.as_str())
            .writing(Repeat::Safe);
        match self.client.call(&request).await? {
            Value::Int(removed) => Ok(removed.unsigned_abs()),
            _ => Err(IndexError::Corrupt),
        }
    }

    async fn clean(&self, owner: &Owner, read_at: i64, litter: &[SessionId]) {
        if litter.is_empty() {
            return;
        }
        let settled = read_at.saturating_sub(SETTLED_AFTER.as_millis() as i64);
        let ids: Vec<String> = litter.iter().map(SessionId::to_string).collect();
        let request = Request::script(&INDEX_CLEAN, self.keys.index(owner))
            .arg(settled)
            .arg(ids);
        // Whoever reads next does it.
        let _ = self.client.call(&request).await;
    }
}

/// Why an index could not be used.
pub(crate) enum IndexError {
    Failed(Failure),
    Record(StoreError),
    Corrupt,
}

impl From<Failure> for IndexError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// The size of an index if the entry is new there.
fn grown_to(answer: &Value) -> Option<u64> {
    match answer {
        Value::Array(values) => match values[..] {
            [Value::Int(1), Value::Int(size)] => u64::try_from(size).ok(),
            _ => None,
        },
        _ => None,
    }
}

fn listing(answer: Value) -> Option<Listing> {
    let Value::Array(values) = answer else {
        return None;
    };
    let [Value::Int(read_at), Value::Array(ids)] = <[Value; 2]>::try_from(values).ok()? else {
        return None;
    };
    let ids = ids.into_iter().map(|id| match id {
        Value::BulkString(id) => std::str::from_utf8(&id).ok()?.parse().ok(),
        _ => None,
    });
    Some(Listing {
        read_at,
        ids: ids.collect::<Option<_>>()?,
    })
}
