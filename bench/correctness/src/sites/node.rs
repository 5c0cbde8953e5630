//! The libraries of Node.js, each in a process of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::Context;
use measure::{node_folder, node_version_of};
use tenure_testkit::servers::redis::RedisServer;

use super::{Library, Ours};
use crate::site::{Instance, Site};

struct NodeSite {
    process: Child,
    /// Ended after the process that uses it.
    _redis: Option<RedisServer>,
    instances: [SocketAddr; 2],
}

impl Site for NodeSite {
    fn instance(&self, which: Instance) -> SocketAddr {
        self.instances[which as usize]
    }
}

impl Drop for NodeSite {
    fn drop(&mut self) {
        // It may be gone already, which is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Whose site needs a server.
const ENGINE: &str = "Tenure, engine for Express";

pub fn libraries() -> anyhow::Result<Vec<Library>> {
    let folder = node_folder()?;
    let known = [
        (ENGINE, "tenure-express", Ours::Engine),
        ("tenure-express", "tenure-express", Ours::DropIn),
        ("express-session", "express-session", Ours::No),
        ("@fastify/session", "@fastify/session", Ours::No),
        ("iron-session", "iron-session", Ours::No),
    ];
    let mut libraries = Vec::new();
    for (name, package, ours) in known {
        let version = node_version_of(&folder, package)?;
        let folder = folder.clone();
        libraries.push(Library {
            name,
            version,
            ours,
            start: Box::new(move || {
                let site = start(&folder, name);
                Box::pin(async { site })
            }),
        });
    }
    Ok(libraries)
}

fn start(folder: &Path, library: &str) -> anyhow::Result<Box<dyn Site>> {
    let redis = (library == ENGINE)
        .then(|| RedisServer::with(&["--appendonly", "no"]))
        .transpose()?;
    let mut process = Command::new("node")
        .args(["probed/site.js", library])
        .args(redis.as_ref().map(RedisServer::url))
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("Node.js serves some of the libraries")?;
    let mut line = String::new();
    let output = process.stdout.take().context("the output was piped")?;
    BufReader::new(output).read_line(&mut line)?;
    let ports: [u16; 2] = serde_json::from_str(&line).with_context(|| format!("{library} does not start"))?;
    let instances = ports.map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    Ok(Box::new(NodeSite {
        process,
        _redis: redis,
        instances,
    }))
}
