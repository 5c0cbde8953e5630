//! `tenure secret check` on files and on the environment.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use crate::run::{NEW, OLD, OLDEST, Run, WEAK, folder, run, secret_file, source_of, tenure};
use serde_json::{Value, json};

/// Times and names differ from run to run; here they are what they mean.
fn with_names_for_times(mut report: Value) -> Value {
    let checked_at = report["checked_at"].take();
    assert!(checked_at.as_str().unwrap().ends_with('Z'), "{checked_at}");
    report["checked_at"] = json!("TIME");
    for version in report["versions"].as_array_mut().unwrap() {
        for time in ["created_at", "signs_from", "verifies_until"] {
            if !version[time].is_null() {
                assert!(version[time].as_str().unwrap().ends_with('Z'), "{version}");
                version[time] = json!("TIME");
            }
        }
    }
    report
}

#[test]
fn a_good_file_is_fit_for_use() {
    let folder = folder();
    let source = source_of(&secret_file(folder.path(), "session", &format!("{NEW}\n")));
    let run = run(&["secret", "check", &source]);
    run.shows_nothing_of(NEW);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    assert!(run.stdout.starts_with(&source), "{run:?}");
    assert!(run.stdout.contains("strong"), "{run:?}");
    assert!(run.stdout.contains("signs"), "{run:?}");
    assert!(run.stdout.ends_with("\nFit for use.\n"), "{run:?}");
}

#[test]
fn programs_get_a_report_of_a_stable_shape() {
    let folder = folder();
    let file = secret_file(folder.path(), "session", &format!("{NEW}\n{OLD}\n"));
    let run = run(&[
        "secret",
        "check",
        &source_of(&file),
        "--json",
        "--longest-lifetime",
        "12h",
    ]);
    run.shows_nothing_of(NEW).shows_nothing_of(OLD);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    let (new, old) = (key_id(NEW), key_id(OLD));
    assert_eq!(
        with_names_for_times(run.json()),
        json!({
            "source": source_of(&file),
            "checked_at": "TIME",
            "usable": true,
            "problems": [],
            "timing": {
                "refresh_every_seconds": 300,
                "propagation_delay_seconds": 600,
                "longest_lifetime_seconds": 43_200,
            },
            "versions": [
                {
                    "name": new, "key": new, "created_at": null, "held_back": false, "weakness": null,
                    "role": "upcoming", "signs_from": "TIME", "verifies_until": null,
                },
                {
                    "name": old, "key": old, "created_at": null, "held_back": false, "weakness": null,
                    "role": "current", "signs_from": null, "verifies_until": null,
                },
            ],
        })
    );
}

fn key_id(secret: &str) -> String {
    tenure_core::Secret::new(secret).key_id().to_string()
}

#[test]
fn every_version_of_a_folder_is_shown_with_what_it_would_do() {
    let folder = folder();
    for (name, secret) in [("2026-03", NEW), ("2026-02", OLD), ("2026-01", OLDEST)] {
        secret_file(folder.path(), name, secret);
    }
    let source = source_of(folder.path());
    let json = run(&["secret", "check", &source, "--json"]);
    assert_eq!(json.code, 0, "{json:?}");
    let versions = json.json()["versions"].take();
    let roles: Vec<_> = versions
        .as_array()
        .unwrap()
        .iter()
        .map(|version| version["role"].as_str().unwrap())
        .collect();
    assert_eq!(roles, ["upcoming", "current", "older"]);

    let text = run(&["secret", "check", &source]);
    for secret in [NEW, OLD, OLDEST] {
        text.shows_nothing_of(secret);
    }
    let lines: Vec<_> = text.stdout.lines().collect();
    assert!(lines[3].contains("verifies, upcoming  signs from"), "{text:?}");
    assert!(lines[4].contains("signs"), "{text:?}");
    assert!(lines[5].contains("verifies, older"), "{text:?}");
}

#[test]
fn a_weak_version_is_named_with_the_reason() {
    let folder = folder();
    let source = source_of(&secret_file(
        folder.path(),
        "session",
        &format!("{NEW}\n{WEAK}\n"),
    ));
    let text = run(&["secret", "check", &source]);
    text.shows_nothing_of(WEAK).shows_nothing_of(NEW);
    assert_eq!(text.code, 1, "{text:?}");
    let weak = key_id(WEAK);
    let problem = format!("version {weak}: it is 12 bytes long, at least 32 are needed");
    assert!(text.stdout.contains("Not fit for use:"), "{text:?}");
    assert!(text.stdout.contains(&problem), "{text:?}");

    let json = run(&["secret", "check", &source, "--json"]);
    json.shows_nothing_of(WEAK).shows_nothing_of(NEW);
    assert_eq!(json.code, 1, "{json:?}");
    let report = json.json();
    assert_eq!(report["usable"], false);
    assert!(
        report["problems"][0].as_str().unwrap().starts_with(&problem),
        "{report}"
    );
    assert_eq!(report["versions"][0]["weakness"], Value::Null);
    assert!(
        report["versions"][1]["weakness"]
            .as_str()
            .unwrap()
            .starts_with("it is 12 bytes long")
    );
}

#[test]
fn a_missing_or_an_empty_file_is_told_of_with_what_to_do() {
    let folder = folder();
    let missing = source_of(&folder.path().join("session"));
    let empty = source_of(&secret_file(folder.path(), "empty", "\n"));
    for source in [missing, empty] {
        let run = run(&["secret", "check", &source, "--json"]);
        assert_eq!(run.code, 1, "{run:?}");
        assert!(
            run.stderr
                .starts_with(&format!("error: {source} has no such secret")),
            "{run:?}"
        );
        assert!(run.stderr.contains("openssl rand -base64 32"), "{run:?}");
        let error = run.json()["error"].take();
        assert_eq!(error["kind"], "not_found");
        assert!(
            error["message"].as_str().unwrap().contains("has no such secret"),
            "{error}"
        );
    }
}

#[test]
fn a_file_that_everybody_may_read_is_refused() {
    let folder = folder();
    let path = secret_file(folder.path(), "session", NEW);
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let run = run(&["secret", "check", &source_of(&path), "--json"]);
    run.shows_nothing_of(NEW);
    assert_eq!(run.code, 3, "{run:?}");
    assert!(
        run.stderr.contains(&format!("chmod 600 {}", path.display())),
        "{run:?}"
    );
    assert_eq!(run.json()["error"]["kind"], "denied");
}

#[test]
fn the_environment_is_checked_with_its_older_secrets() {
    let checked = |current: &str, previous: &str| {
        let mut command = tenure(&["secret", "check", "env:SHOP", "--json"]);
        Run::of(command.env("SHOP", current).env("SHOP_PREVIOUS", previous))
    };
    let good = checked(NEW, &format!("{OLD},{OLDEST}"));
    assert_eq!(good.code, 0, "{good:?}");
    let report = good.json();
    let names: Vec<_> = report["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|version| &version["name"])
        .collect();
    assert_eq!(names, [&key_id(NEW), &key_id(OLD), &key_id(OLDEST)]);
    let weak = checked(WEAK, OLD);
    assert_eq!(weak.code, 1, "{weak:?}");
    for secret in [NEW, OLD, OLDEST] {
        good.shows_nothing_of(secret);
    }
    weak.shows_nothing_of(WEAK).shows_nothing_of(OLD);

    let missing = run(&["secret", "check", "env:SHOP"]);
    assert_eq!(missing.code, 1, "{missing:?}");
    assert!(
        missing
            .stderr
            .contains("the environment variable SHOP is not set"),
        "{missing:?}"
    );
}

#[test]
fn a_delay_in_which_some_instances_may_not_have_read_the_source_is_a_problem() {
    let folder = folder();
    let source = source_of(&secret_file(folder.path(), "session", NEW));
    let check = |delay| run(&["secret", "check", &source, "--propagation-delay", delay]);
    assert_eq!(check("5m30s").code, 0);
    let hasty = check("5m");
    assert_eq!(hasty.code, 1, "{hasty:?}");
    assert!(hasty.stdout.contains("would sign after 5 minutes"), "{hasty:?}");
    assert!(hasty.stdout.contains("once in 5 minutes 30 seconds"), "{hasty:?}");
}

#[test]
fn a_source_that_cannot_be_one_is_a_mistake_of_usage_and_is_not_repeated() {
    for (source, expected) in [
        (NEW, "is no scheme of a place for secrets"),
        ("https://vault.internal", "is no scheme of a place for secrets"),
        ("env:", "write it as env:VARIABLE"),
    ] {
        let run = run(&["secret", "check", source, "--json"]);
        run.shows_nothing_of(NEW);
        assert_eq!(run.code, 2, "{run:?}");
        assert!(run.stderr.contains(expected), "{run:?}");
        assert_eq!(run.json()["error"]["kind"], "no_such_source");
    }
}

#[cfg(not(feature = "aws"))]
#[test]
fn a_source_that_was_not_built_in_says_how_to_get_it() {
    let run = run(&["secret", "check", "aws:shop/session", "--json"]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(
        run.stderr.contains("cargo install tenure-cli --features aws"),
        "{run:?}"
    );
    assert_eq!(run.json()["error"]["kind"], "not_built_in");
}
