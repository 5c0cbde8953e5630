//! A record as a document of the collection.

use std::time::Duration;

use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, DateTime, Document, RawBsonRef, RawDocument, doc};
use tenure_core::store::MAX_DATA_BYTES;
use tenure_core::{Device, Lifetime, Lineage, Owner, Record, SecretHash, SessionId, StoreError, Timestamp};

use crate::NAME;

pub(crate) const ID: &str = "_id";
pub(crate) const VERSION: &str = "version";
pub(crate) const OWNER: &str = "owner";
pub(crate) const LAST_SEEN_AT: &str = "last_seen_at";
pub(crate) const IDLE_TIMEOUT: &str = "idle_timeout";
pub(crate) const ABSOLUTE_DEADLINE: &str = "absolute_deadline";
pub(crate) const EXPIRES_AT: &str = "expires_at";
pub(crate) const DATA: &str = "data";
const SECRET_HASH: &str = "secret_hash";
const PREVIOUS_SECRET_HASH: &str = "previous_secret_hash";
const CREATED_AT: &str = "created_at";
const SIGNED_IN_AT: &str = "signed_in_at";
const LIFETIME: &str = "lifetime";
const USER_AGENT: &str = "user_agent";
const ADDRESS: &str = "address";
const LINEAGE: &str = "lineage";

/// The last millisecond of the year 9999. The format holds later dates, but many a program that an
/// operator may look through does not.
pub(crate) const LAST_DATE: i64 = 253_402_300_799_999;

const STANDARD: &str = "standard";
const REMEMBERED: &str = "remembered";

/// The document of `record`. What is absent in the record is absent in it.
pub(crate) fn of(record: &Record) -> Document {
    let optional = [
        (
            PREVIOUS_SECRET_HASH,
            record.previous_secret_hash.map(|hash| binary(hash.as_bytes())),
        ),
        (OWNER, record.owner.as_ref().map(|owner| owner.as_str().into())),
        (SIGNED_IN_AT, record.signed_in_at.map(|time| millis(time).into())),
        (USER_AGENT, record.device.user_agent().map(Bson::from)),
        (
            ADDRESS,
            record.device.address().map(|address| address.to_string().into()),
        ),
    ];
    let mut document = doc! {
        ID: id(record.id),
        VERSION: signed(record.version),
        SECRET_HASH: binary(record.secret_hash.as_bytes()),
        CREATED_AT: millis(record.created_at),
        LAST_SEEN_AT: millis(record.last_seen_at),
        IDLE_TIMEOUT: whole_millis(record.idle_timeout),
        ABSOLUTE_DEADLINE: millis(record.absolute_deadline),
        EXPIRES_AT: date(record.expires_at()),
        LIFETIME: lifetime_name(record.lifetime),
        LINEAGE: binary(&record.lineage.to_bytes()),
    };
    for (field, value) in optional {
        if let Some(value) = value {
            document.insert(field, value);
        }
    }
    // Last, so that whoever looks at a document sees the rest first.
    document.insert(DATA, binary(&record.data));
    document
}

/// The record of a document.
pub(crate) fn record(document: &RawDocument) -> Result<Record, StoreError> {
    let data = Fields(document).read(DATA, bytes)?;
    Ok(Record {
        data: data.to_vec().into(),
        ..metadata(document)?
    })
}

/// The record of a document, but for its data.
pub(crate) fn metadata(document: &RawDocument) -> Result<Record, StoreError> {
    let fields = Fields(document);
    Ok(Record {
        id: fields.read(ID, |value| array(value).map(SessionId::from_bytes))?,
        version: fields.read(VERSION, unsigned)?,
        secret_hash: fields.read(SECRET_HASH, secret_hash)?,
        previous_secret_hash: fields.read_optional(PREVIOUS_SECRET_HASH, secret_hash)?,
        owner: fields.read_optional(OWNER, |value| Owner::new(value.as_str()?).ok())?,
        created_at: fields.read(CREATED_AT, timestamp)?,
        signed_in_at: fields.read_optional(SIGNED_IN_AT, timestamp)?,
        last_seen_at: fields.read(LAST_SEEN_AT, timestamp)?,
        idle_timeout: fields.read(IDLE_TIMEOUT, |value| unsigned(value).map(Duration::from_millis))?,
        absolute_deadline: fields.read(ABSOLUTE_DEADLINE, timestamp)?,
        lifetime: fields.read(LIFETIME, lifetime)?,
        device: device(&fields)?,
        lineage: fields.read(LINEAGE, |value| Lineage::from_bytes(bytes(value)?))?,
        data: Default::default(),
    })
}

fn device(fields: &Fields<'_>) -> Result<Device, StoreError> {
    let user_agent = fields.read_optional(USER_AGENT, |value| value.as_str())?;
    let address = fields.read_optional(ADDRESS, |value| value.as_str()?.parse().ok())?;
    Ok(Device::new(user_agent, address))
}

/// The version in a document that may hold nothing else.
pub(crate) fn version(document: &RawDocument) -> Result<i64, StoreError> {
    Fields(document).read(VERSION, |value| value.as_i64())
}

pub(crate) struct Fields<'d>(pub(crate) &'d RawDocument);

impl<'d> Fields<'d> {
    pub(crate) fn read<V>(
        &self,
        field: &'static str,
        parse: impl FnOnce(RawBsonRef<'d>) -> Option<V>,
    ) -> Result<V, StoreError> {
        self.read_optional(field, parse)?.ok_or_else(|| corrupt(field))
    }

    fn read_optional<V>(
        &self,
        field: &'static str,
        parse: impl FnOnce(RawBsonRef<'d>) -> Option<V>,
    ) -> Result<Option<V>, StoreError> {
        match self.0.get(field).map_err(|_| corrupt(field))? {
            None | Some(RawBsonRef::Null) => Ok(None),
            Some(value) => parse(value).map(Some).ok_or_else(|| corrupt(field)),
        }
    }
}

fn corrupt(what: &'static str) -> StoreError {
    StoreError::Corrupt { store: NAME, what }
}

/// Refuses what is over the limit before any of it goes to the server.
pub(crate) fn refuse_too_large(record: &Record) -> Result<(), StoreError> {
    match record.data.len() {
        bytes if bytes > MAX_DATA_BYTES => Err(StoreError::TooLarge { store: NAME, bytes }),
        _ => Ok(()),
    }
}

pub(crate) fn id(id: SessionId) -> Bson {
    binary(id.as_bytes())
}

pub(crate) fn binary(bytes: &[u8]) -> Bson {
    Bson::Binary(Binary {
        subtype: BinarySubtype::Generic,
        bytes: bytes.to_vec(),
    })
}

/// As the server's own janitor wants a time: no later than [`LAST_DATE`].
pub(crate) fn date(timestamp: Timestamp) -> DateTime {
    DateTime::from_millis(millis(timestamp).min(LAST_DATE))
}

/// As all other times are kept: a number, which comes back the same in every shell and language.
pub(crate) fn millis(timestamp: Timestamp) -> i64 {
    signed(timestamp.as_millis())
}

/// As the server holds an integer: no greater than it can, rather than wrapped to a negative.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn whole_millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(value: RawBsonRef<'_>) -> Option<u64> {
    u64::try_from(value.as_i64()?).ok()
}

pub(crate) fn timestamp(value: RawBsonRef<'_>) -> Option<Timestamp> {
    unsigned(value).map(Timestamp::from_millis)
}

fn bytes(value: RawBsonRef<'_>) -> Option<&[u8]> {
    value.as_binary().map(|binary| binary.bytes)
}

fn array<const N: usize>(value: RawBsonRef<'_>) -> Option<[u8; N]> {
    bytes(value)?.try_into().ok()
}

fn secret_hash(value: RawBsonRef<'_>) -> Option<SecretHash> {
    array(value).map(SecretHash::from_bytes)
}

fn lifetime_name(lifetime: Lifetime) -> &'static str {
    match lifetime {
        Lifetime::Standard => STANDARD,
        Lifetime::Remembered => REMEMBERED,
    }
}

fn lifetime(value: RawBsonRef<'_>) -> Option<Lifetime> {
    match value.as_str()? {
        STANDARD => Some(Lifetime::Standard),
        REMEMBERED => Some(Lifetime::Remembered),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use mongodb::bson::RawDocumentBuf;

    use super::*;

    fn sample() -> Record {
        Record {
            id: SessionId::from_bytes([1; 16]),
            version: 3,
            secret_hash: SecretHash::from_bytes([2; 32]),
            previous_secret_hash: Some(SecretHash::from_bytes([3; 32])),
            owner: Owner::new("$owner.name").ok(),
            created_at: Timestamp::from_millis(10),
            signed_in_at: Some(Timestamp::from_millis(11)),
            last_seen_at: Timestamp::from_millis(12),
            idle_timeout: Duration::from_millis(13),
            absolute_deadline: Timestamp::from_millis(1_000),
            lifetime: Lifetime::Remembered,
            lineage: Lineage::begun(Timestamp::from_millis(14)),
            device: Device::new(Some("Firefox"), "192.0.2.1".parse().ok()),
            data: vec![0, 1, 2].into(),
        }
    }

    fn raw(document: &Document) -> RawDocumentBuf {
        RawDocumentBuf::try_from(document).unwrap()
    }

    #[test]
    fn a_record_comes_back_from_its_document() {
        assert_eq!(record(&raw(&of(&sample()))).unwrap(), sample());
    }

    #[test]
    fn what_a_record_lacks_its_document_lacks() {
        let bare = Record {
            previous_secret_hash: None,
            owner: None,
            signed_in_at: None,
            device: Device::default(),
            ..sample()
        };
        let document = of(&bare);
        for field in [PREVIOUS_SECRET_HASH, OWNER, SIGNED_IN_AT, USER_AGENT, ADDRESS] {
            assert!(!document.contains_key(field), "{field}");
        }
        assert_eq!(record(&raw(&document)).unwrap(), bare);
    }

    #[test]
    fn a_field_that_another_program_wrote_is_named() {
        for field in of(&sample()).keys().filter(|field| *field != EXPIRES_AT) {
            let mut document = of(&sample());
            document.insert(field, doc! { "another": "program" });
            let StoreError::Corrupt { what, .. } = record(&raw(&document)).unwrap_err() else {
                panic!("another error for {field}");
            };
            assert_eq!(what, field);
        }
    }

    #[test]
    fn a_time_too_great_for_the_server_becomes_the_greatest() {
        let never = Record {
            last_seen_at: Timestamp::from_millis(u64::MAX),
            absolute_deadline: Timestamp::from_millis(u64::MAX),
            idle_timeout: Duration::MAX,
            ..sample()
        };
        let document = of(&never);
        assert_eq!(document.get_i64(LAST_SEEN_AT).ok(), Some(i64::MAX));
        assert_eq!(document.get_i64(IDLE_TIMEOUT).ok(), Some(i64::MAX));
        let last_date = DateTime::from_millis(LAST_DATE);
        assert_eq!(document.get_datetime(EXPIRES_AT).ok(), Some(&last_date));
    }

    #[test]
    fn a_negative_number_is_no_time() {
        let mut document = of(&sample());
        document.insert(CREATED_AT, -1_i64);
        assert!(record(&raw(&document)).is_err());
    }
}
