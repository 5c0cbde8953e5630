//! The app in a real browser: what people see and press, and the cookie as the browser keeps it.
//! Leaves pictures in `target/screenshots`.

#[path = "../common/mod.rs"]
mod common;
mod dialog;
mod driver;
mod page;
mod timeouts;
mod visits;

use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
