//! A record as the fields of a hash.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use redis::Value;
use tenure_core::store::{MAX_DATA_BYTES, StoreError};
use tenure_core::{Device, Lifetime, Lineage, Owner, Record, SecretHash, SessionId, Timestamp};

use crate::NAME;

/// The fields of a session, in the order in which they are asked for. The first four are those that the script that
/// slides looks at; the data is the last one.
pub(crate) const FIELDS: [&str; 14] = [
    "secret_hash",
    "last_seen_at",
    "idle_timeout",
    "absolute_deadline",
    "version",
    "previous_secret_hash",
    "owner",
    "created_at",
    "signed_in_at",
    "lifetime",
    "user_agent",
    "address",
    "lineage",
    "data",
];

/// All of [`FIELDS`] but the data.
pub(crate) const METADATA: &[&str] = FIELDS.split_last().expect("fields").1;

/// The greatest whole number that Lua, which counts in floating point, tells from its neighbours.
const GREATEST: u64 = (1 << 53) - 1;

const STANDARD: &str = "standard";
const REMEMBERED: &str = "remembered";

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
            present: Vec::with_capacity(2 * FIELDS.len()),
            absent: Vec::new(),
        };
        written.set("version", record.version.to_string());
        written.set("secret_hash", hex(record.secret_hash));
        written.set_optional("previous_secret_hash", record.previous_secret_hash.map(hex));
        written.set_optional("owner", record.owner.as_ref().map(Owner::as_str));
        written.set("created_at", time(record.created_at).to_string());
        let signed_in_at = record.signed_in_at.map(|at| time(at).to_string());
        written.set_optional("signed_in_at", signed_in_at);
        written.set("lifetime", lifetime_name(record.lifetime));
        written.set_optional("user_agent", record.device.user_agent());
        let address = record.device.address().map(|address| address.to_string());
        written.set_optional("address", address);
        written.set("lineage", record.lineage.to_bytes());
        written.set("data", &record.data[..]);
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
    if values.iter().all(|value| *value == Value::Nil) {
        return Ok(None);
    }
    let mut fields = Fields(values);
    let data = fields.optional("data", |bytes| Some(Bytes::from(bytes)))?;
    let user_agent = fields.optional("user_agent", text)?;
    let address: Option<IpAddr> = fields.optional("address", parsed)?;
    Ok(Some(Record {
        id,
        version: fields.required("version", parsed)?,
        secret_hash: fields.required("secret_hash", secret_hash)?,
        previous_secret_hash: fields.optional("previous_secret_hash", secret_hash)?,
        owner: fields.optional("owner", |bytes| Owner::new(text(bytes)?).ok())?,
        created_at: fields.required("created_at", timestamp)?,
        signed_in_at: fields.optional("signed_in_at", timestamp)?,
        last_seen_at: fields.required("last_seen_at", timestamp)?,
        idle_timeout: fields.required("idle_timeout", |bytes| parsed(bytes).map(Duration::from_millis))?,
        absolute_deadline: fields.required("absolute_deadline", timestamp)?,
        lifetime: fields.required("lifetime", lifetime)?,
        device: Device::new(user_agent.as_deref(), address),
        lineage: fields.required("lineage", |bytes| Lineage::from_bytes(&bytes))?,
        data: data.unwrap_or_default(),
    }))
}

/// The values of [`FIELDS`], as far as they were asked for.
struct Fields(Vec<Value>);

impl Fields {
    fn optional<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(Vec<u8>) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        let at = FIELDS.iter().position(|field| *field == name);
        match at.and_then(|at| self.0.get_mut(at)).map(std::mem::take) {
            None | Some(Value::Nil) => Ok(None),
            Some(Value::BulkString(bytes)) => read(bytes).map(Some).ok_or(corrupt(name)),
            Some(_) => Err(corrupt(name)),
        }
    }

    fn required<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(Vec<u8>) -> Option<T>,
    ) -> Result<T, StoreError> {
        self.optional(name, read)?.ok_or(corrupt(name))
    }
}

fn corrupt(what: &'static str) -> StoreError {
    StoreError::Corrupt { store: NAME, what }
}

fn text(bytes: Vec<u8>) -> Option<String> {
    String::from_utf8(bytes).ok()
}

fn parsed<T: std::str::FromStr>(bytes: Vec<u8>) -> Option<T> {
    text(bytes)?.parse().ok()
}

fn timestamp(bytes: Vec<u8>) -> Option<Timestamp> {
    parsed(bytes).map(Timestamp::from_millis)
}

fn secret_hash(bytes: Vec<u8>) -> Option<SecretHash> {
    let mut hash = [0; SecretHash::LENGTH];
    let (pairs, rest) = bytes.as_chunks::<2>();
    if pairs.len() != hash.len() || !rest.is_empty() {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(pairs) {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        *byte = (digit(pair[0])? << 4 | digit(pair[1])?) as u8;
    }
    Some(SecretHash::from_bytes(hash))
}

fn lifetime_name(lifetime: Lifetime) -> &'static str {
    match lifetime {
        Lifetime::Standard => STANDARD,
        Lifetime::Remembered => REMEMBERED,
    }
}

fn lifetime(bytes: Vec<u8>) -> Option<Lifetime> {
    match text(bytes)?.as_str() {
        STANDARD => Some(Lifetime::Standard),
        REMEMBERED => Some(Lifetime::Remembered),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(replaced: &str, by: Value) -> Value {
        let value = |field: &&str| match *field {
            name if name == replaced => by.clone(),
            "secret_hash" => Value::BulkString("a5".repeat(32).into()),
            "lifetime" => Value::BulkString(STANDARD.into()),
            "previous_secret_hash" | "owner" | "signed_in_at" | "user_agent" | "address" => Value::Nil,
            _ => Value::BulkString(b"7".to_vec()),
        };
        Value::Array(FIELDS.iter().map(value).collect())
    }

    fn read(replaced: &str, by: &[u8]) -> Result<Option<Record>, StoreError> {
        record(
            SessionId::from_bytes([1; 16]),
            answer(replaced, Value::BulkString(by.to_vec())),
        )
    }

    #[test]
    fn a_number_too_great_for_a_script_becomes_the_greatest() {
        assert_eq!(countable(GREATEST), GREATEST);
        assert_eq!(countable(GREATEST + 1), GREATEST);
        assert_eq!(millis(Duration::MAX), GREATEST);
    }

    #[test]
    fn what_another_program_wrote_is_named() {
        for (field, value) in [
            ("version", &b"one"[..]),
            ("secret_hash", b"a5"),
            ("secret_hash", "g5".repeat(32).as_bytes()),
            ("owner", b""),
            ("owner", b"\xff"),
            ("last_seen_at", b"-1"),
            ("lifetime", b"eternal"),
            ("address", b"here"),
        ] {
            match read(field, value) {
                Err(StoreError::Corrupt { what, .. }) => assert_eq!(what, field),
                other => panic!("{field}: {other:?}"),
            }
        }
        let id = SessionId::from_bytes([1; 16]);
        let missing = record(id, answer("lifetime", Value::Nil));
        assert!(matches!(
            missing,
            Err(StoreError::Corrupt { what: "lifetime", .. })
        ));
    }

    #[test]
    fn a_hash_comes_back_from_its_digits() {
        let hash = SecretHash::from_bytes(std::array::from_fn(|at| at as u8 * 8));
        assert_eq!(secret_hash(hex(hash).into_bytes()), Some(hash));
    }
}
