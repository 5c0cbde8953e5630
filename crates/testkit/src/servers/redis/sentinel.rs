//! A Redis server behind Sentinel.

use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use tempfile::TempDir;

use super::{
    Certificates, HOW_TO_GET, Ports, REDIS_PASSWORD, REDIS_PASSWORD_IN_URL, RedisServer, ServerProcess,
    Setup, Shared, StartError, ask, certificates_of_peers, free_port, hosts, on_a_free_port, program,
    tls_settings, wait_until, watchdog,
};

/// The name by which sentinels know their master.
pub const SENTINEL_MASTER: &str = "sessions";

/// A master with two replicas, and three sentinels that watch it.
#[derive(Debug)]
pub struct RedisSentinel {
    servers: Vec<RedisServer>,
    sentinels: Vec<(ServerProcess, Ports)>,
    certificates: Option<Arc<Certificates>>,
    _folder: TempDir,
}

impl RedisSentinel {
    /// Servers and sentinels that have agreed with each other.
    ///
    /// # Errors
    /// If a program is missing, does not start, or they don't agree.
    pub fn start() -> Result<Self, StartError> {
        Self::with(None)
    }

    /// One for all tests of a process, which ends with it. For tests that leave it whole.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: Shared<RedisSentinel> = Shared::new();
        SHARED.started(Self::start)
    }

    /// One whose servers and sentinels speak TLS with clients and with each other, for all tests of a process.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn shared_with_tls() -> &'static Self {
        static SHARED: Shared<RedisSentinel> = Shared::new();
        let start = || Self::with(Some(certificates_of_peers()?));
        SHARED.started(start)
    }

    fn with(certificates: Option<Arc<Certificates>>) -> Result<Self, StartError> {
        let mut servers = vec![start_server(None, certificates.as_ref())?];
        let master = servers[0].ports.of_peers();
        for _ in 0..2 {
            servers.push(start_server(Some(master), certificates.as_ref())?);
        }
        // Sentinels find replicas that come later only with the next of their rounds, after ten seconds.
        wait_until("a master with two replicas", || {
            servers[0].replication().matches("state=online").count() == 2
        })?;
        let folder = watchdog::folder()?;
        if let Some(certificates) = &certificates {
            certificates.write_to(folder.path())?;
        }
        let sentinels: Result<Vec<_>, StartError> = (0..3)
            .map(|_| {
                on_a_free_port(|port| start_sentinel(folder.path(), port, master, certificates.is_some()))
            })
            .collect();
        let all = Self {
            servers,
            sentinels: sentinels?,
            certificates,
            _folder: folder,
        };
        for (_, ports) in &all.sentinels {
            wait_until("sentinels that know each other", || {
                let question = ["SENTINEL", "MASTER", SENTINEL_MASTER];
                let master = ask(ports.plain, None, &question).unwrap_or_default();
                has_field(&master, "num-other-sentinels", "2") && has_field(&master, "num-slaves", "2")
            })?;
        }
        Ok(all)
    }

    /// A URL with the servers' password that names every sentinel.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = match self.certificates {
            Some(_) => "rediss+sentinel",
            None => "redis+sentinel",
        };
        let hosts = hosts(self.sentinels.iter().map(|(_, ports)| ports.of_peers()));
        format!("{scheme}://:{REDIS_PASSWORD_IN_URL}@{hosts}/{SENTINEL_MASTER}")
    }

    /// The master and its replicas.
    #[must_use]
    pub fn servers(&self) -> &[RedisServer] {
        &self.servers
    }

    /// What servers and sentinels show, which is for `127.0.0.1`.
    ///
    /// # Panics
    /// If they speak no TLS.
    #[must_use]
    pub fn certificates(&self) -> &Certificates {
        self.certificates.as_ref().expect("sentinels with TLS")
    }

    /// The server that the sentinels call the master.
    ///
    /// # Panics
    /// If they name none of ours.
    pub fn master(&mut self) -> &mut RedisServer {
        let answer = self.ask_first(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", SENTINEL_MASTER]);
        let answer = answer.unwrap_or_default();
        let port = answer.lines().nth(1).unwrap_or_default().to_owned();
        let is_it = |server: &&mut RedisServer| server.ports.of_peers().to_string() == port;
        self.servers.iter_mut().find(is_it).expect("a master of ours")
    }

    /// Tells the sentinels to make a replica the master, while the old one goes on as a replica.
    ///
    /// # Errors
    /// If the sentinel can't be reached.
    pub fn fail_over(&self) -> io::Result<()> {
        self.ask_first(&["SENTINEL", "FAILOVER", SENTINEL_MASTER])
            .map(drop)
    }

    fn ask_first(&self, question: &[&str]) -> io::Result<String> {
        ask(self.sentinels[0].1.plain, None, question)
    }
}

fn start_server(
    master: Option<u16>,
    certificates: Option<&Arc<Certificates>>,
) -> Result<RedisServer, StartError> {
    let mut arguments = vec!["--repl-diskless-sync-delay", "0"];
    if certificates.is_some() {
        arguments.extend(["--tls-replication", "yes"]);
    }
    let port = master.map(|port| port.to_string());
    if let Some(port) = &port {
        arguments.extend(["--replicaof", "127.0.0.1", port]);
    }
    let server = RedisServer::start(Setup::of_redis(&arguments, certificates.cloned())?)?;
    if master.is_some() {
        wait_until("a replica that follows its master", || {
            server.replication().contains("master_link_status:up")
        })?;
    }
    Ok(server)
}

fn start_sentinel(
    folder: &Path,
    port: u16,
    master: u16,
    speaks_tls: bool,
) -> Result<(ServerProcess, Ports), StartError> {
    let tls = speaks_tls.then(free_port).transpose()?;
    let ports = Ports { plain: port, tls };
    let mut settings = format!(
        "port {port}\nbind 127.0.0.1\ndir {}\n\
         sentinel monitor {SENTINEL_MASTER} 127.0.0.1 {master} 2\n\
         sentinel auth-pass {SENTINEL_MASTER} {REDIS_PASSWORD}\n\
         sentinel down-after-milliseconds {SENTINEL_MASTER} 500\n\
         sentinel failover-timeout {SENTINEL_MASTER} 1000\n",
        folder.display()
    );
    for [option, value] in tls_settings(ports, folder) {
        settings += &format!("{option} {value}\n");
    }
    if speaks_tls {
        settings += "tls-replication yes\n";
    }
    let file = folder.join(format!("sentinel-{port}.conf"));
    std::fs::write(&file, settings)?;
    let mut command = Command::new(program("redis-sentinel", HOW_TO_GET)?);
    command.arg(file);
    let process = ServerProcess::start(command, HOW_TO_GET, || {
        ask(port, None, &["PING"]).is_ok_and(|answer| answer == "PONG")
    })?;
    Ok((process, ports))
}

fn has_field(lines: &str, name: &str, value: &str) -> bool {
    let mut lines = lines.lines();
    lines.any(|line| line == name) && lines.next() == Some(value)
}
