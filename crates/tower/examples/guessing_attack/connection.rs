//! A connection that is kept alive, with as little work at this end as possible.

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    response: Vec<u8>,
}

pub(crate) struct Response<'a> {
    pub(crate) status: u16,
    text: &'a str,
}

impl Connection {
    pub(crate) async fn open(server: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            request: Vec::new(),
            response: Vec::new(),
        })
    }

    /// One request, from a client that the proxy says has this address.
    pub(crate) async fn get(&mut self, path: &str, client: IpAddr, cookie: &str) -> io::Result<Response<'_>> {
        self.request.clear();
        let head = format_args!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {client}\r\nCookie: {cookie}\r\n\r\n"
        )
        .to_string();
        self.request.extend_from_slice(head.as_bytes());
        self.stream.write_all(&self.request).await?;
        self.receive().await
    }

    async fn receive(&mut self) -> io::Result<Response<'_>> {
        self.response.clear();
        let length = loop {
            if self.stream.read_buf(&mut self.response).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(length) = whole_length(&self.response)
                && self.response.len() >= length
            {
                break length;
            }
        };
        let text = str::from_utf8(&self.response[..length]).map_err(io::Error::other)?;
        let status = text.get(9..12).and_then(|status| status.parse().ok());
        let status = status.ok_or(io::ErrorKind::InvalidData)?;
        Ok(Response { status, text })
    }
}

impl<'a> Response<'a> {
    /// `name=value`.
    pub(crate) fn new_cookie(&self) -> Option<&'a str> {
        let (_, cookie) = self.text.split_once("set-cookie: ")?;
        cookie.split(';').next()
    }

    pub(crate) fn body(&self) -> &'a str {
        self.text.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }
}

/// Head and body, once the head is there.
fn whole_length(response: &[u8]) -> Option<usize> {
    let text = str::from_utf8(response).ok()?;
    let (head, _) = text.split_once("\r\n\r\n")?;
    let body = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .and_then(|length| length.parse().ok())
        .unwrap_or(0);
    Some(head.len() + 4 + body)
}
