//! A connection that breaks on command.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Stands between a client and a server on the loopback, and disturbs them when it is told to. Ends when it
/// is dropped.
#[derive(Debug)]
pub struct FaultProxy {
    port: u16,
    mode: Arc<watch::Sender<Mode>>,
    accepting: JoinHandle<()>,
}

/// What the proxy does with what the client sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Passes it on, in both directions.
    Pass,
    /// Passes nothing on, in neither direction, and keeps the connections.
    Stall,
    /// Passes so many more bytes to the server, and closes the connection then.
    CutAfter(usize),
    /// Passes everything to the server and closes the connection instead of passing an answer back.
    CutAnswers,
    /// Passes everything to the server, and so many more answers back, as it reads them.
    HoldAnswersAfter(usize),
    /// Closes every connection and takes no new one.
    Cut,
}

impl FaultProxy {
    /// A proxy on a free port, before the server on `server_port`. Needs a Tokio runtime.
    ///
    /// # Errors
    /// If there is no free port.
    pub async fn start(server_port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let mode = Arc::new(watch::Sender::new(Mode::Pass));
        let shared = Arc::clone(&mode);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let mode = shared.subscribe();
                let is_cut = *mode.borrow() == Mode::Cut;
                if !is_cut {
                    tokio::spawn(serve(client, server_port, Arc::clone(&shared), mode));
                }
            }
        });
        Ok(Self {
            port,
            mode,
            accepting,
        })
    }

    /// The port to connect to.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Closes every connection, and each new one at once, until it heals.
    pub fn cut(&self) {
        self.mode.send_replace(Mode::Cut);
    }

    /// Passes so many more bytes to the server and then closes the connection, in the middle of a command.
    /// From then on it is healed.
    pub fn cut_after(&self, bytes: usize) {
        self.mode.send_replace(Mode::CutAfter(bytes));
    }

    /// Lets the next command reach the server and closes the connection instead of passing the answer on.
    /// From then on it is healed.
    pub fn cut_next_answer(&self) {
        self.mode.send_replace(Mode::CutAnswers);
    }

    /// Cuts connections under load, one after the other: commands after each of so many bytes, and as many answers.
    pub async fn cut_commands_and_answers(&self, after: &[usize]) {
        for bytes in after {
            self.cut_after(*bytes);
            self.has_cut().await;
            self.cut_next_answer();
            self.has_cut().await;
        }
    }

    /// Waits until the cut that was told last has happened.
    pub async fn has_cut(&self) {
        // It fails only without a proxy.
        let _ = self.mode.subscribe().wait_for(|mode| *mode == Mode::Pass).await;
    }

    /// Lets so many more answers through and holds those that follow, while commands pass: for what is sent without
    /// waiting for an answer. An answer is what is read at once, so it has to be a short one.
    pub fn hold_answers_after(&self, answers: usize) {
        self.mode.send_replace(Mode::HoldAnswersAfter(answers));
    }

    /// Passes nothing on and keeps the connections, as a network does that lost the way.
    pub fn stall(&self) {
        self.mode.send_replace(Mode::Stall);
    }

    /// Disturbs nobody any more. What was closed stays closed.
    pub fn heal(&self) {
        self.mode.send_replace(Mode::Pass);
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.mode.send_replace(Mode::Cut);
        self.accepting.abort();
    }
}

async fn serve(
    mut client: TcpStream,
    server_port: u16,
    control: Arc<watch::Sender<Mode>>,
    mut mode: watch::Receiver<Mode>,
) {
    let Ok(mut server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server_port)).await else {
        return;
    };
    let mut sent = vec![0; 64 * 1024];
    let mut answered = vec![0; 64 * 1024];
    loop {
        let current = *mode.borrow_and_update();
        if current == Mode::Cut {
            return;
        }
        let passes = current != Mode::Stall;
        let answers = passes && current != Mode::HoldAnswersAfter(0);
        tokio::select! {
            changed = mode.changed() => if changed.is_err() { return },
            read = client.read(&mut sent), if passes => {
                let Ok(length @ 1..) = read else { return };
                let passed = pass(&mut server, &sent[..length], &control).await;
                if !passed { return }
            }
            read = server.read(&mut answered), if answers => {
                let Ok(length @ 1..) = read else { return };
                // As it is by now: whoever heals meanwhile has the last word.
                control.send_if_modified(|mode| match mode {
                    Mode::HoldAnswersAfter(left @ 1..) => {
                        *left -= 1;
                        true
                    }
                    _ => false,
                });
                if current == Mode::CutAnswers {
                    control.send_replace(Mode::Pass);
                    return;
                }
                if client.write_all(&answered[..length]).await.is_err() { return }
            }
        }
    }
}

/// Passes bytes on, as many as it may. False when the connection is to end.
async fn pass(server: &mut TcpStream, bytes: &[u8], control: &watch::Sender<Mode>) -> bool {
    let mode = *control.borrow();
    let Mode::CutAfter(left) = mode else {
        return server.write_all(bytes).await.is_ok();
    };
    if bytes.len() <= left {
        control.send_replace(Mode::CutAfter(left - bytes.len()));
        return server.write_all(bytes).await.is_ok();
    }
    // The server sees the beginning of a command, and the end of the connection.
    let _ = server.write_all(&bytes[..left]).await;
    control.send_replace(Mode::Pass);
    false
}
