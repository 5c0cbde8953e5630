//! Servers that refuse to run as root, and servers that a whole test binary shares.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;

use super::process::{StartError, free_port};

/// How often a start is tried. Somebody else may take the free port first.
const STARTS: usize = 3;

/// `program` as `user`, which is what it would be anyway unless root runs the tests. It ends with the thread that
/// starts it, however that comes about.
pub(super) fn command_as(user: &str, program: impl AsRef<Path>) -> io::Result<Command> {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if runs_as_root()? {
        let (reuid, regid) = (format!("--reuid={user}"), format!("--regid={user}"));
        command.args([&reuid, &regid, "--clear-groups"]);
    }
    command.arg("--").arg(program.as_ref());
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

/// Starts a server on a free port.
pub(super) fn on_a_free_port<T>(start: impl Fn(u16) -> Result<T, StartError>) -> Result<T, StartError> {
    for _ in 1..STARTS {
        match start(free_port()?) {
            Err(StartError::NotReady(_)) => {}
            outcome => return outcome,
        }
    }
    start(free_port()?)
}

/// Starts a server that ends with this process: in a thread that lives as long, since the server would end with the
/// thread of the test that happens to come first.
pub(super) fn for_this_process<T: Send + 'static>(
    start: impl FnOnce() -> Result<T, StartError> + Send + 'static,
) -> Result<T, StartError> {
    let (sender, receiver) = mpsc::channel();
    std::thread::Builder::new()
        .name("servers".to_owned())
        .spawn(move || {
            // Nobody takes it only if the test has given up meanwhile.
            let _ = sender.send(start());
            loop {
                std::thread::park();
            }
        })?;
    receiver
        .recv()
        .unwrap_or_else(|_| Err(StartError::NotReady("the thread that starts it ended".to_owned())))
}
