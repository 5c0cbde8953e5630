//! Ends the servers and removes their folders once the tests' process is gone, however that came about.
//!
//! What all tests of a process share is never dropped, and a process that is killed drops nothing.

use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use tempfile::TempDir;

/// Reads which process groups there are until the tests' process ends, and with it the pipe. What is killed may
/// still write for a moment.
const PROGRAM: &str = r#"
groups=
while read -r change group; do
    case $change in
        started) groups="$groups $group" ;;
        ended)
            others=
            for other in $groups; do
                if [ "$other" != "$group" ]; then others="$others $other"; fi
            done
            groups=$others
            ;;
    esac
done
for group in $groups; do kill -s KILL -- "-$group"; done
rm -rf -- "$1" || { sleep 1; rm -rf -- "$1"; }
"#;

static WATCHDOG: Mutex<Option<Watchdog>> = Mutex::new(None);

/// The one of this process.
struct Watchdog {
    pipe: ChildStdin,
    /// All folders of servers are in it. Never dropped, for removing it is the other process's work.
    folder: TempDir,
}

impl Watchdog {
    fn start() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("tenure-servers-").tempdir()?;
        // Servers that run as other users have to find their way through it.
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o711))?;
        let mut process = Command::new("sh")
            .args(["-c", PROGRAM, "watchdog"])
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Whoever ends the tests by a signal to their group does not end it as well.
            .process_group(0)
            .spawn()?;
        let pipe = process.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Self { pipe, folder })
    }
}

/// A folder for a server.
pub(super) fn folder() -> io::Result<TempDir> {
    with(|watchdog| tempfile::tempdir_in(watchdog.folder.path()))
}

/// A process group runs, and is to be ended.
pub(super) fn started(group: u32) -> io::Result<()> {
    with(|watchdog| writeln!(watchdog.pipe, "started {group}"))
}

/// A process group is gone. Its number may soon be somebody else's.
pub(super) fn ended(group: u32) -> io::Result<()> {
    with(|watchdog| writeln!(watchdog.pipe, "ended {group}"))
}

fn with<T>(act: impl FnOnce(&mut Watchdog) -> io::Result<T>) -> io::Result<T> {
    let mut watchdog = WATCHDOG.lock().unwrap_or_else(PoisonError::into_inner);
    match &mut *watchdog {
        Some(watchdog) => act(watchdog),
        none => act(none.insert(Watchdog::start()?)),
    }
}
