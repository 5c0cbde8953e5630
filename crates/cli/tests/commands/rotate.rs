//! `tenure secret rotate` on files, and on the environment, which can't be written.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use crate::run::{NEW, OLD, Run, WEAK, folder, run, secret_file, source_of, tenure};
use serde_json::Value;
use tenure_core::{KeyRole, ManualClock, Policy, Secret, Timestamp};
use tenure_secrets::{FileSource, FollowOptions, FollowingKeyring};

#[test]
fn a_new_secret_stands_before_the_old_ones_and_the_permissions_stay() {
    let folder = folder();
    let path = secret_file(folder.path(), "session", &format!("{NEW}\n{OLD}\n"));
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    let run = run(&["secret", "rotate", &source_of(&path)]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");

    let content = fs::read_to_string(&path).unwrap();
    let (written, older) = content.split_once('\n').unwrap();
    assert_eq!(older, format!("{NEW}\n{OLD}\n"));
    assert_eq!(Secret::new(written).weakness(), None);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o640);
    for secret in [written, NEW, OLD] {
        run.shows_nothing_of(secret);
    }
    let key = Secret::new(written).key_id();
    assert!(
        run.stdout
            .contains(&format!("has a new version: {key}, key {key}.")),
        "{run:?}"
    );
    let words: Vec<_> = run.stdout.split_whitespace().collect();
    let said = words.join(" ");
    for step in [
        "(in 6 minutes) every instance takes cookies under it",
        "(in 10 minutes) instances begin to sign with it",
        "(in 16 minutes) every instance signs with it",
        "(in 30 days) no session is alive under an older version",
    ] {
        assert!(said.contains(step), "{step}: {said}");
    }
}

#[test]
fn a_first_secret_is_made_for_its_owner_alone() {
    let folder = folder();
    let path = folder.path().join("session");
    let run = run(&["secret", "rotate", &source_of(&path), "--json"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    let content = fs::read_to_string(&path).unwrap();
    let secret = content.strip_suffix('\n').unwrap();
    run.shows_nothing_of(secret);
    assert_eq!(secret.len(), 43);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    let report = run.json();
    assert_eq!(report["key"], Secret::new(secret).key_id().to_string());
    assert_eq!(report["older_versions"], 0);
    assert_eq!(report["older_may_go_at"], Value::Null);
}

#[test]
fn an_empty_folder_gets_its_first_secret_and_then_a_second_beside_it() {
    let folder = folder();
    let source = source_of(folder.path());
    let first = run(&["secret", "rotate", &source, "--json"]);
    assert_eq!(
        (first.code, &first.json()["older_versions"]),
        (0, &Value::from(0)),
        "{first:?}"
    );
    let second = run(&["secret", "rotate", &source, "--json"]);
    assert_eq!(
        (second.code, &second.json()["older_versions"]),
        (0, &Value::from(1)),
        "{second:?}"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    let checked = run(&["secret", "check", &source, "--json"]).json();
    assert_eq!(checked["versions"][0]["key"], second.json()["key"]);
    assert_eq!(checked["versions"][1]["key"], first.json()["key"]);
}

#[test]
fn programs_get_the_moments_of_the_rotation() {
    let folder = folder();
    let path = secret_file(folder.path(), "session", NEW);
    let timing = [
        "--refresh-every",
        "1m",
        "--propagation-delay",
        "10m",
        "--longest-lifetime",
        "12h",
    ];
    let rotate = ["secret", "rotate", &source_of(&path), "--json"];
    let run = run(&[&rotate[..], &timing].concat());
    assert_eq!(run.code, 0, "{run:?}");
    let report = run.json();
    let fields: Vec<_> = report.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = [
        "source",
        "version",
        "key",
        "older_versions",
        "written_at",
        "verifies_everywhere_by",
        "signs_from",
        "signs_everywhere_by",
        "older_may_go_at",
    ];
    expected.sort_unstable();
    assert_eq!(fields, expected);
    assert_eq!(report["source"], source_of(&path));
    let seconds_after = |field: &str| {
        let moment = |field: &str| {
            report[field]
                .as_str()
                .unwrap()
                .parse::<jiff::Timestamp>()
                .unwrap()
        };
        moment(field).duration_since(moment("written_at")).as_secs()
    };
    assert_eq!(seconds_after("verifies_everywhere_by"), 66);
    assert_eq!(seconds_after("signs_from"), 600);
    assert_eq!(seconds_after("signs_everywhere_by"), 666);
    assert_eq!(seconds_after("older_may_go_at"), 666 + 12 * 3600);
}

#[tokio::test]
async fn a_running_application_takes_the_new_version_in_and_signs_with_it_after_the_delay() {
    let folder = folder();
    let path = secret_file(folder.path(), "session", NEW);
    let clock = ManualClock::at(Timestamp::from(std::time::SystemTime::now()));
    let options = FollowOptions::for_policy(&Policy::default()).clock(clock.clone());
    let keyring = FollowingKeyring::start(FileSource::new(&path), options)
        .await
        .unwrap();

    let run = run(&["secret", "rotate", &source_of(&path), "--json"]);
    assert_eq!(run.code, 0, "{run:?}");
    keyring.refresh().await.unwrap();
    let roles = || {
        let versions = keyring.status().versions.into_iter();
        versions
            .map(|version| (version.name, version.role.unwrap()))
            .collect::<Vec<_>>()
    };
    let new = run.json()["version"].as_str().unwrap().to_owned();
    let old = Secret::new(NEW).key_id().to_string();
    assert_eq!(
        roles(),
        [(new.clone(), KeyRole::Upcoming), (old.clone(), KeyRole::Current)]
    );

    clock.advance(Duration::from_mins(10));
    keyring.refresh().await.unwrap();
    assert_eq!(roles(), [(new, KeyRole::Current), (old, KeyRole::Older)]);
}

#[test]
fn what_cannot_be_used_is_left_as_it_is() {
    let folder = folder();
    let weak = secret_file(folder.path(), "weak", &format!("{NEW}\n{WEAK}\n"));
    let run_weak = run(&["secret", "rotate", &source_of(&weak), "--json"]);
    run_weak.shows_nothing_of(NEW).shows_nothing_of(WEAK);
    assert_eq!(run_weak.code, 1, "{run_weak:?}");
    assert!(run_weak.stderr.contains("nothing was written"), "{run_weak:?}");
    assert!(run_weak.stderr.contains("it is 12 bytes long"), "{run_weak:?}");
    assert_eq!(run_weak.json()["error"]["kind"], "unusable");
    assert_eq!(fs::read_to_string(&weak).unwrap(), format!("{NEW}\n{WEAK}\n"));

    let open = secret_file(folder.path(), "open", NEW);
    fs::set_permissions(&open, Permissions::from_mode(0o604)).unwrap();
    let run_open = run(&["secret", "rotate", &source_of(&open)]);
    assert_eq!(run_open.code, 3, "{run_open:?}");
    assert_eq!(fs::read_to_string(&open).unwrap(), NEW);
}

#[test]
fn a_timing_that_would_sign_users_out_is_refused_before_anything_is_written() {
    let folder = folder();
    let path = secret_file(folder.path(), "session", NEW);
    let run = run(&[
        "secret",
        "rotate",
        &source_of(&path),
        "--propagation-delay",
        "1m",
        "--json",
    ]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(
        run.stderr
            .contains("nothing was written: a new version would sign after 1 minute"),
        "{run:?}"
    );
    assert_eq!(run.json()["error"]["kind"], "timing");
    assert_eq!(fs::read_to_string(&path).unwrap(), NEW);
}

#[test]
fn places_that_cannot_be_written_say_so() {
    let environment = Run::of(tenure(&["secret", "rotate", "env:SHOP", "--json"]).env("SHOP", NEW));
    environment.shows_nothing_of(NEW);
    assert_eq!(environment.code, 4, "{environment:?}");
    assert!(
        environment.stderr.contains("env:SHOP can't be written from here"),
        "{environment:?}"
    );
    assert_eq!(environment.json()["error"]["kind"], "not_writable");

    let folder = folder();
    secret_file(folder.path(), "current", NEW);
    let by_role = run(&["secret", "rotate", &source_of(folder.path()), "--json"]);
    by_role.shows_nothing_of(NEW);
    assert_eq!(by_role.code, 4, "{by_role:?}");
    assert_eq!(by_role.json()["error"]["kind"], "refused");

    let nowhere = run(&["secret", "rotate", "file:/nonexistent/session"]);
    assert_eq!(nowhere.code, 1, "{nowhere:?}");
    assert!(nowhere.stderr.contains("/nonexistent/session"), "{nowhere:?}");
}

#[test]
fn a_closed_pipe_does_not_keep_the_secret_from_being_written() {
    let folder = folder();
    let path = folder.path().join("session");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let run = Run::of(tenure(&["secret", "rotate", &source_of(&path)]).stdout(writer));
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert_eq!(fs::read_to_string(&path).unwrap().len(), 44);
}
