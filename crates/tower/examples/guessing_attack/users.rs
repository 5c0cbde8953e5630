//! Users beside the guessers: one at an address of its own, one at the address of a guesser.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::connection::Connection;

pub(crate) struct Users {
    pub(crate) cookie: String,
    pub(crate) requests: u64,
    pub(crate) refused: u64,
    connections: [(Connection, IpAddr); 2],
    times: Vec<Duration>,
}

/// What somebody takes to click again, so that the users are not the load.
const PAUSE: Duration = Duration::from_millis(1);

impl Users {
    pub(crate) async fn sign_in(server: SocketAddr, beside: IpAddr) -> io::Result<Self> {
        let alone = IpAddr::from([192, 0, 2, 1]);
        let mut connections = [
            (Connection::open(server).await?, alone),
            (Connection::open(server).await?, beside),
        ];
        let signed_in = connections[0].0.get("/signs-in", alone, "theme=dark").await?;
        let cookie = signed_in
            .new_cookie()
            .ok_or(io::ErrorKind::InvalidData)?
            .to_owned();
        Ok(Self {
            cookie,
            requests: 1,
            refused: 0,
            connections,
            times: Vec::new(),
        })
    }

    /// Sends requests one after the other, and keeps how long each took.
    pub(crate) async fn measure_for(&mut self, time: Duration) -> io::Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < time {
            for (connection, address) in &mut self.connections {
                let sent = Instant::now();
                let response = connection.get("/reads", *address, &self.cookie).await?;
                self.times.push(sent.elapsed());
                self.requests += 1;
                if response.status != 200 || response.body() != "1" {
                    self.refused += 1;
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(())
    }

    pub(crate) fn forget_times(&mut self) -> Vec<Duration> {
        std::mem::take(&mut self.times)
    }
}
