//! Finding the token among the fields of a form, while its body comes in.

use super::token::{CsrfToken, TEXT_LENGTH};

/// Finds the field [`_csrf`](CsrfToken::FIELD) of a form, without keeping the form.
///
/// In an `application/x-www-form-urlencoded` body the first field of that name counts, if it is whole within 64 KiB;
/// in `multipart/form-data` it must be the first of all, which a hidden field at the top of the form is. The name and the
/// token must stand as they are, which is how browsers write them: neither has a character to encode.
///
/// ```
/// use tenure_core::{FormCsrfField, FormProgress};
///
/// let mut field = FormCsrfField::of("application/x-www-form-urlencoded").unwrap();
/// assert_eq!(field.read(b"amount=7&_cs"), FormProgress::ReadOn);
/// assert_eq!(field.read(b"rf=abc"), FormProgress::ReadOn);
/// assert_eq!(field.end(), FormProgress::Found);
/// assert_eq!(field.value(), Some(&b"abc"[..]));
/// ```
#[derive(Debug)]
pub struct FormCsrfField {
    form: Form,
    read: usize,
    progress: FormProgress,
    value: Vec<u8>,
}

/// How far the search for the field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormProgress {
    /// It may still come.
    ReadOn,
    /// It is there: [`FormCsrfField::value`] has it.
    Found,
    /// It is not there, or too far behind.
    Missing,
}

#[derive(Debug)]
enum Form {
    UrlEncoded(At),
    /// The delimiter before each part, and what was read of the first one.
    Multipart {
        delimiter: Vec<u8>,
        start: Vec<u8>,
    },
}

/// Where in a URL-encoded form the next byte is.
#[derive(Clone, Copy, Debug)]
enum At {
    /// In a name, of which so many bytes are the field's.
    Name(usize),
    OtherField,
    Value,
}

/// How much of a URL-encoded form is read before the token must be there.
const LONGEST_SEARCH: usize = 64 * 1024;
/// A boundary has up to 70 characters (RFC 2046, section 5.1.1), and is there twice; the part's header has about 60.
const LONGEST_FIRST_PART: usize = 1024;
/// Enough to tell a token from what is longer.
const LONGEST_VALUE: usize = TEXT_LENGTH + 1;
const NAME: &[u8] = CsrfToken::FIELD.as_bytes();

impl FormCsrfField {
    /// The search in a body of this content type. `None` if it is no form's.
    #[must_use]
    pub fn of(content_type: &str) -> Option<Self> {
        let (essence, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
        let essence = essence.trim();
        let form = if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            Form::UrlEncoded(At::Name(0))
        } else if essence.eq_ignore_ascii_case("multipart/form-data") {
            Form::Multipart {
                delimiter: format!("--{}", boundary(parameters)?).into_bytes(),
                start: Vec::new(),
            }
        } else {
            return None;
        };
        Some(Self {
            form,
            read: 0,
            progress: FormProgress::ReadOn,
            value: Vec::new(),
        })
    }

    /// Reads on. What it says once it is not [`FormProgress::ReadOn`], it says for ever.
    pub fn read(&mut self, bytes: &[u8]) -> FormProgress {
        if self.progress != FormProgress::ReadOn {
            return self.progress;
        }
        self.progress = match &mut self.form {
            Form::UrlEncoded(at) => {
                let room = (LONGEST_SEARCH - self.read).min(bytes.len());
                self.read += bytes.len();
                let is_found = read_url_encoded(at, &bytes[..room], &mut self.value);
                match (is_found, self.read > LONGEST_SEARCH) {
                    (true, _) => FormProgress::Found,
                    (false, true) => FormProgress::Missing,
                    (false, false) => FormProgress::ReadOn,
                }
            }
            Form::Multipart { delimiter, start } => {
                let room = (LONGEST_FIRST_PART - start.len()).min(bytes.len());
                start.extend_from_slice(&bytes[..room]);
                match first_part(delimiter, start) {
                    FirstPart::Field(value) => {
                        self.value.extend_from_slice(value);
                        FormProgress::Found
                    }
                    FirstPart::Other => FormProgress::Missing,
                    FirstPart::Unfinished if start.len() == LONGEST_FIRST_PART => FormProgress::Missing,
                    FirstPart::Unfinished => FormProgress::ReadOn,
                }
            }
        };
        self.progress
    }

    /// The body is at its end.
    pub fn end(&mut self) -> FormProgress {
        if self.progress == FormProgress::ReadOn {
            self.progress = match self.form {
                Form::UrlEncoded(At::Value) => FormProgress::Found,
                _ => FormProgress::Missing,
            };
        }
        self.progress
    }

    /// What the field holds. `None` unless it was found.
    #[must_use]
    pub fn value(&self) -> Option<&[u8]> {
        (self.progress == FormProgress::Found).then_some(&self.value)
    }

    /// A URL-encoded form without the field, for whoever reads the rest of it.
    ///
    /// ```
    /// use tenure_core::FormCsrfField;
    ///
    /// assert_eq!(FormCsrfField::without(b"_csrf=abc&amount=3"), b"amount=3");
    /// ```
    #[must_use]
    pub fn without(form: &[u8]) -> Vec<u8> {
        let is_ours = |field: &&[u8]| {
            field
                .strip_prefix(NAME)
                .is_some_and(|rest| rest.first().is_none_or(|byte| *byte == b'='))
        };
        let others: Vec<&[u8]> = form
            .split(|byte| *byte == b'&')
            .filter(|field| !is_ours(field))
            .collect();
        others.join(&b'&')
    }
}

fn read_url_encoded(at: &mut At, bytes: &[u8], value: &mut Vec<u8>) -> bool {
    for &byte in bytes {
        *at = match (*at, byte) {
            (At::Value, b'&') => return true,
            (At::Value, _) => {
                if value.len() < LONGEST_VALUE {
                    value.push(byte);
                }
                At::Value
            }
            (_, b'&') => At::Name(0),
            (At::Name(matched), b'=') if matched == NAME.len() => At::Value,
            (At::Name(matched), byte) if NAME.get(matched) == Some(&byte) => At::Name(matched + 1),
            _ => At::OtherField,
        };
    }
    false
}

enum FirstPart<'a> {
    Unfinished,
    Field(&'a [u8]),
    Other,
}

fn first_part<'a>(delimiter: &[u8], start: &'a [u8]) -> FirstPart<'a> {
    let known = start.len().min(delimiter.len());
    if start[..known] != delimiter[..known] {
        return FirstPart::Other;
    }
    let Some((head, rest)) = split_at_mark(&start[known..], b"\r\n\r\n") else {
        return FirstPart::Unfinished;
    };
    if !head.split(|byte| *byte == b'\n').any(is_our_disposition) {
        return FirstPart::Other;
    }
    let end = [b"\r\n", delimiter].concat();
    match split_at_mark(rest, &end) {
        Some((value, _)) => FirstPart::Field(value),
        None => FirstPart::Unfinished,
    }
}

/// `Content-Disposition: form-data; name="_csrf"` and no file name (RFC 7578, section 4.2).
fn is_our_disposition(line: &[u8]) -> bool {
    let Ok(line) = std::str::from_utf8(line) else {
        return false;
    };
    let Some((name, value)) = line.trim_ascii().split_once(':') else {
        return false;
    };
    let mut parts = value.split(';').map(str::trim);
    name.eq_ignore_ascii_case("content-disposition")
        && parts
            .next()
            .is_some_and(|kind| kind.eq_ignore_ascii_case("form-data"))
        && parts.next() == Some("name=\"_csrf\"")
        && parts.next().is_none()
}

fn split_at_mark<'a>(bytes: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = bytes.windows(mark.len()).position(|window| window == mark)?;
    Some((&bytes[..at], &bytes[at + mark.len()..]))
}

fn boundary(parameters: &str) -> Option<&str> {
    let boundary = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.trim().split_once('=')?;
        name.eq_ignore_ascii_case("boundary")
            .then(|| value.trim_matches('"'))
    })?;
    (1..=70).contains(&boundary.len()).then_some(boundary)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const URL_ENCODED: &str = "application/x-www-form-urlencoded";
    const MULTIPART: &str = "multipart/form-data; boundary=----WebKitFormBoundaryA1b2";

    /// What is found when the body comes in pieces of this size.
    fn found(content_type: &str, body: &[u8], piece: usize) -> Option<Vec<u8>> {
        let mut field = FormCsrfField::of(content_type).unwrap();
        for piece in body.chunks(piece) {
            if field.read(piece) != FormProgress::ReadOn {
                break;
            }
        }
        field.end();
        field.value().map(<[u8]>::to_vec)
    }

    fn multipart(parts: &[(&str, &str)]) -> Vec<u8> {
        let mut body = String::new();
        for (disposition, value) in parts {
            body += &format!(
                "------WebKitFormBoundaryA1b2\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{value}\r\n"
            );
        }
        (body + "------WebKitFormBoundaryA1b2--\r\n").into_bytes()
    }

    #[test]
    fn the_token_and_nothing_else_is_taken_out_of_a_form() {
        for (form, rest) in [
            ("_csrf=abc", ""),
            ("_csrf=abc&a=1&b=2", "a=1&b=2"),
            ("a=1&_csrf=abc&b=2&_csrf=x", "a=1&b=2"),
            ("a=_csrf&_csrfx=1&x_csrf=2", "a=_csrf&_csrfx=1&x_csrf=2"),
            ("a=1&_csrf", "a=1"),
        ] {
            assert_eq!(FormCsrfField::without(form.as_bytes()), rest.as_bytes(), "{form}");
        }
    }

    #[test]
    fn a_url_encoded_field_is_found_wherever_it_stands_and_however_the_body_is_cut() {
        for (body, expected) in [
            ("_csrf=abc", Some("abc")),
            ("_csrf=abc&x=1", Some("abc")),
            ("x=1&_csrf=abc", Some("abc")),
            ("x&_csrf=abc&_csrf=other", Some("abc")),
            ("_csrf=", Some("")),
            ("_csrf=a=b", Some("a=b")),
            ("", None),
            ("_csrf", None),
            ("_csrfx=abc", None),
            ("x_csrf=abc", None),
            ("x=_csrf=abc", None),
            ("_CSRF=abc", None),
            ("__csrf=abc", None),
            ("x=1;_csrf=abc", None),
        ] {
            for piece in [1, 2, 3, 100] {
                let found = found(URL_ENCODED, body.as_bytes(), piece);
                assert_eq!(found.as_deref(), expected.map(str::as_bytes), "{body} by {piece}");
            }
        }
    }

    #[test]
    fn what_comes_after_64_kib_is_not_looked_at() {
        let body = |before: usize| format!("x={}&_csrf=abc", "a".repeat(before - "x=&_csrf=abc".len()));
        assert_eq!(
            found(URL_ENCODED, body(65_536).as_bytes(), 1000),
            Some(b"abc".to_vec())
        );
        assert_eq!(found(URL_ENCODED, body(65_537).as_bytes(), 1000), None);
        let long = format!("_csrf={}&x=1", "a".repeat(60_000));
        assert_eq!(
            found(URL_ENCODED, long.as_bytes(), 7).unwrap().len(),
            LONGEST_VALUE
        );
    }

    #[test]
    fn a_multipart_field_is_found_if_it_is_the_first() {
        let csrf = ("name=\"_csrf\"", "abc");
        let file = ("name=\"file\"; filename=\"a.txt\"", "contents");
        for piece in [1, 7, 4096] {
            let found = |parts: &[(&str, &str)]| found(MULTIPART, &multipart(parts), piece);
            assert_eq!(found(&[csrf, file]), Some(b"abc".to_vec()));
            assert_eq!(found(&[csrf]), Some(b"abc".to_vec()));
            assert_eq!(found(&[file, csrf]), None);
            assert_eq!(found(&[("name=\"_csrf\"; filename=\"a\"", "abc")]), None);
            assert_eq!(found(&[("name=\"_csrf\"", &"a".repeat(2000))]), None);
            assert_eq!(found(&[]), None);
        }
        let quoted = "multipart/form-data; charset=utf-8; boundary=\"----WebKitFormBoundaryA1b2\"";
        assert_eq!(
            super::tests::found(quoted, &multipart(&[csrf]), 5),
            Some(b"abc".to_vec())
        );
    }

    #[test]
    fn only_forms_are_searched() {
        assert!(FormCsrfField::of("Application/X-WWW-Form-Urlencoded; charset=utf-8").is_some());
        for other in [
            "",
            "text/plain",
            "application/json",
            "application/x-www-form-urlencodedx",
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/mixed; boundary=a",
        ] {
            assert!(FormCsrfField::of(other).is_none(), "{other}");
        }
    }

    proptest! {
        #[test]
        fn any_body_in_any_pieces_is_survived_and_reads_the_same(
            body in proptest::collection::vec(prop::sample::select(b"_csrf=&-\r\n:;\"ab".to_vec()), 0..200),
            piece in 1usize..20,
        ) {
            for content_type in [URL_ENCODED, "multipart/form-data; boundary=a"] {
                prop_assert_eq!(found(content_type, &body, piece), found(content_type, &body, 1));
            }
        }
    }
}
