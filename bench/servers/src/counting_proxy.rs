//! Stands between an application and its database, and counts the round trips.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Lives as long as this process.
pub struct CountingProxy {
    port: u16,
    trips: Arc<AtomicU64>,
}

impl CountingProxy {
    /// Before the server on this port.
    ///
    /// # Errors
    /// If it cannot listen.
    pub fn before(server: u16) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let trips = Arc::<AtomicU64>::default();
        let counted = Arc::clone(&trips);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if let Ok(server) = TcpStream::connect(("127.0.0.1", server)) {
                    // A connection that fails is the application's to notice.
                    let _ = carry(client, server, &counted);
                }
            }
        });
        Ok(Self { port, trips })
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    /// How often some application has begun to speak after its server was silent or had spoken.
    pub fn trips(&self) -> u64 {
        self.trips.load(Ordering::SeqCst)
    }
}

fn carry(client: TcpStream, server: TcpStream, trips: &Arc<AtomicU64>) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let answered = Arc::new(AtomicBool::new(true));
    let (to_server, to_client) = (server.try_clone()?, client.try_clone()?);
    let (trips, is_answered) = (Arc::clone(trips), Arc::clone(&answered));
    std::thread::spawn(move || {
        copy(client, to_server, || {
            // One that speaks again before it was answered is on the same trip.
            if is_answered.swap(false, Ordering::SeqCst) {
                trips.fetch_add(1, Ordering::SeqCst);
            }
        });
    });
    std::thread::spawn(move || copy(server, to_client, || answered.store(true, Ordering::SeqCst)));
    Ok(())
}

fn copy(mut from: TcpStream, mut to: TcpStream, before_each: impl Fn()) {
    let mut buffer = [0; 16_384];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        before_each();
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    // The other side may have gone first.
    let _ = to.shutdown(Shutdown::Write);
}
