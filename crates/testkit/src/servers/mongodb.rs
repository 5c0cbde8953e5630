//! A server of MongoDB's protocol: SecantusDB, for no package carries MongoDB's own.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use tempfile::TempDir;

use super::certificates::{CERTIFICATE_FILE, KEY_FILE};
use super::{Certificates, ServerProcess, StartError, free_port, python, takes_connections, watchdog};

const HOW_TO_GET: &str = "install the test server of MongoDB's protocol with `python3 -m pip install --target \
     target/python secantusdb`, or name the folder that has it in TENURE_PYTHON_PACKAGES";

const DATA: &str = "data";

/// Starts the server by its Python class, which takes options that its command line lacks, and waits for
/// its end.
const PROGRAM: &str = "\
import sys, signal
from secantus import SecantusDBServer
host, port, folder, auth = sys.argv[1:5]
options = dict(arg.split('=', 1) for arg in sys.argv[5:])
SecantusDBServer(
    host=host, port=int(port), storage_path=folder, replica_set_name=options.pop('replica_set', None),
    require_auth=auth == 'auth', ttl_sweep_seconds=1, **options,
).start()
signal.pause()
";

/// A SecantusDB server of its own, in a folder of its own. It looks for expired documents once a second.
#[derive(Debug)]
pub struct MongoServer {
    process: ServerProcess,
    folder: TempDir,
    port: u16,
    options: MongoServerOptions,
}

/// How a [`MongoServer`] is started.
#[derive(Clone, Debug, Default)]
pub struct MongoServerOptions {
    /// Whether it asks for a user and password.
    pub requires_auth: bool,
    /// The replica set that it says it is the only member of; none for a server on its own.
    pub replica_set: Option<&'static str>,
    /// What it shows to those who connect; none for plain text.
    pub tls: Option<Arc<Certificates>>,
}

impl MongoServer {
    /// Starts one that asks for no password.
    ///
    /// # Errors
    /// If SecantusDB is not installed or does not start.
    pub fn start() -> Result<Self, StartError> {
        Self::with(MongoServerOptions::default())
    }

    /// Starts one with these options.
    ///
    /// # Errors
    /// If SecantusDB is not installed or does not start.
    pub fn with(options: MongoServerOptions) -> Result<Self, StartError> {
        let folder = watchdog::folder()?;
        if let Some(certificates) = &options.tls {
            certificates.write_to(folder.path())?;
        }
        let port = free_port()?;
        let process = run(folder.path(), port, &options)?;
        Ok(Self {
            process,
            folder,
            port,
            options,
        })
    }

    /// Kills it as a power cut does to a process; the folder stays.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again on its folder and port, asking for a password or not.
    ///
    /// # Errors
    /// If it does not start.
    pub fn restart(&mut self, requires_auth: bool) -> Result<(), StartError> {
        self.process.kill();
        self.options.requires_auth = requires_auth;
        self.process = run(self.folder.path(), self.port, &self.options)?;
        Ok(())
    }

    /// Its process: to freeze and thaw it.
    #[must_use]
    pub fn process(&self) -> &ServerProcess {
        &self.process
    }

    /// The port of the loopback that it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of the database `name` on it, without a user.
    #[must_use]
    pub fn url(&self, name: &str) -> String {
        format!("mongodb://127.0.0.1:{}/{name}", self.port)
    }
}

fn run(folder: &Path, port: u16, options: &MongoServerOptions) -> Result<ServerProcess, StartError> {
    let packages = python::packages();
    if !packages.join("secantus").is_dir() {
        return Err(StartError::Missing(HOW_TO_GET.to_owned()));
    }
    let mut command = Command::new("python3");
    command
        .env("PYTHONPATH", packages)
        .env("SECANTUS_FORCE_DURABLE", "1")
        .args(["-c", PROGRAM, &Ipv4Addr::LOCALHOST.to_string(), &port.to_string()])
        .arg(folder.join(DATA))
        .arg(if options.requires_auth { "auth" } else { "open" });
    if let Some(name) = options.replica_set {
        command.arg(format!("replica_set={name}"));
    }
    if options.tls.is_some() {
        command.arg(format!(
            "tls_cert_file={}",
            folder.join(CERTIFICATE_FILE).display()
        ));
        command.arg(format!("tls_key_file={}", folder.join(KEY_FILE).display()));
    }
    ServerProcess::start(command, HOW_TO_GET, || takes_connections(port))
}
