//! Sessions in the layout of express-mysql-session: the contract of a store that is shared with an Express application,
//! and what the table has of them. On MariaDB.

use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Row};
use tenure_core::Timestamp;
use tenure_core::express::{ExpressExpiry, ExpressStore, Replaced};
use tenure_sql::OpenError;
use tenure_sql::mysql::{ExpressMySqlSession, MySqlExpressStore, MySqlStore};
use tenure_testkit::express_conformance::ExpressStoreFixture;
use tenure_testkit::servers::MariaDbServer;

/// As in the package's schema.sql.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS `sessions` (
  `session_id` varchar(128) COLLATE utf8mb4_bin NOT NULL,
  `expires` int(11) unsigned NOT NULL,
  `data` mediumtext COLLATE utf8mb4_bin,
  PRIMARY KEY (`session_id`)
) ENGINE=InnoDB";

const NOW: Timestamp = Timestamp::from_millis(0);

struct Database {
    url: String,
}

impl Database {
    /// An empty one.
    fn new() -> Self {
        let server = MariaDbServer::shared().unwrap_or_else(|missing| panic!("{missing}"));
        Self {
            url: server.url(&server.create_database()),
        }
    }

    async fn with_the_packages_table() -> Self {
        let database = Self::new();
        database.run(TABLE).await;
        database
    }

    async fn connection(&self) -> MySqlConnection {
        let options: MySqlConnectOptions = self.url.parse().unwrap();
        options.connect().await.unwrap()
    }

    async fn run(&self, statements: &str) {
        let statements = AssertSqlSafe(statements.to_owned());
        sqlx::raw_sql(statements)
            .execute(&mut self.connection().await)
            .await
            .unwrap();
    }

    async fn open(&self, layout: ExpressMySqlSession) -> MySqlExpressStore {
        let options = MySqlStore::options(&self.url);
        options.connect_express(layout).await.unwrap()
    }
}

impl ExpressStoreFixture for Database {
    type Store = MySqlExpressStore;

    async fn create() -> Self {
        Self::with_the_packages_table().await
    }

    async fn open(&self) -> MySqlExpressStore {
        Database::open(self, ExpressMySqlSession::default()).await
    }
}

tenure_testkit::express_conformance!(Database);

fn until(millis: u64) -> ExpressExpiry {
    ExpressExpiry {
        now: NOW,
        ends_at: Some(Timestamp::from_millis(millis)),
    }
}

#[tokio::test]
async fn a_session_is_the_row_that_express_mysql_session_would_write() {
    let database = Database::with_the_packages_table().await;
    let store = database.open(ExpressMySqlSession::default()).await;
    store
        .insert("abc", "{\"a\":\"😀\"}", until(10_499))
        .await
        .unwrap();
    let row =
        sqlx::query("SELECT expires, CONVERT(data USING utf8mb4) FROM sessions WHERE session_id = 'abc'");
    let row = row.fetch_one(&mut database.connection().await).await.unwrap();
    assert_eq!(row.get::<u32, _>(0), 10);
    assert_eq!(row.get::<String, _>(1), "{\"a\":\"😀\"}");
}

#[tokio::test]
async fn contents_are_compared_byte_for_byte_whatever_the_columns_collation_is() {
    let database = Database::with_the_packages_table().await;
    database
        .run("ALTER TABLE sessions MODIFY data mediumtext CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
        .await;
    let store = database.open(ExpressMySqlSession::default()).await;
    store.insert("abc", "{\"a\":\"Ä\"}", until(10_000)).await.unwrap();
    let replaced = store.replace("abc", "{\"a\":\"a\"}", "{}", until(10_000)).await;
    assert_eq!(replaced.unwrap(), Replaced::Stale);
}

#[tokio::test]
async fn a_missing_table_is_told_of_and_created_with_other_names_where_that_is_wanted() {
    let database = Database::new();
    let layout = ExpressMySqlSession::default()
        .table("my sessions")
        .columns("id", "until", "json");
    let options = MySqlStore::options(&database.url);
    let missing = options.connect_express(layout.clone()).await.unwrap_err();
    assert!(matches!(missing, OpenError::ExpressTable { .. }), "{missing}");

    let store = database.open(layout.create_table_if_missing(true)).await;
    store.insert("abc", "{}", until(10_000)).await.unwrap();
    assert_eq!(store.load("abc", NOW).await.unwrap().as_deref(), Some("{}"));
    let row = sqlx::query("SELECT id FROM `my sessions`");
    let row = row.fetch_one(&mut database.connection().await).await.unwrap();
    assert_eq!(row.get::<String, _>(0), "abc");
}

#[tokio::test]
async fn a_row_without_json_is_no_session() {
    let database = Database::with_the_packages_table().await;
    database
        .run("INSERT INTO sessions VALUES ('abc', 10, NULL)")
        .await;
    let store = database.open(ExpressMySqlSession::default()).await;
    assert_eq!(store.load("abc", NOW).await.unwrap(), None);
}

#[tokio::test]
async fn pruning_removes_what_has_expired_and_nothing_else() {
    let database = Database::with_the_packages_table().await;
    let store = database.open(ExpressMySqlSession::default()).await;
    store.insert("over", "{}", until(10_000)).await.unwrap();
    store.insert("alive", "{}", until(12_000)).await.unwrap();
    let now = Timestamp::from_millis(11_000);
    assert_eq!(store.prune(now).await.unwrap(), 1);
    assert_eq!(store.prune(now).await.unwrap(), 0);
    assert!(store.load("alive", now).await.unwrap().is_some());
}

#[tokio::test]
async fn a_server_that_is_gone_is_an_error_and_no_absence_and_back_again_it_serves() {
    let server = MariaDbServer::start(&[]).unwrap_or_else(|error| panic!("{error}"));
    let options = MySqlStore::options(&server.url(&server.create_database()));
    let layout = ExpressMySqlSession::default().create_table_if_missing(true);
    let store = options.connect_express(layout).await.unwrap();
    store.insert("abc", "{}", until(10_000)).await.unwrap();

    server.kill();
    store.load("abc", NOW).await.unwrap_err();
    store.replace("abc", "{}", "{}", until(10_000)).await.unwrap_err();
    store.touch("abc", until(10_000)).await.unwrap_err();
    store.remove_unchanged("abc", "{}", NOW).await.unwrap_err();
    store.remove("abc").await.unwrap_err();
    store.ping().await.unwrap_err();

    server.start_again().unwrap();
    assert_eq!(store.load("abc", NOW).await.unwrap().as_deref(), Some("{}"));
}
