//! Servers that refuse to run as root.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use super::process::StartError;

/// `program` as `user`, unless it is not root who runs the tests.
pub(super) fn command_as(user: &str, program: impl AsRef<Path>) -> io::Result<Command> {
    if !runs_as_root()? {
        return Ok(Command::new(program.as_ref()));
    }
    let mut command = Command::new("setpriv");
    let (reuid, regid) = (format!("--reuid={user}"), format!("--regid={user}"));
    command
        .args([&reuid, &regid, "--clear-groups", "--"])
        .arg(program.as_ref());
    Ok(command)
}

/// Makes all that is in `folder` the user's own.
pub(super) fn hand_over(folder: &Path, user: &str) -> Result<(), StartError> {
    if runs_as_root()? {
        let mut chown = Command::new("chown");
        chown.arg("-R").arg(format!("{user}:{user}")).arg(folder);
        finished(chown, "apt-get install -y coreutils")?;
    }
    Ok(())
}

fn runs_as_root() -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    Ok(std::fs::metadata("/proc/self")?.uid() == 0)
}

/// What a command that ends by itself printed.
pub(super) fn finished(mut command: Command, how_to_get: &str) -> Result<String, StartError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => StartError::Missing(format!("{program} is not there: {how_to_get}")),
            _ => StartError::Refused(error),
        })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let mut printed = String::new();
    (&output.stdout[..])
        .chain(&output.stderr[..])
        .read_to_string(&mut printed)?;
    Err(StartError::NotReady(printed))
}
