//! Why the server or its driver did not do what was asked.

use mongodb::error::{CommandError, Error, ErrorKind, WriteFailure};
use tenure_core::StoreError;
use tenure_core::store::Operation;

use crate::NAME;

const UNAUTHORIZED: i32 = 13;
const AUTHENTICATION_FAILED: i32 = 18;
const DUPLICATE_KEY: i32 = 11_000;
const INDEX_OPTIONS_CONFLICT: i32 = 85;
const INDEX_KEY_SPECS_CONFLICT: i32 = 86;
const OUT_OF_DISK_SPACE: i32 = 14_031;
const NOT_WRITABLE_PRIMARY: [i32; 3] = [10_107, 13_435, 10_058];

/// How the operating system says that nobody listens, and that the other side hung up.
const NOBODY_THERE: [&str; 3] = ["refused", "unreachable", "failed to lookup"];
const HUNG_UP: [&str; 3] = ["reset by peer", "end of file", "eof"];

/// Why MongoDB did not do what it was asked: the source of a
/// [`StoreError::Unavailable`](tenure_core::StoreError::Unavailable) and of a
/// [`ConnectError`](crate::ConnectError).
///
/// It holds no message of the server's: those repeat the command, and with it what a session holds.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// No server that takes writes was found in time.
    #[error("no server that takes writes was found in time: {0}")]
    NoServer(String),
    /// The URL asks for TLS, and no server that takes writes was found in time. Only at the start.
    #[error(
        "no server that takes writes was found in time by TLS. If the server runs, the TLS handshake failed: it may not speak TLS on that port, its certificate may be for another host than the URL's, or tlsCAFile may not have the authority that signed it: {0}"
    )]
    NoServerByTls(String),
    /// The URL does not ask for TLS, and the server hung up. Only at the start.
    #[error(
        "no server that takes writes was found in time, for it hung up. It may speak nothing but TLS on that port: add tls=true to the URL, and tlsCAFile with the authority that signed its certificate: {0}"
    )]
    NoServerInPlainText(String),
    /// The connection could not be made, or broke. What was asked may have been done.
    #[error("the connection could not be made, or broke: {0}")]
    Connection(String),
    /// The server does not know this user by this password.
    #[error(
        "the server refused the user or the password; check both, and the authSource that says which database knows the user"
    )]
    Authentication,
    /// The user may not do this.
    #[error("the user has no right to do this; grant it the role readWrite on the database of the sessions")]
    Unauthorized,
    /// The server is a secondary, or just became one.
    #[error(
        "the server takes no writes, for it is not the primary; name the replica set in the URL, so that the primary is found"
    )]
    NotPrimary,
    /// The server's disk is full.
    #[error("the server's disk is full")]
    DiskFull,
    /// An index of this name or these keys is there with other options.
    #[error(
        "an index of the collection stands in the way of one of Tenure's; drop that index, or use another collection"
    )]
    IndexConflict,
    /// The write is done, but too few servers confirmed it: a failover may undo it.
    #[error("the write was not confirmed by a majority of the servers (code {code} {name})")]
    NotConfirmed {
        /// The server's number for it.
        code: i32,
        /// The server's name for it.
        name: String,
    },
    /// The server refused for another reason.
    #[error("the server refused with code {code} {name}")]
    Refused {
        /// The server's number for it.
        code: i32,
        /// The server's name for it; empty if it gave none.
        name: String,
    },
    /// TLS is not set up right in the URL.
    #[error("the TLS files that the URL names can't be used; check tlsCAFile and tlsCertificateKeyFile")]
    Tls,
    /// The driver gave up for another reason.
    #[error("the driver failed: {0}")]
    Driver(&'static str),
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        match &*error.kind {
            ErrorKind::Authentication { .. } => Self::Authentication,
            ErrorKind::ServerSelection { message, .. } => Self::NoServer(message.clone()),
            ErrorKind::Io(error) => Self::Connection(error.to_string()),
            // Its message repeats what the server said to somebody else.
            ErrorKind::ConnectionPoolCleared { .. } => {
                Self::Connection("the pool was emptied, for another connection had failed".to_owned())
            }
            ErrorKind::DnsResolve { .. } => Self::Connection("the name could not be resolved".to_owned()),
            ErrorKind::InvalidTlsConfig { .. } => Self::Tls,
            ErrorKind::Command(CommandError { code, code_name, .. }) => Self::refused(*code, code_name),
            ErrorKind::Write(WriteFailure::WriteError(error)) => {
                Self::refused(error.code, error.code_name.as_deref().unwrap_or_default())
            }
            ErrorKind::Write(WriteFailure::WriteConcernError(error)) => Self::NotConfirmed {
                code: error.code,
                name: error.code_name.clone(),
            },
            ErrorKind::InvalidArgument { .. } => Self::Driver("it was given an option that it does not take"),
            ErrorKind::InvalidResponse { .. } => Self::Driver("it did not understand the answer"),
            ErrorKind::IncompatibleServer { .. } => Self::Driver("the server's version is not supported"),
            ErrorKind::Shutdown => Self::Driver("it was shut down"),
            _ => Self::Driver("for a reason of its own"),
        }
    }
}

impl Failure {
    /// The driver does not tell what came of TLS but by its words, and nothing at all of a server that takes it for
    /// the beginning of a long message.
    pub(crate) fn of_connecting(error: &Error, by_tls: bool) -> Self {
        let says = |message: &str, words: &[&str]| words.iter().any(|word| message.contains(word));
        match Self::from(error) {
            Self::NoServer(message) if says(&message, &NOBODY_THERE) => Self::NoServer(message),
            Self::NoServer(message) if by_tls => Self::NoServerByTls(message),
            Self::NoServer(message) if says(&message, &HUNG_UP) => Self::NoServerInPlainText(message),
            failure => failure,
        }
    }

    fn refused(code: i32, name: &str) -> Self {
        match code {
            UNAUTHORIZED => Self::Unauthorized,
            AUTHENTICATION_FAILED => Self::Authentication,
            OUT_OF_DISK_SPACE => Self::DiskFull,
            INDEX_OPTIONS_CONFLICT | INDEX_KEY_SPECS_CONFLICT => Self::IndexConflict,
            code if NOT_WRITABLE_PRIMARY.contains(&code) => Self::NotPrimary,
            code => Self::Refused {
                code,
                name: name.to_owned(),
            },
        }
    }
}

/// The error of a store's method.
pub(crate) fn failed(operation: Operation) -> impl FnOnce(Error) -> StoreError {
    move |error| StoreError::Unavailable {
        store: NAME,
        operation,
        source: Box::new(Failure::from(&error)),
    }
}

/// Whether a document of this id is there already.
pub(crate) fn is_duplicate_key(error: &Error) -> bool {
    matches!(&*error.kind, ErrorKind::Write(WriteFailure::WriteError(error)) if error.code == DUPLICATE_KEY)
}
