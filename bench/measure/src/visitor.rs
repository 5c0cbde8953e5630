//! A browser, as far as cookies go, that can hold a request back.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::Context;

const SERVED_WITHIN: Duration = Duration::from_secs(30);

#[derive(Clone, Debug, Default)]
pub struct Visitor {
    cookies: BTreeMap<String, String>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
    set_cookies: Vec<String>,
}

/// A request whose body has not ended yet.
pub struct Held {
    connection: TcpStream,
}

impl Visitor {
    /// One who bears somebody's cookies.
    pub fn bearing(cookies: &BTreeMap<String, String>) -> Self {
        Self {
            cookies: cookies.clone(),
        }
    }

    pub const fn cookies(&self) -> &BTreeMap<String, String> {
        &self.cookies
    }

    /// As it goes into a `Cookie` header.
    pub fn header(&self) -> String {
        let pairs: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }

    /// # Errors
    /// If it is not answered.
    pub fn get(&mut self, site: SocketAddr, path: &str) -> anyhow::Result<Answer> {
        self.ask(site, "GET", path)
    }

    /// # Errors
    /// If it is not answered.
    pub fn post(&mut self, site: SocketAddr, path: &str) -> anyhow::Result<Answer> {
        self.ask(site, "POST", path)
    }

    fn ask(&mut self, site: SocketAddr, method: &str, path: &str) -> anyhow::Result<Answer> {
        let answer = read_answer(self.send(site, method, path, 0)?)?;
        self.keep(&answer);
        Ok(answer)
    }

    /// Asks, and goes away when what is given back is dropped, as a closed tab does.
    ///
    /// # Errors
    /// If nobody is there.
    pub fn open(&self, site: SocketAddr, path: &str) -> anyhow::Result<TcpStream> {
        self.send(site, "GET", path, 0)
    }

    /// Sends all of a request but the last byte of its body.
    ///
    /// # Errors
    /// If nobody is there.
    pub fn hold(&self, site: SocketAddr, path: &str) -> anyhow::Result<Held> {
        let connection = self.send(site, "POST", path, 1)?;
        Ok(Held { connection })
    }

    fn send(&self, site: SocketAddr, method: &str, path: &str, length: usize) -> anyhow::Result<TcpStream> {
        let mut connection = TcpStream::connect(site)?;
        connection.set_read_timeout(Some(SERVED_WITHIN))?;
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {site}\r\nConnection: close\r\n");
        if method == "POST" {
            head += &format!("Content-Type: text/plain\r\nContent-Length: {length}\r\n");
        }
        if !self.cookies.is_empty() {
            head += &format!("Cookie: {}\r\n", self.header());
        }
        connection.write_all((head + "\r\n").as_bytes())?;
        Ok(connection)
    }

    /// Takes in the cookies of an answer, as a browser does.
    pub fn keep(&mut self, answer: &Answer) {
        for set_cookie in &answer.set_cookies {
            let Some((name, value)) = set_cookie.split(';').next().and_then(|pair| pair.split_once('='))
            else {
                continue;
            };
            if is_removal(set_cookie) {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

impl Held {
    /// Sends the last byte, and reads the answer.
    ///
    /// # Errors
    /// If it is not answered.
    pub fn finish(mut self) -> anyhow::Result<Answer> {
        self.connection.write_all(b"x")?;
        read_answer(self.connection)
    }
}

/// None of the libraries gives a cookie a time in the past but to remove it.
fn is_removal(set_cookie: &str) -> bool {
    let lower = set_cookie.to_ascii_lowercase();
    lower.contains("max-age=0") || lower.contains("expires=thu, 01 jan 1970") || {
        // Some remove a cookie by the date of a year ago.
        let age = lower.split("max-age=").nth(1).unwrap_or_default();
        age.starts_with('-')
    }
}

fn read_answer(mut connection: TcpStream) -> anyhow::Result<Answer> {
    let mut bytes = Vec::new();
    connection
        .read_to_end(&mut bytes)
        .context("a site answers in time")?;
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = head.parse(&bytes)? else {
        anyhow::bail!("the connection ended within an answer's head");
    };
    let set_cookies = head
        .headers
        .iter()
        .filter(|header| header.name.eq_ignore_ascii_case("set-cookie"));
    Ok(Answer {
        status: head.code.context("a complete head has a status")?,
        set_cookies: set_cookies
            .map(|header| String::from_utf8_lossy(header.value).into_owned())
            .collect(),
        body: String::from_utf8_lossy(&bytes[length..]).into_owned(),
    })
}
