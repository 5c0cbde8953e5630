//! Against the number of live sessions.

use measure::Options;
use tenure_core::{MemoryStore, Record, SessionId, Store};
use tenure_sql::sqlite::{Durability, SqliteStore};
use tenure_testkit::records::session;
use tokio::runtime::Runtime;

use crate::site::visited;
use crate::{Growth, Measured};

/// At the million, whose filling takes longer than its measuring.
const NUMBERS: [u32; 4] = [1_000, 10_000, 100_000, 1_000_000];

pub fn measured(options: &Options) -> anyhow::Result<Growth> {
    let runtime = Runtime::new()?;
    let names = [
        "in memory, reads",
        "in memory, writes",
        "SQLite, reads",
        "SQLite, writes",
    ];
    let mut points = vec![Vec::new(); names.len()];
    let numbers = if options.is_quick {
        &NUMBERS[..3]
    } else {
        &NUMBERS[..]
    };
    let folder = tempfile::tempdir()?;
    let sqlite = SqliteStore::options(folder.path().join("sessions.db"));
    // The disk's flushing would hide all else.
    let sqlite = runtime.block_on(sqlite.durability(Durability::Normal).open())?;
    let mut in_sqlite = 0;
    for number in numbers {
        eprintln!("growth: {number} live sessions");
        let memory = MemoryStore::with_capacity(2_000_000);
        runtime.block_on(fill(&memory, 0..*number))?;
        runtime.block_on(fill_at_once(&sqlite, in_sqlite..*number))?;
        in_sqlite = *number;
        let in_memory =
            runtime.block_on(async { visited(memory, Vec::new()).await?.costs(options).await })?;
        let on_disk =
            runtime.block_on(async { visited(sqlite.clone(), Vec::new()).await?.costs(options).await })?;
        let costs = [in_memory.read, in_memory.write, on_disk.read, on_disk.write];
        for (points, cost) in points.iter_mut().zip(costs) {
            points.push((f64::from(*number), cost));
        }
    }
    let curves = names
        .into_iter()
        .zip(points)
        .map(|(name, points)| Measured { name, points });
    Ok(Growth {
        name: "live-sessions",
        argument: "live sessions",
        curves: curves.collect(),
    })
}

async fn fill(store: &impl Store, numbers: std::ops::Range<u32>) -> anyhow::Result<()> {
    for number in numbers {
        store.insert(&record(number)).await?;
    }
    Ok(())
}

/// Many writers, for a store that takes them together.
async fn fill_at_once(store: &SqliteStore, numbers: std::ops::Range<u32>) -> anyhow::Result<()> {
    const WRITERS: usize = 64;
    let workers: Vec<_> = (0..WRITERS)
        .map(|worker| {
            let (store, mine) = (store.clone(), numbers.clone().skip(worker).step_by(WRITERS));
            tokio::spawn(async move {
                for number in mine {
                    store.insert(&record(number)).await?;
                }
                anyhow::Ok(())
            })
        })
        .collect();
    for worker in workers {
        worker.await??;
    }
    Ok(())
}

/// Its id is spread over all ids as random ones are.
fn record(number: u32) -> Record {
    let id = u128::from(number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    Record {
        id: SessionId::from_bytes(id.to_be_bytes()),
        data: vec![b'x'; 200].into(),
        ..session(0)
    }
}
