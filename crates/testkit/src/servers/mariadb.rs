//! A MariaDB server.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use tempfile::TempDir;

use super::certificates::Certificates;
use super::process::{ServerProcess, StartError, on_a_free_port};
use super::unprivileged::{command_as, finished, hand_over};
use super::watchdog;

const HOW_TO_GET: &str = "apt-get install -y mariadb-server";

/// Who the server runs as where the tests run as root.
const USER: &str = "mysql";

/// The user of the tests, who may do everything from everywhere.
pub const MARIADB_USER: &str = "tester";

/// Their password.
pub const MARIADB_PASSWORD: &str = "pass/word@of:mariadb";

/// The same as it is written in a URL.
pub const MARIADB_PASSWORD_IN_URL: &str = "pass%2Fword%40of%3Amariadb";

/// A MariaDB server with a password, and with TLS unless it is started without.
#[derive(Debug)]
pub struct MariaDbServer {
    process: Mutex<ServerProcess>,
    port: u16,
    settings: Vec<String>,
    databases: AtomicU32,
    certificates: Certificates,
    folder: TempDir,
}

impl MariaDbServer {
    /// The one server that all tests of this process share. Quick rather than durable, and with TLS.
    ///
    /// # Errors
    /// If the program is missing or does not start.
    pub fn shared() -> Result<&'static Self, &'static StartError> {
        static SHARED: OnceLock<Result<MariaDbServer, StartError>> = OnceLock::new();
        let start = || Self::start_with_tls(&["--innodb-flush-log-at-trx-commit=0"]);
        SHARED.get_or_init(start).as_ref()
    }

    /// A server of its own without TLS, with these options beside the usual ones, gone when it is dropped.
    ///
    /// # Errors
    /// If the program is missing or does not start.
    pub fn start(options: &[&str]) -> Result<Self, StartError> {
        Self::start_in(
            watchdog::folder()?,
            options.iter().map(|option| (*option).to_owned()).collect(),
        )
    }

    fn start_with_tls(options: &[&str]) -> Result<Self, StartError> {
        let folder = watchdog::folder()?;
        let mut options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
        for (option, file) in [("cert", "server.pem"), ("key", "server.key"), ("ca", "ca.pem")] {
            options.push(format!("--ssl-{option}={}", folder.path().join(file).display()));
        }
        Self::start_in(folder, options)
    }

    fn start_in(folder: TempDir, settings: Vec<String>) -> Result<Self, StartError> {
        let certificates = Certificates::generate()?;
        initialise(&folder, &certificates)?;
        let (process, port) = on_a_free_port(|port| Ok((run(folder.path(), port, &settings)?, port)))?;
        let server = Self {
            process: Mutex::new(process),
            port,
            settings,
            databases: AtomicU32::new(0),
            certificates,
            folder,
        };
        server.run(
            "mysql",
            &format!(
                "CREATE USER {MARIADB_USER}@'%' IDENTIFIED BY '{MARIADB_PASSWORD}'; \
                 GRANT ALL ON *.* TO {MARIADB_USER}@'%' WITH GRANT OPTION"
            ),
        );
        Ok(server)
    }

    /// The port that it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The certificates of its TLS.
    #[must_use]
    pub fn certificates(&self) -> &Certificates {
        &self.certificates
    }

    /// The file with the certificate of the authority, for a URL.
    #[must_use]
    pub fn authority_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The URL of a database. Without TLS, which has its own tests.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!(
            "mysql://{MARIADB_USER}:{MARIADB_PASSWORD_IN_URL}@localhost:{}/{database}?ssl-mode=DISABLED",
            self.port
        )
    }

    /// Makes a new and empty database. Gives back its name.
    #[must_use]
    pub fn create_database(&self) -> String {
        let name = format!("check_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.run("mysql", &format!("CREATE DATABASE {name}"));
        name
    }

    /// Runs SQL on a database as root, by the command line, and gives back what it printed: one line for each row,
    /// the columns parted by tabs.
    ///
    /// # Panics
    /// If the server refuses.
    pub fn run(&self, database: &str, sql: &str) -> String {
        let mut mariadb = Command::new("mariadb");
        mariadb
            .args(["--no-defaults", "--batch", "--skip-column-names", "--user=root"])
            .arg(format!("--socket={}", socket(self.folder.path()).display()))
            .args(["--execute", sql, database]);
        finished(mariadb, HOW_TO_GET).expect("SQL that the server takes")
    }

    /// Ends it at once, as a power cut does. What it wrote stays.
    pub fn kill(&self) {
        self.process().kill();
    }

    /// Starts it again after [`kill`](Self::kill), on the same port and files.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start_again(&self) -> Result<(), StartError> {
        *self.process() = run(self.folder.path(), self.port, &self.settings)?;
        Ok(())
    }

    /// Stops it in its tracks: connections stay open and nothing is answered.
    pub fn freeze(&self) {
        self.process().freeze();
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.process().thaw();
    }

    fn process(&self) -> MutexGuard<'_, ServerProcess> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("socket")
}

fn initialise(folder: &TempDir, certificates: &Certificates) -> Result<(), StartError> {
    certificates.write_to(folder.path())?;
    let data = folder.path().join("data");
    std::fs::create_dir(&data)?;
    hand_over(folder.path(), USER)?;
    let mut install = command_as(USER, "mariadb-install-db")?;
    install
        .args([
            "--no-defaults",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        ])
        .arg(format!("--datadir={}", data.display()));
    finished(install, HOW_TO_GET).map(drop)
}

fn run(folder: &Path, port: u16, settings: &[String]) -> Result<ServerProcess, StartError> {
    let mut mariadbd = command_as(USER, "mariadbd")?;
    mariadbd
        .args([
            "--no-defaults",
            "--bind-address=127.0.0.1",
            "--skip-log-bin",
            "--max-connections=400",
        ])
        .arg(format!("--datadir={}", folder.join("data").display()))
        .arg(format!("--socket={}", socket(folder).display()))
        .arg(format!("--pid-file={}", folder.join("pid").display()))
        .arg(format!("--port={port}"))
        .args(settings);
    let is_ready = || {
        let mut ping = Command::new("mariadb-admin");
        ping.args(["--no-defaults", "--silent", "--user=root", "ping"])
            .arg(format!("--socket={}", socket(folder).display()));
        finished(ping, HOW_TO_GET).is_ok()
    };
    ServerProcess::start(mariadbd, HOW_TO_GET, is_ready)
}
