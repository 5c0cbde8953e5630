//! Looks through the output of a test run for the secrets that the tests use. Fails if one is there, in any form.

use std::process::ExitCode;

use tenure_testkit::Planted;

/// The application's secrets of nearly all tests.
const SECRETS: [&str; 4] = [
    "T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r",
    "Yb0yP2kV9rT4nXwE6uLsJ1dHfCaGzmQ7",
    "mQ7Yb0yP2kV9rT4nXwE6uLsJ1dHfCaGz",
    "dHfCaGzmQ7Yb0yP2kV9rT4nXwE6uLsJ1",
];

#[expect(clippy::print_stderr, reason = "a report for whoever ran the tests")]
fn main() -> ExitCode {
    let Some(output) = std::env::args().nth(1).and_then(|file| std::fs::read(file).ok()) else {
        eprintln!("find_planted: give the file with the output of a test run");
        return ExitCode::FAILURE;
    };
    let text = String::from_utf8_lossy(&output);
    let found: Vec<_> = SECRETS
        .iter()
        .flat_map(|secret| Planted::new("a secret of the tests", secret).found_in(&text))
        .collect();
    for finding in &found {
        eprintln!("find_planted: the output of the tests shows {finding}");
    }
    if found.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
