//! The cookie with the session id: read as express-session reads it, and written.

use std::borrow::Cow;
use std::fmt;

use crate::express::CookieSecrets;

/// What a `Cookie` header says about the session.
#[derive(Clone, PartialEq, Eq)]
pub enum SidCookie {
    /// A session id that one of the secrets signed.
    Genuine(String),
    /// No cookie of the name, or an empty one.
    Absent,
    /// A cookie of the name that nobody signed.
    Unsigned,
    /// A signature that none of the secrets made.
    Forged,
}

impl SidCookie {
    /// Reads the first cookie called `name`, by the rules of the npm package `cookie` 0.7: spaces and tabs around name
    /// and value are cut, quotes are stripped, escapes are decoded, and a value whose escapes are broken is taken as it is.
    ///
    /// ```
    /// use tenure_core::express::{CookieSecrets, SidCookie};
    ///
    /// let secrets = CookieSecrets::new("keyboard cat");
    /// assert_eq!(SidCookie::read("a=1", "connect.sid", &secrets), SidCookie::Absent);
    /// assert_eq!(SidCookie::read("connect.sid=abc", "connect.sid", &secrets), SidCookie::Unsigned);
    /// assert_eq!(SidCookie::read("connect.sid=s%3Aabc.x", "connect.sid", &secrets), SidCookie::Forged);
    /// ```
    #[must_use]
    pub fn read(header: &str, name: &str, secrets: &CookieSecrets) -> Self {
        let Some(value) = first_cookie(header, name) else {
            return Self::Absent;
        };
        let value = decode_component(value);
        match (value.as_ref(), value.strip_prefix("s:")) {
            ("", _) => Self::Absent,
            (_, None) => Self::Unsigned,
            (_, Some(signed)) => secrets
                .unsign(signed)
                .map_or(Self::Forged, |sid| Self::Genuine(sid.to_owned())),
        }
    }
}

impl fmt::Debug for SidCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Genuine(_) => "Genuine(redacted)",
            Self::Absent => "Absent",
            Self::Unsigned => "Unsigned",
            Self::Forged => "Forged",
        })
    }
}

impl CookieSecrets {
    /// The cookie's value for a session id, as it goes over the wire: `s:`, the id and its signature, escaped.
    ///
    /// ```
    /// let secrets = tenure_core::express::CookieSecrets::new("keyboard cat");
    /// assert!(secrets.cookie_value("hello").starts_with("s%3Ahello.xz6khi6%2BoL"));
    /// ```
    #[must_use]
    pub fn cookie_value(&self, sid: &str) -> String {
        encode_component(&format!("s:{}", self.sign(sid)))
    }
}

fn first_cookie<'h>(header: &'h str, name: &str) -> Option<&'h str> {
    header.split(';').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (trimmed(key) == name).then(|| unquoted(trimmed(value)))
    })
}

fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

fn unquoted(value: &str) -> &str {
    // A quote by itself is both the opening and the closing one.
    if value == "\"" {
        return "";
    }
    value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(value)
}

/// `decodeURIComponent`; where that throws, the text as it is.
fn decode_component(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    decoded(text).map_or(Cow::Borrowed(text), Cow::Owned)
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte == b'%' {
            let (digits, after) = rest.split_first_chunk::<2>()?;
            bytes.push(hex_digit(digits[0])? << 4 | hex_digit(digits[1])?);
            rest = after;
        } else {
            bytes.push(*byte);
        }
    }
    String::from_utf8(bytes).ok()
}

fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// `encodeURIComponent`.
fn encode_component(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(DIGITS[usize::from(byte >> 4)]));
            encoded.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn secrets() -> CookieSecrets {
        CookieSecrets::new("keyboard cat")
    }

    #[test]
    fn the_first_cookie_of_the_name_wins() {
        let header = format!("sid=first; sid={}", secrets().cookie_value("second"));
        assert_eq!(SidCookie::read(&header, "sid", &secrets()), SidCookie::Unsigned);
    }

    #[test]
    fn values_are_found_as_the_cookie_package_finds_them() {
        for (header, value) in [
            ("sid=a", Some("a")),
            (" \tsid \t= \ta \t; b=c", Some("a")),
            ("x; sid=a", Some("a")),
            ("sid=\"a\"", Some("a")),
            ("sid=\"", Some("")),
            ("sid=\"a", Some("\"a")),
            ("sid=a=b", Some("a=b")),
            ("sid", None),
            ("Sid=a", None),
            ("xsid=a;sidx=b", None),
            ("\u{a0}sid=a", None),
        ] {
            assert_eq!(first_cookie(header, "sid"), value, "{header:?}");
        }
    }

    #[test]
    fn escapes_are_decoded_and_broken_ones_left() {
        for (text, decoded) in [
            ("s%3Aa", "s:a"),
            ("%C3%A9", "é"),
            ("%c3%a9", "é"),
            ("%", "%"),
            ("%4", "%4"),
            ("%zz%41", "%zz%41"),
            ("%+1", "%+1"),
            ("%C3", "%C3"),
            ("%C3é", "%C3é"),
            ("%ED%A0%80", "%ED%A0%80"),
        ] {
            assert_eq!(decode_component(text), decoded, "{text:?}");
        }
    }

    #[test]
    fn debug_shows_no_session_id() {
        let genuine = SidCookie::Genuine("visible?".to_owned());
        assert_eq!(format!("{genuine:?}"), "Genuine(redacted)");
    }

    proptest! {
        #[test]
        fn any_header_is_survived_and_nothing_is_genuine_that_nobody_signed(header in any::<String>()) {
            let read = SidCookie::read(&header, "s", &secrets());
            prop_assert!(!matches!(read, SidCookie::Genuine(_)));
            let named = SidCookie::read(&format!("s={header}"), "s", &secrets());
            prop_assert!(!matches!(named, SidCookie::Genuine(_)));
        }

        #[test]
        fn whatever_id_was_signed_is_read_back(sid in any::<String>(), before in "([a-rt-z]{1,8}=[!-:<-~]{0,20}; ?){0,5}") {
            let header = format!("{before}sid={}; z=1", secrets().cookie_value(&sid));
            prop_assert_eq!(SidCookie::read(&header, "sid", &secrets()), SidCookie::Genuine(sid));
        }

        #[test]
        fn encoding_and_decoding_are_inverse(text in any::<String>()) {
            let encoded = encode_component(&text);
            prop_assert_eq!(decode_component(&encoded), text);
        }
    }
}
