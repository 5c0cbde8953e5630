//! The real program, killed with SIGKILL in the middle of writes: what was acknowledged is there
//! after the restart.

#![cfg(unix)]

mod common;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use common::Visitor;
use common::program::Demo;
use reqwest::{Method, StatusCode};
use serde_json::json;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use tempfile::TempDir;

const KILLS: u64 = 20;
const WRITERS: usize = 8;

/// What was asked for, and what was promised.
#[derive(Default)]
struct Ledger {
    attempted: AtomicU64,
    acknowledged: AtomicU64,
    is_over: AtomicBool,
}

impl Ledger {
    /// Counts on and on until the server is gone.
    async fn write(&self, visitor: Visitor) {
        while !self.is_over.load(Ordering::SeqCst) {
            self.attempted.fetch_add(1, Ordering::SeqCst);
            let Ok(answer) = visitor.try_send(Method::POST, "/api/count", None).await else {
                return;
            };
            assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
            let count = answer.value()["count"].as_u64().unwrap();
            self.acknowledged.fetch_max(count, Ordering::SeqCst);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_20_kills() {
    let folder = TempDir::new().unwrap();
    let database = folder.path().join("demo.db");
    let ledger = Arc::new(Ledger::default());

    let mut demo = Demo::start(&database, None);
    let mut ada = Visitor::of(&demo.url);
    assert_eq!(ada.sign_up("ada").await.status, StatusCode::OK);
    let cookie = ada.cookie.clone();
    assert!(cookie.is_some());

    for round in 1..=KILLS {
        let newcomer = format!("user-{round}");
        let joined = Visitor::of(&demo.url).sign_up(&newcomer).await;
        assert_eq!(joined.status, StatusCode::OK, "{joined:?}");

        let writers: Vec<_> = (0..WRITERS)
            .map(|_| {
                let mut visitor = Visitor::of(&demo.url);
                visitor.cookie.clone_from(&cookie);
                let ledger = Arc::clone(&ledger);
                tokio::spawn(async move { ledger.write(visitor).await })
            })
            .collect();
        // A different moment of the writing each time.
        tokio::time::sleep(Duration::from_millis(40 + 17 * round % 160)).await;
        demo.kill();
        for writer in writers {
            writer.await.unwrap();
        }

        demo = Demo::start(&database, None);
        assert_eq!(integrity(&database).await, "ok");

        let mut ada = Visitor::of(&demo.url);
        ada.cookie.clone_from(&cookie);
        assert_eq!(
            ada.session().await["owner"],
            "ada",
            "still signed in, round {round}"
        );
        assert_eq!(
            Visitor::of(&demo.url).sign_in(&newcomer).await.value(),
            json!({"owner": newcomer})
        );

        // Reading the count is a count as well.
        let count = ada.post("/api/count").await.value()["count"].as_u64().unwrap();
        let attempted = ledger.attempted.fetch_add(1, Ordering::SeqCst) + 1;
        let acknowledged = ledger.acknowledged.fetch_max(count, Ordering::SeqCst);
        assert!(
            acknowledged < count && count <= attempted,
            "round {round}: {acknowledged} acknowledged, {count} found, {attempted} attempted"
        );
    }

    let (attempted, acknowledged) = (&ledger.attempted, &ledger.acknowledged);
    assert!(
        acknowledged.load(Ordering::SeqCst) > 2 * KILLS,
        "the kills came before the writes"
    );
    // At most the requests in flight at each kill are unknown.
    let unknown = attempted.load(Ordering::SeqCst) - acknowledged.load(Ordering::SeqCst);
    assert!(
        unknown <= KILLS * WRITERS as u64,
        "{unknown} writes have no answer"
    );
    demo.kill();
}

async fn integrity(database: &Path) -> String {
    let options = SqliteConnectOptions::new().filename(database);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    let verdict = sqlx::query_scalar("PRAGMA integrity_check")
        .fetch_one(&pool)
        .await
        .unwrap();
    pool.close().await;
    verdict
}

#[test]
fn a_set_up_that_is_not_fit_is_refused_in_one_sentence() {
    let folder = TempDir::new().unwrap();
    let database = folder.path().join("demo.db");
    let start = |secret: Option<&str>, environment: &str, flags: &[&str], database: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_demo"));
        command.args(["--listen", "127.0.0.1:0", "--database"]);
        command.arg(database).args(flags).env("TENURE_ENV", environment);
        match secret {
            Some(secret) => command.env("SESSION_SECRET", secret),
            None => command.env_remove("SESSION_SECRET"),
        };
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(output.stdout.is_empty(), "{output:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        // Beside what is logged for operators.
        let said: Vec<_> = text.lines().filter(|line| line.starts_with("demo: ")).collect();
        assert_eq!(said.len(), 1, "{text}");
        text
    };
    let good = Some("T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r");

    let no_secret = start(None, "production", &[], &database);
    assert!(
        no_secret.contains("SESSION_SECRET is not set") && no_secret.contains("openssl"),
        "{no_secret}"
    );

    let weak = start(
        Some("keyboard cat keyboard cat keyboard cat"),
        "production",
        &[],
        &database,
    );
    assert!(
        weak.contains("placeholder") && !weak.contains("keyboard cat keyboard"),
        "{weak}"
    );

    let insecure = start(good, "production", &["--insecure-cookie"], &database);
    assert!(
        insecure.contains("--insecure-cookie is for development only"),
        "{insecure}"
    );

    let nowhere = start(
        good,
        "production",
        &[],
        &folder.path().join("no-such-folder/demo.db"),
    );
    assert!(nowhere.contains("no-such-folder"), "{nowhere}");
}

/// Starts it in development, waits for the address, and asks it to stop.
#[tokio::test]
async fn in_development_the_secret_is_kept_and_sigterm_stops_it() {
    use std::os::unix::fs::PermissionsExt;

    let folder = TempDir::new().unwrap();
    let database = folder.path().join("demo.db");
    let mut cookie = None;
    for run in 0..2 {
        let mut process = Command::new(env!("CARGO_BIN_EXE_demo"))
            .args(["--listen", "127.0.0.1:0", "--insecure-cookie", "--database"])
            .arg(&database)
            .env_remove("SESSION_SECRET")
            .env("TENURE_ENV", "development")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut url)
            .unwrap();
        let mut visitor = Visitor::of(url.trim());
        if run == 0 {
            visitor.sign_up("ada").await;
            let kept = visitor.cookie.clone().unwrap();
            assert!(kept.starts_with("session="), "{kept}");
            cookie = Some(kept);
        } else {
            visitor.cookie.clone_from(&cookie);
            assert_eq!(visitor.session().await["owner"], "ada", "the same secret");
        }
        let terminated = Command::new("kill")
            .args(["-TERM", &process.id().to_string()])
            .status()
            .unwrap();
        assert!(terminated.success());
        let output = process.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("demo.secret"), "{said}");
        let secret = std::fs::metadata(folder.path().join("demo.secret")).unwrap();
        assert_eq!(secret.permissions().mode() & 0o777, 0o600);
    }
}
