//! A question before something is ended.

use std::io::{self, BufRead, IsTerminal, Write};

use super::Leave;
use crate::failure::Failure;

/// Asks, unless leave was given. Anything but yes is no.
pub(super) fn leave_to(question: &str, leave: &Leave) -> Result<(), Failure> {
    asked(&format!("{question} [y/N] "), leave, |answer| {
        answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes")
    })
}

/// The same where a slip of the finger would be too dear: the words have to be typed.
pub(super) fn leave_by_words(warning: &str, words: &str, leave: &Leave) -> Result<(), Failure> {
    let question = format!("{warning} Type \"{words}\" to go ahead: ");
    asked(&question, leave, |answer| answer == words)
}

fn asked(question: &str, leave: &Leave, is_yes: impl Fn(&str) -> bool) -> Result<(), Failure> {
    if leave.yes {
        return Ok(());
    }
    let (stdin, mut stderr) = (io::stdin(), io::stderr());
    if !stdin.is_terminal() || !stderr.is_terminal() {
        return Err(Failure::NobodyToAsk);
    }
    let mut answer = String::new();
    let heard = write!(stderr, "{question}")
        .and_then(|()| stderr.flush())
        .and_then(|()| stdin.lock().read_line(&mut answer));
    match heard {
        Ok(_) if is_yes(answer.trim()) => Ok(()),
        Ok(_) => Err(Failure::Declined),
        Err(_) => Err(Failure::NobodyToAsk),
    }
}
