//! A server's process: started, waited for, and ended by its id even when a test panics.

use std::io::Read;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::watchdog;

/// How long a server may take until it takes connections.
const READY_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How often a start is tried. Somebody else may take the free port first.
const STARTS: usize = 3;

/// A server that runs. Dropping it kills it, and so does the end of the tests' process.
#[derive(Debug)]
pub struct ServerProcess {
    child: Child,
    program: String,
    has_ended: bool,
}

/// A server could not be started.
#[derive(Debug)]
pub enum StartError {
    /// The program is not there; the text says how to get it.
    Missing(String),
    /// It ended, or took no connections in time; the text has what it printed.
    NotReady(String),
    /// The operating system refused.
    Refused(std::io::Error),
}

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing(how) => f.write_str(how),
            Self::NotReady(output) => write!(f, "the server did not get ready; it printed:\n{output}"),
            Self::Refused(error) => write!(f, "the server could not be started: {error}"),
        }
    }
}

impl std::error::Error for StartError {}

impl From<std::io::Error> for StartError {
    fn from(error: std::io::Error) -> Self {
        Self::Refused(error)
    }
}

/// A port of the loopback that nobody listens on.
///
/// # Errors
/// If the operating system gives none.
pub fn free_port() -> Result<u16, StartError> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

impl ServerProcess {
    /// Runs `command`, and waits until `is_ready`. `how_to_get` is the sentence that says how to install the
    /// program.
    ///
    /// # Errors
    /// If the program is missing, ends, or is not ready in time.
    pub fn start(
        mut command: Command,
        how_to_get: &str,
        is_ready: impl Fn() -> bool,
    ) -> Result<Self, StartError> {
        let program = command.get_program().to_string_lossy().into_owned();
        let output = tempfile::NamedTempFile::new()?;
        command
            .stdin(Stdio::null())
            .stdout(output.reopen()?)
            .stderr(output.reopen()?)
            // A group of its own, so that whatever it forks goes with it.
            .process_group(0);
        let child = command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                StartError::Missing(format!("{program} is not there: {how_to_get}"))
            }
            _ => StartError::Refused(error),
        })?;
        let mut server = Self {
            child,
            program,
            has_ended: false,
        };
        watchdog::started(server.id())?;
        let started = Instant::now();
        while !is_ready() {
            let ended = server.child.try_wait()?.is_some();
            if ended || started.elapsed() > READY_WITHIN {
                let mut printed = String::new();
                output.reopen()?.read_to_string(&mut printed)?;
                return Err(StartError::NotReady(printed));
            }
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(server)
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, as a power cut does to a process, and waits until it is gone. What it wrote stays.
    pub fn kill(&mut self) {
        if self.has_ended {
            return;
        }
        self.signal("KILL");
        // It is gone when it can be waited for; that it was gone before is as good.
        let _ = self.child.wait();
        self.has_ended = true;
        // Without the watchdog there is nobody who would end it once more.
        let _ = watchdog::ended(self.id());
    }

    /// Stops it in its tracks: connections stay open and nothing is answered.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let group = format!("-{}", self.child.id());
        let sent = Command::new("kill")
            .args(["-s", name, "--", &group])
            .stderr(Stdio::null())
            .status();
        debug_assert!(sent.is_ok(), "no kill command to end {} with", self.program);
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        self.kill();
    }
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

/// Where a program is, so that one that is missing is told from one that fails.
pub(super) fn program(name: &str, how_to_get: &str) -> Result<PathBuf, StartError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .ok_or_else(|| StartError::Missing(format!("{name} is not there: {how_to_get}")))
}

/// Whether somebody takes connections on this port of the loopback.
#[must_use]
pub fn takes_connections(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::path::Path;

    use super::*;

    #[test]
    fn a_missing_program_says_how_to_get_it() {
        let started = ServerProcess::start(Command::new("no-such-server"), "apt-get install it", || true);
        assert!(matches!(started, Err(StartError::Missing(how)) if how.contains("apt-get install it")));
    }

    #[test]
    fn what_a_server_that_ends_printed_is_shown() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo no licence >&2; exit 3"]);
        let started = ServerProcess::start(command, "", || false);
        assert!(matches!(started, Err(StartError::NotReady(output)) if output.contains("no licence")));
    }

    #[test]
    fn a_dropped_server_is_gone_with_all_it_forked() {
        let folder = tempfile::tempdir().unwrap();
        let note = folder.path().join("forked");
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!(
            "sleep 1000 & echo $! > {0}.new; mv {0}.new {0}; wait",
            note.display()
        ));
        let server = ServerProcess::start(command, "", || note.exists()).unwrap();
        let forked = std::fs::read_to_string(&note).unwrap().trim().to_owned();
        assert!(runs(&forked));
        drop(server);
        // The signal is on its way to it; only what we started ourselves can be waited for.
        let dropped = Instant::now();
        while runs(&forked) {
            assert!(dropped.elapsed() < READY_WITHIN);
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_killed_test_leaves_no_server_and_no_folder() {
        let mut test = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "servers::process::tests::child_has_a_server"])
            .args(["--ignored", "--nocapture"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(test.stdout.take().unwrap()).lines();
        let server = lines
            .filter_map(|line| line.unwrap().strip_prefix("server ").map(str::to_owned))
            .next()
            .expect("a server that started");
        let (id, folder) = server.split_once(' ').unwrap();
        assert!(runs(id) && Path::new(folder).join("note").exists());

        test.kill().unwrap();
        test.wait().unwrap();
        let killed = Instant::now();
        while runs(id) || Path::new(folder).parent().unwrap().exists() {
            assert!(killed.elapsed() < READY_WITHIN);
            std::thread::sleep(LOOK_EVERY);
        }
    }

    #[test]
    #[ignore = "the process that the test above kills"]
    #[allow(clippy::print_stdout, reason = "it is read by the test above")]
    fn child_has_a_server() {
        let folder = watchdog::folder().unwrap();
        std::fs::write(folder.path().join("note"), "").unwrap();
        let mut command = Command::new("sleep");
        command.arg("1000");
        let server = ServerProcess::start(command, "", || true).unwrap();
        println!("server {} {}", server.id(), folder.path().display());
        std::thread::sleep(READY_WITHIN);
    }

    /// Whether the process is there, and more than an entry that nobody has collected yet.
    fn runs(id: &str) -> bool {
        let state = std::fs::read_to_string(format!("/proc/{id}/status"));
        state.is_ok_and(|status| !status.contains("State:\tZ") && !status.contains("State:\tX"))
    }
}
