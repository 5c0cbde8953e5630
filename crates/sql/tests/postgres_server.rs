//! What the PostgreSQL store does at its server: schema, round trips, plans, TLS, and what it says when refused.

mod common;
#[path = "common/postgres_statements.rs"]
mod postgres_statements;

use std::time::Duration;

use common::server_tests::server_tests;
use common::servers::{self, *};
use common::*;
use tenure_core::store::{Touch, Updated};
use tenure_core::{Owner, Record, Store, StoreError};
use tenure_sql::postgres::{OpenError, PostgresStore};
use tenure_testkit::instances;
use tenure_testkit::servers::postgres::{POSTGRES_PASSWORD, POSTGRES_PASSWORD_IN_URL};
use tenure_testkit::servers::{Certificates, PostgresServer};

impl Database {
    /// The URL of a new user with these rights on tables and no others.
    fn url_of_a_user(&self, user: &str, rights: &[(&str, &str)]) -> String {
        self.run(&format!(
            "CREATE ROLE {user} LOGIN PASSWORD '{POSTGRES_PASSWORD}'"
        ));
        for (right, table) in rights {
            self.run(&format!("GRANT {right} ON {table} TO {user}"));
        }
        self.url().replacen("//postgres:", &format!("//{user}:"), 1)
    }

    /// How many statements were asked on it so far.
    async fn statements(&self) -> u32 {
        let calls = format!(
            "SELECT coalesce(sum(calls), 0) FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid \
             WHERE datname = '{}'",
            self.name
        );
        self.server.run("postgres", &calls).parse().unwrap()
    }
}

const ID_IN_SQL: &str = "'\\x{}'";

const WITNESS: &str = "CREATE TABLE writes (version bigint);
    CREATE FUNCTION witness() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN INSERT INTO writes VALUES (new.version); RETURN new; END';
    CREATE TRIGGER witness AFTER UPDATE ON tenure_sessions FOR EACH ROW EXECUTE FUNCTION witness();";

const EXPIRED_2000: &str = "INSERT INTO tenure_sessions (id, version, secret_hash, created_at, last_seen_at, \
         idle_timeout, absolute_deadline, lifetime, lineage, data) \
     SELECT decode(md5(n::text), 'hex'), 1, sha256('x'), 0, 0, 1000, 1000, 'standard', \
         decode('01' || repeat('00', 18), 'hex'), '' \
     FROM generate_series(1, 2000) n";

server_tests!(
    PostgresServer,
    PostgresStore,
    [POSTGRES_PASSWORD, POSTGRES_PASSWORD_IN_URL],
    "sslmode=disable",
    "The PostgreSQL store"
);

async fn refusal(url: &str) -> OpenError {
    PostgresStore::options(url)
        .connect_timeout(Duration::from_secs(10))
        .connect()
        .await
        .expect_err("a refusal")
}

#[tokio::test]
async fn each_operation_is_as_many_statements_as_it_says() {
    let database = Database::new();
    let store = database.store().await;
    postgres_statements::log(database.server, &database.name);
    round_trips(&store, async || database.statements().await).await;
}

#[tokio::test]
async fn a_sweep_passes_over_what_another_has_locked() {
    let database = Database::new();
    let store = database.store().await;
    insert(&store, &record(1)).await;
    insert(&store, &record(2)).await;
    let locker = tokio::task::spawn_blocking(move || {
        database.run("BEGIN; SELECT 1 FROM tenure_sessions WHERE id = '\\x01010101010101010101010101010101' FOR UPDATE; \
                      SELECT pg_sleep(1.5); COMMIT");
    });
    tokio::time::sleep(Duration::from_millis(700)).await;
    let later = START.plus(Duration::from_secs(24 * 60 * 60));
    assert_eq!(store.sweep_expired(later, 10).await.unwrap().sessions, 1);
    assert!(!locker.is_finished());
    locker.await.unwrap();
    assert_eq!(store.sweep_expired(later, 10).await.unwrap().sessions, 1);
}

#[tokio::test]
async fn statements_find_their_rows_by_an_index() {
    let database = Database::new();
    drop(database.store().await);
    database.run(
        "INSERT INTO tenure_sessions (id, version, secret_hash, owner, created_at, last_seen_at, idle_timeout, \
             absolute_deadline, lifetime, lineage, data) \
         SELECT decode(md5(n::text), 'hex'), 1, sha256('x'), 'user-' || n / 10, 0, n, 1000, 9000000, 'standard', \
             decode('01' || repeat('00', 18), 'hex'), '' \
         FROM generate_series(1, 20000) n; ANALYZE tenure_sessions",
    );
    let store = database.store().await;
    postgres_statements::log(database.server, &database.name);
    round_trips(&store, async || database.statements().await).await;
    for statement in postgres_statements::logged(database.server, &database.name) {
        let index = match statement.as_str() {
            insert if insert.starts_with("INSERT") => continue,
            ping if ping.starts_with("SELECT id FROM tenure_sessions LIMIT") => continue,
            by_id if by_id.contains("login_attempts WHERE id =") => "tenure_login_attempts_pkey",
            set if set.starts_with("UPDATE tenure_login_attempts") => "tenure_login_attempts_pkey",
            sweep if sweep.contains("tenure_login_attempts") => "tenure_login_attempts_expires_at",
            count if count.starts_with("SELECT count(*)") => "tenure_sessions_expires_at",
            statement if statement.contains("owner = $1") => "tenure_sessions_owner",
            statement if statement.contains("expires_at <=") => "tenure_sessions_expires_at",
            _ => "tenure_sessions_pkey",
        };
        let plan = postgres_statements::plan(database.server, &database.name, &statement);
        assert!(
            plan.contains(index) && !plan.contains("Seq Scan"),
            "{statement}: {plan}"
        );
    }
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let database = Database::new();
    drop(database.store().await);
    database.run("INSERT INTO tenure_migrations (version, name) VALUES (1000, 'from the future')");
    let refusal = refusal(&database.url()).await;
    assert!(
        matches!(refusal, OpenError::NewerSchema { found: 1000, .. }),
        "{refusal:?}"
    );
    assert_eq!(database.run("SELECT count(*) FROM tenure_migrations"), "3");
}

#[tokio::test]
async fn a_table_of_migrations_that_is_not_ours_is_refused() {
    for sql in [
        "CREATE TABLE tenure_migrations (id integer)",
        "CREATE TABLE tenure_migrations (version bigint, name text, applied_at text);
         INSERT INTO tenure_migrations VALUES (1, 'landlords', '')",
        "CREATE TABLE tenure_migrations (version text, name text, applied_at text);
         INSERT INTO tenure_migrations VALUES ('one', 'sessions', '')",
    ] {
        let database = Database::new();
        database.run(sql);
        let refusal = refusal(&database.url()).await;
        assert!(matches!(refusal, OpenError::ForeignSchema { .. }), "{refusal:?}");
    }
}

#[tokio::test]
async fn a_failing_migration_leaves_nothing_behind() {
    let database = Database::new();
    database.run("CREATE TABLE tenure_sessions (id text)");
    let refusal = refusal(&database.url()).await;
    assert!(
        matches!(refusal, OpenError::Migration { version: 1, .. }),
        "{refusal:?}"
    );
    assert!(shown(&refusal).contains("already exists"), "{}", shown(&refusal));
    assert_eq!(
        database.run("SELECT to_regclass('tenure_migrations') IS NULL"),
        "t"
    );
}

#[tokio::test]
async fn tables_are_in_the_schema_and_under_the_prefix_that_was_chosen() {
    let database = Database::new();
    database.run("CREATE SCHEMA auth; CREATE SCHEMA auth2");
    for schema in ["auth", "auth2"] {
        let options = PostgresStore::options(&database.url())
            .schema(schema)
            .table_prefix("shop_");
        let store = options.connect().await.unwrap();
        insert(&store, &record(1)).await;
        assert_eq!(look(&store, id(1)).await, Some(record(1)));
        assert_eq!(
            database.run(&format!("SELECT count(*) FROM {schema}.shop_sessions")),
            "1"
        );
    }
    assert_eq!(database.run("SELECT to_regclass('tenure_sessions') IS NULL"), "t");
    let refused = PostgresStore::options(&database.url()).schema("a\"; DROP SCHEMA auth; --");
    assert!(matches!(refused.connect().await, Err(OpenError::Name)));
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
            "sslmode=verify-full&sslrootcert={}",
            authority.display()
        ))
    };

    let store = PostgresStore::connect(&verified(&right)).await.unwrap();
    insert(&store, &record(1)).await;
    let encrypted =
        "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE datname = ";
    assert_eq!(
        database.run(&format!(
            "{encrypted}'{0}' AND query LIKE '%tenure_sessions%' AND pid <> pg_backend_pid()",
            database.name
        )),
        "t"
    );

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
    let server = PostgresServer::start(&["ssl=off"]).unwrap_or_else(|missing| panic!("{missing}"));
    let plain = server.url("postgres");
    for mode in ["require", "verify-full"] {
        let refusal = shown(&refusal(&plain.replace("disable", mode)).await);
        assert!(refusal.contains("TLS"), "{refusal}");
    }
    drop(PostgresStore::connect(&plain).await.unwrap());
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
    database.run("ALTER TABLE tenure_sessions ADD CHECK (owner <> 'MARKER')");
    let refused = shown(&store.insert(&marked).await.expect_err("a failure"));
    assert!(
        refused.contains("refused a value (23514)") && !refused.contains("MARKER"),
        "{refused}"
    );
    database.run(
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
             'BEGIN RAISE ''could not extend file'' USING ERRCODE = ''disk_full''; END';
         CREATE TRIGGER full_disk BEFORE INSERT ON tenure_sessions FOR EACH ROW EXECUTE FUNCTION full_disk();",
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
    database.run(&format!(
        "ALTER DATABASE {} SET default_transaction_read_only = on",
        database.name
    ));
    let store = database.store().await;
    assert_eq!(look(&store, id(1)).await, None);
    let refused = store.insert(&record(1)).await.expect_err("a failure");
    assert!(matches!(
        refused,
        StoreError::Unavailable {
            store: "postgres",
            ..
        }
    ));
    assert!(
        shown(&refused).contains("connect to the primary"),
        "{}",
        shown(&refused)
    );
    let name = &database.name;
    let reset = format!("ALTER DATABASE {name} RESET default_transaction_read_only");
    database.server.run("postgres", &reset);
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
    let port = tenure_testkit::servers::free_port().unwrap();
    let nobody =
        shown(&refusal(&url.replace(&format!(":{}/", database.server.port()), &format!(":{port}/"))).await);
    assert!(nobody.contains("refused"), "{nobody}");
    let scheme = shown(&refusal(&url.replace("postgres://", "mysql://")).await);
    assert!(scheme.contains("begin with postgres://"), "{scheme}");
    let options = format!("{:?}", PostgresStore::options(&url));
    assert!(!options.contains("pass"), "{options}");
    let store = format!("{:?}", database.store().await);
    assert!(
        store.contains(&database.name) && !store.contains("pass"),
        "{store}"
    );
}

#[tokio::test]
async fn a_statement_that_waits_too_long_gives_up() {
    let database = Database::new();
    let options = PostgresStore::options(&database.url()).statement_timeout(Duration::from_millis(200));
    let store = options.connect().await.unwrap();
    insert(&store, &record(1)).await;
    let locker = tokio::task::spawn_blocking(move || {
        database.run("BEGIN; SELECT 1 FROM tenure_sessions FOR UPDATE; SELECT pg_sleep(1.5); COMMIT");
    });
    tokio::time::sleep(Duration::from_millis(700)).await;
    let refused = shown(&store.remove(id(1)).await.expect_err("a failure"));
    assert!(refused.contains("longer than the statement timeout"), "{refused}");
    locker.await.unwrap();
    assert!(store.remove(id(1)).await.unwrap());
}

#[tokio::test]
async fn clients_that_hang_up_do_not_use_up_the_connections() {
    let database = Database::new();
    let store = PostgresStore::options(&database.url())
        .connections(2)
        .connect()
        .await
        .unwrap();
    insert(&store, &record(1)).await;
    for _ in 0..100 {
        let mut load = store.load(id(1), Touch::No);
        // Begun, and given up in the middle.
        std::future::poll_fn(|context| {
            drop(load.as_mut().poll(context));
            std::task::Poll::Ready(())
        })
        .await;
    }
    assert_eq!(look(&store, id(1)).await, Some(record(1)));
    let sessions = format!(
        "SELECT sessions <= 10 FROM pg_stat_database WHERE datname = '{}'",
        database.name
    );
    assert_eq!(database.run(&sessions), "t");
}
