//! A Redis Cluster.

use std::process::Command;
use std::sync::Arc;

use super::{
    Certificates, HOW_TO_GET, REDIS_PASSWORD, REDIS_PASSWORD_IN_URL, RedisServer, Setup, Shared, StartError,
    certificates_of_peers, free_port, hosts, wait_until,
};
use crate::servers::certificates::AUTHORITY_FILE;
use crate::servers::valkey;

/// A cluster of three masters with a replica each.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<RedisServer>,
    certificates: Option<Arc<Certificates>>,
}

impl RedisCluster {
    /// Six servers that have agreed with each other; each replica has what its master has.
    ///
    /// # Errors
    /// If a server is missing, does not start, or they don't agree.
    pub fn start() -> Result<Self, StartError> {
        Self::of(&Setup::of_redis(&[], None)?)
    }

    /// One for all tests of a process, which ends with it. For tests that leave it whole.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: Shared<RedisCluster> = Shared::new();
        SHARED.started(Self::start)
    }

    /// One whose servers speak TLS with clients and with each other, for all tests of a process.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn shared_with_tls() -> &'static Self {
        static SHARED: Shared<RedisCluster> = Shared::new();
        let start = || {
            let arguments = ["--tls-cluster", "yes", "--tls-replication", "yes"];
            Self::of(&Setup::of_redis(&arguments, Some(certificates_of_peers()?))?)
        };
        SHARED.started(start)
    }

    /// One of Valkey servers, for all tests of a process.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn shared_of_valkey() -> &'static Self {
        static SHARED: Shared<RedisCluster> = Shared::new();
        let start = || Self::of(&valkey::setup()?);
        SHARED.started(start)
    }

    fn of(setup: &Setup) -> Result<Self, StartError> {
        let nodes: Result<Vec<RedisServer>, StartError> = (0..6).map(|_| start_node(setup)).collect();
        let cluster = Self {
            nodes: nodes?,
            certificates: setup.certificates.clone(),
        };
        cluster.create()?;
        // A master that is killed before its replica has caught up is not replaced.
        for node in &cluster.nodes {
            // Nor does it count for writes that wait for it. One that is still to become a replica calls itself a master.
            wait_until("a master with its replica, or a replica with its master", || {
                let info = node.replication();
                info.contains("state=online") || info.contains("master_link_status:up")
            })?;
            wait_until("a cluster that is well", || {
                let info = node.ask(&["CLUSTER", "INFO"]).unwrap_or_default();
                info.contains("cluster_state:ok") && info.contains("cluster_slots_assigned:16384")
            })?;
        }
        Ok(cluster)
    }

    fn create(&self) -> Result<(), StartError> {
        let mut command = Command::new("redis-cli");
        command.args(["-a", REDIS_PASSWORD, "--no-auth-warning"]);
        if self.certificates.is_some() {
            let authority = self.nodes[0].folder().join(AUTHORITY_FILE);
            command.args(["--tls", "--cacert"]).arg(authority);
        }
        let output = command
            .args(["--cluster", "create"])
            .args(self.ports().map(|port| format!("127.0.0.1:{port}")))
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

    fn ports(&self) -> impl Iterator<Item = u16> {
        self.nodes.iter().map(|node| node.ports.of_peers())
    }

    /// A URL with the password that names every node.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = match self.certificates {
            Some(_) => "rediss-cluster",
            None => "redis-cluster",
        };
        format!("{scheme}://:{REDIS_PASSWORD_IN_URL}@{}", hosts(self.ports()))
    }

    /// What the servers show, which is for `127.0.0.1`.
    ///
    /// # Panics
    /// If they speak no TLS.
    #[must_use]
    pub fn certificates(&self) -> &Certificates {
        self.certificates.as_ref().expect("a cluster with TLS")
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
            let answer = node.ask(&["EXISTS", key]).unwrap_or_default();
            node.replication().contains("role:master") && !answer.starts_with("MOVED")
        };
        self.nodes
            .iter_mut()
            .find(|node| has_key(node))
            .expect("a master with the key")
    }
}

fn start_node(setup: &Setup) -> Result<RedisServer, StartError> {
    let bus_port = free_port()?.to_string();
    let mut setup = setup.clone();
    for [option, value] in [
        ["--cluster-enabled", "yes"],
        ["--cluster-config-file", "nodes.conf"],
        ["--cluster-port", &bus_port],
        ["--cluster-node-timeout", "1000"],
        ["--repl-diskless-sync-delay", "0"],
    ] {
        setup.arguments.extend([option.to_owned(), value.to_owned()]);
    }
    RedisServer::start(setup)
}
