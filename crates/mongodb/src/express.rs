//! Sessions in the layout of connect-mongo, which an Express application shares.

mod json;
mod sub_document;

use std::fmt;
use std::time::Duration;

use mongodb::bson::{Bson, Document, doc};
use mongodb::options::IndexOptions;
use mongodb::{Collection, Database, IndexModel};
use tenure_core::Timestamp;
use tenure_core::express::{ExpressExpiry, ExpressStore, Replaced};
use tenure_core::store::{Inserted, Operation, StoreError, StoreFuture};

use crate::document::{ID, date};
use crate::failure::{failed, is_duplicate_key};
use crate::options::primary;
use crate::store::to_its_end;
use crate::{ConnectError, Failure, MongoOptions, NAME};
use json::Json;

const SESSION: &str = "session";
const EXPIRES: &str = "expires";

/// How [connect-mongo](https://www.npmjs.com/package/connect-mongo) keeps sessions: what its options are in the Express
/// application. Its `dbName` is [`database`](MongoOptions::database) of the connection's options.
///
/// A session is a document of the collection `sessions`: its id in `_id`, its JSON as a string in `session`, and its end
/// in `expires`. With `stringify: false` there, `session` is a document, see [`sub_documents`](Self::sub_documents).
/// `crypto`, `serialize` and `transformId` are not known here; of `touchAfter` and `timestamps`, the fields that they
/// add are left as they are.
///
/// ```
/// use tenure_mongodb::ConnectMongo;
///
/// // MongoStore.create({ mongoUrl, collectionName: "shop_sessions", stringify: false })
/// let layout = ConnectMongo::default().collection("shop_sessions").sub_documents(true);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "it says nothing by itself; give it to MongoOptions::connect_express"]
pub struct ConnectMongo {
    collection: String,
    time_to_live: Duration,
    form: Form,
}

/// How the JSON is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Text,
    SubDocument,
}

impl Default for ConnectMongo {
    fn default() -> Self {
        Self {
            collection: "sessions".to_owned(),
            time_to_live: Duration::from_secs(1_209_600),
            form: Form::Text,
        }
    }
}

impl ConnectMongo {
    /// The collection: `collectionName` in connect-mongo.
    ///
    /// *Default*: `sessions`, as there.
    pub fn collection(mut self, name: impl Into<String>) -> Self {
        self.collection = name.into();
        self
    }

    /// How long a session without `expires` lives since its last use: `ttl` in connect-mongo.
    ///
    /// *Default*: two weeks, as there.
    pub fn time_to_live(mut self, time_to_live: Duration) -> Self {
        self.time_to_live = time_to_live;
        self
    }

    /// Whether a session is kept as a document instead of a string: `stringify: false` in connect-mongo.
    ///
    /// *Default*: no, as there. *Cost*: a look before each write. What has no JSON of its own, such as a date, reads here as
    /// what JavaScript makes of it, a string; it stays a date in the database as long as it is not changed.
    pub fn sub_documents(mut self, sub_documents: bool) -> Self {
        self.form = if sub_documents {
            Form::SubDocument
        } else {
            Form::Text
        };
        self
    }
}

impl MongoOptions {
    /// Connects to the database in which an Express application keeps its sessions with connect-mongo, and creates the
    /// index by which the server removes expired ones where it is missing, as connect-mongo does. The
    /// [`collection`](Self::collection) counts for nothing here; the layout has its own.
    ///
    /// ```no_run
    /// use tenure_core::express::{CookieSecrets, ExpressSessions};
    /// use tenure_mongodb::{ConnectMongo, MongoStore};
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let options = MongoStore::options("mongodb://shop:secret@db.example/shop");
    /// let store = options.connect_express(ConnectMongo::default()).await?;
    /// let secrets = CookieSecrets::new(std::env::var("SESSION_SECRET")?);
    /// let sessions = ExpressSessions::builder(secrets, store).build()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the URL can't be read, no server that takes writes answers in time, or the user may not create indexes.
    pub async fn connect_express(self, layout: ConnectMongo) -> Result<MongoExpressStore, ConnectError> {
        let (database, by_tls) = self.open_database().await?;
        let sessions: Collection<Document> =
            database.collection_with_options(&layout.collection, self.collection_options());
        match sessions.create_index(expiring()).await.map(drop) {
            Err(error) if !matches!(Failure::from(&error), Failure::IndexConflict) => {
                return Err(ConnectError::Server(Failure::of_connecting(&error, by_tls)));
            }
            // Another index on the field is somebody's wish.
            _ => {}
        }
        Ok(MongoExpressStore {
            database,
            sessions,
            layout,
            read_timeout: self.read_timeout(),
        })
    }
}

/// By which the server removes expired sessions: in every word as connect-mongo asks for it, since that fails if a server
/// takes another one for different.
#[expect(deprecated, reason = "connect-mongo says background")]
fn expiring() -> IndexModel {
    let options = IndexOptions::builder()
        .expire_after(Duration::ZERO)
        .background(true)
        .build();
    IndexModel::builder()
        .keys(doc! { EXPIRES: 1 })
        .options(options)
        .build()
}

/// Sessions that an Express application keeps in MongoDB with connect-mongo. From
/// [`MongoOptions::connect_express`].
///
/// Cheap to clone; clones share the connections. Reads, writes and repeats are as with
/// [`MongoStore`](crate::MongoStore): to the primary, acknowledged by a majority.
#[derive(Clone)]
pub struct MongoExpressStore {
    database: Database,
    sessions: Collection<Document>,
    layout: ConnectMongo,
    read_timeout: Duration,
}

impl MongoExpressStore {
    /// What is kept as the session, if it is alive at `now`.
    async fn kept(
        &self,
        operation: Operation,
        sid: &str,
        now: Timestamp,
    ) -> Result<Option<Bson>, StoreError> {
        let found = self
            .sessions
            .find_one(living(sid, now))
            .projection(doc! { SESSION: 1 })
            .max_time(self.read_timeout)
            .await
            .map_err(failed(operation))?;
        Ok(found.and_then(|mut document| document.remove(SESSION)))
    }

    async fn look(&self, sid: &str, now: Timestamp) -> Result<Option<String>, StoreError> {
        let kept = self.kept(Operation::Load, sid, now).await?;
        kept.map(|kept| text(&kept)).transpose()
    }

    async fn insert_new(&self, sid: &str, json: &str, expiry: ExpressExpiry) -> Result<Inserted, StoreError> {
        let session = self.session(None, json)?;
        let document = doc! { ID: sid, SESSION: session, EXPIRES: self.end(expiry) };
        match self.sessions.insert_one(document).await {
            Ok(_) => Ok(Inserted::New),
            Err(error) if is_duplicate_key(&error) => Ok(Inserted::Taken),
            Err(error) => Err(failed(Operation::Insert)(error)),
        }
    }

    async fn write_over(
        &self,
        sid: &str,
        seen: &str,
        json: &str,
        expiry: ExpressExpiry,
    ) -> Result<Replaced, StoreError> {
        let mut kept = self.first_guess(seen);
        loop {
            let as_seen = match kept {
                Some(kept) => kept,
                None => match self.as_seen(Operation::Update, sid, seen, expiry.now).await? {
                    Ok(kept) => kept,
                    Err(changed) => return Ok(changed),
                },
            };
            let session = self.session(Some(&as_seen), json)?;
            let update = doc! { "$set": { SESSION: session, EXPIRES: self.end(expiry) } };
            let filter = as_kept(sid, as_seen, expiry.now);
            let done = self.sessions.update_one(filter, update).await;
            if done.map_err(failed(Operation::Update))?.matched_count > 0 {
                return Ok(Replaced::Done);
            }
            kept = None;
        }
    }

    async fn delete_unchanged(&self, sid: &str, seen: &str, now: Timestamp) -> Result<Replaced, StoreError> {
        let mut kept = self.first_guess(seen);
        loop {
            let as_seen = match kept {
                Some(kept) => kept,
                None => match self.as_seen(Operation::Remove, sid, seen, now).await? {
                    Ok(kept) => kept,
                    Err(changed) => return Ok(changed),
                },
            };
            let done = self.sessions.delete_one(as_kept(sid, as_seen, now)).await;
            if done.map_err(failed(Operation::Remove))?.deleted_count > 0 {
                return Ok(Replaced::Done);
            }
            kept = None;
        }
    }

    /// What is kept most likely, so that nobody has to look. A document can't be guessed from its JSON.
    fn first_guess(&self, seen: &str) -> Option<Bson> {
        match self.layout.form {
            Form::Text => Some(Bson::String(seen.to_owned())),
            Form::SubDocument => None,
        }
    }

    /// What is kept, if it is what was seen, or what became of it.
    async fn as_seen(
        &self,
        operation: Operation,
        sid: &str,
        seen: &str,
        now: Timestamp,
    ) -> Result<Result<Bson, Replaced>, StoreError> {
        match self.kept(operation, sid, now).await? {
            None => Ok(Err(Replaced::Gone)),
            Some(kept) if text(&kept)? == seen => Ok(Ok(kept)),
            Some(_) => Ok(Err(Replaced::Stale)),
        }
    }

    async fn slide(&self, sid: &str, expiry: ExpressExpiry) -> Result<bool, StoreError> {
        let update = doc! { "$set": { EXPIRES: self.end(expiry) } };
        let done = self.sessions.update_one(living(sid, expiry.now), update).await;
        Ok(done.map_err(failed(Operation::Update))?.matched_count > 0)
    }

    async fn delete(&self, sid: &str) -> Result<bool, StoreError> {
        let done = self.sessions.delete_one(doc! { ID: sid }).await;
        Ok(done.map_err(failed(Operation::Remove))?.deleted_count > 0)
    }

    async fn answers(&self) -> Result<(), StoreError> {
        self.database
            .run_command(doc! { "ping": 1 })
            .selection_criteria(primary())
            .await
            .map_err(failed(Operation::Ping))?;
        Ok(())
    }

    /// The JSON as it is to be kept, in the place of `kept`.
    fn session(&self, kept: Option<&Bson>, json: &str) -> Result<Bson, StoreError> {
        match self.layout.form {
            Form::Text => Ok(Bson::String(json.to_owned())),
            Form::SubDocument => {
                let json = Json::parse(json).map_err(|_| corrupt())?;
                Ok(sub_document::of(&json, kept))
            }
        }
    }

    fn end(&self, expiry: ExpressExpiry) -> mongodb::bson::DateTime {
        date(expiry.or_after(self.layout.time_to_live))
    }
}

/// The session of this id, if it is alive at `now`: one without a deadline always is.
fn living(sid: &str, now: Timestamp) -> Document {
    let deadlines = [
        doc! { EXPIRES: { "$exists": false } },
        doc! { EXPIRES: { "$gt": date(now) } },
    ];
    doc! { ID: sid, "$or": deadlines.to_vec() }
}

/// The same, if it still is what is kept.
fn as_kept(sid: &str, kept: Bson, now: Timestamp) -> Document {
    let mut filter = living(sid, now);
    filter.insert(SESSION, doc! { "$eq": kept });
    filter
}

/// Whatever the layout says: an Express application may have changed its options.
fn text(kept: &Bson) -> Result<String, StoreError> {
    match kept {
        Bson::String(json) => Ok(json.clone()),
        Bson::Document(_) => Ok(sub_document::json(kept).to_string()),
        _ => Err(corrupt()),
    }
}

fn corrupt() -> StoreError {
    StoreError::Corrupt {
        store: NAME,
        what: "JSON",
    }
}

impl fmt::Debug for MongoExpressStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MongoExpressStore")
            .field("database", &self.database.name())
            .field("layout", &self.layout)
            .finish_non_exhaustive()
    }
}

impl ExpressStore for MongoExpressStore {
    fn name(&self) -> &'static str {
        NAME
    }

    fn load<'a>(&'a self, sid: &'a str, now: Timestamp) -> StoreFuture<'a, Option<String>> {
        let (store, sid) = (self.clone(), sid.to_owned());
        to_its_end(Operation::Load, async move { store.look(&sid, now).await })
    }

    fn insert<'a>(&'a self, sid: &'a str, json: &'a str, expiry: ExpressExpiry) -> StoreFuture<'a, Inserted> {
        let (store, sid, json) = (self.clone(), sid.to_owned(), json.to_owned());
        to_its_end(Operation::Insert, async move {
            store.insert_new(&sid, &json, expiry).await
        })
    }

    fn replace<'a>(
        &'a self,
        sid: &'a str,
        seen: &'a str,
        json: &'a str,
        expiry: ExpressExpiry,
    ) -> StoreFuture<'a, Replaced> {
        let (store, sid, seen, json) = (self.clone(), sid.to_owned(), seen.to_owned(), json.to_owned());
        to_its_end(Operation::Update, async move {
            store.write_over(&sid, &seen, &json, expiry).await
        })
    }

    fn touch<'a>(&'a self, sid: &'a str, expiry: ExpressExpiry) -> StoreFuture<'a, bool> {
        let (store, sid) = (self.clone(), sid.to_owned());
        to_its_end(Operation::Update, async move { store.slide(&sid, expiry).await })
    }

    fn remove<'a>(&'a self, sid: &'a str) -> StoreFuture<'a, bool> {
        let (store, sid) = (self.clone(), sid.to_owned());
        to_its_end(Operation::Remove, async move { store.delete(&sid).await })
    }

    fn remove_unchanged<'a>(
        &'a self,
        sid: &'a str,
        seen: &'a str,
        now: Timestamp,
    ) -> StoreFuture<'a, Replaced> {
        let (store, sid, seen) = (self.clone(), sid.to_owned(), seen.to_owned());
        to_its_end(Operation::Remove, async move {
            store.delete_unchanged(&sid, &seen, now).await
        })
    }

    fn ping(&self) -> StoreFuture<'_, ()> {
        let store = self.clone();
        to_its_end(Operation::Ping, async move { store.answers().await })
    }
}
