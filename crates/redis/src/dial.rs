//! How a connection is made: to one server, to the master that sentinels name, or to a cluster.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use redis::aio::MultiplexedConnection;
use redis::cluster::ClusterClientBuilder;
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion,
    PushInfo, PushKind, RedisConnectionInfo, RedisResult, TlsCertificates, Value, cmd,
};
use tokio::time::timeout;

use crate::connection::Connection;
use crate::failure::{Cause, Failure};
use crate::url::{Address, Login, Target, Topology};

/// Everything that it takes to connect, as often as it has to be.
pub(crate) struct Dialer {
    pub(crate) target: Target,
    pub(crate) sentinel_login: Login,
    pub(crate) certificates: Option<TlsCertificates>,
    pub(crate) connect_timeout: Duration,
    pub(crate) response_timeout: Duration,
}

impl Dialer {
    /// Connects. `gone` becomes true when the connection ends.
    pub(crate) async fn dial(&self, gone: &Arc<AtomicBool>) -> Result<Connection, Failure> {
        if self.target.tls {
            provide_cryptography();
        }
        match &self.target.topology {
            Topology::Standalone(address) => self.server(address, gone).await.map(Connection::Server),
            Topology::Sentinel { sentinels, master } => {
                let server = self.master(sentinels, master, gone).await?;
                Ok(Connection::Server(server))
            }
            Topology::Cluster(nodes) => self.cluster(nodes).await,
        }
    }

    async fn server(
        &self,
        address: &Address,
        gone: &Arc<AtomicBool>,
    ) -> Result<MultiplexedConnection, Failure> {
        let gone = Arc::clone(gone);
        let config = self.config().set_push_sender(move |push: PushInfo| {
            if push.kind == PushKind::Disconnection {
                gone.store(true, Ordering::Relaxed);
            }
            Ok::<(), ()>(())
        });
        self.connected(address, &self.target.login, self.target.database, config)
            .await
    }

    /// Asks all sentinels at once, for the first in the list may be the one that hangs, and takes the first
    /// server that they name and that says itself that it is a master: after a failover some sentinels, and
    /// the old master, learn of it later than others.
    async fn master(
        &self,
        sentinels: &[Address],
        name: &str,
        gone: &Arc<AtomicBool>,
    ) -> Result<MultiplexedConnection, Failure> {
        let mut answers: FuturesUnordered<_> = sentinels
            .iter()
            .map(|sentinel| self.ask_for_master(sentinel, name))
            .collect();
        let mut refused = Vec::new();
        let mut reason = Failure::new(Cause::NoMaster, "none of them was asked");
        while let Some(answer) = answers.next().await {
            let found = match answer {
                Ok(address) if refused.contains(&address) => continue,
                Ok(address) => {
                    let server = self.server_that_is_master(&address, gone).await;
                    refused.push(address);
                    server
                }
                Err(failure) => Err(failure),
            };
            match found {
                Ok(server) => return Ok(server),
                Err(failure) => reason = failure,
            }
        }
        match reason.cause {
            Cause::Login | Cause::Tls | Cause::NoPermission => Err(reason),
            _ => Err(Failure::new(Cause::NoMaster, reason.to_string())),
        }
    }

    async fn ask_for_master(&self, sentinel: &Address, name: &str) -> Result<Address, Failure> {
        let mut connection = self
            .connected(sentinel, &self.sentinel_login, 0, self.config())
            .await?;
        let mut question = cmd("SENTINEL");
        question.arg("GET-MASTER-ADDR-BY-NAME").arg(name);
        let answer: RedisResult<Option<(String, u16)>> = question.query_async(&mut connection).await;
        match answer.map_err(|error| Failure::of_command(&error))? {
            Some((host, port)) => Ok(Address { host, port }),
            None => Err(Failure::new(
                Cause::NoMaster,
                format!("the sentinel at {sentinel} does not know it"),
            )),
        }
    }

    async fn server_that_is_master(
        &self,
        address: &Address,
        gone: &Arc<AtomicBool>,
    ) -> Result<MultiplexedConnection, Failure> {
        let mut server = self.server(address, gone).await?;
        let role: RedisResult<Vec<Value>> = cmd("ROLE").query_async(&mut server).await;
        let role = role.map_err(|error| Failure::of_command(&error))?;
        match role.first() {
            Some(Value::BulkString(role)) if role == b"master" => Ok(server),
            _ => Err(Failure::new(
                Cause::NoMaster,
                format!("the server at {address} is a replica"),
            )),
        }
    }

    async fn cluster(&self, nodes: &[Address]) -> Result<Connection, Failure> {
        let nodes: RedisResult<Vec<ConnectionInfo>> = nodes
            .iter()
            .map(|node| self.connection_info(node, &self.target.login, 0))
            .collect();
        let nodes = nodes.map_err(|error| Failure::of_connecting(&error))?;
        let mut builder = ClusterClientBuilder::new(nodes)
            // The driver would repeat a write whose answer was lost.
            .retries(0)
            .connection_timeout(self.connect_timeout)
            .response_timeout(self.response_timeout)
            .tcp_settings(tcp_settings());
        if let Some(certificates) = self.certificates.clone().filter(|_| self.target.tls) {
            builder = builder.certs(certificates);
        }
        let client = builder.build().map_err(|error| Failure::of_connecting(&error))?;
        let connecting = client.get_async_connection();
        // One timeout for the first nodes, one for their answer, one for the other nodes.
        match timeout(self.connect_timeout * 3, connecting).await {
            Ok(Ok(cluster)) => Ok(Connection::Cluster(cluster)),
            Ok(Err(error)) => Err(Failure::of_connecting(&error)),
            Err(_) => Err(Failure::new(Cause::Unreachable, "it took too long to connect")),
        }
    }

    async fn connected(
        &self,
        address: &Address,
        login: &Login,
        database: i64,
        config: AsyncConnectionConfig,
    ) -> Result<MultiplexedConnection, Failure> {
        let info = self.connection_info(address, login, database);
        let client = info.and_then(|info| match &self.certificates {
            Some(certificates) if self.target.tls => Client::build_with_tls(info, certificates.clone()),
            _ => Client::open(info),
        });
        let client = client.map_err(|error| Failure::of_connecting(&error))?;
        client
            .get_multiplexed_async_connection_with_config(&config)
            .await
            .map_err(|error| Failure::of_connecting(&error))
    }

    fn connection_info(
        &self,
        address: &Address,
        login: &Login,
        database: i64,
    ) -> RedisResult<ConnectionInfo> {
        let host = address.host.clone();
        let port = address.port;
        let address = if self.target.tls {
            ConnectionAddr::TcpTls {
                host,
                port,
                insecure: false,
                tls_params: None,
            }
        } else {
            ConnectionAddr::Tcp(host, port)
        };
        // Only the third version of the protocol lets the driver tell at once that a connection ended.
        let mut settings = RedisConnectionInfo::default()
            .set_protocol(ProtocolVersion::RESP3)
            .set_db(database);
        if let Some(username) = &login.username {
            settings = settings.set_username(username);
        }
        if let Some(password) = &login.password {
            settings = settings.set_password(password);
        }
        let info = address.into_connection_info()?;
        Ok(info.set_redis_settings(settings).set_tcp_settings(tcp_settings()))
    }

    fn config(&self) -> AsyncConnectionConfig {
        AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.connect_timeout))
            .set_response_timeout(Some(self.response_timeout))
    }
}

/// Every command is awaited, so there is nothing to gather before it is sent.
fn tcp_settings() -> TcpSettings {
    TcpSettings::default().set_nodelay(true)
}

/// The driver asks the process for its cryptography and panics where there is none, or where several crates
/// of the application brought one each and nobody has chosen.
fn provide_cryptography() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Refused only if somebody else was faster, which is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
}
