//! A PostgreSQL server.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use tempfile::TempDir;

use super::certificates::Certificates;
use super::process::{ServerProcess, StartError, on_a_free_port};
use super::unprivileged::{command_as, finished, hand_over};
use super::watchdog;

const HOW_TO_GET: &str = "apt-get install -y postgresql";

/// Where Debian and its like keep the programs of each version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// Who the server runs as where the tests run as root, and the name of its superuser.
const USER: &str = "postgres";

/// The password of the superuser on every server here.
pub const POSTGRES_PASSWORD: &str = "pass/word@of:postgres";

/// The same as it is written in a URL.
pub const POSTGRES_PASSWORD_IN_URL: &str = "pass%2Fword%40of%3Apostgres";

/// A PostgreSQL server with a password, and with TLS unless it is started without.
#[derive(Debug)]
pub struct PostgresServer {
    process: Mutex<ServerProcess>,
    programs: PathBuf,
    port: u16,
    settings: Vec<String>,
    databases: AtomicU32,
    certificates: Certificates,
    folder: TempDir,
}

impl PostgresServer {
    /// The one server that all tests of this process share. Quick rather than durable.
    ///
    /// # Errors
    /// If the program is missing or does not start.
    pub fn shared() -> Result<&'static Self, &'static StartError> {
        static SHARED: OnceLock<Result<PostgresServer, StartError>> = OnceLock::new();
        SHARED
            .get_or_init(|| Self::start(&["fsync=off", "ssl=on"]))
            .as_ref()
    }

    /// A server of its own with these settings beside the usual ones, gone when it is dropped.
    ///
    /// # Errors
    /// If the program is missing or does not start.
    pub fn start(settings: &[&str]) -> Result<Self, StartError> {
        let programs = programs()?;
        let certificates = Certificates::generate()?;
        let folder = watchdog::folder()?;
        initialise(&programs, &folder, &certificates)?;
        let settings: Vec<String> = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let (process, port) =
            on_a_free_port(|port| Ok((run(&programs, folder.path(), port, &settings)?, port)))?;
        Ok(Self {
            process: Mutex::new(process),
            programs,
            port,
            settings,
            databases: AtomicU32::new(0),
            certificates,
            folder,
        })
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

    /// The URL of a database for the superuser. Without TLS, which has its own tests.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgres://{USER}:{POSTGRES_PASSWORD_IN_URL}@localhost:{}/{database}?sslmode=disable",
            self.port
        )
    }

    /// Makes a new and empty database. Gives back its name.
    #[must_use]
    pub fn create_database(&self) -> String {
        let name = format!("check_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.run("postgres", &format!("CREATE DATABASE {name}"));
        name
    }

    /// Runs SQL on a database as the superuser, by the command line, and gives back what it printed: one line for
    /// each row, the columns parted by `|`.
    ///
    /// # Panics
    /// If the server refuses.
    pub fn run(&self, database: &str, sql: &str) -> String {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.env("PGPASSWORD", POSTGRES_PASSWORD)
            .args([
                "-X",
                "-q",
                "-A",
                "-t",
                "-v",
                "ON_ERROR_STOP=1",
                "-h",
                "localhost",
                "-U",
                USER,
            ])
            .args(["-p", &self.port.to_string(), "-d", database, "-c", sql]);
        finished(psql, HOW_TO_GET).expect("SQL that the server takes")
    }

    /// Ends it at once with all its processes, as a power cut does. What it wrote stays.
    pub fn kill(&self) {
        let mut process = self.process();
        let children = children_of(process.id());
        signal("STOP", &[process.id()]);
        signal("KILL", &children);
        process.kill();
        while children
            .iter()
            .any(|child| Path::new(&format!("/proc/{child}/exe")).exists())
        {
            std::thread::yield_now();
        }
    }

    /// Starts it again after [`kill`](Self::kill), on the same port and files.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start_again(&self) -> Result<(), StartError> {
        *self.process() = run(&self.programs, self.folder.path(), self.port, &self.settings)?;
        Ok(())
    }

    /// Stops it with all its processes in their tracks: connections stay open and nothing is answered.
    pub fn freeze(&self) {
        let process = self.process();
        signal("STOP", &[process.id()]);
        signal("STOP", &children_of(process.id()));
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        let process = self.process();
        signal("CONT", &children_of(process.id()));
        signal("CONT", &[process.id()]);
    }

    fn process(&self) -> MutexGuard<'_, ServerProcess> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The folder of the newest version's programs.
fn programs() -> Result<PathBuf, StartError> {
    let versions = std::fs::read_dir(VERSIONS).into_iter().flatten().flatten();
    versions
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse::<u32>().ok()?,
                entry.path().join("bin"),
            ))
        })
        .filter(|(_, programs)| programs.join("postgres").exists())
        .max()
        .map(|(_, programs)| programs)
        .ok_or_else(|| StartError::Missing(format!("postgres is not there: {HOW_TO_GET}")))
}

fn initialise(programs: &Path, folder: &TempDir, certificates: &Certificates) -> Result<(), StartError> {
    certificates.write_to(folder.path())?;
    std::fs::write(folder.path().join("password"), POSTGRES_PASSWORD)?;
    hand_over(folder.path(), USER)?;
    let mut initdb = command_as(USER, programs.join("initdb"))?;
    initdb
        .args([
            "-U",
            USER,
            "-A",
            "scram-sha-256",
            "-E",
            "UTF8",
            "--no-locale",
            "-N",
            "-D",
        ])
        .arg(folder.path().join("data"))
        .arg("--pwfile")
        .arg(folder.path().join("password"));
    finished(initdb, HOW_TO_GET).map(drop)
}

fn run(programs: &Path, folder: &Path, port: u16, settings: &[String]) -> Result<ServerProcess, StartError> {
    let mut postgres = command_as(USER, programs.join("postgres"))?;
    postgres
        .arg("-D")
        .arg(folder.join("data"))
        .args(["-p", &port.to_string()]);
    let usual = [
        "listen_addresses=localhost".to_owned(),
        format!("unix_socket_directories={}", folder.display()),
        "max_connections=400".to_owned(),
        "shared_preload_libraries=pg_stat_statements".to_owned(),
        format!("ssl_cert_file={}", folder.join("server.pem").display()),
        format!("ssl_key_file={}", folder.join("server.key").display()),
    ];
    for setting in usual.iter().chain(settings) {
        postgres.args(["-c", setting]);
    }
    let is_ready = || {
        let mut pg_isready = Command::new(programs.join("pg_isready"));
        pg_isready.args(["-q", "-h", "localhost", "-p", &port.to_string()]);
        finished(pg_isready, HOW_TO_GET).is_ok()
    };
    ServerProcess::start(postgres, HOW_TO_GET, is_ready)
}

/// Its processes make groups of their own, so that a signal to its group doesn't reach them.
fn children_of(parent: u32) -> Vec<u32> {
    let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"));
    let ids = children.unwrap_or_default();
    ids.split_whitespace().filter_map(|id| id.parse().ok()).collect()
}

fn signal(name: &str, processes: &[u32]) {
    let mut kill = Command::new("kill");
    kill.args(["-s", name, "--"])
        .args(processes.iter().map(u32::to_string));
    // One that is gone already needs no signal.
    let _ = finished(kill, "apt-get install -y procps");
}
