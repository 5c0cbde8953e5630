//! The filters and updates of the store's commands.

use std::time::Duration;

use mongodb::bson::{Document, doc};
use tenure_core::store::Touch;
use tenure_core::{Owner, Record, SessionId, Timestamp};

use crate::document::{
    self, ABSOLUTE_DEADLINE, EXPIRES_AT, ID, IDLE_TIMEOUT, LAST_DATE, LAST_SEEN_AT, OWNER, VERSION, date,
    millis, signed,
};

/// The session of this id.
pub(crate) fn of_id(id: SessionId) -> Document {
    doc! { ID: document::id(id) }
}

/// The session of this id, if it is alive at `now`.
pub(crate) fn living(id: SessionId, now: Timestamp) -> Document {
    doc! { ID: document::id(id), EXPIRES_AT: { "$gt": date(now) } }
}

/// The session of this id, if it is alive at `now` and its version is `expected`.
pub(crate) fn living_at_version(id: SessionId, expected: u64, now: Timestamp) -> Document {
    let mut filter = living(id, now);
    filter.insert(VERSION, signed(expected));
    filter
}

/// The session that was read as `record`, if it may still be slid to `now`.
///
/// The version stands for all that an update may have changed since: above all the secret's hash, which
/// says who bears the session, and the timeouts, by which [`slid_to`] reckons.
pub(crate) fn due_as_read(record: &Record, now: Timestamp, at_most_every: Duration) -> Document {
    let mut filter = living_at_version(record.id, record.version, now);
    filter.insert(
        LAST_SEEN_AT,
        doc! { "$lte": millis(Touch::latest_due(now, at_most_every)) },
    );
    filter
}

/// What sliding to the times of `record` changes.
pub(crate) fn slid_to(record: &Record) -> Document {
    doc! { "$set": {
        LAST_SEEN_AT: millis(record.last_seen_at),
        EXPIRES_AT: date(record.expires_at()),
    } }
}

/// Puts `record` in the place of a stored one, but for the later `last_seen_at` of the two, which the
/// server knows alone.
///
/// All of the record is a literal: an owner or user agent that begins with `$` would otherwise be
/// taken for the name of a field.
pub(crate) fn replacement(record: &Record) -> Vec<Document> {
    let last_seen_at = format!("${LAST_SEEN_AT}");
    vec![
        doc! { "$replaceWith": { "$mergeObjects": [
            { "$literal": document::of(record) },
            { LAST_SEEN_AT: { "$max": [last_seen_at, millis(record.last_seen_at)] } },
        ] } },
        doc! { "$set": { EXPIRES_AT: expires_at() } },
    ]
}

/// The earlier of both deadlines, reckoned by the server as [`document::date`] has it. Written so that no
/// sum overflows.
fn expires_at() -> Document {
    let [last_seen_at, idle_timeout, absolute_deadline] =
        [LAST_SEEN_AT, IDLE_TIMEOUT, ABSOLUTE_DEADLINE].map(|field| format!("${field}"));
    let remaining = doc! { "$subtract": [absolute_deadline, &last_seen_at] };
    let deadline = doc! { "$add": [last_seen_at, { "$min": [idle_timeout, remaining] }] };
    doc! { "$toDate": { "$min": [deadline, LAST_DATE] } }
}

/// The sessions of `owner` that are alive at `now`.
pub(crate) fn living_of(owner: &Owner, now: Timestamp) -> Document {
    doc! { OWNER: owner.as_str(), EXPIRES_AT: { "$gt": date(now) } }
}

/// The sessions that are alive at `now`.
pub(crate) fn all_living(now: Timestamp) -> Document {
    doc! { EXPIRES_AT: { "$gt": date(now) } }
}

/// The sessions of `owner` but `except`.
pub(crate) fn all_of(owner: &Owner, except: Option<SessionId>) -> Document {
    let mut filter = doc! { OWNER: owner.as_str() };
    if let Some(spared) = except {
        filter.insert(ID, doc! { "$ne": document::id(spared) });
    }
    filter
}
