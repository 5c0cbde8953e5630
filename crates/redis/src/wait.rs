//! Waiting until replicas have a write.

use std::time::Duration;

use redis::{Cmd, Value, cmd};

use crate::failure::{Cause, Failure};

/// How many replicas a write waits for, and how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WaitForReplicas {
    pub(crate) replicas: u32,
    pub(crate) timeout: Duration,
}

impl WaitForReplicas {
    pub(crate) fn command(self) -> Cmd {
        let mut wait = cmd("WAIT");
        // Zero milliseconds would mean for ever.
        wait.arg(self.replicas)
            .arg(self.timeout.as_millis().max(1) as u64);
        wait
    }

    /// Whether as many replicas as asked for have the write.
    pub(crate) fn check(self, answer: Value) -> Result<(), Failure> {
        match answer {
            Value::Int(have) if have >= i64::from(self.replicas) => Ok(()),
            Value::Int(have) => Err(Failure::new(
                Cause::TooFewReplicas,
                format!(
                    "{have} of {} within {:?}; it may be undone by a failover",
                    self.replicas, self.timeout
                ),
            )),
            _ => Err(Failure::new(
                Cause::Refused,
                "WAIT was not answered with a number",
            )),
        }
    }
}
