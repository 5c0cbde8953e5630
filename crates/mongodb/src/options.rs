//! How a store works with its server.

use std::fmt;
use std::time::Duration;

use mongodb::bson::{Document, doc};
use mongodb::error::{Error, ErrorKind};
use mongodb::options::{
    Acknowledgment, ClientOptions, Collation, CollectionOptions, IndexOptions, ReadConcern, ReadPreference,
    SelectionCriteria, Tls, WriteConcern,
};
use mongodb::{Client, Collection, Database, IndexModel};

use crate::document::{EXPIRES_AT, OWNER};
use crate::{ConnectError, Failure, MongoStore};

const DATABASE: &str = "tenure";
const COLLECTION: &str = "tenure_sessions";
const APP_NAME: &str = "tenure";

/// How long an expired session stays, so that whoever comes back late is told that it has expired.
const KEPT_AFTER_EXPIRY: Duration = Duration::from_secs(60 * 60);

/// How a [`MongoStore`] works with its server. From [`MongoStore::options`].
///
/// What is set here goes before what the URL says, and that goes before the defaults below. Other
/// options of the URL are the driver's and work as its manual says, but for the read preference and
/// the concerns: those are the store's own, see [`MongoStore`].
///
/// ```
/// use std::time::Duration;
/// use tenure_mongodb::MongoStore;
///
/// # async fn example(url: &str) -> Result<(), tenure_mongodb::ConnectError> {
/// let store = MongoStore::options(url)
///     .database("shop")
///     .pool_size(50)
///     .server_selection_timeout(Duration::from_secs(1))
///     .connect()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "nothing is connected before `connect`"]
pub struct MongoOptions {
    url: String,
    database: Option<String>,
    collection: String,
    pool_size: Option<u32>,
    connect_timeout: Option<Duration>,
    server_selection_timeout: Option<Duration>,
    operation_timeout: Duration,
    linearizable_reads: bool,
}

impl MongoOptions {
    pub(crate) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            database: None,
            collection: COLLECTION.to_owned(),
            pool_size: None,
            connect_timeout: None,
            server_selection_timeout: None,
            operation_timeout: Duration::from_millis(1_500),
            linearizable_reads: false,
        }
    }

    /// The database that the collection is in.
    ///
    /// *Default*: the one that the URL names, else `tenure`. *Reason*: an application's URL names its
    /// database, and the collection's name keeps out of the way of its own.
    pub fn database(mut self, name: impl Into<String>) -> Self {
        self.database = Some(name.into());
        self
    }

    /// The collection that the sessions are in.
    ///
    /// *Default*: `tenure_sessions`. *Reason*: two applications that share a database need one each, or
    /// the users of one would be listed, and signed out, as the users of the other.
    pub fn collection(mut self, name: impl Into<String>) -> Self {
        self.collection = name.into();
        self
    }

    /// How many connections there are at most to each server.
    ///
    /// *Default*: 32, or the URL's `maxPoolSize`. *Reason*: a write waits for a disk or two, some
    /// milliseconds, so that as many get through thousands a second. *Cost*: up to 1 MB in the server for
    /// each, in each process of the application; a server takes some ten thousand.
    pub fn pool_size(mut self, connections: u32) -> Self {
        self.pool_size = Some(connections);
        self
    }

    /// How long connecting to one server may take, TLS included, and how long a server may leave a
    /// heartbeat unanswered before it counts as gone.
    ///
    /// *Default*: 2 seconds, or the URL's `connectTimeoutMS`. *Reason*: as long as a request waits for its
    /// store, so that a server that hangs is noticed by the time the first request gives up. *Cost*: a
    /// server farther away than that can't be used.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = Some(timeout);
        self
    }

    /// How long an operation waits for a server that takes writes: while the servers elect a new primary,
    /// for one.
    ///
    /// *Default*: 1.5 seconds, or the URL's `serverSelectionTimeoutMS`. *Reason*: shorter than the policy's
    /// deadline for a store call, so that the error says why there is no server and not only that it took
    /// too long. *Cost*: an election takes a few seconds, during which requests are answered with 503; to
    /// sit it out, raise this and the policy's deadline.
    pub fn server_selection_timeout(mut self, timeout: Duration) -> Self {
        self.server_selection_timeout = Some(timeout);
        self
    }

    /// How long the server works on a read, and how long a write waits for a majority of the servers to
    /// confirm it.
    ///
    /// *Default*: 1.5 seconds. *Reason*: shorter than the policy's deadline for a store call, so that the
    /// error says what took so long, and so that no connection is taken up for longer. *Cost*: a write that
    /// was not confirmed in time is an error, though it is done unless the primary fails just then.
    pub fn operation_timeout(mut self, timeout: Duration) -> Self {
        self.operation_timeout = timeout;
        self
    }

    /// Whether each load asks a majority of the servers whether the one that answers is still the primary.
    ///
    /// *Default*: no. *Reason*: the primary always has the newest state. But one that the network has cut
    /// off takes up to ten seconds to learn that it is primary no more; an application that is cut off
    /// with it reads on, and sees neither a sign-out nor a revocation that another has made meanwhile.
    /// *Cost*: a round trip between the servers for each load. It needs a replica set.
    pub fn linearizable_reads(mut self, linearizable: bool) -> Self {
        self.linearizable_reads = linearizable;
        self
    }

    /// Connects, and creates the collection's indexes where they are missing.
    ///
    /// # Errors
    /// If the URL can't be read, no server that takes writes answers in time, or the user may not create
    /// indexes.
    pub async fn connect(self) -> Result<MongoStore, ConnectError> {
        let (database, by_tls) = self.open_database().await?;
        let sessions = database.collection_with_options(&self.collection, self.collection_options());
        let attempts = format!("{}_login_attempts", self.collection);
        let attempts = database.collection_with_options(&attempts, self.collection_options());
        let created = create_indexes(&sessions, &attempts).await;
        created.map_err(|error| ConnectError::Server(Failure::of_connecting(&error, by_tls)))?;
        Ok(MongoStore::new(
            database,
            sessions,
            attempts,
            self.operation_timeout,
        ))
    }

    /// The database, to which nothing is connected yet, and whether that will be by TLS.
    pub(crate) async fn open_database(&self) -> Result<(Database, bool), ConnectError> {
        let options = self.client_options().await?;
        let name = self.database.as_deref();
        let name = name.or(options.default_database.as_deref()).unwrap_or(DATABASE);
        let name = name.to_owned();
        let by_tls = matches!(options.tls, Some(Tls::Enabled(_)));
        let client = Client::with_options(options).map_err(refused_options)?;
        Ok((client.database(&name), by_tls))
    }

    #[cfg(feature = "express")]
    pub(crate) fn read_timeout(&self) -> Duration {
        self.operation_timeout
    }

    async fn client_options(&self) -> Result<ClientOptions, ConnectError> {
        if password_spills_over(&self.url) {
            return Err(ConnectError::Url);
        }
        // What the driver says of a URL may hold pieces of it.
        let parsed = ClientOptions::parse(&self.url).await;
        let mut options = parsed.map_err(|error| match *error.kind {
            ErrorKind::DnsResolve { .. } => ConnectError::Dns,
            _ => ConnectError::Url,
        })?;
        options.app_name.get_or_insert_with(|| APP_NAME.to_owned());
        options.max_pool_size = self.pool_size.or(options.max_pool_size).or(Some(32));
        let connect_timeout = self.connect_timeout.or(options.connect_timeout);
        options.connect_timeout = connect_timeout.or(Some(Duration::from_secs(2)));
        let selection_timeout = self.server_selection_timeout.or(options.server_selection_timeout);
        options.server_selection_timeout = selection_timeout.or(Some(Duration::from_millis(1_500)));
        Ok(options)
    }

    pub(crate) fn collection_options(&self) -> CollectionOptions {
        let read_concern = if self.linearizable_reads {
            ReadConcern::linearizable()
        } else {
            ReadConcern::local()
        };
        let write_concern = WriteConcern::builder()
            .w(Acknowledgment::Majority)
            .journal(true)
            .w_timeout(self.operation_timeout)
            .build();
        CollectionOptions::builder()
            .selection_criteria(primary())
            .read_concern(read_concern)
            .write_concern(write_concern)
            .build()
    }
}

impl fmt::Debug for MongoOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MongoOptions")
            .field("url", &"redacted")
            .field("database", &self.database)
            .field("collection", &self.collection)
            .field("pool_size", &self.pool_size)
            .field("connect_timeout", &self.connect_timeout)
            .field("server_selection_timeout", &self.server_selection_timeout)
            .field("operation_timeout", &self.operation_timeout)
            .field("linearizable_reads", &self.linearizable_reads)
            .finish()
    }
}

fn refused_options(error: Error) -> ConnectError {
    match *error.kind {
        ErrorKind::InvalidTlsConfig { .. } => ConnectError::Server(Failure::Tls),
        _ => ConnectError::Options,
    }
}

/// Whether a `/` or `?` in the password has cut it in two, so that its beginning would be taken for the
/// host and shown in errors.
fn password_spills_over(url: &str) -> bool {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host_ends = after_scheme.find(['/', '?']).unwrap_or(after_scheme.len());
    let (host, path) = after_scheme.split_at(host_ends);
    !host.contains('@') && path.contains('@')
}

pub(crate) fn primary() -> SelectionCriteria {
    SelectionCriteria::ReadPreference(ReadPreference::Primary)
}

/// Compares strings byte for byte, whatever the collection's own collation is.
pub(crate) fn byte_for_byte() -> Collation {
    Collation::builder().locale("simple").build()
}

async fn create_indexes(
    sessions: &Collection<Document>,
    attempts: &Collection<Document>,
) -> Result<(), Error> {
    let expires_at = IndexOptions::builder().expire_after(KEPT_AFTER_EXPIRY).build();
    let of_attempts = IndexModel::builder()
        .keys(doc! { EXPIRES_AT: 1 })
        .options(expires_at.clone())
        .build();
    // Sparse: a session that nobody is signed in on is found by nobody's name.
    let owner = IndexOptions::builder()
        .sparse(true)
        .collation(byte_for_byte())
        .build();
    let indexes = [(doc! { EXPIRES_AT: 1 }, expires_at), (doc! { OWNER: 1 }, owner)];
    let indexes = indexes.map(|(keys, options)| IndexModel::builder().keys(keys).options(options).build());
    sessions.create_indexes(indexes).await?;
    attempts.create_index(of_attempts).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_url() {
        let options = MongoOptions::new("mongodb://shop:Pa55word@db.example");
        assert!(!format!("{options:?}").contains("Pa55word"));
    }

    #[test]
    fn a_password_that_spills_into_the_path_is_noticed() {
        for url in [
            "mongodb://shop:12/34@db.example/shop",
            "mongodb://shop:12?34@db.example",
        ] {
            assert!(password_spills_over(url), "{url}");
        }
        for url in [
            "mongodb://db.example",
            "mongodb://shop:12%2F34@db.example/shop?a=b",
            "mongodb://shop:secret@db.example/?authMechanismProperties=SERVICE_REALM:a@b",
        ] {
            assert!(!password_spills_over(url), "{url}");
        }
    }
}
