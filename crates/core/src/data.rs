//! The application's data: one JSON object, split into raw values.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A value as JSON text. Cheap to clone.
pub(crate) type Raw = Arc<str>;

/// One JSON object, kept as the text it came as, with the place of each value in it. A value is
/// parsed when it is read, and an untouched one is written back byte for byte.
#[derive(Clone, Debug)]
pub(crate) struct Data {
    json: String,
    /// Ordered by key, each key once. What was built is nearly never read again, so its places are found when it is.
    entries: OnceLock<Vec<Entry>>,
}

#[derive(Clone, Debug)]
struct Entry {
    key: EntryKey,
    value: Range<usize>,
}

#[derive(Clone, Debug)]
enum EntryKey {
    /// Stands in the JSON as it is.
    Plain(Range<usize>),
    /// Had escapes in it.
    Unescaped(Box<str>),
}

/// The data is not one JSON object.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotAnObject;

impl Data {
    pub(crate) const EMPTY_JSON: &'static str = "{}";

    pub(crate) fn empty() -> Self {
        Self {
            json: Self::EMPTY_JSON.into(),
            entries: OnceLock::new(),
        }
    }

    pub(crate) fn parse(json: impl Into<String>) -> Result<Self, NotAnObject> {
        let json = json.into();
        let entries = OnceLock::from(entries_of(&json)?);
        Ok(Self { json, entries })
    }

    pub(crate) fn json(&self) -> &str {
        &self.json
    }

    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        let entries = self.entries();
        let at = entries
            .binary_search_by(|entry| entry.key.text(&self.json).cmp(key))
            .ok()?;
        Some(&self.json[entries[at].value.clone()])
    }

    /// Key and value in order of the keys.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries()
            .iter()
            .map(|entry| (entry.key.text(&self.json), &self.json[entry.value.clone()]))
    }

    fn entries(&self) -> &[Entry] {
        self.entries.get_or_init(|| {
            entries_of(&self.json).expect("what was built of keys and JSON values is one JSON object")
        })
    }
}

fn entries_of(json: &str) -> Result<Vec<Entry>, NotAnObject> {
    let mut parser = serde_json::Deserializer::from_str(json);
    let mut entries = parser
        .deserialize_map(EntriesVisitor { json })
        .map_err(|_| NotAnObject)?;
    parser.end().map_err(|_| NotAnObject)?;
    if !entries.is_sorted_by(|one, next| one.key.text(json) < next.key.text(json)) {
        // A stable sort keeps doubles in order, and the last of them is the one that counts.
        entries.reverse();
        entries.sort_by(|one, other| one.key.text(json).cmp(other.key.text(json)));
        entries.dedup_by(|later, earlier| later.key.text(json) == earlier.key.text(json));
    }
    Ok(entries)
}

impl EntryKey {
    fn text<'a>(&'a self, json: &'a str) -> &'a str {
        match self {
            Self::Plain(range) => &json[range.clone()],
            Self::Unescaped(text) => text,
        }
    }
}

/// Writes a [`Data`] entry by entry; keys must come in order.
pub(crate) struct DataBuilder {
    json: String,
}

impl DataBuilder {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        let mut json = String::with_capacity(bytes);
        json.push('{');
        Self { json }
    }

    pub(crate) fn push(&mut self, key: &str, value: &str) {
        if self.json.len() > 1 {
            self.json.push(',');
        }
        self.push_key(key);
        self.json.push(':');
        self.json.push_str(value);
    }

    fn push_key(&mut self, key: &str) {
        let needs_escape = |character: char| matches!(character, '"' | '\\') || character < ' ';
        if key.contains(needs_escape) {
            self.json.push_str(&serde_json::Value::from(key).to_string());
        } else {
            self.json.push('"');
            self.json.push_str(key);
            self.json.push('"');
        }
    }

    pub(crate) fn finish(mut self) -> Data {
        self.json.push('}');
        Data {
            json: self.json,
            entries: OnceLock::new(),
        }
    }
}

struct EntriesVisitor<'a> {
    json: &'a str,
}

impl<'de> Visitor<'de> for EntriesVisitor<'de> {
    type Value = Vec<Entry>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<Entry>, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key_seed(KeySeed)? {
            let key = match key {
                Cow::Borrowed(text) => EntryKey::Plain(place(text, self.json).ok_or_else(misplaced)?),
                Cow::Owned(text) => EntryKey::Unescaped(text.into_boxed_str()),
            };
            let value: &RawValue = map.next_value()?;
            entries.push(Entry {
                key,
                value: place(value.get(), self.json).ok_or_else(misplaced)?,
            });
        }
        Ok(entries)
    }
}

fn misplaced<E: Error>() -> E {
    E::custom("a borrowed part lies outside the text it was borrowed from")
}

/// Where `part`, borrowed from `whole`, stands in it.
fn place(part: &str, whole: &str) -> Option<Range<usize>> {
    let start = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
    let range = start..start + part.len();
    (whole.get(range.clone())? == part).then_some(range)
}

struct KeySeed;

impl<'de> serde::de::DeserializeSeed<'de> for KeySeed {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for KeySeed {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn pairs(data: &Data) -> Vec<(String, String)> {
        data.iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    }

    #[test]
    fn values_keep_their_spelling() {
        let data = Data::parse(r#" { "b" : 1.0e0 , "a":{ "x" :[ ] } } "#).unwrap();
        assert_eq!(data.get("b"), Some("1.0e0"));
        assert_eq!(data.get("a"), Some(r#"{ "x" :[ ] }"#));
        assert_eq!(data.get("c"), None);
    }

    #[test]
    fn the_last_of_doubled_keys_counts() {
        let data = Data::parse(r#"{"b":1,"a":2,"b":3,"\u0061":4}"#).unwrap();
        assert_eq!(pairs(&data), [("a".into(), "4".into()), ("b".into(), "3".into())]);
    }

    #[test]
    fn anything_but_one_object_is_refused() {
        for json in [
            "", "[]", "null", "{}{}", "{\"a\"}", "{\"a\":}", "{\"a\":1", "\"{}\"",
        ] {
            assert_eq!(Data::parse(json).err(), Some(NotAnObject), "{json}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(json: String) {
            let _ = Data::parse(json);
        }

        #[test]
        fn what_is_built_reads_back_the_same(map: BTreeMap<String, String>) {
            let mut builder = DataBuilder::with_capacity(0);
            let values: BTreeMap<String, String> =
                map.into_iter().map(|(key, value)| (key, serde_json::Value::from(value).to_string())).collect();
            values.iter().for_each(|(key, value)| builder.push(key, value));
            let built = builder.finish();
            let read = Data::parse(built.json()).unwrap();
            let expected: Vec<_> = values.into_iter().collect();
            prop_assert_eq!(pairs(&built), expected.clone());
            prop_assert_eq!(pairs(&read), expected.clone());
            for (key, value) in &expected {
                prop_assert_eq!(read.get(key), Some(value.as_str()));
            }
            let parsed: serde_json::Value = serde_json::from_str(built.json()).unwrap();
            prop_assert_eq!(parsed.as_object().unwrap().len(), expected.len());
        }
    }
}
