//! The servers that come as Python packages.

use std::env;
use std::path::{Path, PathBuf};

/// Where the test command has installed them.
pub(super) fn packages() -> PathBuf {
    env::var_os("TENURE_PYTHON_PACKAGES").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/python"),
        PathBuf::from,
    )
}
