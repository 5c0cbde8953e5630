//! Tests of every server, on the `Database` of the file that names them.
//!
//! A macro, for the types of the stores have no trait in common that tells how they are opened.

//!
//! Beside the types of the server and the store: the passwords that no error may show, what its URLs say that keeps TLS
//! away, and the title of its section in the documentation. The file has what is different: `url_of_a_user` of a
//! `Database`, and SQL.

macro_rules! server_tests {
    ($server:ty, $store:ty, $passwords:expr, $without_tls:expr, $documentation:expr) => {
        /// A new database on the server that all tests share.
        struct Database {
            server: &'static $server,
            name: String,
        }

        impl Database {
            fn new() -> Self {
                let server = <$server>::shared().unwrap_or_else(|missing| panic!("{missing}"));
                Self {
                    server,
                    name: server.create_database(),
                }
            }

            fn url(&self) -> String {
                self.server.url(&self.name)
            }

            /// A URL with TLS, or whatever these parameters say.
            fn url_with(&self, parameters: &str) -> String {
                self.url().replace($without_tls, parameters)
            }

            async fn store(&self) -> $store {
                <$store>::connect(&self.url()).await.unwrap()
            }

            fn run(&self, sql: &str) -> String {
                self.server.run(&self.name, sql)
            }
        }

        /// All that an error says to somebody who logs it.
        fn shown(error: &dyn std::error::Error) -> String {
            let shown = servers::shown(error);
            for password in $passwords {
                assert!(!shown.contains(password), "{shown}");
            }
            shown
        }

        #[tokio::test]
        async fn what_the_documentation_tells_operators_to_ask_is_answered() {
            let database = Database::new();
            // So that it lives by the clock of the server.
            let long = MINUTE * 60 * 24 * 365 * 100;
            let living = Record {
                idle_timeout: long,
                absolute_deadline: START.plus(long),
                ..record(1)
            };
            insert(&database.store().await, &living).await;
            let queries = documented_queries($documentation);
            let answers = database.run(&queries.replace("user-42", "alice"));
            let key_id = "617461";
            assert!(
                answers.contains(&living.id.to_string()) && answers.contains(key_id),
                "{answers}"
            );
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn requests_to_two_applications_lose_no_count() {
            let database = Database::new();
            instances::lose_no_count([database.store().await, database.store().await]).await;
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn a_sign_out_in_one_application_is_final_in_the_other() {
            let database = Database::new();
            instances::sign_out_finally([database.store().await, database.store().await]).await;
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn revoking_an_owner_in_one_application_is_final_in_the_other() {
            let database = Database::new();
            instances::revoke_finally([database.store().await, database.store().await]).await;
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn sign_ins_at_once_at_several_instances_keep_to_the_limit_of_sessions() {
            let database = Database::new();
            instances::keep_to_the_limit([database.store().await, database.store().await]).await;
        }

        #[tokio::test]
        async fn touches_at_the_same_time_write_once() {
            let database = Database::new();
            let store = database.store().await;
            insert(&store, &record(1)).await;
            database.run(WITNESS);
            touch_at_the_same_time(&store).await;
            assert_eq!(database.run("SELECT count(*) FROM writes"), "1");
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn sweepers_at_the_same_time_take_each_session_once_and_full_batches() {
            let database = Database::new();
            let stores = [database.store().await, database.store().await];
            database.run(EXPIRED_2000);
            assert_eq!(sweep_at_the_same_time(stores).await, 2000);
            assert_eq!(database.run("SELECT count(*) FROM tenure_sessions"), "0");
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn many_may_open_a_new_database_at_once() {
            let database = Database::new();
            let mut openings = tokio::task::JoinSet::new();
            for number in 0..8 {
                let url = database.url();
                openings.spawn(async move {
                    let store = <$store>::connect(&url).await.unwrap();
                    insert(&store, &record(number)).await;
                });
            }
            openings.join_all().await;
            assert_eq!(database.run("SELECT count(*) FROM tenure_sessions"), "8");
            assert_eq!(database.run("SELECT count(*) FROM tenure_migrations"), "2");
        }

        #[tokio::test]
        async fn who_does_not_migrate_is_told_what_lacks_and_runs_the_script() {
            let database = Database::new();
            let options = <$store>::options(&database.url()).table_prefix("shop_");
            let options = options.migrate(false);
            let refusal = options.clone().connect().await.expect_err("a refusal");
            assert!(
                matches!(refusal, OpenError::OlderSchema { version: 1, .. }),
                "{refusal:?}"
            );
            database.run(&options.migration_script().unwrap());
            let store = options.clone().connect().await.unwrap();
            insert(&store, &record(1)).await;
            assert_eq!(database.run("SELECT count(*) FROM shop_sessions"), "1");
            drop(options.migrate(true).connect().await.unwrap());
        }

        #[tokio::test]
        async fn what_an_operator_does_by_hand_counts_at_once() {
            let database = Database::new();
            let store = database.store().await;
            insert(&store, &record(1)).await;
            insert(&store, &record(2)).await;
            let id_in_sql = ID_IN_SQL.replace("{}", &id(1).to_string());
            database.run(&format!(
                "DELETE FROM tenure_sessions WHERE id = {id_in_sql}"
            ));
            assert_eq!(look(&store, id(1)).await, None);
            let late = Record {
                version: 2,
                ..record(1)
            };
            assert_eq!(store.update(&late, 1, START).await.unwrap(), Updated::Gone);
            database.run("UPDATE tenure_sessions SET idle_timeout = 60000 WHERE owner = 'alice'");
            assert_eq!(
                store
                    .sweep_expired(START.plus(MINUTE), 10)
                    .await
                    .unwrap()
                    .sessions,
                1
            );
        }

        #[tokio::test]
        async fn a_missing_permission_is_named_as_the_cause() {
            let database = Database::new();
            drop(database.store().await);
            let rights = [
                ("SELECT", "tenure_migrations"),
                ("SELECT", "tenure_sessions"),
            ];
            let store = <$store>::connect(&database.url_of_a_user("reader", &rights)).await;
            let store = store.unwrap();
            assert_eq!(look(&store, id(1)).await, None);
            let refused = shown(&store.insert(&record(1)).await.expect_err("a failure"));
            assert!(refused.contains("lacks a permission"), "{refused}");
        }

        #[tokio::test]
        async fn a_user_who_may_read_and_write_rows_is_enough_once_the_tables_are_there() {
            let database = Database::new();
            drop(database.store().await);
            let rights = [
                ("SELECT", "tenure_migrations"),
                ("SELECT, INSERT, UPDATE, DELETE", "tenure_sessions"),
                ("SELECT, INSERT, UPDATE, DELETE", "tenure_login_attempts"),
            ];
            let store = <$store>::connect(&database.url_of_a_user("app", &rights)).await;
            let store = store.unwrap();
            insert(&store, &record(1)).await;
            let later = START.plus(MINUTE * 1000);
            assert_eq!(store.sweep_expired(later, 1).await.unwrap().sessions, 1);
        }

        #[tokio::test]
        async fn a_closed_store_fails_and_does_not_say_that_there_is_no_session() {
            let database = Database::new();
            let store = database.store().await;
            insert(&store, &record(1)).await;
            store.close().await;
            assert!(store.load(id(1), Touch::No).await.is_err());
            assert!(store.ping().await.is_err());
        }
    };
}
pub(crate) use server_tests;
