//! Sessions in the layout of connect-mongo, in both forms: the contract of a store that is shared with an Express
//! application, and what the documents are.

mod common;

use std::time::Duration;

use mongodb::bson::{Bson, DateTime, Document, doc};
use mongodb::{Client, Collection};
use tenure_core::Timestamp;
use tenure_core::express::{ExpressExpiry, ExpressStore, Replaced};
use tenure_mongodb::{ConnectMongo, MongoExpressStore, MongoStore};
use tenure_testkit::express_conformance::ExpressStoreFixture;

use common::{MongoDatabase, server};
use tenure_testkit::servers::MongoServerOptions;

macro_rules! conformance_of {
    ($form:ident, $layout:expr) => {
        mod $form {
            use super::*;

            struct Fixture(MongoDatabase);

            impl ExpressStoreFixture for Fixture {
                type Store = MongoExpressStore;

                const TIME_TO_LIVE: Duration = Duration::from_secs(1_209_600);

                async fn create() -> Self {
                    Self(MongoDatabase::new())
                }

                async fn open(&self) -> MongoExpressStore {
                    opened(&self.0, $layout).await
                }
            }

            tenure_testkit::express_conformance!(Fixture);
        }
    };
}

conformance_of!(text, ConnectMongo::default());
conformance_of!(sub_document, ConnectMongo::default().sub_documents(true));

async fn opened(database: &MongoDatabase, layout: ConnectMongo) -> MongoExpressStore {
    let options = MongoStore::options(&database.url());
    options.connect_express(layout).await.expect("a store")
}

async fn collection(database: &MongoDatabase) -> Collection<Document> {
    let client = Client::with_uri_str(database.url()).await.unwrap();
    client.database(database.name()).collection("sessions")
}

const NOW: Timestamp = Timestamp::from_millis(4_102_444_800_000);

const LONG: ExpressExpiry = ExpressExpiry {
    now: NOW,
    ends_at: Some(Timestamp::from_millis(4_102_444_861_500)),
};

#[tokio::test]
async fn a_session_is_the_document_that_connect_mongo_would_write() {
    let json = r#"{"cookie":{"originalMaxAge":null,"expires":null},"n":1}"#;
    let sub_document = doc! { "cookie": { "originalMaxAge": Bson::Null, "expires": Bson::Null }, "n": 1 };
    for (layout, session) in [
        (ConnectMongo::default(), Bson::String(json.to_owned())),
        (
            ConnectMongo::default().sub_documents(true),
            Bson::Document(sub_document),
        ),
    ] {
        let database = MongoDatabase::new();
        let store = opened(&database, layout).await;
        store.insert("abc", json, LONG).await.unwrap();
        let found = collection(&database)
            .await
            .find_one(doc! {})
            .await
            .unwrap()
            .unwrap();
        let expires = DateTime::from_millis(4_102_444_861_500);
        assert_eq!(
            found,
            doc! { "_id": "abc", "session": session, "expires": expires }
        );
    }
}

#[tokio::test]
async fn both_forms_are_read_whichever_is_written() {
    let database = MongoDatabase::new();
    let text = opened(&database, ConnectMongo::default()).await;
    let documents = opened(&database, ConnectMongo::default().sub_documents(true)).await;
    text.insert("abc", r#"{"cookie":{},"n":1}"#, LONG).await.unwrap();
    let seen = documents.load("abc", NOW).await.unwrap().unwrap();
    let next = r#"{"cookie":{},"n":2}"#;
    assert_eq!(
        documents.replace("abc", &seen, next, LONG).await.unwrap(),
        Replaced::Done
    );
    assert_eq!(text.load("abc", NOW).await.unwrap().as_deref(), Some(next));
    assert_eq!(
        text.remove_unchanged("abc", next, NOW).await.unwrap(),
        Replaced::Done
    );
}

#[tokio::test]
async fn a_date_that_express_keeps_stays_a_date() {
    let database = MongoDatabase::new();
    let store = opened(&database, ConnectMongo::default().sub_documents(true)).await;
    let collection = collection(&database).await;
    let date = DateTime::from_millis(1_500);
    let session = doc! { "cookie": { "expires": Bson::Null }, "seen": date, "n": 1 };
    collection
        .insert_one(doc! { "_id": "abc", "session": session, "other": 7 })
        .await
        .unwrap();
    let seen = store.load("abc", NOW).await.unwrap().unwrap();
    assert_eq!(
        seen,
        r#"{"cookie":{"expires":null},"seen":"1970-01-01T00:00:01.500Z","n":1}"#
    );
    let next = seen.replace("\"n\":1", "\"n\":2");
    assert_eq!(
        store.replace("abc", &seen, &next, LONG).await.unwrap(),
        Replaced::Done
    );
    let found = collection.find_one(doc! {}).await.unwrap().unwrap();
    let session = found.get_document("session").unwrap();
    assert_eq!(session.get_datetime("seen").unwrap(), &date);
    assert_eq!(session.get_i32("n").unwrap(), 2);
    assert_eq!(
        found.get_i32("other").unwrap(),
        7,
        "what else is there is left alone"
    );
}

#[tokio::test]
async fn the_server_removes_expired_sessions_by_the_index_of_connect_mongo() {
    let database = MongoDatabase::new();
    opened(&database, ConnectMongo::default()).await;
    opened(&database, ConnectMongo::default()).await;
    let names = collection(&database).await.list_index_names().await.unwrap();
    assert_eq!(names, ["_id_", "expires_1"]);
}

#[tokio::test]
async fn a_server_that_is_gone_is_an_error_and_no_absence() {
    let mut server = server(MongoServerOptions::default());
    let options =
        MongoStore::options(&server.url("shop")).server_selection_timeout(Duration::from_millis(300));
    let layout = ConnectMongo::default();
    let store = options.connect_express(layout).await.unwrap();
    store.insert("abc", "{}", LONG).await.unwrap();

    server.kill();
    store.load("abc", NOW).await.unwrap_err();
    store.replace("abc", "{}", "{}", LONG).await.unwrap_err();
    store.touch("abc", LONG).await.unwrap_err();
    store.remove_unchanged("abc", "{}", NOW).await.unwrap_err();
    store.remove("abc").await.unwrap_err();
    store.ping().await.unwrap_err();
}
