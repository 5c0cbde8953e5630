//! The paths that the locks leave alone.

/// Whether `text` can be an exemption: an exact path, or a prefix that ends with `/*`.
pub(crate) fn is_exemption(text: &str) -> bool {
    match text.strip_suffix("/*") {
        // Alone it would be all paths, and whoever wants that says so by the option for it.
        Some(folder) => !folder.is_empty() && !folder.ends_with('/') && is_plain(folder),
        None => is_plain(text),
    }
}

/// Whether the exemption covers this path, as it came and without any normalisation.
pub(super) fn covers(exemption: &str, path: &str) -> bool {
    match exemption.strip_suffix("/*") {
        Some(folder) => path
            .strip_prefix(folder)
            .is_some_and(|below| below.len() > 1 && is_plain(below)),
        None => path == exemption,
    }
}

/// Whether everybody who reads this path reads the same: no percent-encoding, no empty segment but a last one, no `.` and
/// `..`, and neither `*`, `;` nor a backslash.
fn is_plain(path: &str) -> bool {
    let Some(segments) = path.strip_prefix('/') else {
        return false;
    };
    let all_but_last = segments.rsplit_once('/').map_or("", |(before, _)| before);
    let has_empty = segments.contains('/') && all_but_last.split('/').any(str::is_empty);
    !has_empty
        && segments
            .split('/')
            .all(|segment| segment != "." && segment != ".." && segment.bytes().all(is_plain_byte))
}

/// The characters of a path segment (RFC 3986, section 3.3) that mean themselves everywhere.
fn is_plain_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:@!$&'()+,=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn exact_paths_and_folders_are_exemptions_and_nothing_wider_is() {
        for text in [
            "/hook",
            "/",
            "/hook/",
            "/a/b",
            "/hooks/*",
            "/a/b.c/*",
            "/hooks/v1:x@y",
        ] {
            assert!(is_exemption(text), "{text}");
        }
        for text in [
            "",
            "*",
            "/*",
            "//*",
            "hook",
            "hooks/*",
            "/hooks*",
            "/*/x",
            "/a//b",
            "//",
            "/a//*",
            "/a/../b",
            "/./*",
            "/%2e",
            "/a;b",
            "/a\\b",
            "/a?b",
            "/a#b",
            "/ä",
            "/a b",
            "/hooks/*/*",
        ] {
            assert!(!is_exemption(text), "{text}");
        }
    }

    #[test]
    fn an_exact_exemption_covers_that_very_spelling() {
        assert!(covers("/hook", "/hook"));
        for path in [
            "/hook/",
            "/Hook",
            "/hook/x",
            "//hook",
            "/hoo%6b",
            "/x/../hook",
            "/hook;a",
            "/hooks",
            "",
        ] {
            assert!(!covers("/hook", path), "{path}");
        }
    }

    #[test]
    fn a_folder_covers_what_is_below_it_and_nothing_that_could_lead_out() {
        for path in ["/hooks/a", "/hooks/a/b", "/hooks/a/", "/hooks/..a", "/hooks/a.b"] {
            assert!(covers("/hooks/*", path), "{path}");
        }
        for path in [
            "/hooks",
            "/hooks/",
            "/hooksa",
            "/hooks/../account",
            "/hooks/./a",
            "/hooks/a/..",
            "/hooks//a",
            "/hooks///",
            "//hooks/a",
            "/hooks/%2e%2e/account",
            "/hooks/..%2faccount",
            "/hooks/%2E%2E%2Faccount",
            "/hooks/..;/account",
            "/hooks/a;b",
            "/hooks/..\\account",
            "/hooks/*",
            "/HOOKS/a",
            "/x/hooks/a",
        ] {
            assert!(!covers("/hooks/*", path), "{path}");
        }
    }

    /// What a server or proxy that resolves everything would take the path for.
    fn resolved(path: &str) -> String {
        let decoded = path
            .replace("%2e", ".")
            .replace("%2E", ".")
            .replace("%2f", "/")
            .replace("%5c", "/")
            .replace('\\', "/");
        let mut segments: Vec<&str> = Vec::new();
        for segment in decoded.split('/') {
            match segment.split(';').next().unwrap_or("") {
                "" | "." => {}
                ".." => {
                    segments.pop();
                }
                name => segments.push(name),
            }
        }
        format!("/{}", segments.join("/"))
    }

    proptest! {
        #[test]
        fn whatever_is_covered_stays_below_for_everybody(
            parts in proptest::collection::vec(
                prop::sample::select(vec!["/", "a", "..", ".", "%2e", "%2f", "%5c", "\\", ";", "hooks", "//"]), 0..8)
        ) {
            let path = format!("/hooks/{}", parts.concat());
            if covers("/hooks/*", &path) {
                prop_assert!(resolved(&path).starts_with("/hooks/"), "{path}");
            }
        }
    }
}
