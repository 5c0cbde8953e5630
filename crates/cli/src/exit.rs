//! How a command ends, for scripts.

use std::process::ExitCode;

/// What `--help` says about it.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done, and all is well
  1  what is in the source can't be used, or the timing would sign users out;
     there is no such session, or the question was answered with no
  2  the arguments or the settings of the environment are wrong; there is nobody to ask
  3  the source or the store does not answer, or refuses to be read
  4  the source or the store could not be written
  5  this machine gave no random bytes, or took no output";

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Well = 0,
    Unfit = 1,
    Usage = 2,
    NotRead = 3,
    NotWritten = 4,
    Machine = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
