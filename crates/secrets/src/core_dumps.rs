//! Keeping secrets out of core dumps.

use std::io;

/// Forbids the operating system to write this process's memory to a core dump when it crashes, for secrets are in it.
///
/// Call it first thing in `main`. On every Unix it sets the limit for core files to zero; on Linux it also marks the
/// process as not dumpable (`PR_SET_DUMPABLE`), so that no crash handler is given its memory and no other process of the
/// same user may attach to it. Elsewhere it does nothing. What it can't prevent: a machine that hibernates or swaps,
/// and root. *Cost*: crashes leave no core dump, and debuggers can't attach.
///
/// ```
/// tenure_secrets::forbid_core_dumps()?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// If the operating system refuses.
pub fn forbid_core_dumps() -> io::Result<()> {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};

        let none = Rlimit {
            current: Some(0),
            maximum: Some(0),
        };
        setrlimit(Resource::Core, none)?;
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};

        set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    }
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

    use super::*;

    #[test]
    fn afterwards_the_process_leaves_no_core_dump() {
        forbid_core_dumps().unwrap();
        assert_eq!(getrlimit(Resource::Core).maximum, Some(0));
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
    }
}
