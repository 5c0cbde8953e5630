//! Throughput over HTTP, as `wrk` sees it.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;

use crate::results::results_folder;

/// What is asked of one contender in each round: by 16 connections, each request as another of its visitors.
pub struct Load {
    url: String,
    script: PathBuf,
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub struct Ran {
    /// Requests a second.
    pub rate: f64,
    pub requests: u64,
}

const CONNECTIONS: &str = "16";

impl Load {
    /// `cookies` are the visitors' `Cookie` headers; several, for two requests of one session at once are another
    /// thing to measure.
    ///
    /// # Errors
    /// If the script for `wrk` cannot be written.
    pub fn new(name: &str, site: SocketAddr, path: &str, cookies: &[String]) -> anyhow::Result<Self> {
        let list: Vec<_> = cookies.iter().map(|cookie| format!("{cookie:?}")).collect();
        let script = format!(
            "local cookies = {{{}}}\nlocal at = 0\nfunction request()\n  at = at % #cookies + 1\n  wrk.headers[\"Cookie\"] = cookies[at]\n  \
             return wrk.format()\nend\n",
            list.join(", ")
        );
        let folder = results_folder().join(".wrk");
        fs::create_dir_all(&folder)?;
        let file: String = name
            .chars()
            .map(|letter| if letter.is_alphanumeric() { letter } else { '-' })
            .collect();
        let file = folder.join(format!("{file}{}.lua", path.replace('/', "-")));
        fs::write(&file, script)?;
        Ok(Self {
            url: format!("http://{site}{path}"),
            script: file,
        })
    }

    /// Makes requests for so long.
    ///
    /// # Errors
    /// If `wrk` is not there, or a request was not answered with success.
    pub fn run(&self, seconds: u32) -> anyhow::Result<Ran> {
        let output = Command::new("wrk")
            .args(["-t1", "-c", CONNECTIONS, "-d", &format!("{seconds}s"), "-s"])
            .args([self.script.as_os_str(), self.url.as_ref()])
            .output()
            .context("wrk makes the requests; is it installed?")?;
        let said = String::from_utf8_lossy(&output.stdout);
        anyhow::ensure!(output.status.success(), "wrk failed: {said}");
        for trouble in ["Non-2xx", "Socket errors"] {
            anyhow::ensure!(!said.contains(trouble), "{}: {said}", self.url);
        }
        let rate = said.lines().find_map(|line| line.strip_prefix("Requests/sec:"));
        let requests = said.lines().find_map(|line| line.split_once(" requests in "));
        Ok(Ran {
            rate: rate.context("wrk said no rate")?.trim().parse()?,
            requests: requests.context("wrk said no count")?.0.trim().parse()?,
        })
    }
}
