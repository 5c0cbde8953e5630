//! A MariaDB server.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::certificates::{AUTHORITY_FILE, CERTIFICATE_FILE, KEY_FILE};
use super::process::{ServerProcess, StartError};
use super::sql_server::{Kind, SqlServer};
use super::unprivileged::{command_as, finished, hand_over};

/// Who the server runs as where the tests run as root.
const USER: &str = "mysql";

/// The user of the tests, who may do everything from everywhere.
pub const MARIADB_USER: &str = "tester";

/// Their password.
pub const MARIADB_PASSWORD: &str = "pass/word@of:mariadb";

/// The same as it is written in a URL.
pub const MARIADB_PASSWORD_IN_URL: &str = "pass%2Fword%40of%3Amariadb";

/// A MariaDB server with a password, and without TLS unless it is the shared one.
pub type MariaDbServer = SqlServer<MariaDb>;

/// MariaDB, as the kind of a server.
#[derive(Debug)]
pub enum MariaDb {}

impl MariaDbServer {
    /// The one server that all tests of this process share. Quick rather than durable, and with TLS.
    ///
    /// # Errors
    /// If the program is missing or does not start.
    pub fn shared() -> Result<&'static Self, &'static StartError> {
        static SHARED: OnceLock<Result<MariaDbServer, StartError>> = OnceLock::new();
        let settings = |folder: &Path| {
            let file = |name| folder.join(name).display().to_string();
            vec![
                "--innodb-flush-log-at-trx-commit=0".to_owned(),
                format!("--ssl-cert={}", file(CERTIFICATE_FILE)),
                format!("--ssl-key={}", file(KEY_FILE)),
                format!("--ssl-ca={}", file(AUTHORITY_FILE)),
            ]
        };
        SHARED.get_or_init(|| Self::start_with(settings)).as_ref()
    }
}

impl Kind for MariaDb {
    const HOW_TO_GET: &'static str = "apt-get install -y mariadb-server";

    const FIRST_DATABASE: &'static str = "mysql";

    fn install(folder: &Path) -> Result<(), StartError> {
        let data = folder.join("data");
        std::fs::create_dir(&data)?;
        hand_over(folder, USER)?;
        let mut install = command(folder, "mariadb-install-db")?;
        install
            .args([
                "--no-defaults",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ])
            .arg(format!("--datadir={}", data.display()));
        finished(install, Self::HOW_TO_GET).map(drop)
    }

    fn run(folder: &Path, port: u16, settings: &[String]) -> Result<ServerProcess, StartError> {
        let mut mariadbd = command(folder, "mariadbd")?;
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
            finished(ping, Self::HOW_TO_GET).is_ok()
        };
        ServerProcess::start(mariadbd, Self::HOW_TO_GET, is_ready)
    }

    fn greeting() -> Option<String> {
        Some(format!(
            "CREATE USER {MARIADB_USER}@'%' IDENTIFIED BY '{MARIADB_PASSWORD}'; \
             GRANT ALL ON *.* TO {MARIADB_USER}@'%' WITH GRANT OPTION"
        ))
    }

    fn url(port: u16, database: &str) -> String {
        format!(
            "mysql://{MARIADB_USER}:{MARIADB_PASSWORD_IN_URL}@localhost:{port}/{database}?ssl-mode=DISABLED"
        )
    }

    fn client(folder: &Path, _: u16, database: &str, sql: &str) -> Result<Command, StartError> {
        let mut mariadb = Command::new("mariadb");
        mariadb
            .args(["--no-defaults", "--batch", "--skip-column-names", "--user=root"])
            .arg(format!("--socket={}", socket(folder).display()))
            .args(["--execute", sql, database]);
        Ok(mariadb)
    }
}

/// A program with a folder of its own for temporary tables: a server that starts removes all that are in it, another
/// server's as well.
fn command(folder: &Path, program: &str) -> Result<Command, StartError> {
    let mut command = command_as(USER, program)?;
    command.env("TMPDIR", folder);
    Ok(command)
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("socket")
}
