//! Against the number of keys, of 20 bytes each.

use measure::Options;
use tenure_core::MemoryStore;
use tokio::runtime::Runtime;

use crate::site::visited;
use crate::{Growth, Measured};

const NUMBERS: [u32; 6] = [1, 4, 16, 64, 256, 1_024];

pub fn measured(options: &Options) -> anyhow::Result<Growth> {
    let runtime = Runtime::new()?;
    let (mut reads, mut writes) = (Vec::new(), Vec::new());
    for number in NUMBERS {
        eprintln!("growth: {number} keys");
        let texts = (0..number).map(|at| (name(at), "x".repeat(20))).collect();
        let costs =
            runtime.block_on(async { visited(MemoryStore::new(), texts).await?.costs(options).await })?;
        reads.push((f64::from(number), costs.read));
        writes.push((f64::from(number), costs.write));
    }
    Ok(Growth {
        name: "keys",
        argument: "keys in the session",
        curves: vec![
            Measured {
                name: "reads",
                points: reads,
            },
            Measured {
                name: "writes",
                points: writes,
            },
        ],
    })
}

/// Keys are names in the program's text, so a made-up one lives as long as the program.
fn name(at: u32) -> &'static str {
    format!("key{at:04}").leak()
}
