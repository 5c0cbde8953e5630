//! Starts the app from the command line. `demo --help` says how.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use demo::cli::Cli;
use demo::metrics::{self, MetricsError};
use demo::secret_file::{self, SecretFileError};
use demo::users::{AccountError, Users};
use demo::{App, app};
use tenure::secrets::{FollowError, FollowOptions, FollowingKeyring, forbid_core_dumps};
use tenure::sqlite::{OpenError, SqliteStore};
use tenure::store::{ConnectError, connect};
use tenure::{Environment, Keyring, LiveKeyring, Policy, Problem, Sessions, SetupError, Store};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

const SECRET_VARIABLE: &str = "SESSION_SECRET";
const SECRET_SOURCE: &str = "env:SESSION_SECRET";

/// How often the live sessions are counted for the metrics.
const COUNT_INTERVAL: Duration = Duration::from_secs(30);

/// How long requests that run may go on after the signal to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Why the app does not start: each one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(
        "{SECRET_VARIABLE} is not set, and production needs it: set it to the output of `openssl rand -base64 32`, or set {}=development on a developer's machine",
        Environment::VARIABLE
    )]
    NoSecret,
    #[error("{0}")]
    Source(#[from] tenure::secrets::ConnectError),
    #[error("{0}")]
    Secret(#[from] FollowError),
    #[error("core dumps, which would hold the secret, can't be forbidden: {0}")]
    CoreDumps(io::Error),
    #[error("metrics can't be served: {0}")]
    Metrics(#[from] MetricsError),
    #[error(transparent)]
    SecretFile(#[from] SecretFileError),
    #[error(
        "--insecure-cookie is for development only: leave it out, or set {}=development on a developer's machine",
        Environment::VARIABLE
    )]
    InsecureCookie,
    #[error("the session set-up was refused: {}", sentence(.0))]
    Setup(SetupError),
    #[error(transparent)]
    Sessions(#[from] OpenError),
    #[error("{0}: {cause}", cause = causes(.0))]
    Store(#[from] ConnectError),
    #[error("the accounts in {} can't be opened: {source}", database.display())]
    Users { database: PathBuf, source: AccountError },
    #[error("can't listen on {address}: {source}; choose another address with --listen")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("the server failed: {0}")]
    Serve(io::Error),
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    match run(&Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("demo: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: &Cli) -> Result<(), StartError> {
    forbid_core_dumps().map_err(StartError::CoreDumps)?;
    if let Some(address) = cli.metrics {
        metrics::serve(address).await?;
    }
    let policy = policy(cli);
    let keyring = keyring(cli, &policy).await?;
    let database = &cli.database;
    // The store first, for it makes the file readable by this user alone.
    let file = SqliteStore::open(database).await?;
    let users = Users::open(database).await.map_err(|source| StartError::Users {
        database: database.clone(),
        source,
    })?;
    let store: Arc<dyn Store> = match &cli.store {
        Some(url) => connect(url).await?,
        None => Arc::new(file.clone()),
    };
    let sessions = Sessions::new(policy, keyring, store).map_err(setup_error)?;
    let app = app(App::new(sessions, users.clone()).clear_site_data(cli.clear_site_data));
    serve(cli.listen, app).await?;
    users.close().await;
    file.close().await;
    Ok(())
}

/// The keyring that follows the place of the secret; on a developer's machine without one, a secret in a file.
async fn keyring(cli: &Cli, policy: &Policy) -> Result<LiveKeyring, StartError> {
    let is_set = cli.secret != SECRET_SOURCE || std::env::var_os(SECRET_VARIABLE).is_some();
    if is_set {
        let source = tenure::secrets::connect(&cli.secret).await?;
        let options =
            FollowOptions::for_policy(policy).refresh_every(Duration::from_secs(cli.secret_refresh));
        let keyring = FollowingKeyring::start(source, options).await?;
        return Ok(keyring.live().clone());
    }
    if Environment::from_env() != Environment::Development {
        return Err(StartError::NoSecret);
    }
    let file = cli.secret_file();
    let kept = secret_file::read_or_make(&file)?;
    let origin = if kept.is_new {
        "a new secret, kept"
    } else {
        "the secret"
    };
    say(&format!(
        "demo: development: {SECRET_VARIABLE} is not set, so this uses {origin} in {}",
        file.display()
    ));
    Ok(Keyring::new(kept.secret).into())
}

fn policy(cli: &Cli) -> Policy {
    let policy = match cli.metrics {
        Some(_) => Policy::default().count_interval(Some(COUNT_INTERVAL)),
        None => Policy::default(),
    };
    if cli.insecure_cookie {
        // `__Host-` is for Secure cookies only, so the name goes with it.
        policy.cookie_name("session").cookie_secure(false)
    } else {
        policy
    }
}

async fn serve(address: SocketAddr, app: axum::Router) -> Result<(), StartError> {
    let failed = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    announce(listener.local_addr().map_err(failed)?);

    let (stopping, stopped) = oneshot::channel();
    // Guesses at cookies are counted by address.
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, app).with_graceful_shutdown(async {
        asked_to_stop().await;
        let _ = stopping.send(());
    });
    tokio::select! {
        served = server => served.map_err(StartError::Serve),
        () = async {
            let _ = stopped.await;
            // A client that never finishes its request must not keep the process for ever.
            tokio::time::sleep(GRACE).await;
        } => Ok(()),
    }
}

#[cfg(unix)]
async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};

    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return interrupted().await;
    };
    tokio::select! {
        () = interrupted() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn asked_to_stop() {
    interrupted().await;
}

async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Nobody can interrupt then; stopping at once would be worse.
        std::future::pending::<()>().await;
    }
}

fn setup_error(error: SetupError) -> StartError {
    if error.problems().contains(&Problem::InsecureCookieInProduction) {
        return StartError::InsecureCookie;
    }
    StartError::Setup(error)
}

fn causes(error: &ConnectError) -> String {
    let causes = std::iter::successors(error.source(), |cause: &&dyn Error| (*cause).source());
    let causes: Vec<_> = causes.map(ToString::to_string).collect();
    causes.join(": ")
}

fn sentence(error: &SetupError) -> String {
    let problems: Vec<_> = error.problems().iter().map(ToString::to_string).collect();
    problems.join("; ")
}

#[expect(
    clippy::print_stdout,
    reason = "the address is what the program is started for"
)]
fn announce(address: SocketAddr) {
    println!("http://{address}");
}

#[expect(clippy::print_stderr, reason = "what a person at the terminal has to know")]
fn say(line: &str) {
    eprintln!("{line}");
}
