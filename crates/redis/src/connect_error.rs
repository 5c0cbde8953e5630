//! Why a store could not be connected.

use std::error::Error;
use std::fmt;

use crate::failure::{Cause, Failure};

/// A store could not be connected. Shows no password.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL is not one of a Redis.
    Url {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The certificate authority's PEM holds no certificate.
    Certificate {
        /// What is wrong with it.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The client's certificate or its key can't be read.
    ClientCertificate {
        /// What is wrong with it.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Nobody answers there, or what answers does not speak Redis's protocol.
    Unreachable {
        /// Which servers, without user and password.
        servers: String,
        /// What the driver said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The URL asks for TLS, and the server speaks plain text on that port.
    NoTls {
        /// Which servers.
        servers: String,
        /// What the driver said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The URL does not ask for TLS, and the server speaks nothing else on that port.
    TlsOnly {
        /// Which servers.
        servers: String,
        /// What the driver said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The server's certificate was refused, or this client's.
    Tls {
        /// Which servers.
        servers: String,
        /// What the driver said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The server refused the user or the password, or the user may not do what a store does.
    Denied {
        /// Which servers.
        servers: String,
        /// What the server said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// No sentinel knows the master, or the master that they name can't be reached.
    NoMaster {
        /// The master's name.
        master: String,
        /// What the sentinels said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The server is there and does not work as a store.
    Unusable {
        /// Which servers.
        servers: String,
        /// What the server said.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl ConnectError {
    pub(crate) fn new(failure: Failure, servers: String, master: Option<&str>) -> Self {
        let cause = failure.cause.clone();
        let source = Box::new(failure);
        match (cause, master) {
            (Cause::NoTls, _) => Self::NoTls { servers, source },
            (Cause::TlsOnly, _) => Self::TlsOnly { servers, source },
            (Cause::Tls, _) => Self::Tls { servers, source },
            (Cause::Login | Cause::NoPermission, _) => Self::Denied { servers, source },
            (Cause::NoMaster, Some(master)) => Self::NoMaster {
                master: master.to_owned(),
                source,
            },
            (Cause::Unreachable | Cause::AnswerLost | Cause::TooSlow | Cause::NoMaster, _) => {
                Self::Unreachable { servers, source }
            }
            _ => Self::Unusable { servers, source },
        }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url { what } => write!(
                f,
                "the URL of the Redis can't be read: {what}; expected redis://user:password@host:port/database, \
                 rediss:// for TLS, redis+sentinel://host:port,host:port/master, or redis-cluster://host:port,host:port; \
                 write @, :, / and % in a password as %40, %3A, %2F and %25"
            ),
            Self::Certificate { .. } => f.write_str(
                "the certificate authority for Redis can't be read; give RedisOptions::certificate_authority a PEM file's content",
            ),
            Self::Unreachable { servers, .. } => write!(
                f,
                "the Redis at {servers} can't be reached; check that it runs, that host and port are right, that no firewall is \
                 between, and that the URL's scheme begins with rediss if the server speaks TLS on that port, and only then"
            ),
            Self::ClientCertificate { .. } => f.write_str(
                "the client's certificate for Redis can't be read; give RedisOptions::client_certificate the content of two PEM \
                 files, first the certificate's and then its key's",
            ),
            Self::NoTls { servers, .. } => write!(
                f,
                "the TLS handshake with the Redis at {servers} failed, for the server speaks plain text on that port; use the port \
                 that it has for TLS (tls-port in redis.conf), or a scheme that begins with redis instead of rediss if everybody \
                 on the way may read passwords and sessions"
            ),
            Self::TlsOnly { servers, .. } => write!(
                f,
                "the Redis at {servers} speaks TLS on that port and the URL does not ask for it; use a scheme that begins with \
                 rediss: rediss://, rediss+sentinel:// or rediss-cluster://"
            ),
            Self::Tls { servers, .. } => write!(
                f,
                "TLS with the Redis at {servers} failed; check that the server speaks TLS on that port, that its certificate is for \
                 that host and not expired, that RedisOptions::certificate_authority has the authority that signed it, and that \
                 RedisOptions::client_certificate is set if the server asks clients for one (tls-auth-clients)"
            ),
            Self::Denied { servers, .. } => write!(
                f,
                "the Redis at {servers} denied access; check user and password, and that its ACL allows what the documentation \
                 of RedisStore lists"
            ),
            Self::NoMaster { master, .. } => write!(
                f,
                "no sentinel names a master called {master:?} that can be reached; check the name and that the sentinels run"
            ),
            Self::Unusable { servers, .. } => write!(
                f,
                "the Redis at {servers} can't be used as a store; check that it is Redis 6.2 or Valkey 8 or newer and that the URL's \
                 scheme fits: redis:// one server, redis+sentinel:// sentinels, redis-cluster:// a cluster"
            ),
        }
    }
}

impl Error for ConnectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Url { .. } => None,
            Self::Certificate { source }
            | Self::ClientCertificate { source }
            | Self::NoTls { source, .. }
            | Self::TlsOnly { source, .. }
            | Self::Unreachable { source, .. }
            | Self::Tls { source, .. }
            | Self::Denied { source, .. }
            | Self::NoMaster { source, .. }
            | Self::Unusable { source, .. } => Some(&**source),
        }
    }
}
