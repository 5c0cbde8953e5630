//! The memory of this process while a million sessions come and go.

use std::time::Duration;

use tenure_core::store::{Inserted, Store, Touch, Updated};
use tenure_core::{Device, Lifetime, Lineage, Owner, Record, SecretHash, SessionId, Timestamp};
use tokio::task::JoinSet;

use super::Outcome;

/// After how many sessions it is looked at. The first is for caches to fill.
const LOOKS: [u64; 3] = [1_000, 100_000, 1_000_000];

/// By how much it may grow between the second look and the last, and by the sweep: less than 20 bytes for each session
/// of about 500.
const MAX_GROWTH_KIB: i64 = 16 * 1024;

/// How many sessions are worked on at once.
const TASKS: u64 = 16;

const SWEEP_BATCH: u32 = 500;

const START: Timestamp = Timestamp::from_millis(1_767_225_600_000);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// Creates, loads and saves a million sessions, and sweeps them all.
pub(crate) async fn stays_flat<S: Store + Clone>(name: &str, store: &S) -> Outcome {
    println!("{name}: memory at the start: {} KiB", resident_kib()?);
    let mut from = 0;
    let mut looks = Vec::new();
    for to in LOOKS {
        work(store, from, to).await?;
        from = to;
        let resident = resident_kib()?;
        println!("{name}: memory after {to} sessions were created, loaded and saved: {resident} KiB");
        looks.push(resident);
    }
    sweep_all(store, from).await?;
    let swept = resident_kib()?;
    println!("{name}: memory after they were swept: {swept} KiB");
    let growth = looks[2].max(swept) - looks[1];
    println!("{name}: memory grew by {growth} KiB, and may by {MAX_GROWTH_KIB} KiB");
    if growth > MAX_GROWTH_KIB {
        return Err(format!("{name}: the memory of this process grows with the sessions").into());
    }
    Ok(())
}

async fn work<S: Store + Clone>(store: &S, from: u64, to: u64) -> Outcome {
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let store = store.clone();
        tasks.spawn(async move {
            for number in (from + task..to).step_by(TASKS as usize) {
                create_load_and_save(&store, number).await;
            }
        });
    }
    while let Some(finished) = tasks.join_next().await {
        finished?;
    }
    Ok(())
}

async fn create_load_and_save(store: &impl Store, number: u64) {
    let record = record(number);
    let inserted = store.insert(&record).await.expect("an insert");
    assert_eq!(inserted, Inserted::New);
    let touch = Touch::Active {
        now: START,
        bearer: record.secret_hash,
        at_most_every: HOUR,
    };
    let loaded = store.load(record.id, touch).await.expect("a load");
    let loaded = loaded.expect("a session that is there");
    let next = Record {
        version: 2,
        ..Record::clone(&loaded)
    };
    let updated = store.update(&next, 1, START).await.expect("an update");
    assert_eq!(updated, Updated::Saved);
}

async fn sweep_all(store: &impl Store, sessions: u64) -> Outcome {
    let mut all = 0;
    loop {
        let swept = store.sweep_expired(START.plus(2 * HOUR), SWEEP_BATCH).await?;
        all += swept.sessions;
        if !swept.is_full(SWEEP_BATCH) {
            break;
        }
    }
    assert_eq!(all, sessions);
    Ok(())
}

fn record(number: u64) -> Record {
    // Scattered, as random ids are.
    let id = u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    Record {
        id: SessionId::from_bytes(id.to_be_bytes()),
        version: 1,
        secret_hash: SecretHash::from_bytes([7; SecretHash::LENGTH]),
        previous_secret_hash: None,
        lineage: Lineage::begun(START),
        owner: Some(Owner::new(format!("user-{}", number / 10)).expect("an owner")),
        created_at: START,
        signed_in_at: Some(START),
        last_seen_at: START,
        idle_timeout: HOUR,
        absolute_deadline: START.plus(HOUR),
        lifetime: Lifetime::Standard,
        device: Device::new(Some("Firefox/140.0"), None),
        data: vec![0xab; 300].into(),
    }
}

/// The memory of this process that is in the machine's.
fn resident_kib() -> Outcome<i64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = resident.and_then(|resident| resident.trim().strip_suffix(" kB"));
    Ok(kib
        .ok_or("a kernel that does not tell the memory in use")?
        .parse()?)
}
