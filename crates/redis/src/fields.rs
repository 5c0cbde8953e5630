//! A record as the fields of a hash: what is read of it, and what there is beside that for scripts and for people.

use std::time::Duration;

use bytes::Bytes;
use redis::Value;
use tenure_core::store::{MAX_DATA_BYTES, StoreError};
use tenure_core::{Owner, Record, SecretHash, SessionId, Timestamp};

use crate::NAME;
use crate::packed::{packed, unpacked};

/// How many fields a session has that lacks nothing.
const MOST_FIELDS: usize = 12;

/// What is read of a session, in the order in which `touch.lua` gives it back, too. [`packed`] says what is in the first; the other fields are for scripts and
/// for people.
pub(crate) const FIELDS: [&str; 3] = ["record", "last_seen_at", "data"];

/// All of [`FIELDS`] but the data.
pub(crate) const METADATA: &[&str] = FIELDS.split_last().expect("fields").1;

/// The greatest whole number that Lua, which counts in floating point, tells from its neighbours.
const GREATEST: u64 = (1 << 53) - 1;

/// A number as a script can count with it: no greater than it can, rather than rounded.
pub(crate) fn countable(number: u64) -> u64 {
    number.min(GREATEST)
}

pub(crate) fn millis(duration: Duration) -> u64 {
    countable(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

pub(crate) fn time(timestamp: Timestamp) -> u64 {
    countable(timestamp.as_millis())
}

pub(crate) fn hex(hash: SecretHash) -> String {
    hash.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Refuses what is over the limit before any of it goes to the server.
pub(crate) fn refuse_too_large(record: &Record) -> Result<(), StoreError> {
    match record.data.len() {
        bytes if bytes > MAX_DATA_BYTES => Err(StoreError::TooLarge { store: NAME, bytes }),
        _ => Ok(()),
    }
}

/// The fields that an update replaces without a look at what is there, and those that are absent.
pub(crate) struct Written {
    /// Names and values in turn.
    pub(crate) present: Vec<Vec<u8>>,
    pub(crate) absent: Vec<&'static str>,
}

impl Written {
    /// The fields that hold no time by which a session ends.
    pub(crate) fn plain(record: &Record) -> Self {
        let mut written = Self {
            present: Vec::with_capacity(2 * MOST_FIELDS),
            absent: Vec::new(),
        };
        written.set("record", packed(record));
        written.set("data", &record.data[..]);
        written.set("version", record.version.to_string());
        written.set("secret_hash", hex(record.secret_hash));
        written.set("created_at", time(record.created_at).to_string());
        written.set_optional("owner", record.owner.as_ref().map(Owner::as_str));
        let signed_in_at = record.signed_in_at.map(|at| time(at).to_string());
        written.set_optional("signed_in_at", signed_in_at);
        written.set_optional("user_agent", record.device.user_agent());
        let address = record.device.address().map(|address| address.to_string());
        written.set_optional("address", address);
        written
    }

    /// All fields.
    pub(crate) fn whole(record: &Record) -> Self {
        let mut written = Self::plain(record);
        written.set("last_seen_at", time(record.last_seen_at).to_string());
        written.set("idle_timeout", millis(record.idle_timeout).to_string());
        written.set("absolute_deadline", time(record.absolute_deadline).to_string());
        written
    }

    fn set(&mut self, name: &'static str, value: impl AsRef<[u8]>) {
        self.present.push(name.as_bytes().to_vec());
        self.present.push(value.as_ref().to_vec());
    }

    fn set_optional(&mut self, name: &'static str, value: Option<impl AsRef<[u8]>>) {
        match value {
            Some(value) => self.set(name, value),
            None => self.absent.push(name),
        }
    }
}

/// The record that an answer to [`FIELDS`] or [`METADATA`] holds, if there is one.
pub(crate) fn record(id: SessionId, answer: Value) -> Result<Option<Record>, StoreError> {
    let Value::Array(values) = answer else {
        return Err(corrupt("answer"));
    };
    let mut values = values.into_iter();
    let mut next = |name| match values.next() {
        None | Some(Value::Nil) => Ok(None),
        Some(Value::BulkString(bytes)) => Ok(Some(bytes)),
        Some(_) => Err(corrupt(name)),
    };
    let (record, last_seen_at, data) = (next("record")?, next("last_seen_at")?, next("data")?);
    let Some(record) = record else {
        let is_gone = last_seen_at.is_none() && data.is_none();
        return if is_gone { Ok(None) } else { Err(corrupt("record")) };
    };
    let last_seen_at = last_seen_at.as_deref().and_then(timestamp);
    let last_seen_at = last_seen_at.ok_or(corrupt("last_seen_at"))?;
    let data = data.map(Bytes::from).unwrap_or_default();
    unpacked(id, &record, last_seen_at, data)
        .map(Some)
        .ok_or(corrupt("record"))
}

fn corrupt(what: &'static str) -> StoreError {
    StoreError::Corrupt { store: NAME, what }
}

fn timestamp(digits: &[u8]) -> Option<Timestamp> {
    std::str::from_utf8(digits)
        .ok()?
        .parse()
        .ok()
        .map(Timestamp::from_millis)
}

#[cfg(test)]
mod tests {
    use tenure_testkit::records::owned;

    use super::*;

    fn read(fields: [Option<&[u8]>; 3]) -> Result<Option<Record>, StoreError> {
        let value =
            |field: Option<&[u8]>| field.map_or(Value::Nil, |bytes| Value::BulkString(bytes.to_vec()));
        record(
            SessionId::from_bytes([7; 16]),
            Value::Array(fields.map(value).to_vec()),
        )
    }

    #[test]
    fn a_number_too_great_for_a_script_becomes_the_greatest() {
        assert_eq!(countable(GREATEST), GREATEST);
        assert_eq!(countable(GREATEST + 1), GREATEST);
        assert_eq!(millis(Duration::MAX), GREATEST);
    }

    #[test]
    fn a_record_comes_back_from_its_fields() {
        let written = owned(7, "alice");
        let (record, seen) = (packed(&written), time(written.last_seen_at).to_string());
        let fields = [&record, seen.as_bytes(), &written.data].map(Some);
        assert_eq!(read(fields).unwrap(), Some(written));
        assert_eq!(read([None; 3]).unwrap(), None);
    }

    #[test]
    fn what_another_program_wrote_is_named() {
        let record = packed(&owned(7, "alice"));
        let cut = &record[..record.len() - 1];
        for (named, fields) in [
            ("record", [None, Some(&b"1"[..]), None]),
            ("record", [None, None, Some(b"data")]),
            ("record", [Some(&b""[..]), Some(b"1"), None]),
            ("record", [Some(cut), Some(b"1"), None]),
            ("last_seen_at", [Some(&record), None, None]),
            ("last_seen_at", [Some(&record), Some(b"-1"), None]),
        ] {
            match read(fields) {
                Err(StoreError::Corrupt { what, .. }) => assert_eq!(what, named),
                other => panic!("{named}: {other:?}"),
            }
        }
    }
}
