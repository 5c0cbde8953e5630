//! What the tests share: a server and a database of their own on it.

#![allow(dead_code, unused_imports, reason = "each file of tests uses a part of it")]

use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};

pub(crate) use tenure_testkit::application::increment;
pub(crate) use tenure_testkit::records::*;
pub(crate) use tenure_testkit::{Application, Browser};

use tenure_mongodb::MongoStore;
use tenure_testkit::servers::{MongoServer, MongoServerOptions};

/// The server that the tests of this program share. It ends with the last test that holds it.
static SHARED: Mutex<Weak<MongoServer>> = Mutex::new(Weak::new());
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// An empty database on the shared server.
pub(crate) struct MongoDatabase {
    server: Arc<MongoServer>,
    name: String,
}

impl MongoDatabase {
    pub(crate) fn new() -> Self {
        Self {
            server: shared_server(),
            name: format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed)),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn url(&self) -> String {
        self.server.url(&self.name)
    }

    pub(crate) async fn store(&self) -> MongoStore {
        MongoStore::connect(&self.url()).await.expect("a store")
    }
}

fn shared_server() -> Arc<MongoServer> {
    let mut shared = SHARED.lock().expect("a server that started");
    shared.upgrade().unwrap_or_else(|| {
        let started = MongoServer::start().unwrap_or_else(|error| panic!("{error}"));
        let started = Arc::new(started);
        *shared = Arc::downgrade(&started);
        started
    })
}

/// What stands in URLs, percent-encoded, and what it means.
pub(crate) const PASSWORD_IN_URL: &str = "p%40ss-w0rd";
pub(crate) const PASSWORD: &str = "p@ss-w0rd";

/// A server of the test's own.
pub(crate) fn server(options: MongoServerOptions) -> MongoServer {
    MongoServer::with(options).unwrap_or_else(|error| panic!("{error}"))
}

/// The whole chain of an error's texts, which must not hold the password in either spelling.
#[track_caller]
pub(crate) fn told(error: &dyn Error) -> String {
    told_without(&[PASSWORD, PASSWORD_IN_URL], error)
}
