//! Against the size of the session, in one text.

use measure::Options;
use tenure_core::MemoryStore;
use tokio::runtime::Runtime;

use crate::site::visited;
use crate::{Growth, Measured};

const SIZES: [u32; 7] = [100, 400, 1_024, 4_096, 16_384, 32_768, 65_536];

pub fn measured(options: &Options) -> anyhow::Result<Growth> {
    let runtime = Runtime::new()?;
    let (mut reads, mut writes) = (Vec::new(), Vec::new());
    for size in SIZES {
        eprintln!("growth: {size} bytes");
        let text = vec![("text", "x".repeat(size as usize))];
        let costs =
            runtime.block_on(async { visited(MemoryStore::new(), text).await?.costs(options).await })?;
        reads.push((f64::from(size), costs.read));
        writes.push((f64::from(size), costs.write));
    }
    Ok(Growth {
        name: "size",
        argument: "bytes in the session",
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
