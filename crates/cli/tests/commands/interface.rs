//! What every command has: help, completions, manual pages, colours, and how mistakes are told.

use crate::run::{NEW, Run, folder, run, secret_file, tenure};
use std::fs;
use std::process::Command;

#[test]
fn help_says_what_there_is() {
    assert_eq!(run(&["--help"]).stdout, include_str!("help/tenure.txt"));
    for (command, help) in [
        ("list", include_str!("help/sessions-list.txt")),
        ("show", include_str!("help/sessions-show.txt")),
        ("revoke", include_str!("help/sessions-revoke.txt")),
        ("revoke-owner", include_str!("help/sessions-revoke-owner.txt")),
        ("revoke-all", include_str!("help/sessions-revoke-all.txt")),
        ("sweep", include_str!("help/sessions-sweep.txt")),
        ("stats", include_str!("help/sessions-stats.txt")),
    ] {
        assert_eq!(run(&["sessions", command, "--help"]).stdout, help, "{command}");
    }
    assert_eq!(
        run(&["secret", "check", "--help"]).stdout,
        include_str!("help/secret-check.txt")
    );
    assert_eq!(
        run(&["secret", "rotate", "--help"]).stdout,
        include_str!("help/secret-rotate.txt")
    );
    assert_eq!(
        run(&["secret", "generate", "--help"]).stdout,
        include_str!("help/secret-generate.txt")
    );
}

#[test]
fn without_a_command_there_is_help_and_a_code_of_misuse() {
    for arguments in [&[][..], &["secret"], &["sessions"], &["completions"]] {
        let run = run(arguments);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
        assert!(run.stderr.contains("Usage: tenure"), "{run:?}");
    }
}

#[test]
fn a_secret_given_as_an_argument_is_refused_and_not_repeated() {
    for arguments in [
        &[NEW][..],
        &["secret", NEW],
        &["secret", "check", NEW],
        &["secret", "check", "env:SHOP", NEW],
        &["secret", "rotate", "env:SHOP", &format!("--secret={NEW}")],
        &["secret", "check", "env:SHOP", "--refresh-every", NEW],
        &["completions", NEW],
    ] {
        let run = run(arguments);
        run.shows_nothing_of(NEW);
        assert_eq!(run.code, 2, "{run:?}");
        assert!(run.stderr.starts_with("error: "), "{run:?}");
    }
}

#[test]
fn a_mistyped_word_is_repeated_with_what_may_have_been_meant() {
    let run = run(&["secret", "rotat"]);
    assert_eq!(run.code, 2);
    assert!(
        run.stderr.contains("'rotat'") && run.stderr.contains("'rotate'"),
        "{run:?}"
    );
}

#[test]
fn completions_are_scripts_that_their_shells_read() {
    let folder = folder();
    for shell in ["bash", "zsh", "fish"] {
        let run = run(&["completions", shell]);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
        for word in [
            "rotate",
            "generate",
            "check",
            "refresh-every",
            "sessions",
            "revoke-owner",
        ] {
            assert!(run.stdout.contains(word), "{shell}: no {word}");
        }
        let script = folder.path().join(shell);
        fs::write(&script, &run.stdout).unwrap();
        // Only bash is on every machine; the others read theirs where they are there.
        if shell == "bash" || is_there(shell) {
            let read = Command::new(shell).arg("-n").arg(&script).output().unwrap();
            assert!(read.status.success(), "{shell}: {read:?}");
        }
    }
}

fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

#[test]
fn bash_completes_the_commands() {
    let folder = folder();
    let script = folder.path().join("tenure.bash");
    fs::write(&script, run(&["completions", "bash"]).stdout).unwrap();
    let asked = format!(
        "source {}; COMP_WORDS=(tenure secret r); COMP_CWORD=2; _tenure tenure r secret; echo \"${{COMPREPLY[*]}}\"",
        script.display()
    );
    let answer = Command::new("bash").args(["-c", &asked]).output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&answer.stdout).trim(),
        "rotate",
        "{answer:?}"
    );
}

#[test]
fn manual_pages_are_written_for_every_command() {
    let page = run(&["man"]);
    assert_eq!((page.code, page.stderr.as_str()), (0, ""), "{page:?}");
    for part in [
        ".TH tenure 1",
        ".SH NAME",
        ".SH SYNOPSIS",
        "EXIT CODES",
        "tenure\\-secret(1)",
    ] {
        assert!(
            page.stdout.to_uppercase().contains(&part.to_uppercase()),
            "no {part}: {page:?}"
        );
    }

    let folder = folder();
    let dir = folder.path().join("share/man1");
    let written = run(&["man", "--dir", dir.to_str().unwrap()]);
    assert_eq!((written.code, written.stdout.as_str()), (0, ""), "{written:?}");
    let mut names: Vec<_> = fs::read_dir(&dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "tenure-completions.1",
            "tenure-man.1",
            "tenure-secret-check.1",
            "tenure-secret-generate.1",
            "tenure-secret-rotate.1",
            "tenure-secret.1",
            "tenure-sessions-list.1",
            "tenure-sessions-revoke-all.1",
            "tenure-sessions-revoke-owner.1",
            "tenure-sessions-revoke.1",
            "tenure-sessions-show.1",
            "tenure-sessions-stats.1",
            "tenure-sessions-sweep.1",
            "tenure-sessions.1",
            "tenure.1",
        ]
    );
    let rotate = fs::read_to_string(dir.join("tenure-secret-rotate.1")).unwrap();
    assert!(rotate.contains("\\-\\-propagation\\-delay"), "{rotate}");

    let in_the_way = secret_file(folder.path(), "file", "");
    let refused = run(&["man", "--dir", in_the_way.to_str().unwrap()]);
    assert_eq!(refused.code, 5, "{refused:?}");
    assert!(refused.stderr.contains("could not be written to"), "{refused:?}");
}

#[test]
fn colours_are_for_terminals_and_for_those_who_want_them() {
    let checked = |in_terminal: bool, no_color: Option<&str>| {
        let binary = env!("CARGO_BIN_EXE_tenure");
        let check = format!("{binary} secret check env:SHOP");
        let mut command = if in_terminal {
            let mut terminal = Command::new("script");
            terminal.args(["--quiet", "--return", "--command", &check, "/dev/null"]);
            terminal
        } else {
            tenure(&["secret", "check", "env:SHOP"])
        };
        command
            .env("SHOP", NEW)
            .env("TERM", "xterm")
            .env_remove("NO_COLOR");
        if let Some(value) = no_color {
            command.env("NO_COLOR", value);
        }
        let output = command
            .output()
            .expect("`script` of the package bsdutils plays a terminal; install it");
        let run = Run::from(output);
        assert!(run.code == 0 && run.stdout.contains("Fit for use."), "{run:?}");
        run.stdout.contains('\u{1b}')
    };
    assert!(checked(true, None));
    assert!(!checked(true, Some("1")));
    assert!(!checked(false, None));
}
