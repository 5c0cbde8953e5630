//! Runs the command, and looks at what it says.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) const NEW: &str = "T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r";
pub(crate) const OLD: &str = "Yb0yP2kV9rT4nXwE6uLsJ1dHfCaGzmQ7";
pub(crate) const OLDEST: &str = "mQ7Yb0yP2kV9rT4nXwE6uLsJ1dHfCaGz";
/// Too short.
pub(crate) const WEAK: &str = "tZ8rQ3vN6yB1";

/// What a run of the command left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The command, with nothing of the environment of whoever runs the tests.
pub(crate) fn tenure(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenure"));
    command.args(arguments).env_clear().env("HOME", "/nonexistent");
    command
}

pub(crate) fn run(arguments: &[&str]) -> Run {
    Run::of(&mut tenure(arguments))
}

impl Run {
    pub(crate) fn of(command: &mut Command) -> Self {
        Self::from(command.output().expect("the command runs"))
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Nothing of the secret is in what was said, as it is or as another notation.
    pub(crate) fn shows_nothing_of(&self, secret: &str) -> &Self {
        let hex = secret.bytes().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        // Of base64, whatever comes before or behind the secret in what is encoded, the middle is one of three.
        let base64 = (0..3).map(|shift| {
            let bytes = &secret.as_bytes()[shift..];
            Base64::encode_string(&bytes[..bytes.len() / 3 * 3])
        });
        let parts = secret
            .as_bytes()
            .windows(8)
            .map(|part| String::from_utf8_lossy(part).into_owned());
        let notations = parts.chain(base64).chain([hex.clone(), hex.to_uppercase()]);
        for notation in notations.chain([Base64UrlUnpadded::encode_string(secret.as_bytes())]) {
            assert!(!self.stdout.contains(&notation), "{self:?}");
            assert!(!self.stderr.contains(&notation), "{self:?}");
        }
        self
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("it is not killed"),
            stdout: String::from_utf8(output.stdout).expect("it prints text"),
            stderr: String::from_utf8(output.stderr).expect("it prints text"),
        }
    }
}

/// A folder, gone when dropped.
pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().expect("there is room for a folder")
}

/// A file that only its owner may read.
pub(crate) fn secret_file(folder: &Path, name: &str, content: &str) -> PathBuf {
    let path = folder.join(name);
    let mut options = fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .unwrap();
    std::io::Write::write_all(&mut file, content.as_bytes()).unwrap();
    path
}

pub(crate) fn source_of(path: &Path) -> String {
    format!("file:{}", path.display())
}
