//! The time that one operation takes among a thousand sessions and among a million.

use std::time::{Duration, Instant};

use tenure_core::store::{Store, Touch, Updated};
use tenure_core::{Record, Timestamp};

use super::Outcome;
use super::rows::{EXPIRED, PER_OWNER, id, owner};

const FEW: u64 = 1_000;
const MANY: u64 = 1_000_000;

/// How many times each operation is done for one figure.
const SAMPLES: u64 = 3_000;

/// How many times as long an operation may take among so many more sessions. An index grows by a level or two.
const MAX_RATIO: f64 = 1.5;
/// How long a batch of the sweep may hold its locks.
const LONGEST_BATCH: Duration = Duration::from_millis(50);

/// Before which nothing has expired, and at which what is to be swept has.
const BEFORE: Timestamp = Timestamp::from_millis(0);
const NOW: Timestamp = Timestamp::from_millis(1_000_000);

/// The medians of the operations.
struct Times {
    load: Duration,
    save: Duration,
    list: Duration,
}

/// Loads, saves and lists among few sessions and among many; `fill` makes the sessions of a range of numbers.
pub(crate) async fn compare(
    name: &str,
    store: &impl Store,
    mut fill: impl AsyncFnMut(u64, u64) -> Outcome,
) -> Outcome {
    fill(0, FEW).await?;
    times(store, FEW).await?;
    let few = times(store, FEW).await?;
    fill(FEW, MANY).await?;
    times(store, MANY).await?;
    let many = times(store, MANY).await?;
    for (what, few, many) in [
        ("load", few.load, many.load),
        ("save", few.save, many.save),
        ("list 10 of an owner", few.list, many.list),
    ] {
        let ratio = many.as_secs_f64() / few.as_secs_f64();
        println!("{name}: {what}: {few:?} of {FEW}, {many:?} of {MANY}: ratio {ratio:.2}");
        if ratio > MAX_RATIO {
            return Err(format!("{name}: {what}: the ratio is above {MAX_RATIO}").into());
        }
    }
    Ok(())
}

async fn times(store: &impl Store, sessions: u64) -> Outcome<Times> {
    // Those that expire first are left for the sweep.
    let first = EXPIRED.min(sessions / 10);
    let [mut loads, mut saves, mut lists] = [(); 3].map(|()| Vec::new());
    for sample in 0..SAMPLES {
        let number = first + sample * 6_007 % (sessions - first);
        let began = Instant::now();
        let record = store
            .load(id(number), Touch::No)
            .await?
            .ok_or("a session that is not there")?;
        loads.push(began.elapsed());
        let next = Record {
            version: record.version + 1,
            ..Record::clone(&record)
        };
        let began = Instant::now();
        let updated = store.update(&next, record.version, BEFORE).await?;
        saves.push(began.elapsed());
        assert_eq!(updated, Updated::Saved);
        let began = Instant::now();
        let listed = store.list_by_owner(&owner(number), BEFORE).await?;
        lists.push(began.elapsed());
        assert_eq!(listed.len() as u64, PER_OWNER);
    }
    Ok(Times {
        load: median(loads),
        save: median(saves),
        list: median(lists),
    })
}

/// Lists the sessions of one owner among the many.
pub(crate) async fn list_one(store: &impl Store) -> Outcome {
    let listed = store.list_by_owner(&owner(MANY / 2), BEFORE).await?;
    assert_eq!(listed.len() as u64, PER_OWNER);
    Ok(())
}

/// Sweeps what has expired among the many.
pub(crate) async fn sweep(name: &str, store: &impl Store, batch: u32) -> Outcome {
    let mut batches = Vec::new();
    let mut all = 0;
    loop {
        let began = Instant::now();
        let swept = store.sweep_expired(NOW, batch).await?;
        batches.push(began.elapsed());
        all += swept.sessions;
        if !swept.is_full(batch) {
            break;
        }
    }
    let longest = batches.iter().copied().max().unwrap_or_default();
    let usual = median(batches);
    println!("{name}: a sweep of {batch} of {all} among {MANY}: {usual:?}, the longest {longest:?}");
    if longest > LONGEST_BATCH {
        return Err(format!("{name}: a batch of the sweep took longer than {LONGEST_BATCH:?}").into());
    }
    Ok(())
}

fn median(mut durations: Vec<Duration>) -> Duration {
    durations.sort();
    durations[durations.len() / 2]
}
