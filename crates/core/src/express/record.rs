//! The record of a session as express-session and its stores write it: one JSON object.

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use crate::Timestamp;
use crate::data::Data;
use crate::express::RecordCookie;

/// A session in express-session's JSON: `{"cookie":{…},…data}`.
///
/// The data is kept as the bytes that came, so that what one service does not know, it does not change.
///
/// ```
/// use tenure_core::Timestamp;
/// use tenure_core::express::SessionRecord;
///
/// let json = r#"{"cookie":{"originalMaxAge":60000,"expires":"2026-01-01T00:01:00.000Z","httpOnly":true,"path":"/"},"user":7}"#;
/// let mut record = SessionRecord::parse(json)?;
/// assert_eq!(record.get("user").map(|value| value.get()), Some("7"));
///
/// let new_year = Timestamp::from_millis(1_767_225_600_000);
/// record.cookie_mut().touch(new_year);
/// assert_eq!(record.to_json(), json);
/// # Ok::<(), tenure_core::express::RecordError>(())
/// ```
#[derive(Clone)]
pub struct SessionRecord {
    cookie: RecordCookie,
    data: Entries,
}

/// A record that is not one of express-session's.
#[derive(Debug, thiserror::Error)]
#[error(
    "the stored session is not one that express-session wrote (line {line}, column {column}); remove it, or keep other programs from writing there"
)]
pub struct RecordError {
    line: usize,
    column: usize,
}

impl SessionRecord {
    /// A session without data.
    #[must_use]
    pub fn new(cookie: RecordCookie) -> Self {
        Self {
            cookie,
            data: Entries::default(),
        }
    }

    /// Reads a record.
    ///
    /// # Errors
    /// If it is not a JSON object with a `cookie` whose `expires` and `originalMaxAge` are as express-session writes
    /// them. The message has nothing of the record in it.
    pub fn parse(json: &str) -> Result<Self, RecordError> {
        serde_json::from_str(json).map_err(|error| RecordError {
            line: error.line(),
            column: error.column(),
        })
    }

    /// The record as JSON, the cookie first.
    #[must_use]
    #[expect(clippy::expect_used, reason = "keys are strings and values are JSON already")]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("keys are strings and values are JSON already")
    }

    /// The cookie part.
    #[must_use]
    pub fn cookie(&self) -> &RecordCookie {
        &self.cookie
    }

    /// The cookie part, to touch it.
    pub fn cookie_mut(&mut self) -> &mut RecordCookie {
        &mut self.cookie
    }

    /// Whether the session has ended. One without `expires` never does by itself.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.cookie.expires_at().is_some_and(|end| end <= now)
    }

    /// The value under a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&RawValue> {
        self.data.get(key)
    }

    /// Sets the value under a key. The key `cookie` is taken: it does nothing.
    pub fn set(&mut self, key: &str, value: Box<RawValue>) {
        if key != COOKIE {
            self.data.set(key, value);
        }
    }

    /// Removes the value under a key.
    pub fn remove(&mut self, key: &str) {
        self.data.remove(key);
    }

    /// Every key with its value, in the order of the record.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.data.iter()
    }

    /// Has these values and no others. What stays keeps its place, and what is new comes last, as in JavaScript.
    pub(super) fn hold(&mut self, data: &Data) {
        let Entries(entries) = &mut self.data;
        entries.retain_mut(|(key, value)| {
            let held = data.get(key);
            let changed = held.filter(|new| *new != value.get());
            if let Some(new) = changed.and_then(known_json) {
                *value = new;
            }
            held.is_some()
        });
        // By a look-up each, since a visitor may be who chooses the keys, and how many there are.
        let known: HashSet<&str> = entries.iter().map(|(key, _)| key.as_str()).collect();
        let new: Vec<_> = data
            .iter()
            .filter(|(key, _)| *key != COOKIE && !known.contains(key))
            .filter_map(|(key, value)| Some((key.to_owned(), known_json(value)?)))
            .collect();
        entries.extend(new);
    }
}

const COOKIE: &str = "cookie";

/// What is in a session's data was JSON when it came there.
fn known_json(json: &str) -> Option<Box<RawValue>> {
    RawValue::from_string(json.to_owned()).ok()
}

impl fmt::Debug for SessionRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionRecord")
            .field("cookie", &self.cookie)
            .finish_non_exhaustive()
    }
}

impl<'de> Deserialize<'de> for SessionRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut data = Entries::deserialize(deserializer)?;
        let cookie = data
            .remove(COOKIE)
            .ok_or_else(|| serde::de::Error::missing_field(COOKIE))?;
        Ok(Self {
            cookie: serde_json::from_str(cookie.get()).map_err(serde::de::Error::custom)?,
            data,
        })
    }
}

impl Serialize for SessionRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(COOKIE, &self.cookie)?;
        for (key, value) in self.data.iter() {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// A JSON object as JavaScript has it: in order, and of two values under one key the last.
#[derive(Clone, Default)]
pub(super) struct Entries(Vec<(String, Box<RawValue>)>);

impl Entries {
    pub(super) fn get(&self, key: &str) -> Option<&RawValue> {
        self.0
            .iter()
            .find(|(known, _)| known == key)
            .map(|(_, value)| value.as_ref())
    }

    pub(super) fn set(&mut self, key: &str, value: Box<RawValue>) {
        match self.0.iter_mut().find(|(known, _)| known == key) {
            Some((_, old)) => *old = value,
            None => self.0.push((key.to_owned(), value)),
        }
    }

    pub(super) fn remove(&mut self, key: &str) -> Option<Box<RawValue>> {
        let at = self.0.iter().position(|(known, _)| known == key)?;
        Some(self.0.remove(at).1)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_ref()))
    }

    pub(super) fn sort_by_key<K: Ord>(&mut self, mut place: impl FnMut(&str) -> K) {
        self.0.sort_by_key(|(key, _)| place(key));
    }
}

impl fmt::Debug for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} entries", self.0.len())
    }
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Entries::default();
                // A record of many keys would take quadratic time without it.
                let mut places = HashMap::new();
                while let Some((key, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    match places.get(&key) {
                        Some(&at) => {
                            let (_, old): &mut (String, Box<RawValue>) = &mut entries.0[at];
                            *old = value;
                        }
                        None => {
                            places.insert(key.clone(), entries.0.len());
                            entries.0.push((key, value));
                        }
                    }
                }
                Ok(entries)
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

#[expect(clippy::expect_used, reason = "text, numbers and booleans are JSON")]
pub(super) fn raw<T: Serialize + ?Sized>(value: &T) -> Box<RawValue> {
    to_raw_value(value).expect("text, numbers and booleans are JSON")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

    #[test]
    fn a_new_record_reads_as_express_session_writes_it() {
        let cookie = RecordCookie::new(Some(60_000), NOW)
            .with_attribute("sameSite", raw("lax"))
            .with_attribute("secure", raw(&true))
            .with_attribute("priority", raw("high"));
        let mut record = SessionRecord::new(cookie);
        record.set("user", raw(&7));
        assert_eq!(
            record.to_json(),
            r#"{"cookie":{"originalMaxAge":60000,"priority":"high","expires":"2026-01-01T00:01:00.000Z","secure":true,"httpOnly":true,"path":"/","sameSite":"lax"},"user":7}"#
        );
        let without_end = SessionRecord::new(RecordCookie::new(None, NOW));
        assert_eq!(
            without_end.to_json(),
            r#"{"cookie":{"originalMaxAge":null,"expires":null,"httpOnly":true,"path":"/"}}"#
        );
    }

    #[test]
    fn what_is_held_keeps_its_order_and_what_is_new_comes_last() {
        let mut record = SessionRecord::new(RecordCookie::new(None, NOW));
        for key in ["c", "b", "a"] {
            record.set(key, raw(&1));
        }
        record.hold(&Data::parse(r#"{"a":2,"c":1,"d":3,"cookie":4}"#).unwrap());
        let held: Vec<_> = record.entries().map(|(key, value)| (key, value.get())).collect();
        assert_eq!(held, [("c", "1"), ("a", "2"), ("d", "3")]);
    }

    #[test]
    fn a_session_of_many_keys_takes_no_quadratic_time() {
        const KEYS: u32 = 100_000;
        let entries: Vec<_> = (0..KEYS).map(|key| format!("\"{key:x}\":{key}")).collect();
        let data = Data::parse(format!("{{{}}}", entries.join(","))).unwrap();
        let mut record = SessionRecord::new(RecordCookie::new(None, NOW));
        record.hold(&data);
        record.hold(&data);
        assert_eq!(record.entries().count(), KEYS as usize);
    }

    #[test]
    fn a_session_has_ended_at_the_millisecond_of_expires() {
        let record = SessionRecord::new(RecordCookie::new(Some(1), NOW));
        assert!(!record.is_expired(NOW));
        assert!(record.is_expired(Timestamp::from_millis(NOW.as_millis() + 1)));
        assert!(
            !SessionRecord::new(RecordCookie::new(None, NOW)).is_expired(Timestamp::from_millis(u64::MAX))
        );
    }

    #[test]
    fn a_touch_slides_expires_and_leaves_the_maximal_age() {
        let mut record = SessionRecord::new(RecordCookie::new(Some(60_000), NOW));
        let later = Timestamp::from_millis(NOW.as_millis() + 30_000);
        record.cookie_mut().touch(later);
        assert_eq!(record.cookie().original_max_age(), Some(60_000));
        assert_eq!(
            record.cookie().expires_at(),
            Some(Timestamp::from_millis(NOW.as_millis() + 90_000))
        );
    }

    #[test]
    fn of_two_values_under_one_key_the_last_counts_as_in_javascript() {
        let record = SessionRecord::parse(r#"{"a":1,"cookie":{},"a":2}"#).unwrap();
        assert_eq!(record.to_json(), r#"{"cookie":{},"a":2}"#);
    }

    #[test]
    fn what_is_no_record_is_refused_and_the_message_has_nothing_of_it() {
        for json in [
            "",
            "[]",
            "7",
            r#"{"hunter2":1}"#,
            r#"{"cookie":"hunter2"}"#,
            r#"{"cookie":{"expires":"hunter2"}}"#,
            r#"{"cookie":{"originalMaxAge":"hunter2"}}"#,
            r#"{"cookie":{}"#,
        ] {
            let error = SessionRecord::parse(json).unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{json}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in any::<String>()) {
            let _ = SessionRecord::parse(&text);
            let _ = SessionRecord::parse(&format!(r#"{{"cookie":{text}}}"#));
        }

        #[test]
        fn what_is_read_is_written_back(
            age in proptest::option::of(0..10_000_000_000_i64),
            data in proptest::collection::vec(("[a-z]{1,5}x", "[ -~é]{0,20}"), 0..10),
        ) {
            let mut record = SessionRecord::new(RecordCookie::new(age, NOW));
            for (key, value) in &data {
                record.set(key, raw(value));
            }
            let json = record.to_json();
            let again = SessionRecord::parse(&json).unwrap();
            prop_assert_eq!(again.to_json(), json);
            prop_assert_eq!(again.cookie().expires_at(), record.cookie().expires_at());
            prop_assert_eq!(again.cookie().original_max_age(), age);
        }
    }
}
