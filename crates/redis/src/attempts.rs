//! What was tried in vain, as the fields of a hash.

use redis::Value;
use tenure_core::Timestamp;
use tenure_core::store::{Attempts, StoreError};

use crate::NAME;
use crate::fields::{countable, time};

pub(crate) const FIELDS: [&str; 5] = [
    "version",
    "failures",
    "last_failed_at",
    "blocked_until",
    "expires_at",
];

/// Names and values in turn.
pub(crate) fn written(attempts: &Attempts) -> Vec<Vec<u8>> {
    let values = [
        countable(attempts.version),
        attempts.failures.into(),
        time(attempts.last_failed_at),
        time(attempts.blocked_until),
        time(attempts.expires_at),
    ];
    let pairs = FIELDS.iter().zip(values);
    pairs
        .flat_map(|(name, value)| [name.as_bytes().to_vec(), value.to_string().into_bytes()])
        .collect()
}

/// The attempts that an answer to [`FIELDS`] holds, if there are any.
pub(crate) fn read(answer: Value) -> Result<Option<Attempts>, StoreError> {
    let corrupt = || StoreError::Corrupt {
        store: NAME,
        what: "attempts",
    };
    let Value::Array(values) = answer else {
        return Err(corrupt());
    };
    if values.iter().all(|value| *value == Value::Nil) {
        return Ok(None);
    }
    let numbers: Option<Vec<u64>> = values.iter().map(number).collect();
    let [version, failures, last_failed_at, blocked_until, expires_at] = numbers
        .as_deref()
        .ok_or_else(corrupt)?
        .try_into()
        .map_err(|_| corrupt())?;
    Ok(Some(Attempts {
        version,
        failures: u32::try_from(failures).map_err(|_| corrupt())?,
        last_failed_at: Timestamp::from_millis(last_failed_at),
        blocked_until: Timestamp::from_millis(blocked_until),
        expires_at: Timestamp::from_millis(expires_at),
    }))
}

fn number(value: &Value) -> Option<u64> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok()?.parse().ok(),
        _ => None,
    }
}
