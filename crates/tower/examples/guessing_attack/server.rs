//! The server in a process of its own, so that its memory is its own.

use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, SocketAddr};
use std::process::{Child, Command, Stdio};

use tokio::net::TcpListener;

use crate::Outcome;
use crate::connection::Connection;
use crate::site::{Seen, Site};

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    process: Child,
}

/// Serves until it is killed, and tells the first line of its output where.
pub(crate) async fn serve() -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    std::io::stdout().flush()?;
    let service = Site::new()?
        .router()
        .into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, service).await?)
}

impl Server {
    pub(crate) async fn start() -> Outcome<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("serve")
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().ok_or("the server has no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        Ok(Self {
            address: line.trim().parse()?,
            process,
        })
    }

    pub(crate) fn resident_kib(&self) -> Outcome<i64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let resident = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .ok_or("no VmRSS")?;
        Ok(resident.trim().trim_end_matches(" kB").parse()?)
    }

    pub(crate) async fn seen(&self) -> Outcome<Seen> {
        let mut connection = Connection::open(self.address).await?;
        let localhost = IpAddr::from([127, 0, 0, 1]);
        let response = connection.get("/seen", localhost, "theme=dark").await?;
        let (store_calls, events) = response.body().split_once(' ').ok_or("no answer")?;
        Ok(Seen {
            store_calls: store_calls.parse()?,
            events: events.parse()?,
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
