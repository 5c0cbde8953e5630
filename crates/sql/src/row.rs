//! A record as the columns of a row, alike in every SQL database.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use sqlx::query::Query;
use sqlx::{ColumnIndex, Database, Decode, Encode, Row, Type};
use tenure_core::store::{Attempts, Cursor, MAX_DATA_BYTES, Page};
use tenure_core::{Device, Lifetime, Lineage, Owner, Record, SecretHash, SessionId, StoreError, Timestamp};

use crate::migrations::Applied;

const STANDARD: &str = "standard";
const REMEMBERED: &str = "remembered";

/// How many columns there are before the data.
const METADATA: usize = 14;

/// What a statement is given.
#[derive(Clone, Debug)]
#[allow(
    unreachable_pub,
    reason = "the trait of the servers shows it, where there is one"
)]
pub enum Value<'v> {
    Integer(Option<i64>),
    Text(Option<Cow<'v, str>>),
    Bytes(Option<Cow<'v, [u8]>>),
}

#[cfg(feature = "sqlite")]
impl Value<'_> {
    /// For when it outlives what it was made from.
    pub(crate) fn into_owned(self) -> Value<'static> {
        match self {
            Self::Integer(integer) => Value::Integer(integer),
            Self::Text(text) => Value::Text(text.map(|text| text.into_owned().into())),
            Self::Bytes(bytes) => Value::Bytes(bytes.map(|bytes| bytes.into_owned().into())),
        }
    }
}

/// Binds `values` as the next parameters.
pub(crate) fn bind<'q, 'v, DB>(
    query: Query<'q, DB, DB::Arguments>,
    values: impl IntoIterator<Item = &'v Value<'v>>,
) -> Query<'q, DB, DB::Arguments>
where
    DB: Database,
    Option<i64>: for<'t> Encode<'t, DB> + Type<DB>,
    for<'t> Option<&'t [u8]>: Encode<'t, DB> + Type<DB>,
    for<'t> Option<&'t str>: Encode<'t, DB> + Type<DB>,
{
    values.into_iter().fold(query, |query, value| match value {
        Value::Integer(integer) => query.bind(*integer),
        Value::Text(text) => query.bind(text.as_deref()),
        Value::Bytes(bytes) => query.bind(bytes.as_deref()),
    })
}

/// All columns of `record` but its id, in the order of the table.
pub(crate) fn values(record: &Record) -> Vec<Value<'_>> {
    let integer = |number| Value::Integer(Some(number));
    let bytes = |bytes| Value::Bytes(Some(Cow::Borrowed(bytes)));
    let previous = record.previous_secret_hash.as_ref();
    let address = record.device.address().map(|address| address.to_string());
    vec![
        integer(signed(record.version)),
        bytes(record.secret_hash.as_bytes()),
        Value::Bytes(previous.map(|hash| hash.as_bytes()[..].into())),
        Value::Text(record.owner.as_ref().map(|owner| owner.as_str().into())),
        integer(time(record.created_at)),
        Value::Integer(record.signed_in_at.map(time)),
        integer(time(record.last_seen_at)),
        integer(whole_millis(record.idle_timeout)),
        integer(time(record.absolute_deadline)),
        Value::Text(Some(lifetime_name(record.lifetime).into())),
        Value::Text(record.device.user_agent().map(Cow::Borrowed)),
        Value::Text(address.map(Cow::Owned)),
        Value::Bytes(Some(record.lineage.to_bytes().into())),
        bytes(&record.data),
    ]
}

/// The record of a row with all columns, in the order of the table.
pub(crate) fn record<'r, R>(row: &'r R, store: &'static str) -> Result<Record, StoreError>
where
    R: Row,
    usize: ColumnIndex<R>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    &'r [u8]: Decode<'r, R::Database> + Type<R::Database>,
    &'r str: Decode<'r, R::Database> + Type<R::Database>,
{
    let metadata = metadata(row, store)?;
    let data: &[u8] = Columns::from(METADATA, row, store).get("data")?;
    Ok(Record {
        data: Bytes::copy_from_slice(data),
        ..metadata
    })
}

/// The record of a row with all columns but its data, in the order of the table.
pub(crate) fn metadata<'r, R>(row: &'r R, store: &'static str) -> Result<Record, StoreError>
where
    R: Row,
    usize: ColumnIndex<R>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    &'r [u8]: Decode<'r, R::Database> + Type<R::Database>,
    &'r str: Decode<'r, R::Database> + Type<R::Database>,
{
    let mut columns = Columns::from(0, row, store);
    Ok(Record {
        id: columns.read("id", |bytes: &[u8]| array(bytes).map(SessionId::from_bytes))?,
        version: columns.read("version", unsigned)?,
        secret_hash: columns.read("secret_hash", secret_hash)?,
        previous_secret_hash: columns.read_optional("previous_secret_hash", secret_hash)?,
        owner: columns.read_optional("owner", |owner: &str| Owner::new(owner).ok())?,
        created_at: columns.read("created_at", timestamp)?,
        signed_in_at: columns.read_optional("signed_in_at", timestamp)?,
        last_seen_at: columns.read("last_seen_at", timestamp)?,
        idle_timeout: columns.read("idle_timeout", |millis| {
            unsigned(millis).map(Duration::from_millis)
        })?,
        absolute_deadline: columns.read("absolute_deadline", timestamp)?,
        lifetime: columns.read("lifetime", lifetime)?,
        device: device(&mut columns)?,
        lineage: columns.read("lineage", Lineage::from_bytes)?,
        data: Bytes::new(),
    })
}

/// All columns of `attempts` but the key, in the order of the table.
pub(crate) fn attempts_values(attempts: &Attempts) -> Vec<Value<'_>> {
    [
        signed(attempts.version),
        attempts.failures.into(),
        time(attempts.last_failed_at),
        time(attempts.blocked_until),
        time(attempts.expires_at),
    ]
    .map(|number| Value::Integer(Some(number)))
    .into()
}

/// The attempts of a row with all columns but the key, in the order of the table.
pub(crate) fn attempts<'r, R>(row: &'r R, store: &'static str) -> Result<Attempts, StoreError>
where
    R: Row,
    usize: ColumnIndex<R>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
{
    let mut columns = Columns::from(0, row, store);
    Ok(Attempts {
        version: columns.read("version", unsigned)?,
        failures: columns.read("failures", |number: i64| number.try_into().ok())?,
        last_failed_at: columns.read("last_failed_at", timestamp)?,
        blocked_until: columns.read("blocked_until", timestamp)?,
        expires_at: columns.read("expires_at", timestamp)?,
    })
}

/// The page of `records`, of which there were to be `limit` at the most.
pub(crate) fn page(records: Vec<Record>, limit: u32) -> Page {
    let is_full = records.len() >= limit as usize;
    let last = records.last().filter(|_| is_full);
    let next = last.map(|last| Cursor::from_bytes(*last.id.as_bytes()));
    Page { records, next }
}

/// The migration of a row.
pub(crate) fn applied<'r, R>(row: &'r R) -> Result<Applied, sqlx::Error>
where
    R: Row,
    &'static str: ColumnIndex<R>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    String: Decode<'r, R::Database> + Type<R::Database>,
{
    Ok(Applied {
        version: row.try_get("version")?,
        name: row.try_get("name")?,
    })
}

fn device<'r, R>(columns: &mut Columns<'r, R>) -> Result<Device, StoreError>
where
    R: Row,
    usize: ColumnIndex<R>,
    &'r str: Decode<'r, R::Database> + Type<R::Database>,
{
    let user_agent: Option<&str> = columns.get("user_agent")?;
    let address = columns.read_optional("address", |address: &str| address.parse().ok())?;
    Ok(Device::new(user_agent, address))
}

/// The columns of a row, one after the other, and whose it is. By their places, for each look-up of a
/// name costs more than to read the column; the names are for errors.
struct Columns<'r, R> {
    row: &'r R,
    store: &'static str,
    next: usize,
}

impl<'r, R> Columns<'r, R>
where
    R: Row,
    usize: ColumnIndex<R>,
{
    fn from(next: usize, row: &'r R, store: &'static str) -> Self {
        Self { row, store, next }
    }

    fn get<T>(&mut self, column: &'static str) -> Result<T, StoreError>
    where
        T: Decode<'r, R::Database> + Type<R::Database>,
    {
        let place = self.next;
        self.next += 1;
        self.row.try_get(place).map_err(|_| self.corrupt(column))
    }

    fn read<T, V>(
        &mut self,
        column: &'static str,
        parse: impl FnOnce(T) -> Option<V>,
    ) -> Result<V, StoreError>
    where
        T: Decode<'r, R::Database> + Type<R::Database>,
    {
        parse(self.get(column)?).ok_or_else(|| self.corrupt(column))
    }

    fn read_optional<T, V>(
        &mut self,
        column: &'static str,
        parse: impl FnOnce(T) -> Option<V>,
    ) -> Result<Option<V>, StoreError>
    where
        T: Decode<'r, R::Database> + Type<R::Database>,
    {
        let Some(value) = self.get::<Option<T>>(column)? else {
            return Ok(None);
        };
        parse(value).map(Some).ok_or_else(|| self.corrupt(column))
    }

    fn corrupt(&self, what: &'static str) -> StoreError {
        StoreError::Corrupt {
            store: self.store,
            what,
        }
    }
}

/// Refuses what is over the limit before any of it goes to the database.
pub(crate) fn refuse_too_large(record: &Record, store: &'static str) -> Result<(), StoreError> {
    match record.data.len() {
        bytes if bytes > MAX_DATA_BYTES => Err(StoreError::TooLarge { store, bytes }),
        _ => Ok(()),
    }
}

/// As a time column holds it.
pub(crate) fn time(timestamp: Timestamp) -> i64 {
    signed(timestamp.as_millis())
}

/// As an integer column holds it: no greater than the column can, rather than wrapped to a negative.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn whole_millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> Option<u64> {
    u64::try_from(number).ok()
}

fn timestamp(millis: i64) -> Option<Timestamp> {
    unsigned(millis).map(Timestamp::from_millis)
}

fn secret_hash(bytes: &[u8]) -> Option<SecretHash> {
    array(bytes).map(SecretHash::from_bytes)
}

fn array<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}

fn lifetime_name(lifetime: Lifetime) -> &'static str {
    match lifetime {
        Lifetime::Standard => STANDARD,
        Lifetime::Remembered => REMEMBERED,
    }
}

fn lifetime(name: &str) -> Option<Lifetime> {
    match name {
        STANDARD => Some(Lifetime::Standard),
        REMEMBERED => Some(Lifetime::Remembered),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_too_great_for_a_column_becomes_the_greatest() {
        assert_eq!(signed(i64::MAX as u64), i64::MAX);
        assert_eq!(signed(i64::MAX as u64 + 1), i64::MAX);
        assert_eq!(signed(u64::MAX), i64::MAX);
        assert_eq!(whole_millis(Duration::MAX), i64::MAX);
    }

    #[test]
    fn a_negative_number_is_no_time() {
        assert_eq!(timestamp(-1), None);
    }
}
