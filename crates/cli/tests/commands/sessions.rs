//! `tenure sessions`, on a SQLite file with sessions that the engine made.

use std::path::Path;

use http::HeaderMap;
use serde_json::{Value, json};
use tenure::sqlite::SqliteStore;
use tenure_core::{Environment, Keyring, Policy, Secret, Sessions};

use crate::run::{NEW, Run, folder, run, tenure};

const NOTE: tenure_core::Key<String> = tenure_core::Key::new("note");
const CONFIDENTIAL: &str = "the launch is on tuesday";

/// A session for each of `owners`, and the URL of their store.
fn sessions_of(folder: &Path, owners: &[&str]) -> String {
    let file = folder.join("sessions.db");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = SqliteStore::open(&file).await.unwrap();
        let policy = Policy::default().environment(Environment::Development);
        let sessions = Sessions::new(policy, Keyring::new(Secret::new(NEW)), store.clone()).unwrap();
        for owner in owners {
            let opened = sessions.open(&HeaderMap::new());
            let session = opened.load().await.unwrap();
            session.insert(NOTE, &CONFIDENTIAL.to_owned()).unwrap();
            session.sign_in(owner).unwrap();
            sessions.commit(&opened).await.unwrap();
        }
        store.close().await;
    });
    format!("sqlite:{}", file.display())
}

fn listed(store: &str, arguments: &[&str]) -> Vec<Value> {
    let all = [&["sessions", "list", "--store", store, "--json"], arguments].concat();
    let run = run(&all);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(!run.stdout.contains("launch"), "{run:?}");
    let lines = run.stdout.lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn answer(store: &str, arguments: &[&str]) -> Run {
    run(&[&["sessions"], arguments, &["--store", store]].concat())
}

#[test]
fn sessions_are_listed_shown_counted_and_ended() {
    let folder = folder();
    let store = sessions_of(folder.path(), &["ada", "ada", "bob"]);
    assert_eq!(listed(&store, &[]).len(), 3);
    let adas = listed(&store, &["--owner", "ada"]);
    assert_eq!(adas.len(), 2);
    assert_eq!(adas[0]["state"], "live");
    let id = adas[0]["id"].as_str().unwrap();

    let shown = answer(&store, &["show", id, "--json"]);
    assert_eq!(
        (shown.code, &shown.json()["owner"]),
        (0, &json!("ada")),
        "{shown:?}"
    );
    let stats = answer(&store, &["stats", "--json"]).json();
    assert_eq!(
        (&stats["live"], &stats["owners"]),
        (&json!(3), &json!(2)),
        "{stats}"
    );
    let table = answer(&store, &["list"]);
    assert!(
        table.stdout.contains(id) && table.stdout.contains("bob"),
        "{table:?}"
    );

    let revoked = answer(&store, &["revoke", id, "--yes", "--json"]);
    assert_eq!(revoked.json(), json!({"revoked": [id], "not_found": []}));
    let again = answer(&store, &["revoke", id, "--yes", "--json"]);
    assert_eq!(
        (again.code, again.json()),
        (1, json!({"revoked": [], "not_found": [id]}))
    );
    let owners = answer(&store, &["revoke-owner", "ada", "--yes", "--json"]);
    assert_eq!(owners.json(), json!({"owner": "ada", "revoked": 1}));
    let all = answer(&store, &["revoke-all", "--yes", "--json"]);
    assert_eq!(all.json(), json!({"revoked": 1}));
    assert_eq!(listed(&store, &[]), Vec::<Value>::new());
    assert_eq!(answer(&store, &["sweep", "--json"]).code, 0);
}

#[test]
fn nothing_is_ended_where_nobody_can_be_asked() {
    let folder = folder();
    let store = sessions_of(folder.path(), &["ada"]);
    for arguments in [&["revoke-owner", "ada"][..], &["revoke-all"]] {
        let refused = answer(&store, arguments);
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.stderr.contains("--yes"), "{refused:?}");
    }
    assert_eq!(listed(&store, &[]).len(), 1);
}

#[test]
fn the_store_may_be_named_where_other_users_do_not_see_it() {
    let folder = folder();
    let store = sessions_of(folder.path(), &["ada"]);
    let run = Run::of(tenure(&["sessions", "stats", "--json"]).env("TENURE_STORE", store));
    assert_eq!((run.code, &run.json()["live"]), (0, &json!(1)), "{run:?}");
}

#[test]
fn a_mistyped_file_is_not_made() {
    let folder = folder();
    let file = folder.path().join("no.db");
    let run = answer(&format!("sqlite:{}", file.display()), &["list"]);
    assert_ne!(run.code, 0, "{run:?}");
    assert!(!file.exists());
}
