//! `tenure secret generate`.

use std::fs::File;
use std::io;

use crate::run::{Run, run, tenure};
use tenure_core::Secret;

#[test]
fn a_secret_is_43_characters_of_base64url_and_nothing_else_is_printed() {
    let run = run(&["secret", "generate"]);
    let secret = run.stdout.strip_suffix('\n').unwrap();
    assert_eq!(secret.len(), 43);
    assert!(
        secret
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    );
    assert_eq!(Secret::new(secret).weakness(), None);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
}

#[test]
fn in_hexadecimal_it_is_64_digits() {
    let run = run(&["secret", "generate", "--hex"]);
    let secret = run.stdout.strip_suffix('\n').unwrap();
    assert_eq!(secret.len(), 64);
    assert!(
        secret
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    );
    assert_eq!(Secret::new(secret).weakness(), None);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
}

#[test]
fn no_two_are_the_same() {
    let secrets: std::collections::HashSet<_> =
        (0..20).map(|_| run(&["secret", "generate"]).stdout).collect();
    assert_eq!(secrets.len(), 20);
}

#[test]
fn whoever_closes_the_pipe_hears_no_complaint() {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let run = Run::of(tenure(&["secret", "generate"]).stdout(writer));
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
}

#[test]
fn a_full_disk_is_told_of() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let run = Run::of(tenure(&["secret", "generate"]).stdout(full));
    assert_eq!(run.code, 5);
    assert!(run.stderr.contains("standard output takes nothing"), "{run:?}");
    assert!(run.stderr.contains("No space left"), "{run:?}");
}
