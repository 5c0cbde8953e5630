//! `tenure secret` with a real OpenBao, which speaks as Vault does.

use std::process::Command;

use crate::run::{NEW, Run, tenure};
use serde_json::Value;
use tenure_testkit::servers::OpenBaoServer;

const SOURCE: &str = "vault:secret/shop#session";

fn with_server<'a>(server: &OpenBaoServer, command: &'a mut Command) -> &'a mut Command {
    command
        .env("BAO_ADDR", server.address())
        .env("BAO_TOKEN", OpenBaoServer::ROOT_TOKEN)
}

fn run_with(server: &OpenBaoServer, arguments: &[&str]) -> Run {
    let run = Run::of(with_server(server, &mut tenure(arguments)));
    assert!(!format!("{run:?}").contains(OpenBaoServer::ROOT_TOKEN), "{run:?}");
    run
}

#[test]
fn an_entry_is_made_rotated_and_checked() {
    let server = OpenBaoServer::start().unwrap();
    let missing = run_with(&server, &["secret", "check", SOURCE, "--json"]);
    assert_eq!(
        (missing.code, &missing.json()["error"]["kind"]),
        (1, &Value::from("not_found")),
        "{missing:?}"
    );

    let first = run_with(&server, &["secret", "rotate", SOURCE, "--json"]);
    assert_eq!((first.code, first.stderr.as_str()), (0, ""), "{first:?}");
    assert_eq!(first.json()["version"], "1");
    assert_eq!(first.json()["older_versions"], 0);
    let second = run_with(&server, &["secret", "rotate", SOURCE]);
    assert_eq!((second.code, second.stderr.as_str()), (0, ""), "{second:?}");
    assert!(
        second
            .stdout
            .starts_with(&format!("{SOURCE} has a new version: 2, key ")),
        "{second:?}"
    );

    let checked = run_with(&server, &["secret", "check", SOURCE, "--json"]);
    assert_eq!(checked.code, 0, "{checked:?}");
    let report = checked.json();
    let versions: Vec<_> = report["versions"].as_array().unwrap().iter().collect();
    assert_eq!(versions.len(), 2);
    assert_eq!(
        (&versions[0]["name"], &versions[0]["role"]),
        (&Value::from("2"), &Value::from("upcoming"))
    );
    assert_eq!(
        (&versions[1]["name"], &versions[1]["role"]),
        (&Value::from("1"), &Value::from("current"))
    );
    assert_eq!(versions[1]["key"], first.json()["key"]);
    assert!(
        versions.iter().all(|version| version["created_at"].is_string()),
        "{report}"
    );
}

#[test]
fn a_wrong_token_is_refused_and_a_dead_server_is_told_of() {
    let mut server = OpenBaoServer::start().unwrap();
    let mut command = tenure(&["secret", "rotate", SOURCE, "--json"]);
    let denied = Run::of(with_server(&server, &mut command).env("BAO_TOKEN", NEW));
    denied.shows_nothing_of(NEW);
    assert_eq!(
        (denied.code, &denied.json()["error"]["kind"]),
        (3, &Value::from("denied")),
        "{denied:?}"
    );

    server.kill();
    let dead = run_with(&server, &["secret", "check", SOURCE, "--json"]);
    assert_eq!(
        (dead.code, &dead.json()["error"]["kind"]),
        (3, &Value::from("unreachable")),
        "{dead:?}"
    );
    assert!(dead.stderr.contains("because"), "{dead:?}");
}

#[test]
fn plain_text_to_another_machine_is_a_wrong_setting() {
    let mut command = tenure(&["secret", "check", SOURCE, "--json"]);
    let run = Run::of(
        command
            .env("VAULT_ADDR", "http://vault.example:8200")
            .env("VAULT_TOKEN", NEW),
    );
    run.shows_nothing_of(NEW);
    assert_eq!(
        (run.code, &run.json()["error"]["kind"]),
        (2, &Value::from("settings")),
        "{run:?}"
    );
    assert!(run.stderr.contains("use https"), "{run:?}");
}
