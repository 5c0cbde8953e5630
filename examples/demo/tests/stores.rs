//! The sessions in another store than the file, named by its URL.

#![cfg(all(unix, feature = "redis"))]

mod common;

use common::Visitor;
use common::program::Demo;
use reqwest::StatusCode;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use tempfile::TempDir;
use tenure_testkit::servers::redis::RedisServer;

#[tokio::test]
async fn sessions_live_in_the_store_that_was_named_and_outlive_the_program() {
    let redis = RedisServer::standalone().unwrap();
    let folder = TempDir::new().unwrap();
    let database = folder.path().join("demo.db");
    let demo = Demo::start(&database, Some(&redis.url()));
    let mut ada = Visitor::of(&demo.url);
    assert_eq!(ada.sign_up("ada").await.status, StatusCode::OK);
    demo.kill();

    let demo = Demo::start(&database, Some(&redis.url()));
    let mut again = Visitor::of(&demo.url);
    again.cookie.clone_from(&ada.cookie);
    let answer = again
        .try_send(reqwest::Method::GET, "/api/session", None)
        .await
        .unwrap();
    assert_eq!(answer.value()["owner"], "ada");

    let file = SqlitePool::connect_with(SqliteConnectOptions::new().filename(&database))
        .await
        .unwrap();
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM tenure_sessions")
        .fetch_one(&file)
        .await
        .unwrap();
    assert_eq!(rows, 0);
}
