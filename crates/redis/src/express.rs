//! Sessions in the layout of connect-redis, which an Express application shares.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::Value;
use tenure_core::Timestamp;
use tenure_core::express::{ExpressExpiry, ExpressStore, Replaced};
use tenure_core::store::{Inserted, Operation, StoreError, StoreFuture};

use crate::client::Client;
use crate::failure::Failure;
use crate::request::{EXPRESS_REMOVE, EXPRESS_REPLACE, Repeat, Request};
use crate::store::{failed, unexpected};
use crate::{ConnectError, NAME, RedisOptions};

/// How [connect-redis](https://www.npmjs.com/package/connect-redis) keeps sessions: what its options are in the Express
/// application.
///
/// A session is a string with its JSON under `sess:<sid>`, and expires with its key: whole seconds after its last use,
/// rounded up. A `serializer` other than JSON and `disableTTL` are not known here.
///
/// ```
/// use tenure_redis::ConnectRedis;
///
/// // new RedisStore({ client, prefix: "shop:" })
/// let layout = ConnectRedis::default().prefix("shop:");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "it says nothing by itself; give it to RedisOptions::connect_express"]
pub struct ConnectRedis {
    prefix: String,
    time_to_live: Duration,
}

impl Default for ConnectRedis {
    fn default() -> Self {
        Self {
            prefix: "sess:".to_owned(),
            time_to_live: Duration::from_secs(86_400),
        }
    }
}

impl ConnectRedis {
    /// What each key begins with: `prefix` in connect-redis.
    ///
    /// *Default*: `sess:`, as there.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How long a session without `expires` lives since its last use: `ttl` in connect-redis.
    ///
    /// *Default*: a day, as there.
    pub fn time_to_live(mut self, time_to_live: Duration) -> Self {
        self.time_to_live = time_to_live;
        self
    }
}

impl RedisOptions {
    /// Connects to the servers in which an Express application keeps its sessions with connect-redis. The
    /// [`key_prefix`](Self::key_prefix) counts for nothing here; the layout has its own.
    ///
    /// ```no_run
    /// use tenure_core::express::{CookieSecrets, ExpressSessions};
    /// use tenure_redis::{ConnectRedis, RedisStore};
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let options = RedisStore::options("redis://app:secret@localhost:6379");
    /// let store = options.connect_express(ConnectRedis::default()).await?;
    /// let secrets = CookieSecrets::new(std::env::var("SESSION_SECRET")?);
    /// let sessions = ExpressSessions::builder(secrets, store).build()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the URL can't be read, no server answers, TLS or the sign-in fails, or the server does not fit.
    pub async fn connect_express(self, layout: ConnectRedis) -> Result<RedisExpressStore, ConnectError> {
        let client = self.client(&layout.ping()).await?;
        Ok(RedisExpressStore {
            client: Arc::new(client),
            layout,
        })
    }
}

/// Sessions that an Express application keeps in Redis or Valkey with connect-redis. From
/// [`RedisOptions::connect_express`].
///
/// Cheap to clone; clones share the connections. Each method is one command or one script on one key, so it is atomic and
/// works in a cluster. A user of the server's ACL needs:
///
/// ```text
/// ACL SETUSER app on >secret ~sess:* +get +set +del +expire +exists +eval +evalsha +select +ping
/// ```
///
/// When a session ends is told to the server as time that is left by the application's clock, as connect-redis does.
#[derive(Clone)]
pub struct RedisExpressStore {
    client: Arc<Client>,
    layout: ConnectRedis,
}

impl ConnectRedis {
    fn key(&self, sid: &str) -> String {
        format!("{}{sid}", self.prefix)
    }

    /// Of nothing: a health check asks for it.
    fn ping(&self) -> String {
        self.key("ping")
    }

    /// None if the session is over.
    fn seconds(&self, expiry: ExpressExpiry) -> Option<u64> {
        let left = expiry.now.until(expiry.or_after(self.time_to_live));
        let seconds = left.as_millis().div_ceil(1_000);
        u64::try_from(seconds).ok().filter(|seconds| *seconds > 0)
    }
}

impl RedisExpressStore {
    async fn get(&self, sid: &str) -> Result<Option<String>, StoreError> {
        let request = Request::plain("GET", self.layout.key(sid), &[]);
        match self.ask(Operation::Load, &request).await? {
            Value::Nil => Ok(None),
            Value::BulkString(json) => String::from_utf8(json)
                .map(Some)
                .map_err(|_| StoreError::Corrupt {
                    store: NAME,
                    what: "JSON",
                }),
            _ => Err(failed(Operation::Load)(unexpected())),
        }
    }

    async fn set_new(&self, sid: &str, json: &str, expiry: ExpressExpiry) -> Result<Inserted, StoreError> {
        let Some(seconds) = self.layout.seconds(expiry) else {
            return Ok(Inserted::New);
        };
        let seconds = seconds.to_string();
        let request = Request::plain("SET", self.layout.key(sid), &[json, "EX", &seconds, "NX"]);
        match self
            .ask(Operation::Insert, &request.writing(Repeat::Unsafe))
            .await?
        {
            Value::Okay => Ok(Inserted::New),
            Value::Nil => Ok(Inserted::Taken),
            _ => Err(failed(Operation::Insert)(unexpected())),
        }
    }

    async fn expire(&self, sid: &str, expiry: ExpressExpiry) -> Result<bool, StoreError> {
        let seconds = self.layout.seconds(expiry).unwrap_or(0).to_string();
        let request = Request::plain("EXPIRE", self.layout.key(sid), &[&seconds]);
        self.ask_whether(Operation::Update, &request).await
    }

    async fn delete(&self, sid: &str) -> Result<bool, StoreError> {
        let request = Request::plain("DEL", self.layout.key(sid), &[]).writing(Repeat::Safe);
        self.ask_whether(Operation::Remove, &request).await
    }

    async fn compare(&self, operation: Operation, request: Request) -> Result<Replaced, StoreError> {
        let answer = self.ask(operation, &request.writing(Repeat::Unsafe)).await?;
        match &answer {
            Value::BulkString(said) => match &said[..] {
                b"done" => Ok(Replaced::Done),
                b"stale" => Ok(Replaced::Stale),
                b"gone" => Ok(Replaced::Gone),
                _ => Err(failed(operation)(unexpected())),
            },
            _ => Err(failed(operation)(unexpected())),
        }
    }

    async fn ask_whether(&self, operation: Operation, request: &Request) -> Result<bool, StoreError> {
        match self.ask(operation, request).await? {
            Value::Int(number) => Ok(number > 0),
            _ => Err(failed(operation)(unexpected())),
        }
    }

    async fn ask(&self, operation: Operation, request: &Request) -> Result<Value, StoreError> {
        let answer: Result<Value, Failure> = self.client.call(request).await;
        answer.map_err(failed(operation))
    }
}

impl fmt::Debug for RedisExpressStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisExpressStore")
            .field("layout", &self.layout)
            .finish_non_exhaustive()
    }
}

impl ExpressStore for RedisExpressStore {
    fn name(&self) -> &'static str {
        NAME
    }

    /// By the server's clock: what has expired is not there any more.
    fn load<'a>(&'a self, sid: &'a str, _now: Timestamp) -> StoreFuture<'a, Option<String>> {
        Box::pin(self.get(sid))
    }

    fn insert<'a>(&'a self, sid: &'a str, json: &'a str, expiry: ExpressExpiry) -> StoreFuture<'a, Inserted> {
        Box::pin(self.set_new(sid, json, expiry))
    }

    fn replace<'a>(
        &'a self,
        sid: &'a str,
        seen: &'a str,
        json: &'a str,
        expiry: ExpressExpiry,
    ) -> StoreFuture<'a, Replaced> {
        let request = Request::script(&EXPRESS_REPLACE, self.layout.key(sid))
            .arg(seen)
            .arg(json)
            .arg(self.layout.seconds(expiry).unwrap_or(0));
        Box::pin(self.compare(Operation::Update, request))
    }

    fn touch<'a>(&'a self, sid: &'a str, expiry: ExpressExpiry) -> StoreFuture<'a, bool> {
        Box::pin(self.expire(sid, expiry))
    }

    fn remove<'a>(&'a self, sid: &'a str) -> StoreFuture<'a, bool> {
        Box::pin(self.delete(sid))
    }

    fn remove_unchanged<'a>(
        &'a self,
        sid: &'a str,
        seen: &'a str,
        _now: Timestamp,
    ) -> StoreFuture<'a, Replaced> {
        let request = Request::script(&EXPRESS_REMOVE, self.layout.key(sid)).arg(seen);
        Box::pin(self.compare(Operation::Remove, request))
    }

    fn ping(&self) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            // For a key of ours, so that it fails where the server can be reached and nothing can be read.
            let request = Request::plain("EXISTS", self.layout.ping(), &[]);
            self.ask(Operation::Ping, &request).await.map(drop)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_left_in_whole_seconds_rounded_up_as_connect_redis_does() {
        let layout = ConnectRedis::default();
        let left = |millis: Option<u64>| {
            layout.seconds(ExpressExpiry {
                now: Timestamp::from_millis(10_000),
                ends_at: millis.map(Timestamp::from_millis),
            })
        };
        assert_eq!(left(None), Some(86_400));
        assert_eq!(left(Some(11_000)), Some(1));
        assert_eq!(left(Some(11_001)), Some(2));
        assert_eq!(left(Some(10_001)), Some(1));
        assert_eq!(left(Some(10_000)), None);
        assert_eq!(left(Some(0)), None);
    }
}
