//! One way in: a store by its URL.

use std::error::Error;
use std::sync::Arc;

use tenure_core::Store;

/// A store could not be had by its URL. Never shows the URL, which may hold a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL has no scheme of a store.
    #[error(
        "{scheme:?} is no scheme of a session store; the URL starts with one of sqlite:, redis:, rediss:, \
         redis+sentinel:, redis-cluster:, rediss-cluster:, postgres:, postgresql:, mysql:, mariadb:, mongodb:, \
         mongodb+srv:, memory:"
    )]
    UnknownScheme {
        /// What stands before the first colon.
        scheme: String,
    },
    /// The store is known, and was not compiled in.
    #[error(
        "{scheme}: needs the feature {feature:?} of the tenure crate: cargo add tenure --features {feature}"
    )]
    MissingFeature {
        /// The URL's scheme.
        scheme: String,
        /// The feature that brings its store.
        feature: &'static str,
    },
    /// The store did not open.
    #[error("the {feature} store could not be opened")]
    Failed {
        /// The feature that brings the store.
        feature: &'static str,
        /// What it says is wrong, and what to do.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

/// The store that a URL names, with the options that the URL has and the defaults for the rest.
///
/// | URL | store | feature |
/// | --- | --- | --- |
/// | `sqlite:FILE` | SQLite, in a file that is made if it is not there | `sqlite` |
/// | `redis://`, `rediss://` | Redis or Valkey, in plain text or by TLS | `redis` |
/// | `redis+sentinel://H1:P1,H2:P2/NAME` | the master that the sentinels name | `redis` |
/// | `redis-cluster://`, `rediss-cluster://` | Redis Cluster | `redis` |
/// | `postgres://`, `postgresql://` | PostgreSQL | `postgres` |
/// | `mysql://`, `mariadb://` | MySQL or MariaDB | `mysql` |
/// | `mongodb://`, `mongodb+srv://` | MongoDB | `mongodb` |
/// | `memory:` | this process's memory, for development | `memory` |
///
/// Each store's own type has more options.
///
/// ```
/// # #[cfg(feature = "memory")]
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let store = tenure::store::connect("memory:").await?;
/// assert_eq!(tenure::Store::name(&store), "memory");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the scheme is unknown, the store's feature is off, or the store does not open.
pub async fn connect(url: &str) -> Result<Arc<dyn Store>, ConnectError> {
    let (scheme, _rest) = url.split_once(':').unwrap_or((url, ""));
    match scheme {
        #[cfg(feature = "memory")]
        "memory" => Ok(Arc::new(tenure_core::MemoryStore::new())),
        #[cfg(feature = "sqlite")]
        "sqlite" => {
            let file = _rest.strip_prefix("//").unwrap_or(_rest);
            opened("sqlite", crate::sqlite::SqliteStore::open(file).await)
        }
        #[cfg(feature = "redis")]
        "redis" | "rediss" | "redis+sentinel" | "redis-cluster" | "rediss-cluster" => {
            opened("redis", crate::redis::RedisStore::connect(url).await)
        }
        #[cfg(feature = "postgres")]
        "postgres" | "postgresql" => opened("postgres", crate::postgres::PostgresStore::connect(url).await),
        #[cfg(feature = "mysql")]
        "mysql" | "mariadb" => opened("mysql", crate::mysql::MySqlStore::connect(url).await),
        #[cfg(feature = "mongodb")]
        "mongodb" | "mongodb+srv" => opened("mongodb", crate::mongodb::MongoStore::connect(url).await),
        _ => Err(match feature_of(scheme) {
            Some(feature) => ConnectError::MissingFeature {
                scheme: scheme.to_owned(),
                feature,
            },
            None => ConnectError::UnknownScheme {
                scheme: shown_scheme(url, scheme),
            },
        }),
    }
}

fn feature_of(scheme: &str) -> Option<&'static str> {
    Some(match scheme {
        "memory" => "memory",
        "sqlite" => "sqlite",
        "redis" | "rediss" | "redis+sentinel" | "redis-cluster" | "rediss-cluster" => "redis",
        "postgres" | "postgresql" => "postgres",
        "mysql" | "mariadb" => "mysql",
        "mongodb" | "mongodb+srv" => "mongodb",
        _ => return None,
    })
}

/// The scheme, unless there is no colon: then the whole text may be anything, a password included.
fn shown_scheme(url: &str, scheme: &str) -> String {
    if url.contains(':') && scheme.len() <= 20 {
        scheme.to_owned()
    } else {
        String::new()
    }
}

#[cfg(any(
    feature = "sqlite",
    feature = "redis",
    feature = "postgres",
    feature = "mysql",
    feature = "mongodb"
))]
fn opened<S: Store, E: Error + Send + Sync + 'static>(
    feature: &'static str,
    opened: Result<S, E>,
) -> Result<Arc<dyn Store>, ConnectError> {
    match opened {
        Ok(store) => Ok(Arc::new(store)),
        Err(error) => Err(ConnectError::Failed {
            feature,
            source: Box::new(error),
        }),
    }
}
