//! What the running program tells Prometheus, and the dashboard that shows it.

mod common;

use std::collections::BTreeSet;

use common::program::{Demo, Setting};
use reqwest::StatusCode;
use serde_json::Value;

const DASHBOARD: &str = include_str!("../grafana/sessions.json");
const OPERATIONS: &str = include_str!("../../../docs/operations.md");

/// Every query of every panel.
fn queries() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().unwrap());
    targets
        .map(|target| target["expr"].as_str().unwrap().to_owned())
        .collect()
}

/// The words of `text` that begin with one of `beginnings`.
fn words<'t>(text: &'t str, beginnings: &[&str]) -> BTreeSet<&'t str> {
    text.split(|character: char| !(character.is_ascii_alphanumeric() || character == '_'))
        .filter(|word| beginnings.iter().any(|beginning| word.starts_with(beginning)))
        .collect()
}

fn names_in(metrics: &str) -> BTreeSet<&str> {
    let samples = metrics.lines().filter(|line| !line.starts_with('#'));
    samples.filter_map(|line| line.split(['{', ' ']).next()).collect()
}

/// A session that is created, found again, and meets a forgery.
async fn live(demo: &Demo) {
    let client = reqwest::Client::new();
    let count = format!("{}/api/count", demo.url);
    let answer = client.post(&count).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let again = client
        .post(&count)
        .header("cookie", &cookie)
        .send()
        .await
        .unwrap();
    assert_eq!(again.status(), StatusCode::OK);
    let forged = client
        .post(&count)
        .header("cookie", &cookie)
        .header("sec-fetch-site", "cross-site")
        .send()
        .await
        .unwrap();
    assert_eq!(forged.status(), StatusCode::FORBIDDEN);
    let guess = client.get(&demo.url).header("cookie", "__Host-session=guess");
    guess.send().await.unwrap();
}

/// The live sessions are counted beside the requests, so they may come a little later.
async fn metrics_with(demo: &Demo, wanted: &str) -> String {
    for _ in 0..10_000 {
        let metrics = demo.metrics().await;
        if names_in(&metrics).contains(wanted) {
            return metrics;
        }
        tokio::task::yield_now().await;
    }
    panic!("{wanted} does not come");
}

#[tokio::test]
async fn every_metric_that_the_dashboard_asks_for_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start_with(&Setting {
        database: &folder.path().join("demo.db"),
        store: None,
        arguments: &[],
        variables: &[("SESSION_SECRET", "T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r")],
        serves_metrics: true,
    });
    live(&demo).await;
    let metrics = metrics_with(&demo, "tenure_sessions_live").await;
    let served = names_in(&metrics);
    let queries = queries();
    assert!(queries.len() >= 12);
    for query in &queries {
        let asked_for = words(query, &["tenure_"]);
        assert!(!asked_for.is_empty(), "{query}");
        for name in asked_for {
            assert!(served.contains(name), "{name} of {query} is not in {metrics}");
        }
    }
    for sample in [
        "tenure_events_total{event=\"session_created\",reason=\"\"} 1",
        "tenure_events_total{event=\"session_csrf_refused\",reason=\"cross_site\"} 1",
        "tenure_events_total{event=\"session_cookie_refused\",reason=\"malformed\"} 1",
        "tenure_events_dropped_total 0",
        "tenure_sessions_loaded_total 1",
        "tenure_store_seconds_count{store=\"sqlite\",operation=\"insert\"} 1",
        "# HELP tenure_sessions_live Sessions alive",
    ] {
        assert!(metrics.contains(sample), "{sample} is not in {metrics}");
    }
}

#[test]
fn every_event_and_metric_of_the_dashboard_is_in_the_operators_table() {
    let known = words(OPERATIONS, &["session_", "authn_", "excess_", "tenure_"]);
    let secrets = words(include_str!("../../../docs/secrets.md"), &["tenure_"]);
    for query in queries() {
        for name in words(&query, &["session_", "authn_", "excess_", "tenure_"]) {
            let name = name.trim_end_matches("_bucket");
            assert!(
                known.contains(name) || secrets.contains(name),
                "{name} of {query}"
            );
        }
    }
}
