//! The `Set-Cookie` header as express-session writes it: by the npm package `cookie` 0.7.

use http::HeaderValue;
use serde_json::Value;

use crate::clock::Timestamp;
use crate::express::RecordCookie;

/// The record's cookie has an attribute that no browser would take.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unwritable;

/// The cookie with `value`, and the attributes of the record.
pub(super) fn issue(name: &str, value: &str, cookie: &RecordCookie) -> Result<HeaderValue, Unwritable> {
    header(name, value, cookie, cookie.expires_at())
}

/// What makes the browser forget it: the same attributes, or it would miss it, and a time that is over.
pub(super) fn removal(name: &str, cookie: &RecordCookie) -> Result<HeaderValue, Unwritable> {
    header(name, "", cookie, Some(Timestamp::from_millis(0)))
}

fn header(
    name: &str,
    value: &str,
    cookie: &RecordCookie,
    expires: Option<Timestamp>,
) -> Result<HeaderValue, Unwritable> {
    let mut text = format!("{name}={value}");
    for (attribute, key) in [("Domain", "domain"), ("Path", "path")] {
        if let Some(Value::String(given)) = attribute_of(cookie, key).filter(is_truthy) {
            if !given
                .bytes()
                .all(|byte| matches!(byte, b' '..=b'~') && byte != b';')
            {
                return Err(Unwritable);
            }
            text.push_str(&format!("; {attribute}={given}"));
        }
    }
    if let Some(expires) = expires {
        text.push_str(&format!("; Expires={}", http_date(expires)));
    }
    for (attribute, key) in [
        ("HttpOnly", "httpOnly"),
        ("Secure", "secure"),
        ("Partitioned", "partitioned"),
    ] {
        if attribute_of(cookie, key).is_some_and(|value| is_truthy(&value)) {
            text.push_str(&format!("; {attribute}"));
        }
    }
    if let Some(priority) = attribute_of(cookie, "priority").filter(is_truthy) {
        text.push_str("; Priority=");
        text.push_str(one_of(&priority, &["Low", "Medium", "High"])?);
    }
    match attribute_of(cookie, "sameSite").filter(is_truthy) {
        None => {}
        Some(Value::Bool(_)) => text.push_str("; SameSite=Strict"),
        Some(same_site) => {
            text.push_str("; SameSite=");
            text.push_str(one_of(&same_site, &["Lax", "Strict", "None"])?);
        }
    }
    let mut header = HeaderValue::try_from(text).map_err(|_| Unwritable)?;
    // Keeps the value out of `Debug` output and of HTTP/2's header compression tables.
    header.set_sensitive(true);
    Ok(header)
}

fn attribute_of(cookie: &RecordCookie, key: &str) -> Option<Value> {
    serde_json::from_str(cookie.attribute(key)?.get()).ok()
}

/// As JavaScript has it.
fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

/// Where express-session throws, this fails.
fn one_of(value: &Value, known: &[&'static str]) -> Result<&'static str, Unwritable> {
    let given = value.as_str().ok_or(Unwritable)?;
    let found = known.iter().find(|known| known.eq_ignore_ascii_case(given));
    found.copied().ok_or(Unwritable)
}

/// As `Date.prototype.toUTCString` writes it. Beyond the year 9999 its last second.
fn http_date(moment: Timestamp) -> String {
    let seconds = i64::try_from(moment.as_millis() / 1_000).unwrap_or(i64::MAX);
    let moment = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX);
    moment.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SameSite;
    use crate::express::record::raw;
    use crate::express::{CookiePriority, ExpressCookie, SessionRecord};
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_999);

    fn written(cookie: &RecordCookie) -> String {
        let header = issue("connect.sid", "s%3Aa", cookie).unwrap();
        header.to_str().unwrap().to_owned()
    }

    #[test]
    fn the_defaults_of_express_session_are_written_as_it_writes_them() {
        let plain = ExpressCookie::like_express_session();
        assert_eq!(
            written(&plain.of_new_record(None, NOW)),
            "connect.sid=s%3Aa; Path=/; HttpOnly"
        );
        assert_eq!(
            written(&plain.of_new_record(Some(60_000), NOW)),
            "connect.sid=s%3Aa; Path=/; Expires=Thu, 01 Jan 2026 00:01:00 GMT; HttpOnly"
        );
    }

    #[test]
    fn every_attribute_has_its_place() {
        let cookie = ExpressCookie::default()
            .domain("example.com")
            .path("/shop")
            .partitioned(true)
            .same_site(Some(SameSite::None))
            .priority(CookiePriority::High)
            .of_new_record(Some(1), NOW);
        assert_eq!(
            written(&cookie),
            "connect.sid=s%3Aa; Domain=example.com; Path=/shop; Expires=Thu, 01 Jan 2026 00:00:01 GMT; HttpOnly; \
             Secure; Partitioned; Priority=High; SameSite=None"
        );
        let record = SessionRecord::new(cookie);
        assert_eq!(
            record.to_json(),
            r#"{"cookie":{"originalMaxAge":1,"partitioned":true,"priority":"high","expires":"2026-01-01T00:00:01.000Z","secure":true,"httpOnly":true,"domain":"example.com","path":"/shop","sameSite":"none"}}"#
        );
    }

    #[test]
    fn what_javascript_takes_for_no_is_none_and_true_is_strict() {
        let json = r#"{"cookie":{"path":"","httpOnly":0,"secure":"yes","sameSite":true,"priority":null,"domain":null}}"#;
        let record = SessionRecord::parse(json).unwrap();
        assert_eq!(
            written(record.cookie()),
            "connect.sid=s%3Aa; Secure; SameSite=Strict"
        );
    }

    #[test]
    fn a_record_that_would_smuggle_an_attribute_in_is_refused() {
        for cookie in [
            r#"{"path":"/; Domain=evil.example"}"#,
            r#"{"domain":"a\r\nSet-Cookie: b=1"}"#,
            r#"{"sameSite":"auto"}"#,
            r#"{"priority":7}"#,
        ] {
            let record = SessionRecord::parse(&format!(r#"{{"cookie":{cookie}}}"#)).unwrap();
            assert_eq!(issue("a", "b", record.cookie()), Err(Unwritable), "{cookie}");
        }
    }

    #[test]
    fn a_removal_has_the_same_attributes_and_a_time_that_is_over() {
        let cookie = ExpressCookie::default().of_new_record(Some(60_000), NOW);
        assert_eq!(
            removal("connect.sid", &cookie).unwrap(),
            "connect.sid=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax"
        );
    }

    proptest! {
        #[test]
        fn no_record_smuggles_an_attribute_in(
            path in any::<String>(), domain in any::<String>(), same_site in any::<String>(), expires in any::<u64>(),
        ) {
            let cookie = RecordCookie::new(Some(1), Timestamp::from_millis(expires))
                .with_attribute("path", raw(path.as_str()))
                .with_attribute("domain", raw(domain.as_str()))
                .with_attribute("sameSite", raw(same_site.as_str()));
            if let Ok(header) = issue("a", "b", &cookie) {
                let text = header.to_str().unwrap();
                let names: Vec<_> = text.split(';').map(|part| part.trim_start().split('=').next().unwrap()).collect();
                let expected = ["a", "Domain", "Path", "Expires", "HttpOnly", "SameSite"];
                let mut expected = expected.into_iter().peekable();
                for name in names {
                    prop_assert!(expected.any(|known| known == name), "{text}");
                }
            }
        }

        #[test]
        fn a_date_is_read_back_to_the_second(millis in 0_u64..253_402_300_800_000) {
            let date = http_date(Timestamp::from_millis(millis));
            prop_assert_eq!(date.len(), 29);
            let read = jiff::fmt::strtime::parse("%a, %d %b %Y %H:%M:%S GMT", &date).unwrap();
            let read = read.to_datetime().unwrap().to_zoned(jiff::tz::TimeZone::UTC).unwrap();
            prop_assert_eq!(u64::try_from(read.timestamp().as_second()).unwrap(), millis / 1_000);
        }
    }
}
