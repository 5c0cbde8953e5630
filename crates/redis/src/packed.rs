//! A record in one value, for a client takes its time over each.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tenure_core::{Device, Lifetime, Lineage, Owner, Record, SecretHash, SessionId, Timestamp};

use crate::fields::{millis, time};

/// The first byte, so that what an older version of this crate wrote will be known for that.
const FORMAT: u8 = 1;

/// A record without its id, which is the key; without `last_seen_at`, which slides by itself; and without the data, for
/// whoever lists sessions has no use for it. In [postcard](https://postcard.jamesmunns.com/wire-format)'s format.
#[derive(Serialize, Deserialize)]
struct Packed<'a> {
    version: u64,
    secret_hash: [u8; SecretHash::LENGTH],
    previous_secret_hash: Option<[u8; SecretHash::LENGTH]>,
    lineage: &'a [u8],
    owner: Option<&'a str>,
    created_at: u64,
    signed_in_at: Option<u64>,
    idle_timeout: u64,
    absolute_deadline: u64,
    is_remembered: bool,
    user_agent: Option<&'a str>,
    address: Option<IpAddr>,
}

/// The bytes of a record.
pub(crate) fn packed(record: &Record) -> Vec<u8> {
    let packed = Packed {
        version: record.version,
        secret_hash: *record.secret_hash.as_bytes(),
        previous_secret_hash: record.previous_secret_hash.map(|hash| *hash.as_bytes()),
        lineage: &record.lineage.to_bytes(),
        owner: record.owner.as_ref().map(Owner::as_str),
        created_at: time(record.created_at),
        signed_in_at: record.signed_in_at.map(time),
        idle_timeout: millis(record.idle_timeout),
        absolute_deadline: time(record.absolute_deadline),
        is_remembered: record.lifetime == Lifetime::Remembered,
        user_agent: record.device.user_agent(),
        address: record.device.address(),
    };
    postcard::to_extend(&packed, vec![FORMAT])
        .expect("values of known lengths, which is all that the format asks for")
}

/// The record that [`packed`] made these bytes of; `None` if they are something else.
pub(crate) fn unpacked(id: SessionId, bytes: &[u8], last_seen_at: Timestamp, data: Bytes) -> Option<Record> {
    let (&FORMAT, bytes) = bytes.split_first()? else {
        return None;
    };
    let (packed, []) = postcard::take_from_bytes::<Packed<'_>>(bytes).ok()? else {
        return None;
    };
    Some(Record {
        id,
        version: packed.version,
        secret_hash: SecretHash::from_bytes(packed.secret_hash),
        previous_secret_hash: packed.previous_secret_hash.map(SecretHash::from_bytes),
        lineage: Lineage::from_bytes(packed.lineage)?,
        owner: packed.owner.map(Owner::new).transpose().ok()?,
        created_at: Timestamp::from_millis(packed.created_at),
        signed_in_at: packed.signed_in_at.map(Timestamp::from_millis),
        last_seen_at,
        idle_timeout: Duration::from_millis(packed.idle_timeout),
        absolute_deadline: Timestamp::from_millis(packed.absolute_deadline),
        lifetime: match packed.is_remembered {
            true => Lifetime::Remembered,
            false => Lifetime::Standard,
        },
        device: Device::new(packed.user_agent, packed.address),
        data,
    })
}

#[cfg(test)]
mod tests {
    use tenure_testkit::records::owned;

    use super::*;

    fn record() -> Record {
        Record {
            previous_secret_hash: Some(SecretHash::from_bytes([9; SecretHash::LENGTH])),
            signed_in_at: Some(Timestamp::from_millis(u64::MAX >> 11)),
            lifetime: Lifetime::Remembered,
            device: Device::new(Some("Firefox/140.0"), "2001:db8::7".parse().ok()),
            ..owned(7, "alice")
        }
    }

    fn unpack(bytes: &[u8]) -> Option<Record> {
        let Record {
            id,
            last_seen_at,
            data,
            ..
        } = record();
        unpacked(id, bytes, last_seen_at, data)
    }

    #[test]
    fn a_record_comes_back_from_its_bytes() {
        assert_eq!(unpack(&packed(&record())), Some(record()));
    }

    #[test]
    fn another_format_is_no_record_and_neither_is_more_than_one_or_less() {
        let bytes = packed(&record());
        let other = [&[FORMAT + 1], &bytes[1..]].concat();
        assert_eq!(unpack(&other), None);
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(unpack(&longer), None);
        for length in 0..bytes.len() {
            assert_eq!(unpack(&bytes[..length]), None, "{length}");
        }
    }
}
