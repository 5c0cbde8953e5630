//! Values that a test plants where they must stay, and a search for them where they must not be.

use base64ct::{Base64Unpadded, Base64UrlUnpadded, Encoding};

/// A value that must not be seen, such as a secret or a session's data.
#[derive(Clone)]
pub struct Planted {
    what: String,
    bytes: Vec<u8>,
}

impl Planted {
    /// The fewest bytes of a planted value: fewer could be anywhere by chance.
    pub const MIN_BYTES: usize = 12;

    /// A value, and what it is, for the report.
    ///
    /// # Panics
    /// If it is so short that it could be found by chance.
    #[must_use]
    pub fn new(what: impl Into<String>, value: impl AsRef<[u8]>) -> Self {
        let (what, bytes) = (what.into(), value.as_ref().to_vec());
        assert!(bytes.len() >= Self::MIN_BYTES, "{what} is too short to look for");
        Self { what, bytes }
    }

    /// In which forms the value is in `text`: as it is, in hexadecimal, in base64 of either alphabet at any alignment,
    /// percent-encoded, or as a list of numbers.
    #[must_use]
    pub fn found_in(&self, text: &str) -> Vec<String> {
        let lower = text.to_ascii_lowercase();
        let mut found = Vec::new();
        for (form, needle) in self.forms() {
            let is_there = match form {
                "hexadecimal" | "percent-encoded" => lower.contains(&needle),
                _ => text.contains(&needle),
            };
            if is_there {
                found.push(format!("{}, {form}", self.what));
            }
        }
        found
    }

    fn forms(&self) -> Vec<(&'static str, String)> {
        let hex = |before: &str| {
            let digits = self.bytes.iter().map(|byte| format!("{before}{byte:02x}"));
            digits.collect::<String>()
        };
        let numbers = |between: &str| {
            let numbers: Vec<_> = self.bytes.iter().map(u8::to_string).collect();
            numbers.join(between)
        };
        let mut forms = vec![
            ("hexadecimal", hex("")),
            ("hexadecimal", hex("\\x")),
            ("percent-encoded", hex("%")),
            ("a list of numbers", numbers(", ")),
            ("a list of numbers", numbers(",")),
        ];
        if let Ok(text) = std::str::from_utf8(&self.bytes) {
            forms.push(("as it is", text.to_owned()));
            forms.push((
                "as a string of JSON",
                text.replace('\\', "\\\\").replace('"', "\\\""),
            ));
        }
        for shift in 0..3 {
            forms.push(("base64", inner::<Base64Unpadded>(&self.bytes, shift)));
            forms.push(("base64url", inner::<Base64UrlUnpadded>(&self.bytes, shift)));
        }
        forms
    }
}

/// The characters that stand for these bytes alone, if so many others come before them.
fn inner<E: Encoding>(bytes: &[u8], shift: usize) -> String {
    let mut shifted = vec![0; shift];
    shifted.extend_from_slice(bytes);
    let encoded = E::encode_string(&shifted);
    let first = (shift * 8).div_ceil(6);
    let last = shifted.len() * 8 / 6;
    encoded[first..last].to_owned()
}

impl std::fmt::Debug for Planted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Planted({})", self.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUE: &[u8] = b"a value / that ~~ was planted?";

    fn finds(text: &str) -> bool {
        !Planted::new("it", VALUE).found_in(text).is_empty()
    }

    #[test]
    fn it_is_found_in_every_form_and_at_every_alignment() {
        let text = std::str::from_utf8(VALUE).unwrap();
        assert!(finds(&format!("before {text} behind")));
        let hex: String = VALUE.iter().map(|byte| format!("{byte:02X}")).collect();
        assert!(finds(&format!("x{hex}x")));
        assert!(finds(&format!("{:?}", VALUE.to_vec())));
        assert!(finds(
            &VALUE
                .iter()
                .map(|byte| format!("%{byte:02X}"))
                .collect::<String>()
        ));
        for before in ["", "1", "12", "123", "1234"] {
            for behind in ["", "1", "12"] {
                let whole = [before.as_bytes(), VALUE, behind.as_bytes()].concat();
                assert!(finds(&Base64Unpadded::encode_string(&whole)), "{before} {behind}");
                assert!(
                    finds(&Base64UrlUnpadded::encode_string(&whole)),
                    "{before} {behind}"
                );
            }
        }
    }

    #[test]
    fn another_text_is_clean() {
        assert!(!finds("a value / that ~~ was not planted?"));
        assert!(!finds(&Base64Unpadded::encode_string(
            b"a value / that ~~ was not planted?"
        )));
    }
}
