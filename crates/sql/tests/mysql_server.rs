//! What the MySQL store does at a MariaDB server: schema, round trips, plans, TLS, and what it says when refused.

mod common;

use std::time::Duration;

use common::server_tests::server_tests;
use common::servers::{self, *};
use common::*;
use tenure_core::store::{Touch, Updated};
use tenure_core::{Owner, Record, Store, StoreError};
use tenure_sql::mysql::{MySqlStore, OpenError};
use tenure_testkit::instances;
use tenure_testkit::servers::mariadb::{MARIADB_PASSWORD, MARIADB_PASSWORD_IN_URL, MARIADB_USER};
use tenure_testkit::servers::{Certificates, MariaDbServer};

impl Database {
    /// The URL of a new user with these rights on tables and no others.
    fn url_of_a_user(&self, user: &str, rights: &[(&str, &str)]) -> String {
        self.run(&format!(
            "CREATE USER {user}@'%' IDENTIFIED BY '{MARIADB_PASSWORD}'"
        ));
        for (right, table) in rights {
            self.run(&format!("GRANT {right} ON {}.{table} TO {user}@'%'", self.name));
        }
        self.url().replacen(MARIADB_USER, user, 1)
    }
}

const ID_IN_SQL: &str = "x'{}'";

const WITNESS: &str = "CREATE TABLE writes (version BIGINT);
    CREATE TRIGGER witness AFTER UPDATE ON tenure_sessions FOR EACH ROW INSERT INTO writes VALUES (new.version)";

const EXPIRED_2000: &str = "INSERT INTO tenure_sessions (id, version, secret_hash, created_at, last_seen_at, \
         idle_timeout, absolute_deadline, lifetime, lineage, data) \
     SELECT unhex(md5(seq)), 1, unhex(sha2('x', 256)), 0, 0, 1000, 1000, 'standard', \
         unhex(concat('01', repeat('00', 18))), '' FROM seq_1_to_2000";

const ROWS_20000: &str = "INSERT INTO tenure_sessions (id, version, secret_hash, owner, created_at, last_seen_at, \
         idle_timeout, absolute_deadline, lifetime, lineage, data) \
     SELECT unhex(md5(seq)), 1, unhex(sha2('x', 256)), concat('user-', seq DIV 10), 0, seq, 1000, 9000000, \
         'standard', unhex(concat('01', repeat('00', 18))), '' FROM seq_1_to_20000; ANALYZE TABLE tenure_sessions";

server_tests!(
    MariaDbServer,
    MySqlStore,
    [MARIADB_PASSWORD, MARIADB_PASSWORD_IN_URL],
    "ssl-mode=DISABLED",
    "The MySQL and MariaDB store"
);

/// That the server goes about a statement by this index.
fn assert_planned(database: &Database, statement: &str, index: &str) {
    let plan = database.run(&format!("EXPLAIN {statement}"));
    let kind_and_keys: Vec<&str> = plan.split('\t').skip(3).take(3).collect();
    assert!(
        kind_and_keys[0] != "ALL" && kind_and_keys[2] == index,
        "{statement}: {plan}"
    );
}

async fn refusal(url: &str) -> OpenError {
    MySqlStore::connect(url).await.expect_err("a refusal")
}

#[tokio::test]
async fn each_operation_is_as_many_statements_as_it_says_and_listing_is_by_the_index_of_owners() {
    let database = Database::new();
    drop(database.store().await);
    let store = MySqlStore::connect(&database.url_of_a_user("counted", &[("ALL", "*")]))
        .await
        .unwrap();
    database.run("SET GLOBAL log_output = 'TABLE', general_log = 1");
    // A ping would be told of as well.
    let count = async || -> u32 {
        let commands = "SELECT count(*) FROM mysql.general_log \
             WHERE user_host LIKE '%counted%' AND command_type NOT IN ('Connect', 'Prepare', 'Quit')";
        database.run(commands).parse().unwrap()
    };
    round_trips(&store, count).await;
    database.run("SET GLOBAL general_log = 0");

    database.run(ROWS_20000);
    let prepared = "SELECT DISTINCT argument FROM mysql.general_log WHERE user_host LIKE '%counted%' \
             AND command_type = 'Prepare' AND argument LIKE 'SELECT%WHERE owner = ?%'";
    let listing = database.run(prepared);
    let listing = listing.replacen('?', "'user-7'", 1).replacen('?', "1", 1);
    assert_planned(&database, &listing, "tenure_sessions_owner");
}

#[tokio::test]
async fn statements_find_their_rows_by_an_index() {
    let database = Database::new();
    drop(database.store().await);
    database.run(ROWS_20000);
    let id = "unhex(md5('1'))";
    for (statement, index) in [
        (
            format!("SELECT * FROM tenure_sessions WHERE id = {id}"),
            "PRIMARY",
        ),
        (
            format!(
                "UPDATE tenure_sessions SET version = 2 WHERE id = {id} AND version = 1 AND expires_at > 1"
            ),
            "PRIMARY",
        ),
        (
            "SELECT * FROM tenure_sessions WHERE owner = 'user-7' AND expires_at > 1 ORDER BY last_seen_at"
                .to_owned(),
            "tenure_sessions_owner",
        ),
        (
            format!("DELETE FROM tenure_sessions WHERE owner = 'user-7' AND NOT (id <=> {id})"),
            "tenure_sessions_owner",
        ),
        (
            "DELETE FROM tenure_sessions WHERE expires_at <= 1500 ORDER BY expires_at LIMIT 100".to_owned(),
            "tenure_sessions_expires_at",
        ),
    ] {
        assert_planned(&database, &statement, index);
    }
}

#[tokio::test]
async fn a_schema_that_is_newer_or_not_ours_is_refused() {
    let database = Database::new();
    drop(database.store().await);
    database.run("INSERT INTO tenure_migrations (version, name) VALUES (1000, 'from the future')");
    let newer = refusal(&database.url()).await;
    assert!(
        matches!(newer, OpenError::NewerSchema { found: 1000, .. }),
        "{newer:?}"
    );
    for sql in [
        "CREATE TABLE tenure_migrations (id INTEGER)",
        "CREATE TABLE tenure_migrations (version TEXT, name TEXT);
         INSERT INTO tenure_migrations VALUES ('one', 'sessions')",
    ] {
        let database = Database::new();
        database.run(sql);
        let foreign = refusal(&database.url()).await;
        assert!(matches!(foreign, OpenError::ForeignSchema { .. }), "{foreign:?}");
    }
}

#[tokio::test]
async fn the_server_has_to_show_a_certificate_for_its_name_by_the_right_authority() {
    let database = Database::new();
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.pem");
    std::fs::write(&other, Certificates::generate().unwrap().authority).unwrap();
    let right = database.server.authority_file();
    let verified = |authority: &std::path::Path| {
        database.url_with(&format!(
            "ssl-mode=VERIFY_IDENTITY&ssl-ca={}",
            authority.display()
        ))
    };

    let store = MySqlStore::connect(&verified(&right)).await.unwrap();
    insert(&store, &record(1)).await;
    for url in [
        verified(&other),
        verified(&right).replace("localhost", "127.0.0.1"),
    ] {
        let refusal = shown(&refusal(&url).await);
        assert!(refusal.contains("certificate"), "{refusal}");
    }
}

#[tokio::test]
async fn a_server_without_tls_is_refused_where_tls_is_asked_for() {
    let server = MariaDbServer::start(&[]).unwrap_or_else(|missing| panic!("{missing}"));
    let plain = server.url(&server.create_database());
    for mode in ["REQUIRED", "VERIFY_IDENTITY"] {
        let refusal = shown(&refusal(&plain.replace("DISABLED", mode)).await);
        assert!(refusal.contains("TLS"), "{refusal}");
    }
    drop(MySqlStore::connect(&plain).await.unwrap());
}

#[tokio::test]
async fn a_full_disk_and_a_value_that_is_refused_show_no_value() {
    let database = Database::new();
    let store = database.store().await;
    let marked = Record {
        owner: Some(Owner::new("MARKER").unwrap()),
        data: b"MARKER".to_vec().into(),
        ..record(1)
    };
    database.run("ALTER TABLE tenure_sessions ADD UNIQUE (owner), ADD CHECK (version < 10)");
    let refused = Record {
        version: 10,
        ..marked.clone()
    };
    let refused = shown(&store.insert(&refused).await.expect_err("a failure"));
    assert!(
        refused.contains("refused a value") && !refused.contains("MARKER"),
        "{refused}"
    );
    database.run(
        "CREATE TRIGGER full_disk BEFORE INSERT ON tenure_sessions FOR EACH ROW \
             SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1021, MESSAGE_TEXT = 'Disk full'",
    );
    let refused = shown(&store.insert(&marked).await.expect_err("a failure"));
    assert!(
        refused.contains("disk or table space is full") && !refused.contains("MARKER"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_server_that_takes_no_writes_is_named_as_the_cause() {
    let database = Database::new();
    drop(database.store().await);
    let store = MySqlStore::connect(&database.url_of_a_user("writer", &[("SELECT, INSERT", "*")]))
        .await
        .unwrap();
    // As a replica does, and for the users of other tests not at all: they may write to it.
    database.run("SET GLOBAL read_only = 1");
    let refused = store.insert(&record(1)).await;
    database.run("SET GLOBAL read_only = 0");
    let refused = refused.expect_err("a failure");
    assert!(matches!(refused, StoreError::Unavailable { store: "mysql", .. }));
    assert!(
        shown(&refused).contains("connect to the primary"),
        "{}",
        shown(&refused)
    );
    insert(&store, &record(1)).await;
}

#[tokio::test]
async fn what_keeps_a_store_from_connecting_is_told_without_the_password() {
    let database = Database::new();
    let url = database.url();
    let wrong_password = shown(&refusal(&url.replace("pass%2F", "wrong%2F")).await);
    assert!(
        wrong_password.contains("check user and password"),
        "{wrong_password}"
    );
    let no_database = shown(&refusal(&url.replace("/check_", "/nowhere_")).await);
    assert!(no_database.contains("create the database first"), "{no_database}");
    let scheme = shown(&refusal(&url.replace("mysql://", "postgres://")).await);
    assert!(scheme.contains("begin with mysql://"), "{scheme}");
    let options = format!("{:?}", MySqlStore::options(&url));
    assert!(!options.contains("pass"), "{options}");
}

#[tokio::test]
async fn a_connection_is_strict_and_its_statements_are_limited() {
    let database = Database::new();
    let store = MySqlStore::options(&database.url())
        .statement_timeout(Duration::from_millis(1500))
        .connect()
        .await
        .unwrap();
    insert(&store, &record(1)).await;
    database.run(
        "CREATE TABLE settings (mode TEXT, isolation TEXT, seconds TEXT);
         CREATE TRIGGER witness BEFORE DELETE ON tenure_sessions FOR EACH ROW \
             INSERT INTO settings VALUES (@@sql_mode, @@tx_isolation, @@max_statement_time)",
    );
    assert!(store.remove(id(1)).await.unwrap());
    let isolation_and_limit = database.run("SELECT isolation, seconds FROM settings");
    assert_eq!(isolation_and_limit, "READ-COMMITTED\t1.5");
}

#[tokio::test]
async fn a_write_that_changes_nothing_is_saved() {
    let database = Database::new();
    let store = database.store().await;
    insert(&store, &record(1)).await;
    assert_eq!(store.update(&record(1), 1, START).await.unwrap(), Updated::Saved);
}
