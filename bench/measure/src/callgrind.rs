//! Instructions a request, counted by valgrind: the same on any machine at any load.

use std::process::Command;

use anyhow::Context;

use crate::work::Work;

const FEWER: u32 = 200;
const MORE: u32 = 700;

/// The instructions that one request of this contender takes. This program is run twice with `--sole`; what the one
/// with more requests takes more is the requests'.
///
/// # Errors
/// If valgrind is not there, or the run fails.
pub fn instructions_a_request(contender: &str, work: Work) -> anyhow::Result<f64> {
    let fewer = instructions(contender, work, FEWER)?;
    let more = instructions(contender, work, MORE)?;
    Ok((more as f64 - fewer as f64) / f64::from(MORE - FEWER))
}

fn instructions(contender: &str, work: Work, requests: u32) -> anyhow::Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .args(["--sole", contender])
        .args([
            format!("{:?}", work.task),
            format!("{:?}", work.payload),
            requests.to_string(),
        ])
        .output()
        .context("valgrind counts the instructions; is it installed?")?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(
        output.status.success(),
        "{contender} failed under valgrind: {said}"
    );
    let collected = said.lines().find_map(|line| line.split_once("Collected :"));
    let (_, count) = collected.context("valgrind said no count")?;
    Ok(count.trim().parse()?)
}
