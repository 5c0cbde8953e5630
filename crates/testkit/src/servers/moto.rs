//! A server of AWS's protocols: moto.

use std::net::Ipv4Addr;
use std::process::Command;

use super::process::{ServerProcess, StartError, on_a_free_port, takes_connections};
use super::python;

const HOW_TO_GET: &str = "install the test server with `python3 -m pip install --target target/python moto flask \
     flask-cors`, or name the folder that has it in TENURE_PYTHON_PACKAGES";

/// A moto server of its own, which keeps all in memory. It believes every caller until it is told not to.
#[derive(Debug)]
pub struct MotoServer {
    process: ServerProcess,
    port: u16,
}

impl MotoServer {
    /// Starts one.
    ///
    /// # Errors
    /// If it is missing or does not start.
    pub fn start() -> Result<Self, StartError> {
        let packages = python::packages();
        if !packages.join("moto").is_dir() || !packages.join("flask_cors").is_dir() {
            return Err(StartError::Missing(format!("moto is not there: {HOW_TO_GET}")));
        }
        on_a_free_port(|port| {
            let mut command = Command::new("python3");
            command.env("PYTHONPATH", &packages).args([
                "-m",
                "moto.server",
                "-H",
                &Ipv4Addr::LOCALHOST.to_string(),
                "-p",
                &port.to_string(),
            ]);
            let process = ServerProcess::start(command, HOW_TO_GET, || takes_connections(port))?;
            Ok(Self { process, port })
        })
    }

    /// Its URL, for the SDK's endpoint.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The port of the loopback that it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends it as a power cut does.
    pub fn kill(&mut self) {
        self.process.kill();
    }
}
