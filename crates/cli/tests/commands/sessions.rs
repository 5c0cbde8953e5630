//! Sessions that the engine made, seen and ended by the command, on each kind of database.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use http::header::{COOKIE, SET_COOKIE, USER_AGENT};
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use tempfile::TempDir;
use tenure_core::{
    Clock, Environment, Keyring, ManualClock, Policy, Secret, SessionId, Sessions, SystemClock,
};
use tenure_testkit::servers::PostgresServer;
use tenure_testkit::servers::redis::RedisServer;

use crate::run::{NEW, Run, folder, run, tenure};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const NOBODY: &str = "00112233445566778899aabbccddeeff";
const STORE: &str = "TENURE_STORE";

/// An application, and how to reach its store.
struct Application {
    url: String,
    sessions: Sessions,
}

/// A session, and what its browser sends.
struct Visitor {
    id: SessionId,
    cookie: HeaderValue,
}

impl Application {
    /// Its clock runs so much behind.
    async fn at(url: &str, behind: Duration) -> Self {
        let policy = Policy::default()
            .environment(Environment::Development)
            .sweep_interval(None);
        let store = tenure::store::connect(url).await.unwrap();
        let sessions = Sessions::builder(policy, Keyring::new(Secret::new(NEW)), store)
            .clock(ManualClock::at(SystemClock.now().minus(behind)))
            .build()
            .unwrap();
        Self {
            url: url.to_owned(),
            sessions,
        }
    }

    async fn on(url: &str) -> Self {
        Self::at(url, Duration::ZERO).await
    }

    async fn visitor(&self, owner: Option<&str>) -> Visitor {
        let mut request = HeaderMap::new();
        request.insert(USER_AGENT, HeaderValue::from_static(FIREFOX));
        let opened = self.sessions.open(&request);
        let session = opened.load().await.unwrap();
        match owner {
            Some(owner) => session.sign_in(owner).unwrap(),
            None => session.insert(tenure_core::Key::new("cart"), &1).unwrap(),
        }
        let mut response = HeaderMap::new();
        self.sessions.commit(&opened).await.unwrap().apply(&mut response);
        let set_cookie = response[SET_COOKIE].to_str().unwrap();
        Visitor {
            id: session.id().unwrap(),
            cookie: set_cookie.split(';').next().unwrap().parse().unwrap(),
        }
    }

    async fn knows(&self, visitor: &Visitor) -> bool {
        let mut request = HeaderMap::new();
        request.insert(COOKIE, visitor.cookie.clone());
        let opened = self.sessions.open(&request);
        opened.load().await.unwrap().id() == Some(visitor.id)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = tenure(&[&["sessions"][..], arguments].concat());
        command.env(STORE, &self.url);
        command
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let run = Run::of(&mut self.command(arguments));
        run.shows_nothing_of(NEW);
        run
    }

    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Value {
        let run = self.run(&[arguments, &["--json"]].concat());
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
        run.json()
    }

    #[track_caller]
    fn listed(&self, arguments: &[&str]) -> Vec<Value> {
        let run = self.run(&[&["list", "--json"][..], arguments].concat());
        assert_eq!(run.code, 0, "{run:?}");
        run.stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

fn sqlite(folder: &TempDir) -> String {
    format!("sqlite:{}", folder.path().join("sessions.db").display())
}

fn ids(sessions: &[Value]) -> Vec<String> {
    let mut ids: Vec<_> = sessions
        .iter()
        .map(|session| session["id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort_unstable();
    ids
}

/// All that an operator does, on one database.
async fn an_operators_day(url: &str) {
    let application = Application::on(url).await;
    let laptop = application.visitor(Some("ada")).await;
    let phone = application.visitor(Some("ada")).await;
    let bob = application.visitor(Some("bob")).await;
    let stranger = application.visitor(None).await;

    let mut everybody = [&laptop, &phone, &bob, &stranger].map(|visitor| visitor.id.to_string());
    everybody.sort_unstable();
    let listed = application.listed(&[]);
    assert_eq!(ids(&listed), everybody);
    let of_ada = application.listed(&["--owner", "ada"]);
    assert_eq!(of_ada.len(), 2);
    assert!(of_ada.iter().all(|session| session["owner"] == "ada"));
    assert_eq!(application.listed(&["--limit", "3"]).len(), 3);

    let shown = application.json(&["show", &phone.id.to_string()]);
    let of_phone = listed
        .iter()
        .find(|session| session["id"] == phone.id.to_string());
    assert_eq!(Some(&shown), of_phone);
    assert_eq!(
        application.json(&["stats"]),
        json!({
            "live": 4, "signed_in": 3, "anonymous": 1, "owners": 2, "most_of_one_owner": 2,
            "standard": 4, "remembered": 0, "expired": 0,
        })
    );

    let id = stranger.id.to_string();
    let revoked = application.run(&["revoke", &id, NOBODY, "--yes", "--json"]);
    assert_eq!(revoked.code, 1, "{revoked:?}");
    assert_eq!(revoked.json(), json!({"revoked": [id], "not_found": [NOBODY]}));
    assert!(!application.knows(&stranger).await);

    let spared = laptop.id.to_string();
    let revoked = application.json(&["revoke-owner", "ada", "--except", &spared, "--yes"]);
    assert_eq!(revoked, json!({"owner": "ada", "revoked": 1}));
    assert!(application.knows(&laptop).await && !application.knows(&phone).await);

    assert_eq!(application.json(&["revoke-all", "--yes"]), json!({"revoked": 2}));
    assert!(!application.knows(&laptop).await && !application.knows(&bob).await);
    assert_eq!(application.listed(&["--all"]), [Value::Null; 0]);
    assert_eq!(application.json(&["sweep"]), json!({"removed": 0}));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sees_and_ends_sessions_in_sqlite() {
    let folder = folder();
    an_operators_day(&sqlite(&folder)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sees_and_ends_sessions_in_redis() {
    let server = RedisServer::standalone().unwrap_or_else(|missing| panic!("{missing}"));
    an_operators_day(&server.url()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sees_and_ends_sessions_in_postgresql() {
    let server = PostgresServer::shared().unwrap_or_else(|missing| panic!("{missing}"));
    an_operators_day(&server.url(&server.create_database())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_get_every_field_and_nothing_that_opens_or_is_in_a_session() {
    let folder = folder();
    let application = Application::on(&sqlite(&folder)).await;
    let visitor = application.visitor(Some("ada")).await;
    let shown = application.json(&["show", &visitor.id.to_string()]);
    let mut names: Vec<_> = shown.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "absolute_expires_at",
            "address",
            "created_at",
            "id",
            "idle_expires_at",
            "last_seen_at",
            "lifetime",
            "owner",
            "signed_in_at",
            "state",
            "user_agent",
        ]
    );
    assert_eq!(shown["state"], "live");
    assert_eq!(shown["lifetime"], "standard");
    assert_eq!(shown["user_agent"], FIREFOX);
    let (_, token) = visitor.cookie.to_str().unwrap().split_once('=').unwrap();
    for arguments in [
        &["list"][..],
        &["list", "--json"],
        &["show", &visitor.id.to_string()],
    ] {
        application.run(arguments).shows_nothing_of(&token[30..]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_get_tables() {
    let folder = folder();
    let application = Application::at(&sqlite(&folder), Duration::from_mins(10)).await;
    let id = application.visitor(Some("ada")).await.id.to_string();
    let list = application.run(&["list"]);
    let lines: Vec<_> = list.stdout.lines().collect();
    assert!(lines[0].starts_with("ID "), "{list:?}");
    assert!(
        lines[1].starts_with(&format!("{id}  ada    10 minutes ago  in 20 minutes  ")),
        "{list:?}"
    );
    assert!(lines[1].ends_with(FIREFOX), "{list:?}");
    let show = application.run(&["show", &id]);
    for line in [
        "state         live",
        "owner         ada",
        "lifetime      standard",
    ] {
        assert!(show.stdout.contains(line), "no {line}: {show:?}");
    }
    let stats = application.run(&["stats"]);
    assert!(stats.stdout.starts_with("live                1\n"), "{stats:?}");
    application.visitor(None).await;
    let one = application.run(&["list", "--limit", "1"]);
    assert_eq!(one.stdout.lines().count(), 2, "{one:?}");
    assert_eq!(one.stderr, "There are more; see --limit and --all.\n");
    let ended = application.run(&["revoke-owner", "ada", "--yes"]);
    assert_eq!(ended.stdout, "1 session ended.\n");
    application.run(&["revoke-all", "--yes"]);
    assert_eq!(application.run(&["list"]).stdout, "No session is alive.\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_sessions_are_counted_shown_and_swept_and_not_listed() {
    let folder = folder();
    let application = Application::at(&sqlite(&folder), Duration::from_hours(1)).await;
    let id = application.visitor(Some("ada")).await.id.to_string();
    assert_eq!(application.listed(&["--all"]), [Value::Null; 0]);
    assert_eq!(application.json(&["show", &id])["state"], "expired");
    let stats = application.json(&["stats"]);
    assert_eq!((&stats["live"], &stats["expired"]), (&json!(0), &json!(1)));
    assert_eq!(application.json(&["sweep"]), json!({"removed": 1}));
    let gone = application.run(&["show", &id]);
    assert_eq!(gone.code, 1, "{gone:?}");
    assert!(
        gone.stderr.contains(&format!("there is no session {id}")),
        "{gone:?}"
    );
    let gone = application.run(&["show", &id, "--json"]);
    assert_eq!(gone.json()["error"]["kind"], "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_is_walked_to_its_end() {
    let folder = folder();
    let application = Application::on(&sqlite(&folder)).await;
    for number in 0..1_100 {
        application.visitor(Some(&format!("user-{number}"))).await;
    }
    assert_eq!(ids(&application.listed(&["--all"])).len(), 1_100);
    assert_eq!(application.listed(&[]).len(), 50);
    assert_eq!(application.json(&["stats"])["owners"], 1_100);
    assert_eq!(
        application.json(&["revoke-all", "--yes"]),
        json!({"revoked": 1_100})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_ended_without_leave_where_there_is_nobody_to_ask() {
    let folder = folder();
    let application = Application::on(&sqlite(&folder)).await;
    let visitor = application.visitor(Some("ada")).await;
    let id = visitor.id.to_string();
    for arguments in [&["revoke", &id][..], &["revoke-owner", "ada"], &["revoke-all"]] {
        let run = Run::of(application.command(arguments).stdin(Stdio::null()));
        assert_eq!(run.code, 2, "{run:?}");
        assert!(run.stderr.contains("give --yes"), "{run:?}");
        assert_eq!(run.stdout, "");
    }
    assert!(application.knows(&visitor).await);
}

/// What the command says at a terminal where somebody types `answer`.
fn at_a_terminal(
    application: &Application,
    arguments: &str,
    answer: &str,
    folder: &Path,
) -> (Option<i32>, String) {
    let typed = folder.join("typed");
    std::fs::write(&typed, format!("{answer}\n")).unwrap();
    let binary = env!("CARGO_BIN_EXE_tenure");
    let output = Command::new("script")
        .args(["--quiet", "--return", "--command"])
        .arg(format!("{binary} sessions {arguments}"))
        .arg("/dev/null")
        .env(STORE, &application.url)
        .env("TERM", "xterm")
        .env("NO_COLOR", "1")
        .stdin(std::fs::File::open(typed).unwrap())
        .output()
        .expect("`script` of the package bsdutils plays a terminal; install it");
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn at_a_terminal_it_asks_and_takes_anything_but_yes_for_no() {
    let folder = folder();
    let application = Application::on(&sqlite(&folder)).await;
    let visitor = application.visitor(Some("ada")).await;
    let ask = |arguments: &str, answer: &str| at_a_terminal(&application, arguments, answer, folder.path());
    for (arguments, answer) in [
        ("revoke-owner ada", "n"),
        ("revoke-owner ada", ""),
        ("revoke-all", "y"),
        ("revoke-all", "yes"),
    ] {
        let (code, said) = ask(arguments, answer);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("nothing was ended: the answer was no"), "{said}");
    }
    assert!(application.knows(&visitor).await);
    let (code, said) = ask("revoke-owner ada", "y");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("End all sessions of \"ada\"?"), "{said}");
    assert!(said.contains("1 session ended."), "{said}");
    let visitor = application.visitor(Some("ada")).await;
    let (code, said) = ask("revoke-all", "end all sessions");
    assert_eq!(code, Some(0), "{said}");
    assert!(!application.knows(&visitor).await);
}

#[test]
fn a_store_that_is_not_there_is_told_apart_from_one_that_does_not_answer() {
    let folder = folder();
    let url = sqlite(&folder);
    let missing = run(&["sessions", "list", "--store", &url]);
    assert_eq!(missing.code, 2, "{missing:?}");
    assert!(
        missing.stderr.contains("there is no database file"),
        "{missing:?}"
    );
    assert!(
        !folder.path().join("sessions.db").exists(),
        "looking makes no file"
    );

    let memory = run(&["sessions", "list", "--store", "memory:", "--json"]);
    assert_eq!(memory.code, 2);
    assert_eq!(memory.json()["error"]["kind"], "no_such_store");
    let unknown = run(&["sessions", "list", "--store", "oracle://127.0.0.1"]);
    assert_eq!(unknown.code, 2);
    assert!(
        unknown
            .stderr
            .contains("\"oracle\" is no scheme of a session store"),
        "{unknown:?}"
    );

    // Nobody listens at port 1.
    let secret = "mQ7Yb0yP2kV9rT4nXwE6uLsJ1dHfCaGz";
    let url = format!("redis://user:{secret}@127.0.0.1:1");
    let silent = run(&["sessions", "list", "--store", &url, "--json"]);
    assert_eq!(silent.code, 3, "{silent:?}");
    assert_eq!(silent.json()["error"]["kind"], "unreachable");
    silent.shows_nothing_of(secret);
}

#[test]
fn the_store_is_given_by_argument_or_by_the_environment_and_help_shows_neither() {
    let none = run(&["sessions", "list"]);
    assert_eq!(none.code, 2);
    assert!(none.stderr.contains("--store <URL>"), "{none:?}");
    let mut help = tenure(&["sessions", "list", "--help"]);
    let help = Run::of(help.env(STORE, "redis://user:tZ8rQ3vN6yB1@127.0.0.1"));
    assert!(help.stdout.contains("[env: TENURE_STORE]"), "{help:?}");
    help.shows_nothing_of("tZ8rQ3vN6yB1");
}

#[test]
fn what_is_no_id_and_no_owner_is_refused() {
    let url = "sqlite:/nonexistent";
    for arguments in [
        &["show", "0011"][..],
        &["revoke", "0011"],
        &["revoke"],
        &["revoke-owner", ""],
        &["revoke-owner", "ada", "--except", "0011"],
        &["list", "--limit", "0"],
        &["list", "--limit", "5", "--all"],
    ] {
        let run = run(&[&["sessions"][..], arguments, &["--store", url]].concat());
        assert_eq!(run.code, 2, "{run:?}");
        assert!(!run.stderr.contains("no database file"), "{run:?}");
    }
}
