//! What the server sees of the store: its commands, counted by the server itself, its indexes, and the
//! documents that the server removes by itself.

mod common;

use std::time::{Duration, Instant};

use common::*;
use mongodb::Client;
use mongodb::bson::{Document, doc};
use tenure_core::store::{Touch, Updated};
use tenure_core::{Record, Store};
use tenure_mongodb::MongoStore;
use tokio::task::JoinSet;

/// An operator's view of a database.
struct Operator {
    client: Client,
    namespace: String,
    database: String,
}

impl Operator {
    async fn of(database: &MongoDatabase) -> Self {
        Self {
            client: Client::with_uri_str(database.url()).await.unwrap(),
            namespace: format!("{}.tenure_sessions", database.name()),
            database: database.name().to_owned(),
        }
    }

    /// How many commands on the collection the server has run so far.
    async fn commands(&self) -> i64 {
        let admin = self.client.database("admin");
        let answer = admin.run_command(doc! { "top": 1 }).await.unwrap();
        let totals = answer.get_document("totals").unwrap();
        let of_collection = totals.get_document(&self.namespace).unwrap();
        let total = of_collection.get_document("total").unwrap();
        let count = total.get("count").unwrap();
        count.as_i64().or(count.as_i32().map(i64::from)).unwrap()
    }

    async fn counted<T>(&self, operation: impl Future<Output = T>) -> (i64, T) {
        let before = self.commands().await;
        let outcome = operation.await;
        (self.commands().await - before, outcome)
    }

    async fn run(&self, command: Document) -> Document {
        self.client
            .database(&self.database)
            .run_command(command)
            .await
            .unwrap()
    }
}

fn touch(record: &Record, after: Duration, at_most_every: Duration) -> Touch {
    Touch::Active {
        now: record.last_seen_at.plus(after),
        bearer: BEARER,
        at_most_every,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_operation_is_one_command_and_a_slide_one_more() {
    const MINUTE: Duration = Duration::from_secs(60);
    let database = MongoDatabase::new();
    let store = database.store().await;
    let server = Operator::of(&database).await;
    let record = owned(1, "alice");

    assert_eq!(server.counted(insert(&store, &record)).await.0, 1, "insert");
    assert_eq!(server.counted(look(&store, record.id)).await.0, 1, "look");
    assert_eq!(server.counted(look(&store, id(9))).await.0, 1, "look for nothing");
    let early = touch(&record, MINUTE / 2, MINUTE);
    assert_eq!(
        server.counted(store.load(record.id, early)).await.0,
        1,
        "no slide is due"
    );
    let due = touch(&record, MINUTE, MINUTE);
    assert_eq!(
        server.counted(store.load(record.id, due)).await.0,
        2,
        "a slide is due"
    );
    assert_eq!(
        server.counted(store.load(record.id, due)).await.0,
        1,
        "it has slid"
    );

    let second = next(&record, "1");
    assert_eq!(server.counted(save(&store, &second)).await.0, 1, "update");
    let (commands, updated) = server.counted(store.update(&second, 1, now())).await;
    assert_eq!((commands, updated.unwrap()), (2, Updated::Stale));

    let alice = owner("alice");
    for number in 2..=10 {
        insert(&store, &owned(number, "alice")).await;
    }
    let (commands, listed) = server.counted(store.list_by_owner(&alice, now())).await;
    assert_eq!((commands, listed.unwrap().len()), (1, 10));
    assert_eq!(server.counted(store.remove(record.id)).await.0, 1, "remove");
    let (commands, removed) = server.counted(store.remove_by_owner(&alice, Some(id(2)))).await;
    assert_eq!((commands, removed.unwrap()), (1, 8));
    assert_eq!(server.counted(store.sweep_expired(now(), 10)).await.0, 0, "sweep");
    assert_eq!(
        server.counted(store.ping()).await.0,
        0,
        "a ping is of no collection"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_removes_a_session_an_hour_after_its_end_and_not_before() {
    let database = MongoDatabase::new();
    let store = database.store().await;
    let ended_ago = |number, ago| {
        let last_seen_at = now().minus(HOUR + ago);
        Record {
            created_at: last_seen_at,
            last_seen_at,
            ..session(number)
        }
    };
    let long_over = ended_ago(1, HOUR + Duration::from_secs(1));
    let just_over = ended_ago(2, HOUR - Duration::from_secs(120));
    for record in [&long_over, &just_over, &session(3)] {
        insert(&store, record).await;
    }
    let started = Instant::now();
    while look(&store, long_over.id).await.is_some() {
        assert!(started.elapsed() < Duration::from_secs(30), "it is not removed");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(look(&store, just_over.id).await.as_ref(), Some(&just_over));
    assert!(look(&store, id(3)).await.is_some());
    let late = store.update(&next(&just_over, "late"), 1, now()).await.unwrap();
    assert_eq!(late, Updated::Gone, "it is there, but over");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_is_found_by_the_index() {
    let database = MongoDatabase::new();
    let store = database.store().await;
    insert(&store, &owned(1, "alice")).await;
    let server = Operator::of(&database).await;
    let find = doc! {
        "find": "tenure_sessions",
        "filter": { "owner": "alice" },
        "collation": { "locale": "simple" },
    };
    let plan = server.run(doc! { "explain": find }).await.to_string();
    assert!(plan.contains("IXSCAN") && plan.contains("owner_1"), "{plan}");
    assert!(!plan.contains("COLLSCAN"), "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn connecting_again_keeps_the_indexes_as_they_are() {
    let database = MongoDatabase::new();
    let server = Operator::of(&database).await;
    for _ in 0..2 {
        database.store().await;
        let listed = server.run(doc! { "listIndexes": "tenure_sessions" }).await;
        let cursor = listed.get_document("cursor").unwrap();
        let indexes = cursor.get_array("firstBatch").unwrap();
        let names = indexes
            .iter()
            .map(|index| index.as_document().unwrap().get_str("name").unwrap());
        assert_eq!(names.collect::<Vec<_>>(), ["_id_", "expires_at_1", "owner_1"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_index_in_the_way_is_an_error_that_says_so() {
    let database = MongoDatabase::new();
    let server = Operator::of(&database).await;
    let keeps_for_ever = doc! { "key": { "expires_at": 1 }, "name": "expires_at_1" };
    server
        .run(doc! { "createIndexes": "tenure_sessions", "indexes": [keeps_for_ever] })
        .await;
    let error = MongoStore::connect(&database.url()).await.unwrap_err();
    assert!(told(&error).contains("index"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn text_that_looks_like_the_name_of_a_field_stays_text() {
    let database = MongoDatabase::new();
    let store = database.store().await;
    let first = session(1);
    insert(&store, &first).await;
    let disguised = Record {
        owner: Some(owner("$secret_hash")),
        device: tenure_core::Device::new(Some("$$ROOT"), None),
        ..next(&first, "1")
    };
    save(&store, &disguised).await;
    assert_eq!(look(&store, first.id).await, Some(disguised));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_and_the_collection_may_be_chosen() {
    let database = MongoDatabase::new();
    let options = || MongoStore::options(&database.url()).pool_size(2);
    let named = options()
        .database("elsewhere")
        .collection("logins")
        .connect()
        .await
        .unwrap();
    insert(&named, &session(1)).await;
    assert_eq!(look(&options().connect().await.unwrap(), id(1)).await, None);
    let same = options()
        .database("elsewhere")
        .collection("logins")
        .connect()
        .await
        .unwrap();
    assert!(look(&same, id(1)).await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_were_given_up_hold_up_nobody() {
    let database = MongoDatabase::new();
    let store = MongoStore::options(&database.url())
        .pool_size(4)
        .connect()
        .await
        .unwrap();
    insert(&store, &session(1)).await;
    let mut requests = JoinSet::new();
    for _ in 0..200 {
        let store = store.clone();
        requests.spawn(async move { store.load(id(1), Touch::No).await });
    }
    // So that most are given up while they wait for a connection.
    requests.join_next().await.unwrap().unwrap().unwrap();
    requests.shutdown().await;
    let started = Instant::now();
    assert!(look(&store, id(1)).await.is_some());
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );
}
