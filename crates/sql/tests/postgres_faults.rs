//! Faults of a PostgreSQL server under load.

mod common;

use std::time::Duration;

use common::cuts::*;
use common::faults::*;
use common::*;
use tenure_sql::postgres::PostgresStore;
use tenure_testkit::servers::{FaultProxy, PostgresServer};
use tokio::time::sleep;

const END_CONNECTIONS: &str =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'check_%'";

fault_tests!(
    PostgresServer,
    PostgresStore,
    ["ssl=on"],
    ("postgres", END_CONNECTIONS),
    160
);
