//! A walk over all sessions: node by node, and at each as far as the server likes to go at a time.
//!
//! A server sees to it that what is there during the whole walk is found; some of it twice. In a cluster a slot that moves
//! to a node behind the walk meanwhile may be missed.

use redis::Value;
use tenure_core::SessionId;
use tenure_core::store::Cursor;

use crate::client::Client;
use crate::failure::{Cause, Failure};
use crate::keys::Keys;
use crate::request::Request;

/// Where a walk is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The first slot of the node; 0 for a server alone.
    slot: u16,
    /// What the server said where to go on.
    position: u64,
}

/// Some of the sessions, and where the next ones are.
pub(crate) struct Step {
    pub(crate) ids: Vec<SessionId>,
    pub(crate) next: Option<Place>,
}

impl Place {
    pub(crate) fn of(cursor: &Cursor) -> Option<Self> {
        let (slot, position) = cursor.as_bytes().split_first_chunk()?;
        Some(Self {
            slot: u16::from_be_bytes(*slot),
            position: u64::from_be_bytes(position.try_into().ok()?),
        })
    }

    pub(crate) fn cursor(self) -> Cursor {
        let mut bytes = self.slot.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.position.to_be_bytes());
        Cursor::from_bytes(bytes)
    }
}

/// Goes on from `place`, for about `limit` sessions.
pub(crate) async fn step(client: &Client, keys: &Keys, place: Place, limit: u32) -> Result<Step, Failure> {
    let request = Request::at_slot("SCAN", place.slot)
        .arg(place.position)
        .arg("MATCH")
        .arg(keys.every_session())
        .arg("COUNT")
        .arg(limit.max(1));
    let (position, found) = answer(client.call(&request).await?)?;
    let ids = found.iter().filter_map(|key| keys.id_of(key)).collect();
    let next = match position {
        0 => node_behind(client, place.slot)
            .await?
            .map(|slot| Place { slot, position }),
        _ => Some(Place { position, ..place }),
    };
    Ok(Step { ids, next })
}

/// The first slot of the node whose slots begin next behind this one. `None` where there is no cluster, or no more nodes.
async fn node_behind(client: &Client, slot: u16) -> Result<Option<u16>, Failure> {
    if !client.is_cluster() {
        return Ok(None);
    }
    let Value::Array(ranges) = client
        .call(&Request::at_slot("CLUSTER", slot).arg("SLOTS"))
        .await?
    else {
        return Err(unexpected());
    };
    // A node may have several ranges: it is walked once, at its first.
    let mut nodes: Vec<(Value, i64)> = Vec::new();
    for range in ranges {
        let Value::Array(range) = range else {
            return Err(unexpected());
        };
        let (Some(Value::Int(first)), Some(master)) = (range.first(), range.get(2)) else {
            return Err(unexpected());
        };
        match nodes.iter_mut().find(|(node, _)| node == master) {
            Some((_, begins)) => *begins = (*begins).min(*first),
            None => nodes.push((master.clone(), *first)),
        }
    }
    let behind = nodes.into_iter().map(|(_, first)| first);
    let next = behind.filter(|first| *first > i64::from(slot)).min();
    Ok(next.and_then(|first| first.try_into().ok()))
}

fn answer(answer: Value) -> Result<(u64, Vec<Vec<u8>>), Failure> {
    let Value::Array(parts) = answer else {
        return Err(unexpected());
    };
    let Ok([Value::BulkString(position), Value::Array(found)]) = <[Value; 2]>::try_from(parts) else {
        return Err(unexpected());
    };
    let position = std::str::from_utf8(&position)
        .ok()
        .and_then(|text| text.parse().ok());
    let found = found.into_iter().filter_map(|key| match key {
        Value::BulkString(key) => Some(key),
        _ => None,
    });
    Ok((position.ok_or_else(unexpected)?, found.collect()))
}

fn unexpected() -> Failure {
    Failure::new(Cause::Refused, "an answer is not what the command gives")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_comes_back_from_its_cursor_and_nothing_else_is_one() {
        let place = Place {
            slot: 5_461,
            position: 17,
        };
        assert_eq!(Place::of(&place.cursor()), Some(place));
        assert_eq!(Place::of(&Cursor::from_bytes([1, 2, 3])), None);
    }
}
