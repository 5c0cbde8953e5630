//! What goes to standard output and to standard error.

use std::error::Error;
use std::io::{self, ErrorKind, Write};
use std::ops::ControlFlow;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::failure::Failure;

pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();

/// Prints a text. Its colours are left out where they are not wanted: outside a terminal, and with `NO_COLOR`.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    written(anstream::stdout().lock().write_all(text.as_bytes()))
}

/// Prints exactly this.
pub(crate) fn print_raw(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    written(stdout.write_all(bytes).and_then(|()| stdout.flush()))
}

pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let mut text = serde_json::to_string_pretty(value).map_err(|error| Failure::Output(error.into()))?;
    text.push('\n');
    print_raw(text.as_bytes())
}

/// Prints one line of many. Says whether anybody still reads.
pub(crate) fn print_json_line(value: &impl Serialize) -> Result<ControlFlow<()>, Failure> {
    let mut line = serde_json::to_vec(value).map_err(|error| Failure::Output(error.into()))?;
    line.push(b'\n');
    match io::stdout().lock().write_all(&line) {
        Ok(()) => Ok(ControlFlow::Continue(())),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(ControlFlow::Break(())),
        Err(error) => Err(Failure::Output(error)),
    }
}

/// Says something beside the result, to whoever is at the terminal.
pub(crate) fn remark(text: &str) {
    // There is nobody left to tell.
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// Says what went wrong, with its causes.
pub(crate) fn complain(failure: &Failure) {
    let mut text = format!("{BAD}error:{BAD:#} {failure}\n");
    for cause in causes(failure) {
        text.push_str(&format!("  because {cause}\n"));
    }
    // There is nobody left to tell.
    let _ = anstream::stderr().lock().write_all(text.as_bytes());
}

/// The message with those of its causes behind it.
pub(crate) fn in_one_line(failure: &Failure) -> String {
    let mut line = failure.to_string();
    for cause in causes(failure) {
        line.push_str(": ");
        line.push_str(&cause);
    }
    line
}

fn causes(failure: &Failure) -> impl Iterator<Item = String> {
    std::iter::successors(failure.source(), |error| (*error).source()).map(|error| error.to_string())
}

/// Whoever has closed the pipe wants no more, and that is no failure.
fn written(outcome: io::Result<()>) -> Result<(), Failure> {
    match outcome {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::Output(error)),
        _ => Ok(()),
    }
}
