//! Against the number of requests at once that each add one to the same counter of the same session.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use measure::{Options, Spread};
use tenure_core::{MemoryStore, Store};
use tenure_redis::RedisStore;
use tenure_sql::sqlite::{Durability, SqliteStore};
use tenure_testkit::servers::redis::RedisServer;
use tokio::runtime::Runtime;

use crate::site::{Site, visited};
use crate::{Growth, Measured};

const WRITERS: [u32; 6] = [1, 2, 4, 8, 16, 32];

pub fn measured(options: &Options) -> anyhow::Result<Growth> {
    let runtime = Runtime::new()?;
    let redis = RedisServer::with(&["--appendonly", "no"])?;
    let folder = tempfile::tempdir()?;
    runtime.block_on(async {
        let sqlite = SqliteStore::options(folder.path().join("sessions.db"));
        let curves = vec![
            curve("in memory", MemoryStore::new(), options).await?,
            curve(
                "SQLite",
                sqlite.durability(Durability::Normal).open().await?,
                options,
            )
            .await?,
            curve("Redis", RedisStore::connect(redis.url()).await?, options).await?,
        ];
        Ok(Growth {
            name: "writers",
            argument: "writers at once of one session",
            curves,
        })
    })
}

async fn curve(name: &'static str, store: impl Store, options: &Options) -> anyhow::Result<Measured> {
    let site = visited(store, Vec::new()).await?;
    let mut points = Vec::new();
    for writers in WRITERS {
        eprintln!("growth: {name}: {writers} writers at once");
        let rounds = if options.is_quick { 3 } else { 15 };
        let mut costs = Vec::new();
        for _ in 0..rounds {
            costs.push(cost(&site, writers).await?);
        }
        points.push((f64::from(writers), Spread::of(&costs).median));
    }
    Ok(Measured { name, points })
}

/// Nanoseconds of wall time for each of the writes.
async fn cost(site: &Site, writers: u32) -> anyhow::Result<f64> {
    const WRITES: u32 = 320;
    let next = Arc::new(AtomicU32::new(0));
    let start = Instant::now();
    let workers: Vec<_> = (0..writers)
        .map(|_| {
            let (site, next) = (site.clone(), Arc::clone(&next));
            tokio::spawn(async move {
                while next.fetch_add(1, Ordering::Relaxed) < WRITES {
                    site.ask("/count").await?;
                }
                anyhow::Ok(())
            })
        })
        .collect();
    for worker in workers {
        worker.await??;
    }
    Ok(start.elapsed().as_nanos() as f64 / f64::from(WRITES))
}
