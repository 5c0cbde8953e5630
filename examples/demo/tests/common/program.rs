//! The real program, as a process.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The program, started; killed when dropped.
pub(crate) struct Demo {
    process: Child,
    pub(crate) url: String,
    metrics: Option<SocketAddr>,
}

/// How the program is started.
pub(crate) struct Setting<'s> {
    pub(crate) database: &'s Path,
    pub(crate) store: Option<&'s str>,
    pub(crate) arguments: &'s [&'s str],
    pub(crate) variables: &'s [(&'s str, &'s str)],
    pub(crate) serves_metrics: bool,
}

impl Demo {
    pub(crate) fn start(database: &Path, store: Option<&str>) -> Self {
        Self::start_with(&Setting {
            database,
            store,
            arguments: &[],
            variables: &[("SESSION_SECRET", "T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r")],
            serves_metrics: false,
        })
    }

    pub(crate) fn start_with(setting: &Setting<'_>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_demo"));
        if let Some(url) = setting.store {
            command.args(["--store", url]);
        }
        let metrics = setting.serves_metrics.then(free_address);
        if let Some(address) = metrics {
            command.args(["--metrics", &address.to_string()]);
        }
        let mut process = command
            .args(["--listen", "127.0.0.1:0", "--database"])
            .arg(setting.database)
            .args(setting.arguments)
            .env_remove("SESSION_SECRET")
            .env_remove("TENURE_ENV")
            .envs(setting.variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut url = String::new();
        let stdout = process.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut url).unwrap();
        assert!(url.starts_with("http://127.0.0.1:"), "{url:?}");
        Self {
            process,
            url: url.trim().to_owned(),
            metrics,
        }
    }

    /// What it tells Prometheus.
    pub(crate) async fn metrics(&self) -> String {
        let address = self.metrics.expect("it was started to serve metrics");
        let answer = reqwest::get(format!("http://{address}/metrics")).await.unwrap();
        answer.text().await.unwrap()
    }

    /// SIGKILL: the program has no chance to write anything any more.
    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An address of this machine that nobody listens at.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
