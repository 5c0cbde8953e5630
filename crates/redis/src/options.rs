//! How a Redis is connected.

use std::sync::Arc;
use std::time::Duration;

use crate::certificates::{ClientCertificate, certificates};
use crate::client::Client;
use crate::dial::Dialer;
use crate::keys::Keys;
use crate::probe;
use crate::request::Request;
use crate::url::{Address, Login, Target, Topology};
use crate::wait::WaitForReplicas;
use crate::{ConnectError, RedisStore};

/// How a [`RedisStore`] works with its servers. From [`RedisStore::options`].
///
/// ```no_run
/// use std::time::Duration;
/// use tenure_redis::RedisStore;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let store = RedisStore::options("rediss://app:secret@redis.internal:6380")
///     .certificate_authority(std::fs::read("/etc/redis/ca.pem")?)
///     .key_prefix("shop")
///     .response_timeout(Duration::from_millis(500))
///     .connect()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "nothing is connected before `connect`"]
pub struct RedisOptions {
    url: String,
    key_prefix: String,
    certificate_authority: Option<Vec<u8>>,
    client_certificate: Option<ClientCertificate>,
    sentinel_login: Login,
    connections: usize,
    connect_timeout: Duration,
    response_timeout: Duration,
    retry_for: Duration,
    wait: Option<WaitForReplicas>,
}

impl RedisOptions {
    pub(crate) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            key_prefix: "tenure".to_owned(),
            certificate_authority: None,
            client_certificate: None,
            sentinel_login: Login::default(),
            connections: 1,
            connect_timeout: Duration::from_secs(1),
            response_timeout: Duration::from_secs(1),
            retry_for: Duration::from_secs(1),
            wait: None,
        }
    }

    /// What every key begins with, before a colon.
    ///
    /// *Default*: `tenure`. *Reason*: an operator sees at once whose keys they are. Applications that share
    /// a database need one each. *Cost*: its bytes, twice a signed-in session. With braces in it, such as
    /// `{shop}`, all sessions of a cluster are on one node.
    pub fn key_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.key_prefix = prefix.into();
        self
    }

    /// The certificate authorities that may have signed the servers' certificates, as the content of a PEM
    /// file. Only with a `rediss` URL.
    ///
    /// *Default*: those that the operating system trusts. *Reason*: hosted servers have certificates that
    /// everybody can verify. *Cost*: none trusted but these, and a renewed authority has to be deployed.
    pub fn certificate_authority(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.certificate_authority = Some(pem.into());
        self
    }

    /// The certificate, with those between it and its authority, and the key that this client shows to the servers,
    /// each as the content of a PEM file. Only with a `rediss` URL. The servers may be told to ask for one by
    /// `tls-auth-clients yes`.
    ///
    /// *Default*: none. *Reason*: most servers ask for a password alone. *Cost*: one more secret, and a certificate
    /// that has to be renewed before it expires: it is read once, so that takes a restart.
    ///
    /// ```no_run
    /// use tenure_redis::RedisStore;
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = RedisStore::options("rediss://redis.internal:6380")
    ///     .client_certificate(std::fs::read("client.pem")?, std::fs::read("client.key")?)
    ///     .connect()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn client_certificate(mut self, certificate: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.client_certificate = Some(ClientCertificate {
            certificate: certificate.into(),
            key: key.into(),
        });
        self
    }

    /// As whom to sign in to the sentinels, for the URL's user and password are for the servers. An empty
    /// user is the default one.
    ///
    /// *Default*: nobody. *Reason*: sentinels have a password of their own, and most have none.
    pub fn sentinel_login(mut self, username: impl Into<String>, password: impl Into<String>) -> Self {
        self.sentinel_login = Login {
            username: Some(username.into()).filter(|username| !username.is_empty()),
            password: Some(password.into()),
        };
        self
    }

    /// How many connections this process keeps, to a cluster that many to each node; at the least one.
    ///
    /// *Default*: 1. *Reason*: a connection carries any number of requests at once, and a server works
    /// through them one by one anyway. More help where records are large, or with
    /// [`wait_for_replicas`](RedisOptions::wait_for_replicas), which lets one write at a time wait on each.
    /// *Cost*: some kilobytes and a file descriptor at the server each.
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections.max(1);
        self
    }

    /// How long one attempt to connect may take, TLS and sign-in included.
    ///
    /// *Default*: 1 second. *Reason*: within a data centre it takes milliseconds, and it leaves a request the
    /// other half of its deadline, which is 2 seconds unless the policy says otherwise. *Cost*: a network
    /// that is slower than this never connects.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long a command may take. A connection on which one takes longer is replaced: after a network
    /// failure nothing else tells that it is dead.
    ///
    /// *Default*: 1 second. *Reason*: shorter than the policy's deadline for store calls, past which nobody
    /// waits for the answer any more, and a thousand times what a command takes. *Cost*: a server that
    /// another program's command keeps busy for longer fails requests.
    pub fn response_timeout(mut self, timeout: Duration) -> Self {
        self.response_timeout = timeout;
        self
    }

    /// For how long a request is tried again while the server restarts or another one takes over. Only what
    /// is safe is: a write that may have reached the server never is.
    ///
    /// *Default*: 1 second. *Reason*: a restart and a moved slot pass unnoticed, and a failover costs errors
    /// for a second or two rather than waits beyond the deadline. *Cost*: while the store is down, requests
    /// wait that long for their error. Zero tries everything once.
    pub fn retry_for(mut self, duration: Duration) -> Self {
        self.retry_for = duration;
        self
    }

    /// A write counts as done only when so many replicas have it too; it fails if they don't within
    /// `timeout`, though the master has it.
    ///
    /// *Default*: none. *Reason*: replication in Redis is asynchronous. A master that dies may take along
    /// writes that it has acknowledged: a sign-in is undone, and so is a sign-out. This makes the gap narrow
    /// and does not close it: a replica that lacks the write can still be promoted if it is not among those
    /// that have it. *Cost*: a round trip between the servers for each write, one write after the other on a
    /// connection (see [`connections`](RedisOptions::connections)); as many connections again, so that reads
    /// need not wait for writes; and no writes at all while fewer replicas are up.
    ///
    /// Takes effect for inserts, updates and removals; the sliding of the idle deadline does not wait.
    pub fn wait_for_replicas(mut self, replicas: u32, timeout: Duration) -> Self {
        self.wait = Some(WaitForReplicas { replicas, timeout }).filter(|wait| wait.replicas > 0);
        self
    }

    /// Connects, and looks whether it may.
    ///
    /// # Errors
    /// If the URL can't be read, no server answers, TLS or the sign-in fails, or the server does not fit.
    pub async fn connect(self) -> Result<RedisStore, ConnectError> {
        let keys = Keys {
            prefix: self.key_prefix.clone(),
        };
        let client = self.client(&keys.ping()).await?;
        Ok(RedisStore::new(Arc::new(client), keys))
    }

    /// A client that was answered when it asked for the key `ping`.
    pub(crate) async fn client(self, ping: &str) -> Result<Client, ConnectError> {
        let target = Target::parse(&self.url)?;
        let servers = servers(&target.topology);
        let master = master(&target.topology).map(str::to_owned);
        let dialer = Dialer {
            target: target.clone(),
            sentinel_login: self.sentinel_login,
            certificates: certificates(self.certificate_authority, self.client_certificate)?,
            connect_timeout: self.connect_timeout,
            response_timeout: self.response_timeout,
        };
        let client = Client::new(dialer, self.connections, self.retry_for, self.wait);
        let question = Request::plain("EXISTS", ping.to_owned(), &[]);
        match client.call(&question).await {
            Ok(_) => Ok(client),
            Err(failure) => {
                let failure = match failure.may_be_about_tls() {
                    true => probe::cause_of(failure, &target, self.connect_timeout).await,
                    false => failure,
                };
                Err(ConnectError::new(failure, servers, master.as_deref()))
            }
        }
    }
}

impl std::fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the URL, which may hold a password.
        f.debug_struct("RedisOptions")
            .field("key_prefix", &self.key_prefix)
            .field("connections", &self.connections)
            .field("connect_timeout", &self.connect_timeout)
            .field("response_timeout", &self.response_timeout)
            .field("retry_for", &self.retry_for)
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}

fn servers(topology: &Topology) -> String {
    let addresses: Vec<String> = topology.addresses().iter().map(Address::to_string).collect();
    addresses.join(", ")
}

fn master(topology: &Topology) -> Option<&str> {
    match topology {
        Topology::Sentinel { master, .. } => Some(master),
        _ => None,
    }
}
