//! The URL of a Redis: which servers there are, how to reach them, and as whom.

use std::fmt;

use crate::ConnectError;

const SERVER_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// What a URL names.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) topology: Topology,
    pub(crate) tls: bool,
    pub(crate) login: Login,
    pub(crate) database: i64,
}

/// How the servers are arranged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Topology {
    /// One server.
    Standalone(Address),
    /// Sentinels that know which server is the master of this name.
    Sentinel { sentinels: Vec<Address>, master: String },
    /// Some nodes of a cluster, which know the others.
    Cluster(Vec<Address>),
}

impl Topology {
    /// Those that the URL names.
    pub(crate) fn addresses(&self) -> &[Address] {
        match self {
            Self::Standalone(address) => std::slice::from_ref(address),
            Self::Sentinel { sentinels, .. } => sentinels,
            Self::Cluster(nodes) => nodes,
        }
    }
}

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// As whom to sign in. `Debug` shows no password.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("username", &self.username)
            .field("password", &self.password.as_ref().map(|_| "redacted"))
            .finish()
    }
}

impl Target {
    /// Reads a URL. What is wrong with it is told without a word of it, for it may hold a password.
    pub(crate) fn parse(url: &str) -> Result<Self, ConnectError> {
        let (scheme, rest) = url.split_once("://").ok_or(wrong("there is no scheme"))?;
        if rest.contains(['?', '#']) {
            return Err(wrong(
                "it has a query or a fragment, which mean nothing here; use RedisOptions",
            ));
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, hosts) = match authority.rsplit_once('@') {
            Some((login, hosts)) => (Login::parse(login)?, hosts),
            None => (Login::default(), authority),
        };
        let (tls, scheme) = match scheme.strip_prefix("rediss") {
            Some(kind) => (true, kind),
            None => (
                false,
                scheme
                    .strip_prefix("redis")
                    .ok_or(wrong("its scheme is unknown"))?,
            ),
        };
        let (topology, database) = topology(scheme, hosts, path)?;
        Ok(Self {
            topology,
            tls,
            login,
            database: database_number(database)?,
        })
    }
}

/// The servers, and what is left of the path: the database's number.
fn topology<'a>(kind: &str, hosts: &str, path: &'a str) -> Result<(Topology, &'a str), ConnectError> {
    match kind {
        "" => {
            let address = Address::parse(hosts, SERVER_PORT)?;
            Ok((Topology::Standalone(address), path))
        }
        "+sentinel" => {
            let (master, database) = path.split_once('/').unwrap_or((path, ""));
            let master = decoded(master)?;
            if master.is_empty() {
                return Err(wrong("it lacks the master's name after the sentinels"));
            }
            let sentinels = Address::parse_all(hosts, SENTINEL_PORT)?;
            Ok((Topology::Sentinel { sentinels, master }, database))
        }
        "-cluster" if path.is_empty() => {
            let nodes = Address::parse_all(hosts, SERVER_PORT)?;
            Ok((Topology::Cluster(nodes), ""))
        }
        "-cluster" => Err(wrong("it names a database; a cluster has only one")),
        _ => Err(wrong("its scheme is unknown")),
    }
}

fn database_number(text: &str) -> Result<i64, ConnectError> {
    match text {
        "" => Ok(0),
        text => text
            .parse::<u16>()
            .map(i64::from)
            .map_err(|_| wrong("its database is not a number")),
    }
}

impl Address {
    fn parse_all(hosts: &str, default_port: u16) -> Result<Vec<Self>, ConnectError> {
        hosts
            .split(',')
            .map(|host| Self::parse(host, default_port))
            .collect()
    }

    fn parse(text: &str, default_port: u16) -> Result<Self, ConnectError> {
        let (host, port) = match text.strip_prefix('[') {
            Some(v6) => v6
                .split_once(']')
                .ok_or(wrong("an IPv6 address lacks its closing bracket"))?,
            None => match text.find(':') {
                Some(colon) => text.split_at(colon),
                None => (text, ""),
            },
        };
        if host.is_empty() || host.contains([',', '@', '[', ']']) {
            return Err(wrong("a host is missing or is not one"));
        }
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => default_port,
            Some(digits) => digits.parse().map_err(|_| wrong("a port is not a number"))?,
            None => return Err(wrong("a port is not a number")),
        };
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }
}

impl Login {
    fn parse(text: &str) -> Result<Self, ConnectError> {
        let (username, password) = match text.split_once(':') {
            Some((username, password)) => (username, Some(decoded(password)?)),
            None => (text, None),
        };
        let username = Some(decoded(username)?).filter(|username| !username.is_empty());
        Ok(Self { username, password })
    }
}

fn wrong(what: &'static str) -> ConnectError {
    ConnectError::Url { what }
}

/// Undoes the percent-encoding that a URL needs around `@`, `:` and `/`.
fn decoded(text: &str) -> Result<String, ConnectError> {
    const NOT_ENCODED: &str = "a % in it is not followed by two hexadecimal digits";
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes().iter().copied();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next(), rest.next()].map(|digit| digit.and_then(hex_digit));
        let [Some(high), Some(low)] = digits else {
            return Err(wrong(NOT_ENCODED));
        };
        bytes.push(high << 4 | low);
    }
    String::from_utf8(bytes).map_err(|_| wrong("its user or password is not UTF-8"))
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> Target {
        Target::parse(url).unwrap()
    }

    fn address(host: &str, port: u16) -> Address {
        Address {
            host: host.to_owned(),
            port,
        }
    }

    fn login(username: Option<&str>, password: Option<&str>) -> Login {
        Login {
            username: username.map(str::to_owned),
            password: password.map(str::to_owned),
        }
    }

    #[test]
    fn a_url_of_one_server_may_say_as_little_as_its_host() {
        let target = parsed("redis://localhost");
        assert_eq!(target.topology, Topology::Standalone(address("localhost", 6379)));
        assert_eq!((target.tls, target.database), (false, 0));
        assert_eq!(target.login, Login::default());
    }

    #[test]
    fn a_url_of_one_server_may_say_everything() {
        let target = parsed("rediss://app:p%40ss%3A%2Fw@[::1]:7000/3");
        assert_eq!(target.topology, Topology::Standalone(address("::1", 7000)));
        assert_eq!((target.tls, target.database), (true, 3));
        assert_eq!(target.login, login(Some("app"), Some("p@ss:/w")));
    }

    #[test]
    fn a_password_needs_no_user() {
        assert_eq!(parsed("redis://:pass@host").login, login(None, Some("pass")));
    }

    #[test]
    fn sentinels_are_named_with_their_master() {
        let target = parsed("redis+sentinel://app:pw@a:1,b,c:3/main/2");
        let sentinels = vec![address("a", 1), address("b", 26379), address("c", 3)];
        let master = "main".to_owned();
        assert_eq!(target.topology, Topology::Sentinel { sentinels, master });
        assert_eq!((target.tls, target.database), (false, 2));
        assert!(parsed("rediss+sentinel://a/main").tls);
    }

    #[test]
    fn a_cluster_is_named_by_some_of_its_nodes() {
        let target = parsed("rediss-cluster://:pw@a:1,[::2]:2");
        assert_eq!(
            target.topology,
            Topology::Cluster(vec![address("a", 1), address("::2", 2)])
        );
        assert!(target.tls);
    }

    #[test]
    fn what_is_no_url_is_refused_without_repeating_it() {
        for url in [
            "",
            "hunter2",
            "redis:hunter2",
            "http://:hunter2@host",
            "redisss://:hunter2@host",
            "redis+cluster://:hunter2@host",
            "redis://",
            "redis://:hunter2@",
            "redis://:hunter2@host:port",
            "redis://:hunter2@host:70000",
            "redis://:hunter2@host/name",
            "redis://:hunter2@host/-1",
            "redis://:hunter2@host?db=1",
            "redis://:hunter2@host#insecure",
            "redis://:hunter2%4@host",
            "redis://:hunter2%FF@host",
            "redis://:hunter2@a,b",
            "redis://:hunter2@[::1",
            "redis://:hunter2@[::1]7000",
            "redis+sentinel://:hunter2@a,b",
            "redis+sentinel://:hunter2@a,,b/main",
            "redis-cluster://:hunter2@a,b/1",
        ] {
            let error = Target::parse(url).err().unwrap_or_else(|| panic!("{url}"));
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }

    #[test]
    fn debug_shows_no_password() {
        let shown = format!("{:?}", parsed("redis://app:hunter2@host").login);
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
