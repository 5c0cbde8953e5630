//! Which file of a folder is the newest, by name.

use std::cmp::{Ordering, Reverse};
use std::ffi::OsStr;
use std::path::Path;

/// Orders the names of files from newest to oldest.
pub(super) fn newest_first(one: &OsStr, other: &OsStr) -> Ordering {
    (rank(one), Reverse(parts(one)), Reverse(one)).cmp(&(rank(other), Reverse(parts(other)), Reverse(other)))
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Current,
    Previous,
    ByName,
}

/// Digits are compared as a number: without leading zeros, the longer is the greater.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Part<'a> {
    Number { digits: usize, number: &'a [u8] },
    Text(&'a [u8]),
}

fn rank(name: &OsStr) -> Rank {
    match Path::new(name).file_stem().and_then(OsStr::to_str) {
        Some("current") => Rank::Current,
        Some("previous") => Rank::Previous,
        _ => Rank::ByName,
    }
}

fn parts(name: &OsStr) -> Vec<Part<'_>> {
    name.as_encoded_bytes()
        .chunk_by(|one, next| one.is_ascii_digit() == next.is_ascii_digit())
        .map(|part| {
            if !part[0].is_ascii_digit() {
                return Part::Text(part);
            }
            let zeros = part.iter().take_while(|digit| **digit == b'0').count();
            let number = &part[zeros..];
            Part::Number {
                digits: number.len(),
                number,
            }
        })
        .collect()
}

/// Whether the operator has given the files names that say what they are for.
pub(super) fn is_named_by_role(name: &OsStr) -> bool {
    rank(name) != Rank::ByName
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ordered<const N: usize>(mut names: [&'static str; N]) -> [&'static str; N] {
        names.sort_by(|one, other| newest_first(OsStr::new(one), OsStr::new(other)));
        names
    }

    #[test]
    fn numbers_count_as_numbers_and_dates_as_dates() {
        assert_eq!(ordered(["1", "10", "9"]), ["10", "9", "1"]);
        assert_eq!(
            ordered(["v9.key", "v10.key", "v010b.key"]),
            ["v010b.key", "v10.key", "v9.key"]
        );
        assert_eq!(
            ordered(["2026-01-31", "2025-12-01", "2026-02-01"]),
            ["2026-02-01", "2026-01-31", "2025-12-01"]
        );
        assert_eq!(
            ordered(["2026-02-01", "2026-02-01T104500Z"]),
            ["2026-02-01T104500Z", "2026-02-01"]
        );
        assert_eq!(
            ordered(["99999999999999999999999998", "99999999999999999999999999"]),
            ["99999999999999999999999999", "99999999999999999999999998"]
        );
    }

    #[test]
    fn current_comes_first_and_previous_second() {
        assert_eq!(
            ordered(["previous", "2026", "current", "2027"]),
            ["current", "previous", "2027", "2026"]
        );
        assert_eq!(
            ordered(["previous.txt", "current.txt"]),
            ["current.txt", "previous.txt"]
        );
    }

    #[test]
    fn names_that_count_the_same_still_have_one_order() {
        assert_eq!(ordered(["1", "01", "001"]), ordered(["001", "1", "01"]));
    }
}
