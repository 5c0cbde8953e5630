//! What is spoken on a port, for an error that names the cause: a server that takes TLS for a command waits for
//! its end, and one that takes a command for TLS hangs up, so that neither tells what is wrong.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::failure::{Cause, Failure};
use crate::url::{Address, Target};

/// The kinds of TLS records that answer a greeting: an alert, and a greeting.
const TLS_ANSWERS: [u8; 2] = [21, 22];

/// Neither an answer of a server's to `PING` nor one to a TLS greeting begins otherwise.
const PLAIN_ANSWERS: [u8; 2] = [b'+', b'-'];

/// The cause of a failure to connect, if it is that the servers of `target` speak TLS where the URL asks for plain
/// text, or the other way round.
pub(crate) async fn cause_of(failure: Failure, target: &Target, within: Duration) -> Failure {
    for address in target.topology.addresses() {
        let asked = match target.tls {
            true => timeout(within, speaks_plain_text(address)).await,
            false => timeout(within, speaks_tls(address)).await,
        };
        if matches!(asked, Ok(Ok(true))) {
            let cause = if target.tls { Cause::NoTls } else { Cause::TlsOnly };
            return Failure::new(cause, failure.to_string());
        }
    }
    failure
}

async fn speaks_plain_text(address: &Address) -> io::Result<bool> {
    let first = first_byte_after(address, b"PING\r\n").await?;
    Ok(PLAIN_ANSWERS.contains(&first))
}

/// Nothing is verified: only whether the answer is TLS counts, and it is not used for anything else.
async fn speaks_tls(address: &Address) -> io::Result<bool> {
    let first = first_byte_after(address, &greeting(&address.host)?).await?;
    Ok(TLS_ANSWERS.contains(&first))
}

async fn first_byte_after(address: &Address, sent: &[u8]) -> io::Result<u8> {
    let mut connection = TcpStream::connect((address.host.as_str(), address.port)).await?;
    connection.write_all(sent).await?;
    connection.read_u8().await
}

fn greeting(host: &str) -> io::Result<Vec<u8>> {
    let cryptography = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(cryptography)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let host = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let mut connection = ClientConnection::new(Arc::new(config), host).map_err(io::Error::other)?;
    let mut greeting = Vec::new();
    connection.write_tls(&mut greeting)?;
    Ok(greeting)
}
