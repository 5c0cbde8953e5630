//! A question to a server, without a driver.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// The answer of the server on this port, as text: one line for each part.
///
/// # Errors
/// If the connection fails.
pub fn ask(port: u16, password: Option<&str>, command: &[&str]) -> io::Result<String> {
    let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    connection.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut answers = BufReader::new(connection.try_clone()?);
    if let Some(password) = password {
        connection.write_all(&encoded(&["AUTH", password]))?;
        answer(&mut answers)?;
    }
    connection.write_all(&encoded(command))?;
    answer(&mut answers)
}

fn encoded(command: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", command.len());
    for argument in command {
        bytes += &format!("${}\r\n{argument}\r\n", argument.len());
    }
    bytes.into_bytes()
}

fn answer(from: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    let line = line.trim_end();
    let (kind, rest) = line.split_at_checked(1).ok_or(io::ErrorKind::UnexpectedEof)?;
    let length = || rest.parse::<usize>().unwrap_or(0);
    match kind {
        "$" if rest != "-1" => {
            let mut text = vec![0; length() + 2];
            from.read_exact(&mut text)?;
            text.truncate(length());
            Ok(String::from_utf8_lossy(&text).into_owned())
        }
        "*" => {
            let parts: io::Result<Vec<String>> = (0..length()).map(|_| answer(from)).collect();
            Ok(parts?.join("\n"))
        }
        _ => Ok(rest.to_owned()),
    }
}
