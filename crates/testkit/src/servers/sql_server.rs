//! What the servers of SQL databases have in common.

use std::fmt;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::TempDir;

use super::certificates::{AUTHORITY_FILE, Certificates};
use super::process::{ServerProcess, StartError, on_a_free_port};
use super::unprivileged::finished;
use super::watchdog;

/// A server with a password and a folder of its own, gone when it is dropped.
pub struct SqlServer<K: Kind> {
    process: Mutex<ServerProcess>,
    port: u16,
    settings: Vec<String>,
    databases: AtomicU32,
    certificates: Certificates,
    folder: TempDir,
    kind: PhantomData<fn() -> K>,
}

/// What differs between them.
pub trait Kind {
    /// How to get its programs.
    const HOW_TO_GET: &'static str;

    /// The database that is there from the beginning.
    const FIRST_DATABASE: &'static str;

    /// Makes the data of a new server in the folder.
    fn install(folder: &Path) -> Result<(), StartError>;

    /// Runs the server that was installed in the folder.
    fn run(folder: &Path, port: u16, settings: &[String]) -> Result<ServerProcess, StartError>;

    /// What a new server is told first.
    fn greeting() -> Option<String>;

    /// The URL of a database for somebody who may do everything. Without TLS, which has its own tests.
    fn url(port: u16, database: &str) -> String;

    /// The command that runs SQL on a database.
    fn client(folder: &Path, port: u16, database: &str, sql: &str) -> Result<Command, StartError>;

    /// Ends it at once with all its processes.
    fn kill(process: &mut ServerProcess) {
        process.kill();
    }

    /// Stops it with all its processes in their tracks.
    fn freeze(process: &ServerProcess) {
        process.freeze();
    }

    /// Lets it go on.
    fn thaw(process: &ServerProcess) {
        process.thaw();
    }
}

impl<K: Kind> SqlServer<K> {
    /// A server of its own with these settings beside the usual ones.
    ///
    /// # Errors
    /// If the program is missing or does not start.
    pub fn start(settings: &[&str]) -> Result<Self, StartError> {
        Self::start_with(|_| settings.iter().map(|setting| (*setting).to_owned()).collect())
    }

    /// The same, where settings name files in its folder.
    pub(super) fn start_with(settings: impl FnOnce(&Path) -> Vec<String>) -> Result<Self, StartError> {
        let certificates = Certificates::generate()?;
        let folder = watchdog::folder()?;
        certificates.write_to(folder.path())?;
        K::install(folder.path())?;
        let settings = settings(folder.path());
        let (process, port) = on_a_free_port(|port| Ok((K::run(folder.path(), port, &settings)?, port)))?;
        let server = Self {
            process: Mutex::new(process),
            port,
            settings,
            databases: AtomicU32::new(0),
            certificates,
            folder,
            kind: PhantomData,
        };
        if let Some(greeting) = K::greeting() {
            server.run(K::FIRST_DATABASE, &greeting);
        }
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
        self.folder.path().join(AUTHORITY_FILE)
    }

    /// The URL of a database for somebody who may do everything. Without TLS, which has its own tests.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        K::url(self.port, database)
    }

    /// Makes a new and empty database. Gives back its name.
    #[must_use]
    pub fn create_database(&self) -> String {
        let name = format!("check_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.run(K::FIRST_DATABASE, &format!("CREATE DATABASE {name}"));
        name
    }

    /// Runs SQL on a database by the command line, as somebody who may do everything, and gives back what it printed:
    /// one line for each row, the columns parted by `|` in PostgreSQL and by tabs in MariaDB.
    ///
    /// # Panics
    /// If the server refuses.
    pub fn run(&self, database: &str, sql: &str) -> String {
        let client = K::client(self.folder.path(), self.port, database, sql);
        let printed = client.and_then(|client| finished(client, K::HOW_TO_GET));
        printed.expect("SQL that the server takes")
    }

    /// Ends it at once with all its processes, as a power cut does. What it wrote stays.
    pub fn kill(&self) {
        K::kill(&mut self.process());
    }

    /// Starts it again after [`kill`](Self::kill), on the same port and files.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start_again(&self) -> Result<(), StartError> {
        *self.process() = K::run(self.folder.path(), self.port, &self.settings)?;
        Ok(())
    }

    /// Stops it with all its processes in their tracks: connections stay open and nothing is answered.
    pub fn freeze(&self) {
        K::freeze(&self.process());
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        K::thaw(&self.process());
    }

    fn process(&self) -> MutexGuard<'_, ServerProcess> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Kind> fmt::Debug for SqlServer<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlServer")
            .field("port", &self.port)
            .field("settings", &self.settings)
            .field("folder", &self.folder.path())
            .finish_non_exhaustive()
    }
}
