//! A session as a document, and as the JSON that JavaScript makes of it.

use mongodb::bson::{Bson, DateTime, Document};
use serde_json::Number;

use super::json::Json;

/// The largest whole number up to which JavaScript has every one.
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

/// What is to be kept, in the place of what is kept. What reads the same as before stays as it is, so that a date or an
/// id that the Express application keeps does not become a string.
pub(super) fn of(json: &Json, kept: Option<&Bson>) -> Bson {
    match json {
        Json::Object(members) => {
            let kept = kept.and_then(Bson::as_document);
            let members = members.iter().map(|(key, value)| {
                let kept = kept.and_then(|kept| kept.get(key));
                let member = match (key.as_str(), value) {
                    ("cookie", Json::Object(attributes)) => cookie(attributes, kept),
                    _ => merged(value, kept),
                };
                (key.clone(), member)
            });
            Bson::Document(members.collect())
        }
        _ => merged(json, kept),
    }
}

/// connect-mongo keeps `expires` as a date.
fn cookie(attributes: &[(String, Json)], kept: Option<&Bson>) -> Bson {
    let kept = kept.and_then(Bson::as_document);
    let attributes = attributes.iter().map(|(key, value)| {
        let date = match (key.as_str(), value) {
            ("expires", Json::Text(text)) => DateTime::parse_rfc3339_str(text).ok(),
            _ => None,
        };
        let kept = kept.and_then(|kept| kept.get(key));
        let value = date.map_or_else(|| merged(value, kept), Bson::DateTime);
        (key.clone(), value)
    });
    Bson::Document(attributes.collect())
}

fn merged(new: &Json, kept: Option<&Bson>) -> Bson {
    match (new, kept) {
        (_, Some(kept)) if json(kept) == *new => kept.clone(),
        (Json::Object(members), Some(Bson::Document(kept))) => {
            let members = members
                .iter()
                .map(|(key, value)| (key.clone(), merged(value, kept.get(key))));
            Bson::Document(members.collect())
        }
        (Json::Array(items), Some(Bson::Array(kept))) => {
            let items = items.iter().enumerate();
            Bson::Array(items.map(|(at, item)| merged(item, kept.get(at))).collect())
        }
        _ => bson(new),
    }
}

/// As the driver of JavaScript writes it.
fn bson(json: &Json) -> Bson {
    match json {
        Json::Null => Bson::Null,
        Json::Bool(value) => Bson::Boolean(*value),
        Json::Number(number) => {
            let small = number.as_i64().and_then(|number| i32::try_from(number).ok());
            small.map_or_else(|| Bson::Double(number.as_f64().unwrap_or(f64::NAN)), Bson::Int32)
        }
        Json::Text(text) => Bson::String(text.clone()),
        Json::Array(items) => Bson::Array(items.iter().map(bson).collect()),
        Json::Object(members) => {
            let members = members.iter().map(|(key, value)| (key.clone(), bson(value)));
            Bson::Document(members.collect::<Document>())
        }
    }
}

/// As `JSON.stringify` has it.
pub(super) fn json(bson: &Bson) -> Json {
    match bson {
        Bson::Boolean(value) => Json::Bool(*value),
        Bson::Int32(number) => Json::Number((*number).into()),
        Bson::Int64(number) => Json::Number((*number).into()),
        Bson::Double(number) => double(*number),
        Bson::String(text) | Bson::Symbol(text) => Json::Text(text.clone()),
        Bson::DateTime(date) => Json::Text(iso_8601(*date)),
        Bson::ObjectId(id) => Json::Text(id.to_hex()),
        Bson::Array(items) => Json::Array(items.iter().map(json).collect()),
        Bson::Document(document) => Json::Object(
            document
                .iter()
                .map(|(key, value)| (key.clone(), json(value)))
                .collect(),
        ),
        Bson::Null | Bson::Undefined => Json::Null,
        // Of no use as JSON, but told apart, and kept as it is.
        other => Json::Text(other.to_string()),
    }
}

fn double(number: f64) -> Json {
    #[expect(clippy::cast_possible_truncation, reason = "whole, and small enough")]
    if number.fract() == 0.0 && number.abs() <= MAX_SAFE_INTEGER {
        return Json::Number((number as i64).into());
    }
    Number::from_f64(number).map_or(Json::Null, Json::Number)
}

/// With milliseconds, always.
fn iso_8601(date: DateTime) -> String {
    let Ok(text) = date.try_to_rfc3339_string() else {
        // `Date.prototype.toJSON` gives null beyond its own range.
        return String::new();
    };
    let seconds = text.trim_end_matches('Z');
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    format!("{whole}.{fraction:0<3}Z")
}

#[cfg(test)]
mod tests {
    use super::*;
    use mongodb::bson::{doc, oid::ObjectId};
    use proptest::prelude::*;

    fn parsed(text: &str) -> Json {
        Json::parse(text).unwrap()
    }

    fn date(millis: i64) -> DateTime {
        DateTime::from_millis(millis)
    }

    #[test]
    fn a_session_becomes_the_document_that_connect_mongo_would_write() {
        let json = r#"{"cookie":{"originalMaxAge":60000,"expires":"2026-01-01T00:01:00.000Z","httpOnly":true,"path":"/"},"n":1,"half":0.5,"large":3000000000,"list":[null,{"b":1,"a":"x"}]}"#;
        let document = of(&parsed(json), None);
        let expected = doc! {
            "cookie": {
                "originalMaxAge": 60_000, "expires": date(1_767_225_660_000), "httpOnly": true, "path": "/",
            },
            "n": 1, "half": 0.5, "large": 3_000_000_000.0, "list": [Bson::Null, { "b": 1, "a": "x" }],
        };
        assert_eq!(document, Bson::Document(expected));
        assert_eq!(super::json(&document).to_string(), json);
    }

    #[test]
    fn what_has_no_json_of_its_own_stays_what_it_is_until_it_is_changed() {
        let id = ObjectId::from_bytes([7; 12]);
        let kept = Bson::Document(doc! {
            "cookie": { "originalMaxAge": Bson::Null, "expires": Bson::Null },
            "user": { "id": id, "seen": date(1_500), "old": date(0) },
            "counts": [1_i64, 2.0],
        });
        let text = json(&kept).to_string();
        assert_eq!(
            text,
            r#"{"cookie":{"originalMaxAge":null,"expires":null},"user":{"id":"070707070707070707070707","seen":"1970-01-01T00:00:01.500Z","old":"1970-01-01T00:00:00.000Z"},"counts":[1,2]}"#
        );
        assert_eq!(of(&parsed(&text), Some(&kept)), kept);

        let changed = text
            .replace("00:00:01.500", "00:00:02.000")
            .replace("[1,2]", "[1,3]");
        let document = of(&parsed(&changed), Some(&kept));
        let expected = doc! {
            "cookie": { "originalMaxAge": Bson::Null, "expires": Bson::Null },
            "user": { "id": id, "seen": "1970-01-01T00:00:02.000Z", "old": date(0) },
            "counts": [1_i64, 3],
        };
        assert_eq!(document, Bson::Document(expected));
    }

    #[test]
    fn a_value_that_looks_like_an_operator_or_another_type_is_only_a_value() {
        let json = r#"{"cookie":{},"a":{"$oid":"x"},"$set":{"$gt":1},"b.c":{"$date":1}}"#;
        let document = of(&parsed(json), None);
        assert_eq!(super::json(&document).to_string(), json);
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::Bool),
            (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(|n| Json::Number(n.into())),
            any::<f64>().prop_map(double),
            any::<String>().prop_map(Json::Text),
        ];
        let key = "[a-z$._]{1,8}";
        leaf.prop_recursive(4, 32, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Json::Array),
                // Two members of one name are none.
                prop::collection::btree_map(key, inner, 0..6)
                    .prop_map(|members| Json::Object(members.into_iter().rev().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_json_comes_back_in_its_order(session in any_json()) {
            prop_assert_eq!(json(&of(&session, None)), session);
        }

        #[test]
        fn whatever_is_kept_the_new_session_is_what_reads_back(old in any_json(), new in any_json()) {
            let kept = of(&old, None);
            let document = of(&new, Some(&kept));
            prop_assert_eq!(json(&document), new);
            prop_assert_eq!(of(&old, Some(&kept)), kept);
        }

        #[test]
        fn what_is_written_reads_the_same(session in any_json()) {
            prop_assert_eq!(Json::parse(&session.to_string()).unwrap(), session);
        }

        #[test]
        fn any_text_is_survived(text: String) {
            let _ = Json::parse(&text);
        }
    }
}
