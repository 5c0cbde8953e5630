//! The real program, as a process.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The program, started; killed when dropped.
pub(crate) struct Demo {
    process: Child,
    pub(crate) url: String,
}

impl Demo {
    pub(crate) fn start(database: &Path, store: Option<&str>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_demo"));
        if let Some(url) = store {
            command.args(["--store", url]);
        }
        let mut process = command
            .args(["--listen", "127.0.0.1:0", "--database"])
            .arg(database)
            .env("SESSION_SECRET", "T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r")
            .env_remove("TENURE_ENV")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut url = String::new();
        let stdout = process.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut url).unwrap();
        assert!(url.starts_with("http://127.0.0.1:"), "{url:?}");
        Self {
            process,
            url: url.trim().to_owned(),
        }
    }

    /// SIGKILL: the program has no chance to write anything any more.
    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
