//! The `cookie` part of express-session's record.

use serde::de::Error as _;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::Timestamp;
use crate::express::record::{Entries, raw};

const ORIGINAL_MAX_AGE: &str = "originalMaxAge";
const EXPIRES: &str = "expires";

/// How long the cookie lives, and its attributes, as express-session keeps them with every session.
///
/// What is not touched is written back as the bytes that came: attributes that only JavaScript knows survive.
#[derive(Clone, Debug)]
pub struct RecordCookie {
    attributes: Entries,
    original_max_age: Option<i64>,
    expires_at: Option<Timestamp>,
}

impl RecordCookie {
    /// A cookie of a session that lives for `max_age` milliseconds since its last use; without, for as long as the
    /// browser runs. `HttpOnly`, with the path `/`: the defaults of express-session, to which attributes are
    /// added with [`RecordCookie::with_attribute`].
    #[must_use]
    pub fn new(max_age: Option<i64>, now: Timestamp) -> Self {
        let mut cookie = Self {
            attributes: Entries::default(),
            original_max_age: max_age,
            expires_at: None,
        };
        cookie.attributes.set(ORIGINAL_MAX_AGE, raw(&max_age));
        cookie.touch(now);
        cookie.attributes.set("httpOnly", raw(&true));
        cookie.attributes.set("path", raw("/"));
        cookie
    }

    /// This cookie with an attribute more, or another value for one: `secure`, `domain`, `sameSite` and so on, as
    /// express-session calls them.
    #[must_use]
    pub fn with_attribute(mut self, name: &str, value: Box<RawValue>) -> Self {
        self.attributes.set(name, value);
        self.attributes.sort_by_key(place);
        self
    }

    /// An attribute's value as JSON.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&RawValue> {
        self.attributes.get(name)
    }

    /// Milliseconds that the session lives since its last use. None: for as long as the browser runs.
    #[must_use]
    pub fn original_max_age(&self) -> Option<i64> {
        self.original_max_age
    }

    /// When the session ends. None: express-session leaves that to the store.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// Lets the session live anew for its maximal age, as every request does.
    pub fn touch(&mut self, now: Timestamp) {
        self.expires_at = self.original_max_age.map(|age| {
            let millis = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
            Timestamp::from_millis(u64::try_from(millis.saturating_add(age)).unwrap_or(0))
        });
        self.attributes.set(EXPIRES, raw(&self.expires_at.map(iso_8601)));
        self.attributes.sort_by_key(place);
    }
}

/// The order in which express-session writes the attributes; others come last.
fn place(name: &str) -> usize {
    const ORDER: [&str; 9] = [
        ORIGINAL_MAX_AGE,
        "partitioned",
        "priority",
        EXPIRES,
        "secure",
        "httpOnly",
        "domain",
        "path",
        "sameSite",
    ];
    ORDER
        .iter()
        .position(|known| *known == name)
        .unwrap_or(ORDER.len())
}

/// As `Date.prototype.toISOString` writes it. Beyond the year 9999 its last moment.
fn iso_8601(moment: Timestamp) -> String {
    let millis = i64::try_from(moment.as_millis()).unwrap_or(i64::MAX);
    let moment = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
    format!("{moment:.3}")
}

impl<'de> Deserialize<'de> for RecordCookie {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let attributes = Entries::deserialize(deserializer)?;
        let expires_at = match attributes.get(EXPIRES) {
            None => None,
            Some(json) => serde_json::from_str::<Option<jiff::Timestamp>>(json.get())
                .map_err(|_| D::Error::custom("expires is neither null nor a time in ISO 8601"))?
                .map(|moment| Timestamp::from_millis(u64::try_from(moment.as_millisecond()).unwrap_or(0))),
        };
        let original_max_age = match attributes.get(ORIGINAL_MAX_AGE) {
            None => None,
            // JavaScript has no whole numbers: half a millisecond is a number as good as any.
            #[expect(
                clippy::cast_possible_truncation,
                reason = "saturates, and to the millisecond is enough"
            )]
            Some(json) => serde_json::from_str::<Option<f64>>(json.get())
                .map_err(|_| D::Error::custom("originalMaxAge is neither null nor a number"))?
                .map(|age| age as i64),
        };
        Ok(Self {
            attributes,
            original_max_age,
            expires_at,
        })
    }
}

impl Serialize for RecordCookie {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.attributes.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
