//! Redis servers: one, a cluster, or one behind Sentinel.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::certificates::Certificates;
use super::process::{ServerProcess, StartError, free_port};

const HOW_TO_GET: &str = "apt-get install -y redis-server redis-sentinel";

/// The password of the default user on every server here.
pub const REDIS_PASSWORD: &str = "pass/word@of:redis";

/// The same as it is written in a URL.
pub const REDIS_PASSWORD_IN_URL: &str = "pass%2Fword%40of%3Aredis";

/// The name by which sentinels know their master.
pub const SENTINEL_MASTER: &str = "sessions";

/// How long servers may take to agree with each other.
const SETTLED_WITHIN: Duration = Duration::from_secs(60);

/// How often a start is tried. Somebody else may take the free port first.
const STARTS: usize = 3;

/// One Redis server, with a password.
#[derive(Debug)]
pub struct RedisServer {
    process: ServerProcess,
    program: PathBuf,
    options: Vec<String>,
    port: u16,
    tls: Option<Tls>,
    folder: TempDir,
}

/// The port that speaks TLS, and who signed its certificate.
#[derive(Debug)]
struct Tls {
    port: u16,
    authority: String,
}

impl RedisServer {
    /// A server that speaks TLS on a port of its own, too. What it was told survives its being killed.
    ///
    /// # Errors
    /// If it is missing or does not start.
    pub fn standalone() -> Result<Self, StartError> {
        let folder = tempfile::tempdir()?;
        let certificates = Certificates::generate()?;
        let mut options = tls_options(&certificates, folder.path())?;
        options.extend(["--appendonly", "yes", "--appendfsync", "always"].map(str::to_owned));
        let program = program("redis-server", HOW_TO_GET)?;
        let tls_port = free_port()?;
        options.extend(["--tls-port".to_owned(), tls_port.to_string()]);
        let mut server = Self::start(program, options, folder, Lifespan::Dropped)?;
        server.tls = Some(Tls {
            port: tls_port,
            authority: certificates.authority,
        });
        Ok(server)
    }

    /// A server of this program with these options beside the usual ones.
    pub(crate) fn start(
        program: PathBuf,
        options: Vec<String>,
        folder: TempDir,
        lifespan: Lifespan,
    ) -> Result<Self, StartError> {
        let mut attempt = 1;
        loop {
            let port = free_port()?;
            match run(&program, &options, port, folder.path(), lifespan) {
                Err(StartError::NotReady(_)) if attempt < STARTS => attempt += 1,
                started => {
                    return Ok(Self {
                        process: started?,
                        program,
                        options,
                        port,
                        tls: None,
                        folder,
                    });
                }
            }
        }
    }

    /// The port that speaks plain text.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A URL with the password.
    #[must_use]
    pub fn url(&self) -> String {
        url_of("redis", self.port)
    }

    /// The same over TLS. The certificate is for `localhost`.
    ///
    /// # Panics
    /// If the server has none.
    #[must_use]
    pub fn tls_url(&self) -> String {
        let tls = self.tls.as_ref().expect("a server with TLS");
        format!("rediss://:{REDIS_PASSWORD_IN_URL}@localhost:{}", tls.port)
    }

    /// The PEM of the authority that signed the server's certificate.
    ///
    /// # Panics
    /// If the server has none.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.tls.as_ref().expect("a server with TLS").authority
    }

    /// The answer to a command, as text.
    ///
    /// # Errors
    /// If the connection fails; what the server itself answers is in the text, errors too.
    pub fn ask(&self, command: &[&str]) -> io::Result<String> {
        ask(self.port, Some(REDIS_PASSWORD), command)
    }

    /// Ends it at once, as a power cut does to a process.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again on its port, with what it wrote.
    ///
    /// # Errors
    /// If it does not start.
    pub fn restart(&mut self) -> Result<(), StartError> {
        self.process.kill();
        self.process = run(
            &self.program,
            &self.options,
            self.port,
            self.folder.path(),
            Lifespan::Dropped,
        )?;
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

    /// Until when a line of `INFO` of this section is as given.
    fn wait_for_info(&self, section: &str, line: &str) -> Result<(), StartError> {
        wait_until(&format!("INFO {section} with {line}"), || {
            let info = self.ask(&["INFO", section]).unwrap_or_default();
            info.lines().any(|found| found.trim_end() == line)
        })
    }
}

/// When a server ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifespan {
    /// When it is dropped.
    Dropped,
    /// With the thread that started it, for what is never dropped.
    Thread,
}

fn run(
    program: &Path,
    options: &[String],
    port: u16,
    folder: &Path,
    lifespan: Lifespan,
) -> Result<ServerProcess, StartError> {
    let mut command = match lifespan {
        Lifespan::Dropped => Command::new(program),
        Lifespan::Thread => {
            let mut command = Command::new("setpriv");
            command.args(["--pdeathsig", "KILL", "--"]).arg(program);
            command
        }
    };
    command
        .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
        .args(["--requirepass", REDIS_PASSWORD, "--masterauth", REDIS_PASSWORD])
        .args(["--save", "", "--dir"])
        .arg(folder)
        .args(options);
    ServerProcess::start(command, HOW_TO_GET, None, || {
        ask(port, Some(REDIS_PASSWORD), &["PING"]).is_ok_and(|answer| answer == "PONG")
    })
}

/// A Redis Cluster of three masters with a replica each.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// Six servers that have agreed with each other; each replica has what its master has.
    ///
    /// # Errors
    /// If a server is missing, does not start, or they don't agree.
    pub fn start() -> Result<Self, StartError> {
        Self::with(Lifespan::Dropped)
    }

    /// One for all tests of a process, which ends with it. For tests that leave it whole.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: std::sync::OnceLock<RedisCluster> = std::sync::OnceLock::new();
        SHARED.get_or_init(|| {
            for_the_whole_process(|| Self::with(Lifespan::Thread)).unwrap_or_else(|error| panic!("{error}"))
        })
    }

    fn with(lifespan: Lifespan) -> Result<Self, StartError> {
        let nodes: Result<Vec<RedisServer>, StartError> = (0..6).map(|_| cluster_node(lifespan)).collect();
        let cluster = Self { nodes: nodes? };
        create_cluster(&cluster.nodes)?;
        // A master that is killed before its replica has caught up is not replaced.
        for node in &cluster.nodes {
            wait_until("a node that follows its master", || {
                let info = node.ask(&["INFO", "replication"]).unwrap_or_default();
                info.contains("role:master") || info.contains("master_link_status:up")
            })?;
            wait_until("a cluster that is well", || {
                let info = node.ask(&["CLUSTER", "INFO"]).unwrap_or_default();
                info.contains("cluster_state:ok") && info.contains("cluster_slots_assigned:16384")
            })?;
        }
        Ok(cluster)
    }

    /// A URL with the password that names every node.
    #[must_use]
    pub fn url(&self) -> String {
        format!(
            "redis-cluster://:{REDIS_PASSWORD_IN_URL}@{}",
            hosts(self.nodes.iter().map(RedisServer::port))
        )
    }

    /// All six.
    #[must_use]
    pub fn nodes(&self) -> &[RedisServer] {
        &self.nodes
    }

    /// The master that has this key.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn master_of(&mut self, key: &str) -> &mut RedisServer {
        let has_key = |node: &RedisServer| {
            let is_master = node
                .ask(&["INFO", "replication"])
                .unwrap_or_default()
                .contains("role:master");
            let answer = node.ask(&["EXISTS", key]).unwrap_or_default();
            is_master && !answer.starts_with("MOVED")
        };
        self.nodes
            .iter_mut()
            .find(|node| has_key(node))
            .expect("a master with the key")
    }
}

fn cluster_node(lifespan: Lifespan) -> Result<RedisServer, StartError> {
    let bus_port = free_port()?.to_string();
    let options = [
        "--cluster-enabled",
        "yes",
        "--cluster-config-file",
        "nodes.conf",
        "--cluster-port",
        &bus_port,
        "--cluster-node-timeout",
        "1000",
        "--repl-diskless-sync-delay",
        "0",
        "--appendonly",
        "no",
    ];
    let options = options.map(str::to_owned).to_vec();
    RedisServer::start(
        program("redis-server", HOW_TO_GET)?,
        options,
        tempfile::tempdir()?,
        lifespan,
    )
}

fn create_cluster(nodes: &[RedisServer]) -> Result<(), StartError> {
    let output = Command::new("redis-cli")
        .args(["-a", REDIS_PASSWORD, "--no-auth-warning", "--cluster", "create"])
        .args(nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)))
        .args(["--cluster-replicas", "1", "--cluster-yes"])
        .output()
        .map_err(|_| StartError::Missing(format!("redis-cli is not there: {HOW_TO_GET}")))?;
    if output.status.success() {
        return Ok(());
    }
    Err(StartError::NotReady(
        String::from_utf8_lossy(&output.stdout).into_owned(),
    ))
}

/// A master with two replicas, and three sentinels that watch it.
#[derive(Debug)]
pub struct RedisSentinel {
    servers: Vec<RedisServer>,
    sentinels: Vec<(ServerProcess, u16)>,
    _folder: TempDir,
}

impl RedisSentinel {
    /// Servers and sentinels that have agreed with each other.
    ///
    /// # Errors
    /// If a program is missing, does not start, or they don't agree.
    pub fn start() -> Result<Self, StartError> {
        Self::with(Lifespan::Dropped)
    }

    /// One for all tests of a process, which ends with it. For tests that leave it whole.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: std::sync::OnceLock<RedisSentinel> = std::sync::OnceLock::new();
        SHARED.get_or_init(|| {
            for_the_whole_process(|| Self::with(Lifespan::Thread)).unwrap_or_else(|error| panic!("{error}"))
        })
    }

    fn with(lifespan: Lifespan) -> Result<Self, StartError> {
        let mut servers = vec![follower_of(None, lifespan)?];
        for _ in 0..2 {
            servers.push(follower_of(Some(servers[0].port), lifespan)?);
        }
        // Sentinels find replicas that come later only with the next of their rounds, after ten seconds.
        wait_until("a master with two replicas", || {
            let info = servers[0].ask(&["INFO", "replication"]).unwrap_or_default();
            info.matches("state=online").count() == 2
        })?;
        let folder = tempfile::tempdir()?;
        let sentinels: Result<Vec<_>, StartError> = (0..3)
            .map(|_| sentinel(folder.path(), servers[0].port, lifespan))
            .collect();
        let all = Self {
            servers,
            sentinels: sentinels?,
            _folder: folder,
        };
        for (_, port) in &all.sentinels {
            wait_until("sentinels that know each other", || {
                let master = ask(*port, None, &["SENTINEL", "MASTER", SENTINEL_MASTER]).unwrap_or_default();
                has_field(&master, "num-other-sentinels", "2") && has_field(&master, "num-slaves", "2")
            })?;
        }
        Ok(all)
    }

    /// A URL with the servers' password that names every sentinel.
    #[must_use]
    pub fn url(&self) -> String {
        format!(
            "redis+sentinel://:{REDIS_PASSWORD_IN_URL}@{}/{SENTINEL_MASTER}",
            hosts(self.sentinels.iter().map(|(_, port)| *port))
        )
    }

    /// The server that the sentinels call the master.
    ///
    /// # Panics
    /// If they name none of ours.
    pub fn master(&mut self) -> &mut RedisServer {
        let question = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", SENTINEL_MASTER];
        let answer = ask(self.sentinels[0].1, None, &question).unwrap_or_default();
        let port = answer.lines().nth(1).unwrap_or_default().to_owned();
        let is_it = |server: &&mut RedisServer| server.port.to_string() == port;
        self.servers.iter_mut().find(is_it).expect("a master of ours")
    }

    /// Tells the sentinels to make a replica the master, while the old one goes on as a replica.
    ///
    /// # Errors
    /// If the sentinel can't be reached.
    pub fn fail_over(&self) -> io::Result<()> {
        ask(
            self.sentinels[0].1,
            None,
            &["SENTINEL", "FAILOVER", SENTINEL_MASTER],
        )
        .map(drop)
    }
}

fn follower_of(master: Option<u16>, lifespan: Lifespan) -> Result<RedisServer, StartError> {
    let mut options = vec!["--repl-diskless-sync-delay".to_owned(), "0".to_owned()];
    if let Some(port) = master {
        options.extend(["--replicaof".to_owned(), "127.0.0.1".to_owned(), port.to_string()]);
    }
    let server = RedisServer::start(
        program("redis-server", HOW_TO_GET)?,
        options,
        tempfile::tempdir()?,
        lifespan,
    )?;
    if master.is_some() {
        server.wait_for_info("replication", "master_link_status:up")?;
    }
    Ok(server)
}

fn sentinel(folder: &Path, master: u16, lifespan: Lifespan) -> Result<(ServerProcess, u16), StartError> {
    let port = free_port()?;
    let file = folder.join(format!("sentinel-{port}.conf"));
    std::fs::write(
        &file,
        format!(
            "port {port}\nbind 127.0.0.1\ndir {}\n\
             sentinel monitor {SENTINEL_MASTER} 127.0.0.1 {master} 2\n\
             sentinel auth-pass {SENTINEL_MASTER} {REDIS_PASSWORD}\n\
             sentinel down-after-milliseconds {SENTINEL_MASTER} 500\n\
             sentinel failover-timeout {SENTINEL_MASTER} 1000\n",
            folder.display()
        ),
    )?;
    let program = program("redis-sentinel", HOW_TO_GET)?;
    let mut command = match lifespan {
        Lifespan::Dropped => Command::new(program),
        Lifespan::Thread => {
            let mut command = Command::new("setpriv");
            command.args(["--pdeathsig", "KILL", "--"]).arg(program);
            command
        }
    };
    command.arg(file);
    let process = ServerProcess::start(command, HOW_TO_GET, None, || {
        ask(port, None, &["PING"]).is_ok_and(|answer| answer == "PONG")
    })?;
    Ok((process, port))
}

/// Starts something on a thread that never ends, so that what ends with its thread ends with the process.
fn for_the_whole_process<T: Send + 'static>(start: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        // Nobody waits any more: then there is nobody to keep it for.
        let _ = sender.send(start());
        loop {
            std::thread::park();
        }
    });
    receiver.recv().expect("a start that does not panic")
}

/// Where a program is, so that one that is missing is told from one that fails.
pub(crate) fn program(name: &str, how_to_get: &str) -> Result<PathBuf, StartError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .ok_or_else(|| StartError::Missing(format!("{name} is not there: {how_to_get}")))
}

pub(crate) fn url_of(scheme: &str, port: u16) -> String {
    format!("{scheme}://:{REDIS_PASSWORD_IN_URL}@127.0.0.1:{port}")
}

fn hosts(ports: impl Iterator<Item = u16>) -> String {
    let hosts: Vec<String> = ports.map(|port| format!("127.0.0.1:{port}")).collect();
    hosts.join(",")
}

fn has_field(lines: &str, name: &str, value: &str) -> bool {
    let mut lines = lines.lines();
    lines.any(|line| line == name) && lines.next() == Some(value)
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

/// The options of a server that shows these certificates. Paths are whole, since the server changes its
/// folder before it reads them.
fn tls_options(certificates: &Certificates, folder: &Path) -> Result<Vec<String>, StartError> {
    let mut options = vec!["--tls-auth-clients".to_owned(), "no".to_owned()];
    for (option, name, content) in [
        ("--tls-ca-cert-file", "ca.pem", &certificates.authority),
        ("--tls-cert-file", "server.pem", &certificates.server),
        ("--tls-key-file", "server.key", &certificates.server_key),
    ] {
        let file = folder.join(name);
        std::fs::write(&file, content)?;
        options.extend([option.to_owned(), file.display().to_string()]);
    }
    Ok(options)
}

/// The answer of the server on this port, as text: one line for each part.
///
/// # Errors
/// If the connection fails.
pub fn ask(port: u16, password: Option<&str>, command: &[&str]) -> io::Result<String> {
    let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    connection.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut answers = BufReader::new(connection.try_clone()?);
    if let Some(password) = password {
        connection.write_all(&encoded(&["AUTH", password]))?;
        answer(&mut answers)?;
    }
    connection.write_all(&encoded(command))?;
    answer(&mut answers)
}

fn encoded(command: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", command.len());
    for argument in command {
        bytes += &format!("${}\r\n{argument}\r\n", argument.len());
    }
    bytes.into_bytes()
}

fn answer(from: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    let line = line.trim_end();
    let (kind, rest) = line.split_at_checked(1).ok_or(io::ErrorKind::UnexpectedEof)?;
    let length = || rest.parse::<usize>().unwrap_or(0);
    match kind {
        "$" if rest != "-1" => {
            let mut text = vec![0; length() + 2];
            from.read_exact(&mut text)?;
            text.truncate(length());
            Ok(String::from_utf8_lossy(&text).into_owned())
        }
        "*" => {
            let parts: io::Result<Vec<String>> = (0..length()).map(|_| answer(from)).collect();
            Ok(parts?.join("\n"))
        }
        _ => Ok(rest.to_owned()),
    }
}
