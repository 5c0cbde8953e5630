//! Sessions in the layout of connect-pg-simple: the contract of a store that is shared with an Express application, and what
//! the table has of them.

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Row};
use tenure_core::Timestamp;
use tenure_core::express::{ExpressExpiry, ExpressStore, Replaced};
use tenure_sql::OpenError;
use tenure_sql::postgres::{ConnectPgSimple, PostgresExpressStore, PostgresStore};
use tenure_testkit::express_conformance::ExpressStoreFixture;
use tenure_testkit::servers::PostgresServer;

/// As in the package's table.sql.
const TABLE: &str = r#"CREATE TABLE "session" (
  "sid" varchar NOT NULL COLLATE "default",
  "sess" json NOT NULL,
  "expire" timestamp(6) NOT NULL
)
WITH (OIDS=FALSE);
ALTER TABLE "session" ADD CONSTRAINT "session_pkey" PRIMARY KEY ("sid") NOT DEFERRABLE INITIALLY IMMEDIATE;
CREATE INDEX "IDX_session_expire" ON "session" ("expire");"#;

struct Database {
    url: String,
}

impl Database {
    /// An empty one.
    fn new() -> Self {
        let server = PostgresServer::shared().unwrap_or_else(|missing| panic!("{missing}"));
        Self {
            url: server.url(&server.create_database()),
        }
    }

    async fn with_the_packages_table() -> Self {
        let database = Self::new();
        database.run(TABLE).await;
        database
    }

    async fn connection(&self) -> PgConnection {
        let options: PgConnectOptions = self.url.parse().unwrap();
        options.connect().await.unwrap()
    }

    async fn run(&self, statements: &str) {
        let statements = AssertSqlSafe(statements.to_owned());
        sqlx::raw_sql(statements)
            .execute(&mut self.connection().await)
            .await
            .unwrap();
    }

    async fn ask(&self, question: &str) -> String {
        let question = sqlx::query(AssertSqlSafe(question.to_owned()));
        let row = question.fetch_one(&mut self.connection().await).await.unwrap();
        row.get(0)
    }

    async fn open(&self, layout: ConnectPgSimple) -> PostgresExpressStore {
        let options = PostgresStore::options(&self.url);
        options.connect_express(layout).await.unwrap()
    }
}

mod json {
    use super::*;

    struct Json(Database);

    impl ExpressStoreFixture for Json {
        type Store = PostgresExpressStore;

        async fn create() -> Self {
            Self(Database::with_the_packages_table().await)
        }

        async fn open(&self) -> PostgresExpressStore {
            self.0.open(ConnectPgSimple::default()).await
        }
    }

    tenure_testkit::express_conformance!(Json);
}

fn until(seconds: u64) -> ExpressExpiry {
    ExpressExpiry {
        now: Timestamp::from_millis(0),
        ends_at: Some(Timestamp::from_millis(seconds * 1_000)),
    }
}

const NOW: Timestamp = Timestamp::from_millis(0);

#[tokio::test]
async fn a_table_that_was_changed_to_jsonb_works_too() {
    let database = Database::with_the_packages_table().await;
    database
        .run("ALTER TABLE session ALTER COLUMN sess TYPE jsonb")
        .await;
    let store = database.open(ConnectPgSimple::default()).await;
    store
        .insert("abc", r#"{"cookie":{},"b":1,"a":2}"#, until(10))
        .await
        .unwrap();
    let seen = store.load("abc", NOW).await.unwrap().unwrap();
    let replaced = store.replace("abc", &seen, r#"{"cookie":{}}"#, until(10)).await;
    assert_eq!(replaced.unwrap(), Replaced::Done);
    let replaced = store.replace("abc", &seen, "{}", until(10)).await;
    assert_eq!(replaced.unwrap(), Replaced::Stale);
}

#[tokio::test]
async fn a_missing_table_is_told_of_and_created_where_that_is_wanted() {
    let database = Database::new();
    let layout = ConnectPgSimple::default().table("Express \"Sessions\"");
    let options = PostgresStore::options(&database.url);
    let missing = options.connect_express(layout.clone()).await.unwrap_err();
    assert!(matches!(missing, OpenError::ExpressTable { .. }), "{missing}");

    let layout = layout.create_table_if_missing(true);
    let (one, other) = tokio::join!(database.open(layout.clone()), database.open(layout.clone()));
    one.insert("abc", "{}", until(10)).await.unwrap();
    assert_eq!(other.load("abc", NOW).await.unwrap().as_deref(), Some("{}"));
}

#[tokio::test]
async fn another_schema_is_used_by_its_name() {
    let database = Database::new();
    database.run("CREATE SCHEMA \"auth\"").await;
    let options = PostgresStore::options(&database.url).schema("auth");
    let layout = ConnectPgSimple::default().create_table_if_missing(true);
    let store = options.connect_express(layout).await.unwrap();
    store.insert("abc", "{}", until(10)).await.unwrap();
    assert_eq!(database.ask("SELECT sid FROM auth.session").await, "abc");
}

#[tokio::test]
async fn a_column_without_a_time_zone_is_in_the_one_that_the_server_gives_the_application() {
    let database = Database::with_the_packages_table().await;
    let name = database.ask("SELECT current_database()::text").await;
    database
        .run(&format!("ALTER DATABASE \"{name}\" SET timezone = 'Asia/Tokyo'"))
        .await;
    let store = database.open(ConnectPgSimple::default()).await;
    store.insert("abc", "{}", until(1_000)).await.unwrap();
    let column = "SELECT expire::text FROM session";
    assert_eq!(database.ask(column).await, "1970-01-01 09:16:40");

    let moment = |millis| Timestamp::from_millis(millis);
    assert!(store.load("abc", moment(1_000_000)).await.unwrap().is_some());
    assert!(store.load("abc", moment(1_000_001)).await.unwrap().is_none());

    let layout = ConnectPgSimple::default().time_zone("UTC");
    let store = database.open(layout).await;
    store.touch("abc", until(2_000)).await.unwrap();
    assert_eq!(database.ask(column).await, "1970-01-01 00:33:20");

    let layout = ConnectPgSimple::default().time_zone("Atlantis");
    let options = PostgresStore::options(&database.url);
    options.connect_express(layout).await.unwrap_err();
}

#[tokio::test]
async fn pruning_removes_what_has_expired_and_nothing_else() {
    let database = Database::with_the_packages_table().await;
    let store = database.open(ConnectPgSimple::default()).await;
    store.insert("over", "{}", until(10)).await.unwrap();
    store.insert("alive", "{}", until(12)).await.unwrap();
    let now = Timestamp::from_millis(11_000);
    assert_eq!(store.prune(now).await.unwrap(), 1);
    assert_eq!(store.prune(now).await.unwrap(), 0);
    assert!(store.load("alive", now).await.unwrap().is_some());
}

#[tokio::test]
async fn a_server_that_is_gone_is_an_error_and_no_absence_and_back_again_it_serves() {
    let server = PostgresServer::start(&[]).unwrap_or_else(|error| panic!("{error}"));
    let options = PostgresStore::options(&server.url(&server.create_database()));
    let layout = ConnectPgSimple::default().create_table_if_missing(true);
    let store = options.connect_express(layout).await.unwrap();
    store.insert("abc", "{}", until(10)).await.unwrap();

    server.kill();
    store.load("abc", NOW).await.unwrap_err();
    store.replace("abc", "{}", "{}", until(10)).await.unwrap_err();
    store.touch("abc", until(10)).await.unwrap_err();
    store.remove_unchanged("abc", "{}", NOW).await.unwrap_err();
    store.remove("abc").await.unwrap_err();
    store.ping().await.unwrap_err();

    server.start_again().unwrap();
    assert_eq!(store.load("abc", NOW).await.unwrap().as_deref(), Some("{}"));
}
