//! How a store works with its server.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use super::migrate::{check, migrate, unusable};
use super::pool::{Limits, Pool};
use super::{Dialect, ServerStore, Tables};
use crate::OpenError;
use crate::migrations::script;

/// How a store works with its server. From the store's `options`.
///
/// ```no_run
/// use std::time::Duration;
#[cfg_attr(
    feature = "postgres",
    doc = "use tenure_sql::postgres::PostgresStore as Store;"
)]
#[cfg_attr(
    not(feature = "postgres"),
    doc = "use tenure_sql::mysql::MySqlStore as Store;"
)]
///
/// # async fn example(url: &str) -> Result<(), tenure_sql::OpenError> {
/// let store = Store::options(url)
///     .connections(20)
///     .statement_timeout(Duration::from_secs(1))
///     .table_prefix("shop_")
///     .connect()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "nothing is connected before `connect`"]
pub struct ServerOptions<D: Dialect> {
    pub(crate) url: String,
    pub(crate) statement_timeout: Duration,
    pub(crate) schema: Option<String>,
    #[cfg_attr(
        not(feature = "postgres"),
        expect(dead_code, reason = "an option of PostgreSQL's")
    )]
    pub(crate) pooler: bool,
    prefix: Option<String>,
    limits: Limits,
    migrate: bool,
    dialect: PhantomData<fn() -> D>,
}

impl<D: Dialect> ServerOptions<D> {
    pub(super) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            statement_timeout: Duration::from_secs(5),
            schema: None,
            pooler: false,
            prefix: None,
            limits: Limits {
                connections: 10,
                connect_timeout: Duration::from_secs(5),
                idle_timeout: Duration::from_secs(10 * 60),
                max_lifetime: Duration::from_secs(30 * 60),
            },
            migrate: true,
            dialect: PhantomData,
        }
    }

    /// How many connections this store has at the most, at the least one. They are made as they are needed.
    ///
    /// *Default*: 10. *Reason*: a statement is a look-up by primary key, so a few connections serve many requests,
    /// and the instances of an application share what the server takes, which is 100 with PostgreSQL and 151 with
    /// MySQL and MariaDB unless set otherwise. *Cost*: memory of the server for each; with too few, requests wait
    /// for one another.
    pub fn connections(mut self, connections: u32) -> Self {
        self.limits.connections = connections.max(1);
        self
    }

    /// How long a new connection may take, with the login.
    ///
    /// *Default*: 5 seconds. *Reason*: enough for a server far away that is busy. A request gives up earlier, by the
    /// policy's deadline for a store call. *Cost*: for as long a start waits for a server that can't be reached.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.limits.connect_timeout = timeout;
        self
    }

    /// How long the server works on one statement before it gives up, in whole milliseconds.
    ///
    /// *Default*: 5 seconds. *Reason*: above the policy's deadline, so that a request tells of its own deadline
    /// first, and no statement that nobody waits for any more holds a lock for long. *Cost*: a sweep of a large batch
    /// on a slow disk that takes longer is undone.
    pub fn statement_timeout(mut self, timeout: Duration) -> Self {
        self.statement_timeout = timeout;
        self
    }

    /// How long a connection may be idle before it is closed.
    ///
    /// *Default*: 10 minutes. *Reason*: frees what a peak needed, and is below the time after which firewalls commonly
    /// forget a connection. *Cost*: a new connection at the next peak.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.limits.idle_timeout = timeout;
        self
    }

    /// How old a connection may get before it is replaced.
    ///
    /// *Default*: 30 minutes. *Reason*: so that a changed address, certificate or setting of the server is picked up
    /// without a restart. *Cost*: a new connection each time.
    pub fn max_lifetime(mut self, lifetime: Duration) -> Self {
        self.limits.max_lifetime = lifetime;
        self
    }

    /// What the names of the tables begin with: at most 32 lower-case letters, digits and underscores.
    ///
    /// *Default*: `tenure_`, which makes `tenure_sessions` and `tenure_migrations`. *Reason*: these names are found
    /// in all docs. *Cost*: of another one, that you translate; two applications with a prefix each may share a
    /// database.
    pub fn table_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// Whether connecting brings the tables up to date.
    ///
    /// *Default*: yes. *Reason*: nothing to do by hand. Where the tables are up to date nothing is written and no
    /// lock taken, so that the permissions to read and write rows suffice. *Cost*: of no, that somebody runs
    /// [`migration_script`](Self::migration_script) before a new version starts; where the tables are older,
    /// connecting fails and says so.
    pub fn migrate(mut self, migrate: bool) -> Self {
        self.migrate = migrate;
        self
    }

    /// The whole schema as one script, for those who run schema changes by hand: what a new database needs, and what
    /// tells a store with [`migrate(false)`](Self::migrate) that it was run.
    ///
    /// # Errors
    /// If the prefix or the schema is not a name.
    pub fn migration_script(&self) -> Result<String, OpenError> {
        Ok(script::<D>(&self.tables()?))
    }

    /// Connects, and brings Tenure's tables up to date.
    ///
    /// # Errors
    /// If the server can't be reached or refuses, or holds a schema that this Tenure does not know.
    pub async fn connect(self) -> Result<ServerStore<D>, OpenError> {
        let tables = self.tables()?;
        let (pool, database) = self.pool()?;
        let statements = D::STATEMENTS.on(&tables);
        if self.migrate {
            migrate::<D>(&pool, &statements, &tables, &database).await?;
        } else {
            check::<D>(&pool, &statements, &database).await?;
        }
        Ok(ServerStore::new(pool, statements, database))
    }

    /// The connections, of which none is made yet, and the database in messages.
    pub(super) fn pool(&self) -> Result<(Pool<D>, String), OpenError> {
        let options = self.connect_options()?;
        let database = D::database(&options);
        Ok((
            Pool::new(options, D::greeting(self), self.limits.clone()),
            database,
        ))
    }

    fn connect_options(&self) -> Result<D::ConnectOptions, OpenError> {
        let scheme = self.url.split_once("://").map(|(scheme, _)| scheme);
        let is_ours = scheme.is_some_and(|scheme| D::SCHEMES.contains(&scheme));
        if !is_ours {
            return Err(OpenError::Url {
                scheme: D::SCHEMES[0],
            });
        }
        D::connect_options(self).map_err(|error| unusable::<D>(D::NAME, &error))
    }

    fn tables(&self) -> Result<Tables, OpenError> {
        let tables = Tables::new(self.schema.as_deref(), self.prefix.as_deref());
        tables.ok_or(OpenError::Name)
    }
}

/// Without the URL, which has the password in it.
impl<D: Dialect> fmt::Debug for ServerOptions<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerOptions")
            .field("server", &D::NAME)
            .field("limits", &self.limits)
            .field("statement_timeout", &self.statement_timeout)
            .field("schema", &self.schema)
            .field("table_prefix", &self.prefix)
            .field("migrate", &self.migrate)
            .finish_non_exhaustive()
    }
}

/// Whether `url` has one of these parameters.
pub(crate) fn mentions(url: &str, parameters: &[&str]) -> bool {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let mut names = query.split('&').filter_map(|pair| pair.split('=').next());
    names.any(|name| parameters.contains(&name))
}

/// Whether `host` is this machine, so that nobody is on the way to it.
pub(crate) fn is_local(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_one_of_the_query_and_not_of_the_password() {
        let mentions = |url| mentions(url, &["sslmode", "ssl-mode"]);
        assert!(mentions("postgres://a@b/c?sslmode=disable"));
        assert!(mentions("postgres://a@b/c?x=y&ssl-mode=disable"));
        assert!(!mentions("postgres://a:sslmode=x@b/c"));
        assert!(!mentions("postgres://a@b/c?application_name=sslmode"));
    }

    #[test]
    fn a_loopback_is_local_and_a_network_is_not() {
        for host in ["localhost", "127.0.0.1", "::1", "[::1]", "127.8.9.1"] {
            assert!(is_local(host), "{host}");
        }
        for host in ["db", "10.0.0.1", "localhost.example.com", "[2001:db8::1]"] {
            assert!(!is_local(host), "{host}");
        }
    }
}
