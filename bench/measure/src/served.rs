//! A contender that serves HTTP in a process of its own.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;

/// What Linux tells in `/proc`, on every machine of today.
const TICKS_A_SECOND: u64 = 100;

/// Ended when dropped.
pub struct Served {
    process: Child,
    address: SocketAddr,
}

impl Served {
    /// Starts it. It prints its port as its first line, and ends with its standard input.
    ///
    /// # Errors
    /// If it does not.
    pub fn start(command: &mut Command) -> anyhow::Result<Self> {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let output = process.stdout.take().context("the output was piped")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let port: u16 = line
            .trim()
            .parse()
            .with_context(|| format!("{command:?} does not start"))?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        Ok(Self { process, address })
    }

    /// What it has used of the processor so far, all its threads together.
    ///
    /// # Errors
    /// Where the system keeps no account of it in `/proc`.
    pub fn processor_time(&self) -> anyhow::Result<Duration> {
        let account = fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        // The program's name, in brackets, may hold anything.
        let (_, fields) = account.rsplit_once(')').context("an account of a process")?;
        let mut ticks = fields.split_whitespace().skip(11).map(str::parse::<u64>);
        let (user, system) = (
            ticks.next().context("user time")??,
            ticks.next().context("system time")??,
        );
        Ok(Duration::from_millis((user + system) * 1_000 / TICKS_A_SECOND))
    }

    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may be gone already, which is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Says the port, and ends this process with its standard input: what [`Served`] expects of Rust.
pub fn served_here(address: SocketAddr) {
    println!("{}", address.port());
    std::thread::spawn(|| {
        // Whatever ends it, nobody wants to be served any more.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
}
