//! Redis servers: one, a cluster, or one behind Sentinel.

mod ask;
mod cluster;
mod sentinel;

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::certificates::{AUTHORITY_FILE, CERTIFICATE_FILE, Certificates, KEY_FILE};
use super::process::{ServerProcess, StartError, free_port, on_a_free_port, program};
use super::watchdog;

pub use ask::ask;
pub use cluster::RedisCluster;
pub use sentinel::{RedisSentinel, SENTINEL_MASTER};

const HOW_TO_GET: &str = "apt-get install -y redis-server redis-sentinel";

/// The password of the default user on every server here.
pub const REDIS_PASSWORD: &str = "pass/word@of:redis";

/// The same as it is written in a URL.
pub const REDIS_PASSWORD_IN_URL: &str = "pass%2Fword%40of%3Aredis";

/// How long servers may take to agree with each other.
const SETTLED_WITHIN: Duration = Duration::from_secs(60);

/// One Redis server, with a password.
#[derive(Debug)]
pub struct RedisServer {
    process: ServerProcess,
    setup: Setup,
    ports: Ports,
    folder: TempDir,
}

/// What a server is started as.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) program: PathBuf,
    /// Beside the usual ones.
    pub(super) arguments: Vec<String>,
    /// What it shows to those who connect to its second port, which speaks TLS. None if it has no such port.
    pub(super) certificates: Option<Arc<Certificates>>,
}

#[derive(Clone, Copy, Debug)]
struct Ports {
    plain: u16,
    tls: Option<u16>,
}

impl Ports {
    fn new(plain: u16, setup: &Setup) -> Result<Self, StartError> {
        let tls = setup.certificates.as_ref().map(|_| free_port()).transpose()?;
        Ok(Self { plain, tls })
    }

    /// By which servers speak to each other.
    fn of_peers(self) -> u16 {
        self.tls.unwrap_or(self.plain)
    }
}

impl Setup {
    fn of_redis(arguments: &[&str], certificates: Option<Arc<Certificates>>) -> Result<Self, StartError> {
        Ok(Self {
            program: program("redis-server", HOW_TO_GET)?,
            arguments: arguments.iter().copied().map(str::to_owned).collect(),
            certificates,
        })
    }
}

impl RedisServer {
    /// A server that speaks TLS on a port of its own, too. What it was told survives its being killed.
    ///
    /// # Errors
    /// If it is missing or does not start.
    pub fn standalone() -> Result<Self, StartError> {
        Self::with(&["--appendonly", "yes", "--appendfsync", "always"])
    }

    /// A server that speaks TLS on a port of its own, too, with these arguments beside the usual ones.
    ///
    /// # Errors
    /// If it is missing or does not start.
    pub fn with(arguments: &[&str]) -> Result<Self, StartError> {
        let certificates = Arc::new(Certificates::generate()?);
        Self::start(Setup::of_redis(arguments, Some(certificates))?)
    }

    pub(super) fn start(setup: Setup) -> Result<Self, StartError> {
        let folder = watchdog::folder()?;
        if let Some(certificates) = &setup.certificates {
            certificates.write_to(folder.path())?;
        }
        let (process, ports) = on_a_free_port(|port| {
            let ports = Ports::new(port, &setup)?;
            Ok((run(&setup, ports, folder.path())?, ports))
        })?;
        Ok(Self {
            process,
            setup,
            ports,
            folder,
        })
    }

    /// The port that speaks plain text.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.ports.plain
    }

    /// The port that speaks TLS.
    ///
    /// # Panics
    /// If the server has none.
    #[must_use]
    pub fn tls_port(&self) -> u16 {
        self.ports.tls.expect("a server with TLS")
    }

    /// A URL with the password.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://:{REDIS_PASSWORD_IN_URL}@127.0.0.1:{}", self.port())
    }

    /// The same over TLS. The certificate is for `localhost`.
    ///
    /// # Panics
    /// If the server has none.
    #[must_use]
    pub fn tls_url(&self) -> String {
        format!("rediss://:{REDIS_PASSWORD_IN_URL}@localhost:{}", self.tls_port())
    }

    /// What it shows, and what clients show to it.
    ///
    /// # Panics
    /// If the server has no TLS.
    #[must_use]
    pub fn certificates(&self) -> &Certificates {
        self.setup.certificates.as_ref().expect("a server with TLS")
    }

    /// Where it keeps its files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The answer to a command, as text.
    ///
    /// # Errors
    /// If the connection fails; what the server itself answers is in the text, errors too.
    pub fn ask(&self, command: &[&str]) -> io::Result<String> {
        ask(self.port(), Some(REDIS_PASSWORD), command)
    }

    /// Ends it at once, as a power cut does to a process.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again on its ports, with what it wrote.
    ///
    /// # Errors
    /// If it does not start.
    pub fn restart(&mut self) -> Result<(), StartError> {
        self.process.kill();
        self.process = run(&self.setup, self.ports, self.folder.path())?;
        Ok(())
    }

    /// Stops it in its tracks: connections stay open and nothing is answered.
    pub fn freeze(&self) {
        self.process.freeze();
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.process.thaw();
    }

    /// Waits until its replicas have all that has been written to it.
    ///
    /// # Panics
    /// If it takes too long.
    pub fn wait_for_replicas(&self) {
        let is_so = wait_until("replicas that have it all", || {
            replicas_have_all(&self.replication())
        });
        is_so.unwrap_or_else(|error| panic!("{error}"));
    }

    fn replication(&self) -> String {
        self.ask(&["INFO", "replication"]).unwrap_or_default()
    }
}

fn run(setup: &Setup, ports: Ports, folder: &Path) -> Result<ServerProcess, StartError> {
    let mut command = Command::new(&setup.program);
    command
        .args(["--bind", "127.0.0.1", "--port", &ports.plain.to_string()])
        .args(["--requirepass", REDIS_PASSWORD, "--masterauth", REDIS_PASSWORD])
        .args(["--save", "", "--dir"])
        .arg(folder);
    for [option, value] in tls_settings(ports, folder) {
        command.arg(format!("--{option}")).arg(value);
    }
    command.args(&setup.arguments);
    ServerProcess::start(command, HOW_TO_GET, || {
        ask(ports.plain, Some(REDIS_PASSWORD), &["PING"]).is_ok_and(|answer| answer == "PONG")
    })
}

/// What all tests of a process share. A start that failed is not tried again by each of them.
struct Shared<T>(OnceLock<Result<T, StartError>>);

impl<T> Shared<T> {
    const fn new() -> Self {
        Self(OnceLock::new())
    }

    fn started(&self, start: impl FnOnce() -> Result<T, StartError>) -> &T {
        match self.0.get_or_init(start) {
            Ok(started) => started,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Paths are whole, since a server changes its folder before it reads them.
fn tls_settings(ports: Ports, folder: &Path) -> Vec<[String; 2]> {
    let Some(port) = ports.tls else {
        return Vec::new();
    };
    let file = |name: &str| folder.join(name).display().to_string();
    vec![
        ["tls-port".to_owned(), port.to_string()],
        ["tls-auth-clients".to_owned(), "no".to_owned()],
        ["tls-ca-cert-file".to_owned(), file(AUTHORITY_FILE)],
        ["tls-cert-file".to_owned(), file(CERTIFICATE_FILE)],
        ["tls-key-file".to_owned(), file(KEY_FILE)],
    ]
}

/// What servers that find each other by their addresses show.
fn certificates_of_peers() -> Result<Arc<Certificates>, StartError> {
    Certificates::generate_for("127.0.0.1").map(Arc::new)
}

fn hosts(ports: impl Iterator<Item = u16>) -> String {
    let hosts: Vec<String> = ports.map(|port| format!("127.0.0.1:{port}")).collect();
    hosts.join(",")
}

/// Whether every `offset` of a replica is the master's own.
fn replicas_have_all(replication: &str) -> bool {
    let number = |line: &str, name: &str| {
        let (_, rest) = line.split_once(name)?;
        rest.split(',').next()?.trim().parse::<u64>().ok()
    };
    let own = replication
        .lines()
        .find_map(|line| number(line, "master_repl_offset:"));
    let is_replica = |line: &&str| line.starts_with("slave") && line.contains("offset=");
    let mut offsets = replication
        .lines()
        .filter(is_replica)
        .map(|line| number(line, "offset="));
    own.is_some() && offsets.all(|offset| offset == own)
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) -> Result<(), StartError> {
    let started = Instant::now();
    while !is_so() {
        if started.elapsed() > SETTLED_WITHIN {
            return Err(StartError::NotReady(format!("waited for {what}")));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
