//! Faults of a MariaDB server under load.

mod common;

use std::time::Duration;

use common::cuts::*;
use common::faults::*;
use common::*;
use tenure_sql::mysql::MySqlStore;
use tenure_testkit::servers::{FaultProxy, MariaDbServer};
use tokio::time::sleep;

fault_tests!(
    MariaDbServer,
    MySqlStore,
    [],
    ("mysql", "KILL HARD CONNECTION USER tester"),
    320
);
