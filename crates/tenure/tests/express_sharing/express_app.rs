//! The Express application's process.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tenure_testkit::servers::{ServerProcess, free_port, takes_connections};

const HOW_TO_GET: &str = "install Node.js 20 or newer, from https://nodejs.org";

/// An Express application on express-session, with one of its stores. Gone when dropped.
pub(crate) struct ExpressApp {
    port: u16,
    _process: ServerProcess,
}

impl ExpressApp {
    pub(crate) fn start(layout: &str, url: &str) -> Self {
        let packages = packages();
        let port = free_port().unwrap();
        let mut node = Command::new("node");
        node.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/express_sharing/express_app.js"))
            .args([&port.to_string(), layout, url])
            .env("NODE_PATH", packages);
        let process = ServerProcess::start(node, HOW_TO_GET, || takes_connections(port));
        Self {
            port,
            _process: process.unwrap_or_else(|error| panic!("{error}")),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// The packages that the npm package's own tests use, installed if they are not yet.
fn packages() -> &'static Path {
    static PACKAGES: OnceLock<PathBuf> = OnceLock::new();
    PACKAGES.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packages/express");
        let packages = folder.join("node_modules");
        if !packages.join("express-session").is_dir() {
            let installed = Command::new("npm")
                .args(["ci", "--no-audit", "--no-fund"])
                .current_dir(&folder)
                .status();
            let installed = installed.unwrap_or_else(|error| panic!("npm: {error}; {HOW_TO_GET}"));
            assert!(installed.success(), "npm ci failed in {}", folder.display());
        }
        packages.canonicalize().unwrap()
    })
}
