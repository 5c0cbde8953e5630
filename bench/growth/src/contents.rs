//! Against what a session holds, in memory.

use measure::Options;
use tenure_core::MemoryStore;
use tokio::runtime::Runtime;

use crate::site::visited;
use crate::{Growth, Measured};

/// The cost of reads and writes with `texts` of each value of the argument.
pub fn measured(
    name: &'static str,
    argument: &'static str,
    values: &[u32],
    texts: impl Fn(u32) -> Vec<(&'static str, String)>,
    options: &Options,
) -> anyhow::Result<Growth> {
    let runtime = Runtime::new()?;
    let (mut reads, mut writes) = (Vec::new(), Vec::new());
    for &value in values {
        eprintln!("growth: {value} {argument}");
        let visits = async {
            visited(MemoryStore::new(), texts(value))
                .await?
                .costs(options)
                .await
        };
        let costs = runtime.block_on(visits)?;
        reads.push((f64::from(value), costs.read));
        writes.push((f64::from(value), costs.write));
    }
    Ok(Growth {
        name,
        argument,
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
