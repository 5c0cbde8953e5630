//! A PostgreSQL server.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::certificates::{CERTIFICATE_FILE, KEY_FILE};
use super::process::{ServerProcess, StartError};
use super::sql_server::{Kind, SqlServer};
use super::unprivileged::{command_as, finished, hand_over};

/// Where Debian and its like keep the programs of each version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// Who the server runs as where the tests run as root, and the name of its superuser.
const USER: &str = "postgres";

/// The password of the superuser on every server here.
pub const POSTGRES_PASSWORD: &str = "pass/word@of:postgres";

/// The same as it is written in a URL.
pub const POSTGRES_PASSWORD_IN_URL: &str = "pass%2Fword%40of%3Apostgres";

/// A PostgreSQL server with a password, and with TLS where the setting `ssl=on` says so.
pub type PostgresServer = SqlServer<Postgres>;

/// PostgreSQL, as the kind of a server.
#[derive(Debug)]
pub enum Postgres {}

impl PostgresServer {
    /// The one server that all tests of this process share. Quick rather than durable, and with TLS.
    ///
    /// # Errors
    /// If the program is missing or does not start.
    pub fn shared() -> Result<&'static Self, &'static StartError> {
        static SHARED: OnceLock<Result<PostgresServer, StartError>> = OnceLock::new();
        SHARED
            .get_or_init(|| Self::start(&["fsync=off", "ssl=on"]))
            .as_ref()
    }
}

impl Kind for Postgres {
    const HOW_TO_GET: &'static str = "apt-get install -y postgresql";

    const FIRST_DATABASE: &'static str = "postgres";

    fn install(folder: &Path) -> Result<(), StartError> {
        std::fs::write(folder.join("password"), POSTGRES_PASSWORD)?;
        hand_over(folder, USER)?;
        let mut initdb = command_as(USER, programs()?.join("initdb"))?;
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
            ])
            .arg("-D")
            .arg(folder.join("data"))
            .arg("--pwfile")
            .arg(folder.join("password"));
        finished(initdb, Self::HOW_TO_GET).map(drop)
    }

    fn run(folder: &Path, port: u16, settings: &[String]) -> Result<ServerProcess, StartError> {
        let programs = programs()?;
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
            // In its folder, which is removed when somebody kills it, and not in the machine's memory.
            "dynamic_shared_memory_type=mmap".to_owned(),
            format!("ssl_cert_file={}", folder.join(CERTIFICATE_FILE).display()),
            format!("ssl_key_file={}", folder.join(KEY_FILE).display()),
        ];
        for setting in usual.iter().chain(settings) {
            postgres.args(["-c", setting]);
        }
        let is_ready = || {
            let mut pg_isready = Command::new(programs.join("pg_isready"));
            pg_isready.args(["-q", "-h", "localhost", "-p", &port.to_string()]);
            finished(pg_isready, Self::HOW_TO_GET).is_ok()
        };
        ServerProcess::start(postgres, Self::HOW_TO_GET, is_ready)
    }

    fn greeting() -> Option<String> {
        None
    }

    fn url(port: u16, database: &str) -> String {
        format!("postgres://{USER}:{POSTGRES_PASSWORD_IN_URL}@localhost:{port}/{database}?sslmode=disable")
    }

    fn client(_: &Path, port: u16, database: &str, sql: &str) -> Result<Command, StartError> {
        let mut psql = Command::new(programs()?.join("psql"));
        psql.env("PGPASSWORD", POSTGRES_PASSWORD)
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"])
            .args(["-h", "localhost", "-U", USER, "-p", &port.to_string()])
            .args(["-d", database, "-c", sql]);
        Ok(psql)
    }

    fn kill(process: &mut ServerProcess) {
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

    fn freeze(process: &ServerProcess) {
        signal("STOP", &[process.id()]);
        signal("STOP", &children_of(process.id()));
    }

    fn thaw(process: &ServerProcess) {
        signal("CONT", &children_of(process.id()));
        signal("CONT", &[process.id()]);
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
        .ok_or_else(|| StartError::Missing(format!("postgres is not there: {}", Postgres::HOW_TO_GET)))
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
