//! What was tried in vain, as a document of a collection of its own.

use mongodb::bson::{Bson, Document, RawDocument, doc};
use tenure_core::Timestamp;
use tenure_core::store::{Attempts, AttemptsKey, StoreError};

use crate::document::{self, EXPIRES_AT, Fields, ID, VERSION, date, millis, signed};

const FAILURES: &str = "failures";
const LAST_FAILED_AT: &str = "last_failed_at";
const BLOCKED_UNTIL: &str = "blocked_until";
/// The same as `expires_at`, which the server's janitor wants as a date.
const EXPIRES_AT_MILLIS: &str = "expires_at_millis";

/// The attempts under this key.
pub(crate) fn under(key: AttemptsKey) -> Document {
    doc! { ID: id(key) }
}

/// Those under this key, if they are what `expected` says: 0 is for none, or such as have expired by `now`.
pub(crate) fn as_expected(key: AttemptsKey, expected: u64, now: Timestamp) -> Document {
    match expected {
        0 => doc! { ID: id(key), EXPIRES_AT_MILLIS: { "$lte": millis(now) } },
        _ => doc! { ID: id(key), VERSION: signed(expected) },
    }
}

/// What replaces the fields that are there.
pub(crate) fn fields(attempts: &Attempts) -> Document {
    doc! {
        VERSION: signed(attempts.version),
        FAILURES: i64::from(attempts.failures),
        LAST_FAILED_AT: millis(attempts.last_failed_at),
        BLOCKED_UNTIL: millis(attempts.blocked_until),
        EXPIRES_AT_MILLIS: millis(attempts.expires_at),
        EXPIRES_AT: date(attempts.expires_at),
    }
}

/// The document of `attempts`.
pub(crate) fn of(key: AttemptsKey, attempts: &Attempts) -> Document {
    let mut document = under(key);
    document.extend(fields(attempts));
    document
}

/// The attempts of a document.
pub(crate) fn read(document: &RawDocument) -> Result<Attempts, StoreError> {
    let fields = Fields(document);
    Ok(Attempts {
        version: fields.read(VERSION, document::unsigned)?,
        failures: fields.read(FAILURES, |value| document::unsigned(value)?.try_into().ok())?,
        last_failed_at: fields.read(LAST_FAILED_AT, document::timestamp)?,
        blocked_until: fields.read(BLOCKED_UNTIL, document::timestamp)?,
        expires_at: fields.read(EXPIRES_AT_MILLIS, document::timestamp)?,
    })
}

fn id(key: AttemptsKey) -> Bson {
    document::binary(key.as_bytes())
}
