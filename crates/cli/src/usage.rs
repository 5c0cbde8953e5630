//! What is wrong with the arguments, without repeating what may be a secret.

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};

/// Anything longer than a mistyped word may be a secret that somebody has given as an argument.
const LONGEST_WORD: usize = 20;

/// Prints the help that was asked for, or what is wrong.
pub(crate) fn print(mut error: clap::Error) -> ExitCode {
    for kind in [
        ContextKind::InvalidArg,
        ContextKind::InvalidValue,
        ContextKind::InvalidSubcommand,
    ] {
        if let Some(ContextValue::String(text)) = error.get(kind)
            && may_be_secret(text)
        {
            error.insert(
                kind,
                ContextValue::String("(not shown, for it may be a secret)".to_owned()),
            );
        }
    }
    let code = u8::try_from(error.exit_code()).unwrap_or(2);
    // Where it can't be printed, there is nobody left to tell.
    let _ = error.print();
    ExitCode::from(code)
}

fn may_be_secret(text: &str) -> bool {
    text.len() > LONGEST_WORD && !text.starts_with("--") && !text.starts_with('<')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_and_short_words_are_shown_and_long_words_are_not() {
        assert!(!may_be_secret("--propagation-delay <TIME>"));
        assert!(!may_be_secret("<SOURCE>"));
        assert!(!may_be_secret("rotat"));
        assert!(may_be_secret("mQ7Yb0yP2kV9rT4nXwE6uLsJ1dHfCaGz"));
    }
}
