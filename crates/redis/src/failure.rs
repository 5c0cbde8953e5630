//! What went wrong at the server or on the way to it.

use std::error::Error;
use std::fmt;

use redis::{ErrorKind, RedisError, ServerError, ServerErrorKind};

/// Why a command was not answered as it should be. Shows neither the URL nor anything of a record.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) cause: Cause,
    /// What the server or the driver said.
    said: String,
}

/// What a failure means for the next attempt, and for whoever reads about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// No connection: nothing was sent.
    Unreachable,
    /// The certificate or the handshake was refused: nothing was sent.
    Tls,
    /// TLS is asked for, and the server speaks plain text: nothing was done.
    NoTls,
    /// Plain text is asked for, and the server speaks TLS: nothing was done.
    TlsOnly,
    /// The user or the password was refused: nothing was sent.
    Login,
    /// No sentinel knows a reachable master: nothing was sent.
    NoMaster,
    /// The connection ended, or the answer took too long: what was asked may be done or not.
    AnswerLost,
    /// The same, on a connection that still stands.
    TooSlow,
    /// The server is a replica: nothing was done.
    ReadOnly,
    /// The slot is served by another node, or by none for now: nothing was done.
    Moved,
    /// The slot is on its way to this node, which answers whoever says `ASKING`: nothing was done.
    Ask { host: String, port: u16 },
    /// Loading, failing over, or busy with another program's script: nothing was done.
    NotNow,
    /// The server does not know the script: nothing was done.
    NoScript,
    /// No memory is left: nothing was done.
    OutOfMemory,
    /// The disk does not take what is written: nothing was done.
    DiskError,
    /// The ACL does not allow it: nothing was done.
    NoPermission,
    /// Fewer replicas than asked for have it; the master has.
    TooFewReplicas,
    /// Anything else that the server said.
    Refused,
}

impl Failure {
    pub(crate) fn new(cause: Cause, said: impl Into<String>) -> Self {
        Self {
            cause,
            said: said.into(),
        }
    }

    /// Of an attempt to connect.
    pub(crate) fn of_connecting(error: &RedisError) -> Self {
        let said = without_arguments(&error.to_string());
        let cause = if is_about_tls(error, &said) {
            Cause::Tls
        } else if error.kind() == ErrorKind::AuthenticationFailed || is_about_login(&said) {
            Cause::Login
        } else {
            Cause::Unreachable
        };
        Self { cause, said }
    }

    /// Of a command that was sent.
    pub(crate) fn of_command(error: &RedisError) -> Self {
        let said = without_arguments(&error.to_string());
        let cause = match error.kind() {
            ErrorKind::Server(ServerErrorKind::Ask) => asked(error),
            ErrorKind::Server(kind) => known(kind).unwrap_or_else(|| told(&said)),
            ErrorKind::Extension => told(&said),
            // The driver has no connection to send it by.
            ErrorKind::ClusterConnectionNotFound => Cause::Unreachable,
            ErrorKind::Io if error.is_timeout() => Cause::TooSlow,
            ErrorKind::Io | ErrorKind::Parse => Cause::AnswerLost,
            _ => Cause::Refused,
        };
        Self { cause, said }
    }

    pub(crate) fn of_server(error: ServerError) -> Self {
        Self::of_command(&RedisError::from(error))
    }

    /// Whether it is certain that the server did not do what it was asked.
    pub(crate) fn nothing_was_done(&self) -> bool {
        !matches!(
            self.cause,
            Cause::AnswerLost | Cause::TooSlow | Cause::TooFewReplicas
        )
    }

    /// Whether it may pass by itself within a second or two.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(
            self.cause,
            Cause::Unreachable
                | Cause::NoMaster
                | Cause::AnswerLost
                | Cause::ReadOnly
                | Cause::Moved
                | Cause::Ask { .. }
                | Cause::NotNow
        )
    }

    /// Whether a server that was taken for one that speaks TLS, or for one that does not, may look like this.
    pub(crate) fn may_be_about_tls(&self) -> bool {
        matches!(
            self.cause,
            Cause::Unreachable | Cause::Tls | Cause::NoMaster | Cause::AnswerLost | Cause::TooSlow
        )
    }

    /// Whether another connection may be better than this one.
    pub(crate) fn wants_another_connection(&self) -> bool {
        matches!(
            self.cause,
            Cause::AnswerLost | Cause::TooSlow | Cause::ReadOnly | Cause::NotNow
        )
    }
}

fn asked(error: &RedisError) -> Cause {
    let address = error
        .redirect_node()
        .and_then(|(address, _)| address.rsplit_once(':'));
    match address.map(|(host, port)| (host, port.parse())) {
        Some((host, Ok(port))) => Cause::Ask {
            host: host.to_owned(),
            port,
        },
        _ => Cause::NotNow,
    }
}

fn known(kind: ServerErrorKind) -> Option<Cause> {
    match kind {
        ServerErrorKind::Moved => Some(Cause::Moved),
        ServerErrorKind::ReadOnly => Some(Cause::ReadOnly),
        ServerErrorKind::NoScript => Some(Cause::NoScript),
        ServerErrorKind::NoPerm => Some(Cause::NoPermission),
        ServerErrorKind::TryAgain
        | ServerErrorKind::ClusterDown
        | ServerErrorKind::BusyLoading
        | ServerErrorKind::MasterDown => Some(Cause::NotNow),
        _ => None,
    }
}

/// How servers say that an ACL forbids something, to a script's command among others.
const NOT_ALLOWED: [&str; 6] = [
    "NOPERM",
    "NOAUTH",
    "ACL failure",
    "no permissions",
    "can't run this command",
    "can't access at least one of the keys",
];

/// By its words: servers before 7.0 wrap what happens inside a script into another error.
fn told(said: &str) -> Cause {
    let says = |words: &str| said.contains(words);
    if says("READONLY") {
        Cause::ReadOnly
    } else if says("OOM") {
        Cause::OutOfMemory
    } else if says("MISCONF") {
        Cause::DiskError
    } else if NOT_ALLOWED.iter().any(|words| says(words)) {
        Cause::NoPermission
    } else if says("BUSY") || says("CLUSTERDOWN") || says("NOREPLICAS") {
        Cause::NotNow
    } else {
        Cause::Refused
    }
}

fn is_about_tls(error: &RedisError, said: &str) -> bool {
    let mut source: Option<&(dyn Error + 'static)> = error.source();
    while let Some(inner) = source {
        if inner.is::<rustls::Error>() {
            return true;
        }
        source = inner.source();
    }
    // Tokio's and the cluster client's errors keep only the words.
    [
        "certificate",
        "InvalidContentType",
        "corrupt message",
        "tls handshake",
        "fatal alert",
    ]
    .iter()
    .any(|word| said.contains(word))
}

fn is_about_login(said: &str) -> bool {
    [
        "WRONGPASS",
        "NOAUTH",
        "NOPERM",
        "authentication failed",
        "AuthenticationFailed",
        "without any password",
    ]
    .iter()
    .any(|word| said.contains(word))
}

/// A server that does not know a command repeats its arguments: passwords and parts of a record.
fn without_arguments(said: &str) -> String {
    match said.find(", with args beginning with") {
        Some(end) => said[..end].to_owned(),
        None => said.to_owned(),
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meaning = match self.cause {
            Cause::Unreachable => "no connection to the server",
            Cause::Tls => "TLS was refused",
            Cause::NoTls => "the server speaks plain text on that port, and the URL asks for TLS",
            Cause::TlsOnly => "the server speaks TLS on that port, and the URL does not ask for it",
            Cause::Login => "the user or password was refused",
            Cause::NoMaster => "no sentinel names a master that can be reached",
            Cause::AnswerLost => "the connection was lost before the answer came",
            Cause::TooSlow => "the server did not answer within the response timeout",
            Cause::ReadOnly => "the server is a read-only replica",
            Cause::Moved => {
                "the server belongs to a cluster and another node has the session; is the URL a redis-cluster:// one?"
            }
            Cause::Ask { .. } => "the session is being moved to another node",
            Cause::NotNow => "the server does not serve requests at the moment",
            Cause::NoScript => "the server forgot a script while it was used",
            Cause::OutOfMemory => "the server's memory is full (maxmemory)",
            Cause::DiskError => "the server can't write to its disk",
            Cause::NoPermission => "the server's ACL does not allow the command",
            Cause::TooFewReplicas => "too few replicas have the write",
            Cause::Refused => "the server refused the command",
        };
        write!(f, "{meaning}: {}", self.said)
    }
}

impl Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;
    use redis::make_extension_error;

    fn cause(code: &str, detail: &str) -> Cause {
        let error = make_extension_error(code.to_owned(), Some(detail.to_owned()));
        Failure::of_command(&error).cause
    }

    #[test]
    fn causes_are_known_inside_a_script_of_an_older_server_too() {
        let wrapped = "Error running script (call to f_1): @user_script:1: @user_script: 1: -";
        for (text, expected) in [
            (
                "READONLY You can't write against a read only replica.",
                Cause::ReadOnly,
            ),
            (
                "OOM command not allowed when used memory > 'maxmemory'.",
                Cause::OutOfMemory,
            ),
            (
                "MISCONF Redis is configured to save RDB snapshots",
                Cause::DiskError,
            ),
            ("NOPERM this user has no permissions", Cause::NoPermission),
        ] {
            assert_eq!(cause("ERR", &format!("{wrapped}{text}")), expected);
        }
    }

    #[test]
    fn arguments_that_a_server_repeats_are_cut_off() {
        let detail = "unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'app' 'hunter2'";
        let error = make_extension_error("ERR".to_owned(), Some(detail.to_owned()));
        for failure in [Failure::of_command(&error), Failure::of_connecting(&error)] {
            let shown = format!("{failure} {failure:?}");
            assert!(shown.contains("HELLO") && !shown.contains("hunter2"), "{shown}");
        }
    }
}
