//! The contract of [`Store`], as tests that every store runs.
//!
//! A store brings a [`StoreFixture`] and names it in [`store_conformance!`](crate::store_conformance).
//! Each check becomes a test of its own on a database of its own. Time is what the checks say it is,
//! so none of them waits.

use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use tenure_core::store::{Attempts, AttemptsKey, Inserted, MAX_DATA_BYTES, Touch, Updated};
use tenure_core::{
    Device, Expiry, Lifetime, Lineage, Owner, Record, SecretHash, SessionId, Store, StoreError, Timestamp,
};
use tokio::task::JoinSet;

use crate::records::{loaded, look};

/// A database of a store under test, empty when created and gone when dropped.
pub trait StoreFixture: Send + Sync + Sized + 'static {
    /// The store under test.
    type Store: Store;

    /// Whether the database drops expired records by itself, so that there is nothing to sweep.
    const EXPIRES_BY_ITSELF: bool = false;

    /// A fresh and empty database.
    fn create() -> impl Future<Output = Self> + Send;

    /// An instance on this database, as another process would have it. Called more than once; a
    /// store that lives in one process gives back the same one.
    fn open(&self) -> impl Future<Output = Self::Store> + Send;
}

/// Makes a test of each check, on the database of the given [`StoreFixture`].
///
/// ```
/// use std::sync::Arc;
/// use tenure_core::MemoryStore;
/// use tenure_testkit::conformance::StoreFixture;
///
/// struct Memory(Arc<MemoryStore>);
///
/// impl StoreFixture for Memory {
///     type Store = Arc<MemoryStore>;
///
///     async fn create() -> Self {
///         Self(Arc::default())
///     }
///
///     async fn open(&self) -> Self::Store {
///         Arc::clone(&self.0)
///     }
/// }
///
/// tenure_testkit::store_conformance!(Memory);
/// ```
#[macro_export]
macro_rules! store_conformance {
    ($fixture:ty) => {
        $crate::store_conformance!(@tests $fixture:
            an_unknown_id_loads_nothing
            an_inserted_record_comes_back_in_every_field
            bare_records_come_back_bare
            extreme_times_come_back
            addresses_of_both_families_come_back
            an_insert_under_a_taken_id_changes_nothing
            of_many_inserts_under_one_id_one_wins
            a_touch_is_due_to_the_millisecond
            a_touch_does_not_change_the_version
            a_look_without_activity_slides_nothing
            an_expired_record_is_never_slid
            a_touch_by_another_secret_slides_nothing
            a_touch_never_moves_last_seen_backwards
            sliding_moves_the_idle_deadline_and_stops_at_the_absolute_one
            concurrent_touches_all_see_the_latest
            an_update_replaces_every_field
            an_update_of_another_version_is_stale_and_changes_nothing
            an_update_never_creates
            an_update_is_gone_from_the_deadline_on
            an_update_keeps_the_later_last_seen
            a_removed_record_stays_removed
            removing_says_whether_there_was_one
            a_counter_loses_no_update
            of_many_updates_of_one_version_one_is_saved
            a_removed_record_is_not_revived_by_racing_updates
            touches_lose_no_update
            a_removed_record_is_not_revived_by_racing_touches
            a_list_holds_the_living_of_one_owner_last_seen_first
            owners_that_look_alike_are_different
            a_list_follows_a_change_of_owner
            removing_by_owner_spares_one_and_other_owners
            removing_by_owner_wins_over_racing_updates
            data_up_to_the_limit_is_kept_and_more_is_refused
            bytes_come_back_as_they_were
            a_sweep_takes_only_what_has_expired
            a_sweep_is_bounded_and_says_when_it_is_done
            concurrent_sweeps_take_each_record_once
            a_swept_record_is_not_revived_by_an_update
            another_instance_sees_an_answered_write
            a_cancelled_call_has_the_whole_effect_or_none
            attempts_come_back_as_they_were
            attempts_are_written_only_over_the_version_that_is_expected
            expired_attempts_count_as_none
            of_many_failures_at_once_none_is_lost
            a_sweep_takes_attempts_that_have_expired_too
            a_sweep_of_attempts_is_bounded_and_says_when_it_is_done
            a_walk_sees_every_session_without_its_data
            a_walk_sees_what_stays_while_sessions_come_and_go
            the_living_are_counted
            a_store_answers_a_ping
            a_store_works_behind_a_trait_object
        );
    };
    (@tests $fixture:ty: $($check:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $check() {
                let fixture = <$fixture as $crate::conformance::StoreFixture>::create().await;
                $crate::conformance::$check(&fixture).await;
            }
        )*
    };
}

/// How many tasks work on one record at once.
const TASKS: u64 = 64;

/// How often a race is run. Each run interleaves differently.
const ROUNDS: u8 = 40;

/// How long any one step may take before it counts as stuck. Nothing waits for it to pass.
const STUCK: Duration = Duration::from_secs(60);

const MINUTE: Duration = Duration::from_secs(60);
const IDLE_TIMEOUT: Duration = Duration::from_secs(30 * 60);
const ABSOLUTE_TIMEOUT: Duration = Duration::from_secs(12 * 60 * 60);

/// The hash of the secret that the sessions' bearer has.
const BEARER: SecretHash = SecretHash::from_bytes([0xa5; SecretHash::LENGTH]);

/// 2100-01-01: later than any real clock, so that a database that expires records by its own clock
/// expires none of these meanwhile.
const START: Timestamp = Timestamp::from_millis(4_102_444_800_000);

/// The greatest time that databases which count in floating point keep exactly: 2^53 - 1.
const FARTHEST: Timestamp = Timestamp::from_millis((1 << 53) - 1);

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn id(number: u8) -> SessionId {
    SessionId::from_bytes([number; SessionId::LENGTH])
}

fn owner(name: &str) -> Owner {
    Owner::new(name).expect("a fitting owner")
}

/// A signed-in session of "alice" that begins at [`START`].
fn session(number: u8) -> Record {
    Record {
        id: id(number),
        version: 1,
        secret_hash: BEARER,
        previous_secret_hash: None,
        lineage: Lineage::begun(START),
        owner: Some(owner("alice")),
        created_at: START,
        signed_in_at: Some(START),
        last_seen_at: START,
        idle_timeout: IDLE_TIMEOUT,
        absolute_deadline: START.plus(ABSOLUTE_TIMEOUT),
        lifetime: Lifetime::Standard,
        device: Device::new(Some("Firefox/140.0"), None),
        data: Bytes::from_static(b"0"),
    }
}

/// A lineage in the middle of a renewal, with every part that it can have: a store keeps its bytes exactly.
fn longest_lineage() -> Lineage {
    let mut bytes = vec![1, 0, 0, 0, 9, 0, 0, 0, 7];
    bytes.extend_from_slice(&START.as_millis().to_be_bytes());
    bytes.push(2);
    bytes.extend((0..Lineage::MAX_BYTES - bytes.len()).map(|at| (at as u8).wrapping_mul(37)));
    // At the end are the times of three proofs.
    let proofs = Lineage::MAX_BYTES - 3 * 8 - 1;
    bytes[proofs] = 3;
    Lineage::from_bytes(&bytes).expect("the form that `Lineage::to_bytes` makes")
}

/// `record` as its next version, with this data.
fn next(record: &Record, data: impl Into<Bytes>) -> Record {
    Record {
        version: record.version + 1,
        data: data.into(),
        ..record.clone()
    }
}

fn without_data(record: &Record) -> Record {
    Record {
        data: Bytes::new(),
        ..record.clone()
    }
}

fn active(now: Timestamp) -> Touch {
    Touch::Active {
        now,
        bearer: BEARER,
        at_most_every: Duration::ZERO,
    }
}

async fn insert(store: &impl Store, record: &Record) {
    let inserted = store.insert(record).await.expect("an insert");
    assert_eq!(inserted, Inserted::New, "{}", record.id);
}

async fn update(store: &impl Store, record: &Record, expected: u64, now: Timestamp) -> Updated {
    store.update(record, expected, now).await.expect("an update")
}

/// Waits for all tasks and gives back what they came to; a panic in one is a panic here.
async fn joined<T: 'static>(mut tasks: JoinSet<T>) -> Vec<T> {
    let mut outcomes = Vec::with_capacity(tasks.len());
    let all = async {
        while let Some(outcome) = tasks.join_next().await {
            outcomes.push(outcome.expect("a task that does not panic"));
        }
    };
    tokio::time::timeout(STUCK, all).await.expect("tasks that end");
    outcomes
}

/// Two instances on one database, to be handed to tasks in turn.
async fn instances<F: StoreFixture>(fixture: &F) -> [Arc<F::Store>; 2] {
    [Arc::new(fixture.open().await), Arc::new(fixture.open().await)]
}

/// No record where there is none.
pub async fn an_unknown_id_loads_nothing<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    assert_eq!(look(&store, id(1)).await, None);
    assert_eq!(loaded(&store, id(1), active(START)).await, None);
}

/// Every field comes back exactly.
pub async fn an_inserted_record_comes_back_in_every_field<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    let address: IpAddr = "203.0.113.7".parse().expect("an address");
    let record = Record {
        id: SessionId::from_bytes(std::array::from_fn(|at| at as u8 * 17)),
        previous_secret_hash: Some(SecretHash::from_bytes(std::array::from_fn(|at| 255 - at as u8))),
        secret_hash: SecretHash::from_bytes(std::array::from_fn(|at| at as u8)),
        lineage: longest_lineage(),
        owner: Some(owner("Zoë \"O'Brien\"; DROP TABLE -- \\ % _ 🦀 \u{202e}")),
        created_at: START.minus(millis(3)),
        signed_in_at: Some(START.minus(millis(2))),
        last_seen_at: START.minus(millis(1)),
        idle_timeout: millis(86_400_001),
        absolute_deadline: START.plus(millis(34_560_000_007)),
        lifetime: Lifetime::Remembered,
        device: Device::new(Some("Mozilla/5.0 (\"X11\"; 'Linux') Ünï \\ 🦊"), Some(address)),
        data: Bytes::from_static(br#"{"cart":[1,2,3]}"#),
        ..session(1)
    };
    insert(&store, &record).await;
    assert_eq!(look(&store, record.id).await, Some(record));
}

/// What is absent stays absent.
pub async fn bare_records_come_back_bare<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    let record = Record {
        owner: None,
        signed_in_at: None,
        device: Device::default(),
        data: Bytes::new(),
        ..session(1)
    };
    insert(&store, &record).await;
    assert_eq!(look(&store, record.id).await, Some(record));
}

/// The epoch and the far future are times like any other.
pub async fn extreme_times_come_back<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    let epoch = Timestamp::from_millis(0);
    let from_the_epoch = Record {
        created_at: epoch,
        signed_in_at: Some(epoch),
        last_seen_at: epoch,
        idle_timeout: epoch.until(FARTHEST),
        absolute_deadline: FARTHEST,
        ..session(1)
    };
    let to_the_end = Record {
        created_at: FARTHEST,
        signed_in_at: Some(FARTHEST),
        last_seen_at: FARTHEST,
        idle_timeout: epoch.until(FARTHEST),
        absolute_deadline: FARTHEST,
        ..session(2)
    };
    for record in [from_the_epoch, to_the_end] {
        insert(&store, &record).await;
        assert_eq!(look(&store, record.id).await, Some(record));
    }
}

/// IPv4, IPv6, and IPv4 dressed as IPv6 each stay what they are.
pub async fn addresses_of_both_families_come_back<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    let addresses = [
        "0.0.0.0",
        "255.255.255.255",
        "::",
        "2001:db8::7",
        "::ffff:192.0.2.1",
    ];
    for (number, address) in (0..).zip(addresses) {
        let record = Record {
            device: Device::new(None, Some(address.parse().expect("an address"))),
            ..session(number)
        };
        insert(&store, &record).await;
        assert_eq!(look(&store, record.id).await, Some(record), "{address}");
    }
}

/// The one who came first stays, as they were.
pub async fn an_insert_under_a_taken_id_changes_nothing<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    let first = session(1);
    let second = Record {
        owner: Some(owner("mallory")),
        data: Bytes::from_static(b"planted"),
        ..session(1)
    };
    insert(&store, &first).await;
    assert_eq!(store.insert(&second).await.expect("an insert"), Inserted::Taken);
    assert_eq!(store.insert(&first).await.expect("an insert"), Inserted::Taken);
    assert_eq!(look(&store, id(1)).await, Some(first));
}

/// An id has one session, however many are born under it at once.
pub async fn of_many_inserts_under_one_id_one_wins<F: StoreFixture>(fixture: &F) {
    let stores = instances(fixture).await;
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let store = Arc::clone(&stores[task as usize % 2]);
        let record = Record {
            data: task.to_string().into(),
            ..session(1)
        };
        tasks.spawn(async move {
            let inserted = store.insert(&record).await.expect("an insert");
            (inserted == Inserted::New).then_some(record)
        });
    }
    let winners: Vec<Record> = joined(tasks).await.into_iter().flatten().collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(look(&stores[0], id(1)).await.as_ref(), winners.first());
}

/// Not a millisecond before its interval has passed.
pub async fn a_touch_is_due_to_the_millisecond<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    insert(&store, &session(1)).await;
    let seen_after = async |now: Timestamp| {
        let at_most_every = MINUTE;
        let bearer = BEARER;
        let touch = Touch::Active {
            now,
            bearer,
            at_most_every,
        };
        let loaded = loaded(&store, id(1), touch).await;
        let kept = look(&store, id(1)).await;
        assert_eq!(loaded, kept, "what is given back is what is kept");
        kept.expect("a record").last_seen_at
    };
    let almost = START.plus(MINUTE).minus(millis(1));
    let due = START.plus(MINUTE);
    // A store that slides in the same round trip may slide early, but to nothing else than now.
    let first = seen_after(almost).await;
    assert!(first == START || first == almost, "{first:?}");
    if first == START {
        assert_eq!(seen_after(due).await, due);
        assert_eq!(seen_after(due.plus(MINUTE).minus(millis(1))).await, due);
    }
    let later = due.plus(MINUTE).plus(MINUTE);
    assert_eq!(seen_after(later).await, later);
}

/// Or else every read would make the writers of other requests start over.
pub async fn a_touch_does_not_change_the_version<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    let record = session(1);
    insert(&store, &record).await;
    let now = START.plus(MINUTE);
    let touched = loaded(&store, id(1), active(now)).await;
    let expected = Record {
        last_seen_at: now,
        ..record
    };
    assert_eq!(touched.as_ref(), Some(&expected));
    assert_eq!(
        update(&store, &next(&expected, "1"), 1, now).await,
        Updated::Saved
    );
}

/// A status page that polls keeps nobody signed in.
pub async fn a_look_without_activity_slides_nothing<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    insert(&store, &session(1)).await;
    assert_eq!(look(&store, id(1)).await, Some(session(1)));
    assert_eq!(look(&store, id(1)).await, Some(session(1)));
}

/// Coming back too late does not count as having been there.
pub async fn an_expired_record_is_never_slid<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    let record = session(1);
    insert(&store, &record).await;
    let deadline = record.expires_at();
    for now in [deadline, deadline.plus(millis(1)), record.absolute_deadline] {
        if let Some(loaded) = loaded(&store, id(1), active(now)).await {
            assert_eq!(loaded, record, "at {now:?}");
        }
    }
    let last_moment = deadline.minus(millis(1));
    let touched = loaded(&store, id(1), active(last_moment)).await;
    assert_eq!(touched.map(|record| record.last_seen_at), Some(last_moment));
}

/// Whoever holds a cookie that a renewal has replaced does not keep the session alive with it.
pub async fn a_touch_by_another_secret_slides_nothing<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    insert(&store, &session(1)).await;
    let now = START.plus(MINUTE);
    let replaced = Touch::Active {
        now,
        bearer: SecretHash::from_bytes([0x5a; SecretHash::LENGTH]),
        at_most_every: Duration::ZERO,
    };
    assert_eq!(loaded(&store, id(1), replaced).await, Some(session(1)));
    assert_eq!(look(&store, id(1)).await, Some(session(1)));
}

/// The clocks of two machines differ; the later one counts.
pub async fn a_touch_never_moves_last_seen_backwards<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    insert(&store, &session(1)).await;
    let later = START.plus(MINUTE);
    for now in [later, START, later.minus(millis(1)), START.minus(MINUTE)] {
        let touched = loaded(&store, id(1), active(now)).await;
        assert_eq!(
            touched.map(|record| record.last_seen_at),
            Some(later),
            "at {now:?}"
        );
    }
    assert_eq!(
        look(&store, id(1)).await.map(|record| record.last_seen_at),
        Some(later)
    );
}

/// Activity prolongs a session up to its absolute deadline and not beyond, to the millisecond.
pub async fn sliding_moves_the_idle_deadline_and_stops_at_the_absolute_one<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    let record = Record {
        absolute_deadline: START.plus(IDLE_TIMEOUT * 2).minus(millis(10)),
        ..session(1)
    };
    insert(&store, &record).await;
    let first_deadline = record.expires_at();

    let early = START.plus(millis(5));
    let slid = loaded(&store, id(1), active(early)).await.expect("a record");
    assert_eq!(slid.expires_at(), first_deadline.plus(millis(5)));
    assert_eq!(alive_at(&store, first_deadline).await, 1);
    assert_eq!(alive_at(&store, first_deadline.plus(millis(5))).await, 0);

    let late = first_deadline.plus(millis(4));
    let slid = loaded(&store, id(1), active(late)).await.expect("a record");
    assert_eq!(slid.expires_at(), record.absolute_deadline);
    assert_eq!(slid.expiry(record.absolute_deadline), Some(Expiry::Absolute));
    assert_eq!(
        alive_at(&store, record.absolute_deadline.minus(millis(1))).await,
        1
    );
    assert_eq!(alive_at(&store, record.absolute_deadline).await, 0);
    let attempt = next(&slid, "late");
    assert_eq!(
        update(&store, &attempt, 1, record.absolute_deadline).await,
        Updated::Gone
    );
}

async fn alive_at(store: &impl Store, now: Timestamp) -> usize {
    let living = store.list_by_owner(&owner("alice"), now).await;
    living.expect("a list").len()
}

/// Whoever touches, the latest time stays.
pub async fn concurrent_touches_all_see_the_latest<F: StoreFixture>(fixture: &F) {
    let stores = instances(fixture).await;
    insert(&*stores[0], &session(1)).await;
    let mut tasks = JoinSet::new();
    for task in 1..=TASKS {
        let store = Arc::clone(&stores[task as usize % 2]);
        tasks.spawn(async move {
            let now = START.plus(millis(task));
            let touched = loaded(&store, id(1), active(now)).await;
            let seen = touched.expect("a record").last_seen_at;
            assert!(seen >= now, "touched at {now:?}, seen at {seen:?}");
        });
    }
    joined(tasks).await;
    let seen = look(&stores[1], id(1)).await.map(|record| record.last_seen_at);
    assert_eq!(seen, Some(START.plus(millis(TASKS))));
}

/// The record of an update is kept whole.
pub async fn an_update_replaces_every_field<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    let before = session(1);
    insert(&store, &before).await;
    let now = START.plus(MINUTE);
    let after = Record {
        id: before.id,
        version: 2,
        secret_hash: SecretHash::from_bytes([9; SecretHash::LENGTH]),
        previous_secret_hash: Some(before.secret_hash),
        lineage: longest_lineage(),
        owner: Some(owner("bob")),
        created_at: START.minus(MINUTE),
        signed_in_at: Some(now),
        last_seen_at: now,
        idle_timeout: IDLE_TIMEOUT * 2,
        absolute_deadline: now.plus(ABSOLUTE_TIMEOUT * 2),
        lifetime: Lifetime::Remembered,
        device: Device::new(
            Some("Safari/26"),
            Some("2001:db8::1".parse().expect("an address")),
        ),
        data: Bytes::from_static(b"after"),
    };
    assert_eq!(update(&store, &after, 1, now).await, Updated::Saved);
    assert_eq!(look(&store, id(1)).await.as_ref(), Some(&after));

    let emptied = Record {
        version: 3,
        previous_secret_hash: None,
        lineage: Lineage::begun(START),
        owner: None,
        signed_in_at: None,
        device: Device::default(),
        data: Bytes::new(),
        ..after
    };
    assert_eq!(update(&store, &emptied, 2, now).await, Updated::Saved);
    assert_eq!(look(&store, id(1)).await, Some(emptied));
}

/// Whoever read an older version, or a newer one that never was, has to read again.
pub async fn an_update_of_another_version_is_stale_and_changes_nothing<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    let first = session(1);
    let second = next(&first, "second");
    insert(&store, &first).await;
    assert_eq!(update(&store, &second, 1, START).await, Updated::Saved);
    for expected in [0, 1, 3, u64::MAX] {
        let attempt = Record {
            version: expected.saturating_add(1),
            owner: Some(owner("mallory")),
            data: Bytes::from_static(b"lost"),
            ..first.clone()
        };
        assert_eq!(
            update(&store, &attempt, expected, START).await,
            Updated::Stale,
            "{expected}"
        );
    }
    assert_eq!(look(&store, id(1)).await, Some(second));
}

/// Only an insert makes a session.
pub async fn an_update_never_creates<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    for expected in [0, 1, 2] {
        let record = Record {
            version: expected + 1,
            ..session(1)
        };
        assert_eq!(update(&store, &record, expected, START).await, Updated::Gone);
    }
    assert_eq!(look(&store, id(1)).await, None);
}

/// What is over is over, to the millisecond, even while the row is still there.
pub async fn an_update_is_gone_from_the_deadline_on<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    let record = session(1);
    insert(&store, &record).await;
    let deadline = record.expires_at();
    for now in [deadline, deadline.plus(millis(1)), record.absolute_deadline] {
        let prolonged = Record {
            last_seen_at: now,
            absolute_deadline: now.plus(ABSOLUTE_TIMEOUT),
            ..next(&record, "late")
        };
        assert_eq!(
            update(&store, &prolonged, 1, now).await,
            Updated::Gone,
            "at {now:?}"
        );
        // Gone even where the version is another, too.
        assert_eq!(
            update(&store, &prolonged, 7, now).await,
            Updated::Gone,
            "at {now:?}"
        );
    }
    let in_time = next(&record, "in time");
    assert_eq!(
        update(&store, &in_time, 1, deadline.minus(millis(1))).await,
        Updated::Saved
    );
    assert_eq!(look(&store, id(1)).await, Some(in_time));
}

/// A touch that passed by during a request is not undone by the request's write.
pub async fn an_update_keeps_the_later_last_seen<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    let read = session(1);
    insert(&store, &read).await;
    let touched_at = START.plus(MINUTE);
    loaded(&store, id(1), active(touched_at)).await;

    let behind = next(&read, "1");
    assert_eq!(update(&store, &behind, 1, touched_at).await, Updated::Saved);
    let kept = look(&store, id(1)).await.expect("a record");
    assert_eq!((kept.last_seen_at, &*kept.data), (touched_at, &b"1"[..]));
    assert_eq!(
        alive_at(&store, touched_at.plus(IDLE_TIMEOUT).minus(millis(1))).await,
        1
    );
    assert_eq!(alive_at(&store, touched_at.plus(IDLE_TIMEOUT)).await, 0);

    let ahead = Record {
        last_seen_at: touched_at.plus(MINUTE),
        ..next(&kept, "2")
    };
    assert_eq!(update(&store, &ahead, 2, touched_at).await, Updated::Saved);
    assert_eq!(look(&store, id(1)).await, Some(ahead));
}

/// Logging out is final, whatever a request that began before still writes.
pub async fn a_removed_record_stays_removed<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    let record = session(1);
    insert(&store, &record).await;
    assert!(store.remove(id(1)).await.expect("a removal"));
    assert_eq!(
        update(&store, &next(&record, "late"), 1, START).await,
        Updated::Gone
    );
    assert_eq!(loaded(&store, id(1), active(START.plus(MINUTE))).await, None);
    assert_eq!(alive_at(&store, START).await, 0);
}

/// Whatever the version, and only of the one it names.
pub async fn removing_says_whether_there_was_one<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    assert!(!store.remove(id(1)).await.expect("a removal"));
    insert(&store, &session(1)).await;
    insert(&store, &session(2)).await;
    assert_eq!(
        update(&store, &next(&session(1), "1"), 1, START).await,
        Updated::Saved
    );
    assert!(store.remove(id(1)).await.expect("a removal"));
    assert!(!store.remove(id(1)).await.expect("a removal"));
    assert_eq!(look(&store, id(2)).await, Some(session(2)));
}

/// Many tasks count in one record; each retries until its update is saved.
pub async fn a_counter_loses_no_update<F: StoreFixture>(fixture: &F) {
    let stores = instances(fixture).await;
    insert(&*stores[0], &session(1)).await;
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let store = Arc::clone(&stores[task as usize % 2]);
        tasks.spawn(async move { count_one_more(&*store, id(1), START, Touch::No).await });
    }
    assert_eq!(
        joined(tasks).await.iter().filter(|counted| **counted).count() as u64,
        TASKS
    );
    let counted = look(&stores[1], id(1)).await.expect("a record");
    assert_eq!((counter(&counted), counted.version), (TASKS, TASKS + 1));
}

/// Adds one to the number that is the record's data. False when the record is gone.
async fn count_one_more(store: &impl Store, id: SessionId, now: Timestamp, touch: Touch) -> bool {
    loop {
        let Some(read) = loaded(store, id, touch).await else {
            return false;
        };
        let counted = next(&read, (counter(&read) + 1).to_string());
        match update(store, &counted, read.version, now).await {
            Updated::Saved => return true,
            Updated::Gone => return false,
            Updated::Stale => {}
        }
    }
}

fn counter(record: &Record) -> u64 {
    let text = std::str::from_utf8(&record.data).expect("a number");
    text.parse().expect("a number")
}

/// Compare-and-set compares: of all who read the same version one is faster.
pub async fn of_many_updates_of_one_version_one_is_saved<F: StoreFixture>(fixture: &F) {
    let stores = instances(fixture).await;
    insert(&*stores[0], &session(1)).await;
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let store = Arc::clone(&stores[task as usize % 2]);
        let attempt = next(&session(1), task.to_string());
        tasks.spawn(async move { (update(&*store, &attempt, 1, START).await, attempt) });
    }
    let (saved, others): (Vec<_>, Vec<_>) = joined(tasks)
        .await
        .into_iter()
        .partition(|(updated, _)| *updated == Updated::Saved);
    assert_eq!(saved.len(), 1);
    assert!(others.iter().all(|(updated, _)| *updated == Updated::Stale));
    assert_eq!(
        look(&stores[0], id(1)).await.as_ref(),
        saved.first().map(|(_, record)| record)
    );
}

/// A logout in the middle of other requests' writes is the end of the session.
pub async fn a_removed_record_is_not_revived_by_racing_updates<F: StoreFixture>(fixture: &F) {
    let stores = instances(fixture).await;
    for round in 0..ROUNDS {
        insert(&*stores[0], &session(round)).await;
        let mut tasks = JoinSet::new();
        for writer in 0..6 {
            let store = Arc::clone(&stores[writer % 2]);
            tasks.spawn(async move {
                for _ in 0..4 {
                    count_one_more(&*store, id(round), START, Touch::No).await;
                }
            });
        }
        let store = Arc::clone(&stores[usize::from(round) % 2]);
        tasks.spawn(async move {
            for _ in 0..round % 8 {
                tokio::task::yield_now().await;
            }
            assert!(store.remove(id(round)).await.expect("a removal"), "round {round}");
            assert_eq!(look(&*store, id(round)).await, None, "round {round}");
        });
        joined(tasks).await;
        assert_eq!(look(&stores[0], id(round)).await, None, "round {round}");
        assert_eq!(alive_at(&*stores[1], START).await, 0, "round {round}");
    }
}

/// Reads that slide and writes that count, at once: neither undoes the other.
pub async fn touches_lose_no_update<F: StoreFixture>(fixture: &F) {
    let stores = instances(fixture).await;
    insert(&*stores[0], &session(1)).await;
    let clock = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let store = Arc::clone(&stores[task as usize % 2]);
        let clock = Arc::clone(&clock);
        tasks.spawn(async move {
            for _ in 0..4 {
                let now = START.plus(millis(clock.fetch_add(1, Ordering::SeqCst) + 1));
                let touched = loaded(&store, id(1), active(now)).await;
                assert!(touched.expect("a record").last_seen_at >= now);
            }
            assert!(count_one_more(&*store, id(1), START, Touch::No).await);
        });
    }
    joined(tasks).await;
    let kept = look(&stores[1], id(1)).await.expect("a record");
    assert_eq!((counter(&kept), kept.version), (TASKS, TASKS + 1));
    assert_eq!(kept.last_seen_at, START.plus(millis(4 * TASKS)));
}

/// A read that was on its way during a logout brings nothing back.
pub async fn a_removed_record_is_not_revived_by_racing_touches<F: StoreFixture>(fixture: &F) {
    let stores = instances(fixture).await;
    for round in 0..ROUNDS {
        insert(&*stores[0], &session(round)).await;
        let mut tasks = JoinSet::new();
        for reader in 1..=8_u64 {
            let store = Arc::clone(&stores[reader as usize % 2]);
            tasks.spawn(async move {
                for step in 0..4 {
                    let now = START.plus(millis(8 * step + reader));
                    loaded(&store, id(round), active(now)).await;
                }
            });
        }
        let store = Arc::clone(&stores[usize::from(round) % 2]);
        tasks.spawn(async move {
            for _ in 0..round % 8 {
                tokio::task::yield_now().await;
            }
            assert!(store.remove(id(round)).await.expect("a removal"), "round {round}");
            assert_eq!(look(&*store, id(round)).await, None, "round {round}");
        });
        joined(tasks).await;
        assert_eq!(look(&stores[0], id(round)).await, None, "round {round}");
    }
}

/// The account page: that user's sessions, those alive, without their data.
pub async fn a_list_holds_the_living_of_one_owner_last_seen_first<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    let seen = |number, after: u64| Record {
        last_seen_at: START.plus(millis(after)),
        ..session(number)
    };
    let (oldest, newest, middle) = (seen(1, 10), seen(2, 30), seen(3, 20));
    let of_bob = Record {
        owner: Some(owner("bob")),
        ..session(4)
    };
    let of_nobody = Record {
        owner: None,
        ..session(5)
    };
    let remembered = Record {
        idle_timeout: IDLE_TIMEOUT * 2,
        lifetime: Lifetime::Remembered,
        previous_secret_hash: Some(SecretHash::from_bytes([7; SecretHash::LENGTH])),
        lineage: longest_lineage(),
        device: Device::new(Some("Chrome/150"), Some("192.0.2.4".parse().expect("an address"))),
        ..session(6)
    };
    for record in [&oldest, &newest, &middle, &of_bob, &of_nobody, &remembered] {
        insert(&store, record).await;
    }
    let listed = async |now| {
        let listed = store.list_by_owner(&owner("alice"), now).await.expect("a list");
        assert!(listed.iter().all(|record| record.data.is_empty()));
        listed
    };
    let in_order = [&newest, &middle, &oldest, &remembered].map(without_data);
    assert_eq!(listed(START.plus(millis(30))).await, in_order);
    assert_eq!(listed(oldest.expires_at().minus(millis(1))).await, in_order);
    let without_the_oldest = [&newest, &middle, &remembered].map(without_data);
    assert_eq!(listed(oldest.expires_at()).await, without_the_oldest);
    assert_eq!(listed(newest.expires_at()).await, [without_data(&remembered)]);
    assert_eq!(listed(remembered.expires_at()).await, []);
    let of_carol = store.list_by_owner(&owner("carol"), START).await.expect("a list");
    assert_eq!(of_carol, []);
}

/// Owners are compared byte for byte: no case folding, no padding, no normal forms, no patterns.
pub async fn owners_that_look_alike_are_different<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    let longest = "o".repeat(Owner::MAX_BYTES);
    let one_shorter = "o".repeat(Owner::MAX_BYTES - 1);
    let names = [
        "alice",
        "Alice",
        "alice ",
        " alice",
        "al%",
        "alic_",
        "al*",
        "älice",
        "a\u{308}lice",
        "0",
        "00",
        "'",
        "\"",
        "\\",
        "null",
        &longest,
        &one_shorter,
    ];
    for (number, name) in (0..).zip(names) {
        let record = Record {
            owner: Some(owner(name)),
            ..session(number)
        };
        insert(&store, &record).await;
    }
    for (number, name) in (0..).zip(names) {
        let listed = store.list_by_owner(&owner(name), START).await.expect("a list");
        let ids: Vec<SessionId> = listed.iter().map(|record| record.id).collect();
        assert_eq!(ids, [id(number)], "{name:?}");
        assert_eq!(listed[0].owner, Some(owner(name)));
    }
    for (number, name) in (0..).zip(names) {
        let removed = store
            .remove_by_owner(&owner(name), None)
            .await
            .expect("a removal");
        assert_eq!((removed, look(&store, id(number)).await), (1, None), "{name:?}");
    }
}

/// Signing in gives a session an owner, and signing in as somebody else another.
pub async fn a_list_follows_a_change_of_owner<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    let mut record = Record {
        owner: None,
        ..session(1)
    };
    insert(&store, &record).await;
    let owned = async |name| {
        let listed = store.list_by_owner(&owner(name), START).await.expect("a list");
        listed.len()
    };
    for (new_owner, counts) in [(Some("alice"), (1, 0)), (Some("bob"), (0, 1)), (None, (0, 0))] {
        let expected = record.version;
        record = Record {
            owner: new_owner.map(owner),
            ..next(&record, "0")
        };
        assert_eq!(update(&store, &record, expected, START).await, Updated::Saved);
        assert_eq!(
            (owned("alice").await, owned("bob").await),
            counts,
            "{new_owner:?}"
        );
    }
    assert_eq!(
        store
            .remove_by_owner(&owner("alice"), None)
            .await
            .expect("a removal"),
        0
    );
    assert_eq!(look(&store, id(1)).await, Some(record));
}

/// "Sign out everywhere else", and "sign out everywhere".
pub async fn removing_by_owner_spares_one_and_other_owners<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    for number in 1..=4 {
        insert(&store, &session(number)).await;
    }
    let of_bob = Record {
        owner: Some(owner("bob")),
        ..session(5)
    };
    let of_nobody = Record {
        owner: None,
        ..session(6)
    };
    insert(&store, &of_bob).await;
    insert(&store, &of_nobody).await;
    let removed = async |except| {
        let removed = store.remove_by_owner(&owner("alice"), except).await;
        removed.expect("a removal")
    };
    assert_eq!(removed(Some(id(2))).await, 3);
    assert_eq!(look(&store, id(2)).await, Some(session(2)));
    for number in [1, 3, 4] {
        assert_eq!(look(&store, id(number)).await, None);
    }
    assert_eq!(
        removed(Some(id(5))).await,
        1,
        "the session of another owner spares nobody"
    );
    assert_eq!(removed(None).await, 0);
    assert_eq!(look(&store, id(5)).await, Some(of_bob));
    assert_eq!(look(&store, id(6)).await, Some(of_nobody));
}

/// A password was changed; what other devices were about to write does not keep them in.
pub async fn removing_by_owner_wins_over_racing_updates<F: StoreFixture>(fixture: &F) {
    let stores = instances(fixture).await;
    for round in 0..ROUNDS {
        let numbers = [0, 1, 2, 3].map(|at| 4 * round + at);
        for number in numbers {
            insert(&*stores[0], &session(number)).await;
        }
        let mut tasks = JoinSet::new();
        for number in numbers {
            let store = Arc::clone(&stores[usize::from(number) % 2]);
            tasks.spawn(async move {
                for step in 0..6 {
                    let now = START.plus(millis(step));
                    count_one_more(&*store, id(number), now, active(now)).await;
                }
                0
            });
        }
        let store = Arc::clone(&stores[usize::from(round) % 2]);
        tasks.spawn(async move {
            for _ in 0..round % 8 {
                tokio::task::yield_now().await;
            }
            store
                .remove_by_owner(&owner("alice"), None)
                .await
                .expect("a removal")
        });
        assert_eq!(joined(tasks).await.iter().sum::<u64>(), 4, "round {round}");
        for number in numbers {
            assert_eq!(look(&stores[0], id(number)).await, None, "round {round}");
        }
        assert_eq!(alive_at(&*stores[1], START).await, 0, "round {round}");
    }
}

/// [`MAX_DATA_BYTES`] are kept; one more is refused before anything changes.
pub async fn data_up_to_the_limit_is_kept_and_more_is_refused<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    let most: Bytes = (0..MAX_DATA_BYTES).map(|at| (at % 251) as u8).collect();
    let too_much = Bytes::from(vec![7; MAX_DATA_BYTES + 1]);

    let full = Record {
        data: most.clone(),
        ..session(1)
    };
    insert(&store, &full).await;
    assert_eq!(look(&store, id(1)).await.as_ref(), Some(&full));
    let full_again = next(&full, most.slice(..).iter().rev().copied().collect::<Bytes>());
    assert_eq!(update(&store, &full_again, 1, START).await, Updated::Saved);

    let overfull = next(&full_again, too_much.clone());
    assert_refused_as_too_large(store.update(&overfull, 2, START).await);
    assert_eq!(look(&store, id(1)).await, Some(full_again));

    let overfull = Record {
        data: too_much,
        ..session(2)
    };
    assert_refused_as_too_large(store.insert(&overfull).await);
    assert_eq!(look(&store, id(2)).await, None);
}

fn assert_refused_as_too_large<T: std::fmt::Debug>(outcome: Result<T, StoreError>) {
    match outcome {
        Err(StoreError::TooLarge { bytes, .. }) => assert_eq!(bytes, MAX_DATA_BYTES + 1),
        other => panic!("expected TooLarge, got {other:?}"),
    }
}

/// Data is opaque: no byte ends it, none is changed.
pub async fn bytes_come_back_as_they_were<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    let every_byte: Bytes = (0..=u8::MAX).collect();
    let samples = [
        Bytes::new(),
        every_byte,
        Bytes::from_static(b"\0"),
        Bytes::from_static(b"\0\0\0\0"),
        Bytes::from_static(b"before\0after"),
        Bytes::from_static(b"\xff\xfe\xc3\x28"),
        Bytes::from_static(b"\r\n\r\n"),
        Bytes::from_static(b" trailing  "),
        Bytes::from_static(b"'; DELETE FROM tenure_sessions; --"),
    ];
    for (number, data) in (0..).zip(&samples) {
        let inserted = Record {
            data: data.clone(),
            ..session(number)
        };
        insert(&store, &inserted).await;
        assert_eq!(look(&store, id(number)).await, Some(inserted));
    }
    for (number, data) in (0..).zip(samples.iter().rev()) {
        let updated = next(&session(number), data.clone());
        assert_eq!(update(&store, &updated, 1, START).await, Updated::Saved);
        assert_eq!(look(&store, id(number)).await, Some(updated));
    }
}

/// A session that expires `after` milliseconds from [`START`].
fn expiring(number: u8, after: u64) -> Record {
    Record {
        idle_timeout: millis(after),
        ..session(number)
    }
}

async fn sweep(store: &impl Store, moment: Timestamp, limit: u32) -> u64 {
    let swept = store.sweep_expired(moment, limit).await.expect("a sweep");
    assert_eq!(swept.attempts, 0, "there were none");
    swept.sessions
}

/// By either deadline, at or before the moment, and none that lives.
pub async fn a_sweep_takes_only_what_has_expired<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    let absolute = Record {
        absolute_deadline: START.plus(millis(10)),
        ..session(4)
    };
    for record in [expiring(1, 9), expiring(2, 10), expiring(3, 11), absolute] {
        insert(&store, &record).await;
    }
    if F::EXPIRES_BY_ITSELF {
        assert_eq!(sweep(&store, START.plus(millis(10)), 100).await, 0);
        return;
    }
    assert_eq!(sweep(&store, START.plus(millis(8)), 100).await, 0);
    assert_eq!(sweep(&store, START.plus(millis(10)), 100).await, 3);
    for number in [1, 2, 4] {
        assert_eq!(look(&store, id(number)).await, None);
    }
    assert_eq!(look(&store, id(3)).await, Some(expiring(3, 11)));

    store
        .load(id(3), active(START.plus(millis(5))))
        .await
        .expect("a load");
    assert_eq!(sweep(&store, START.plus(millis(15)), 100).await, 0, "it was slid");
    assert_eq!(sweep(&store, START.plus(millis(16)), 100).await, 1);
}

/// Never more than `limit`; fewer means that none are left.
pub async fn a_sweep_is_bounded_and_says_when_it_is_done<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    for number in 0..25 {
        insert(&store, &expiring(number, 10)).await;
    }
    insert(&store, &expiring(25, 11)).await;
    if F::EXPIRES_BY_ITSELF {
        return;
    }
    let moment = START.plus(millis(10));
    assert_eq!(sweep(&store, moment, 0).await, 0);
    let mut taken = Vec::new();
    for _ in 0..4 {
        taken.push(sweep(&store, moment, 10).await);
    }
    assert_eq!(taken, [10, 10, 5, 0]);
    assert_eq!(look(&store, id(25)).await, Some(expiring(25, 11)));
}

/// Every process has a sweeper; together they take each record once, and count it once.
pub async fn concurrent_sweeps_take_each_record_once<F: StoreFixture>(fixture: &F) {
    const EXPIRED: u8 = 200;
    let stores = instances(fixture).await;
    for number in 0..EXPIRED {
        insert(&*stores[0], &expiring(number, 10)).await;
    }
    insert(&*stores[0], &expiring(EXPIRED, 11)).await;
    if F::EXPIRES_BY_ITSELF {
        return;
    }
    let mut tasks = JoinSet::new();
    for sweeper in 0..8 {
        let store = Arc::clone(&stores[sweeper % 2]);
        tasks.spawn(async move {
            let mut swept = 0;
            loop {
                let taken = sweep(&*store, START.plus(millis(10)), 7).await;
                assert!(taken <= 7, "{taken}");
                swept += taken;
                if taken < 7 {
                    return swept;
                }
            }
        });
    }
    assert_eq!(joined(tasks).await.iter().sum::<u64>(), u64::from(EXPIRED));
    assert_eq!(look(&stores[1], id(EXPIRED)).await, Some(expiring(EXPIRED, 11)));
}

/// Swept is removed like any other way.
pub async fn a_swept_record_is_not_revived_by_an_update<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    let record = expiring(1, 10);
    insert(&store, &record).await;
    if F::EXPIRES_BY_ITSELF {
        return;
    }
    assert_eq!(sweep(&store, START.plus(millis(10)), 1).await, 1);
    assert_eq!(
        update(&store, &next(&record, "late"), 1, START).await,
        Updated::Gone
    );
    assert_eq!(look(&store, id(1)).await, None);
}

/// What one instance has answered, every other one sees at once.
pub async fn another_instance_sees_an_answered_write<F: StoreFixture>(fixture: &F) {
    let [here, there] = instances(fixture).await;
    for number in 0..ROUNDS {
        let record = session(number);
        insert(&*here, &record).await;
        assert_eq!(look(&there, record.id).await.as_ref(), Some(&record));
        let updated = next(&record, "1");
        assert_eq!(update(&*there, &updated, 1, START).await, Updated::Saved);
        assert_eq!(look(&here, record.id).await, Some(updated));
        let now = START.plus(MINUTE);
        here.load(record.id, active(now)).await.expect("a load");
        let seen = look(&there, record.id).await.map(|record| record.last_seen_at);
        assert_eq!(seen, Some(now));
        assert!(there.remove(record.id).await.expect("a removal"));
        assert_eq!(look(&here, record.id).await, None);
    }
}

/// A client hangs up at any moment: the store has done it all or nothing, and goes on working.
pub async fn a_cancelled_call_has_the_whole_effect_or_none<F: StoreFixture>(fixture: &F) {
    let store = Arc::new(fixture.open().await);
    for polls in 1..=ROUNDS {
        // An owner of its own, for a removal that was cancelled may still arrive, too.
        let somebody = owner(&format!("user-{polls}"));
        let record = Record {
            owner: Some(somebody.clone()),
            ..session(polls)
        };
        let polls = u32::from(polls % 10) + 1;
        cancelled_after(polls, store.insert(&record)).await;
        store.insert(&record).await.expect("an insert");
        // An insert that was cancelled may still arrive; what is kept is the record or nothing.
        assert_eq!(look(&store, record.id).await.as_ref(), Some(&record));

        let updated = next(&record, "cancelled");
        cancelled_after(polls, store.update(&updated, 1, START)).await;
        let kept = look(&store, record.id).await;
        assert!(
            kept.as_ref() == Some(&record) || kept.as_ref() == Some(&updated),
            "{kept:?}"
        );
        let settled = settled(&*store, record.id).await;

        let now = START.plus(MINUTE);
        cancelled_after(polls, store.load(record.id, active(now))).await;
        let slid = Record {
            last_seen_at: now,
            ..settled.clone()
        };
        let kept = look(&store, record.id).await;
        assert!(
            kept.as_ref() == Some(&settled) || kept.as_ref() == Some(&slid),
            "{kept:?}"
        );

        cancelled_after(polls, store.list_by_owner(&somebody, START)).await;
        cancelled_after(polls, store.sweep_expired(START, 10)).await;
        cancelled_after(polls, store.ping()).await;
        cancelled_after(polls, store.remove(record.id)).await;
        cancelled_after(polls, store.remove_by_owner(&somebody, None)).await;
        store.remove(record.id).await.expect("a removal");
        assert_eq!(look(&store, record.id).await, None);
    }
    many_cancelled_at_once(&store).await;
}

/// Wins a compare-and-set, so that no cancelled update of an older version can still arrive.
async fn settled(store: &impl Store, id: SessionId) -> Record {
    loop {
        let read = look(store, id).await.expect("a record");
        let settled = next(&read, "settled");
        if update(store, &settled, read.version, START).await == Updated::Saved {
            return settled;
        }
    }
}

async fn many_cancelled_at_once<S: Store>(store: &Arc<S>) {
    let counted = session(0);
    insert(&**store, &counted).await;
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let store = Arc::clone(store);
        let attempt = next(&counted, "1");
        tasks.spawn(async move {
            let polls = 1 + (task % 7) as u32;
            cancelled_after(polls, store.update(&attempt, 1, START)).await;
            cancelled_after(polls, store.load(attempt.id, active(START.plus(millis(task))))).await;
        });
    }
    joined(tasks).await;
    let after = tokio::time::timeout(STUCK, settled(&**store, counted.id)).await;
    let version = after.expect("a store that is not stuck").version;
    assert!(version == 2 || version == 3, "{version}");
}

/// Polls the future so many times at most, then drops it.
async fn cancelled_after<T>(polls: u32, future: impl Future<Output = T>) {
    let mut future = pin!(future);
    for _ in 0..polls {
        let answered = poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await;
        if answered {
            return;
        }
        tokio::task::yield_now().await;
    }
}

fn attempts_key(number: u64) -> AttemptsKey {
    let mut bytes = [7; AttemptsKey::LENGTH];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    AttemptsKey::from_bytes(bytes)
}

fn attempts(version: u64, failures: u32) -> Attempts {
    Attempts {
        version,
        failures,
        last_failed_at: START,
        blocked_until: START.plus(millis(5)),
        expires_at: START.plus(millis(1_000)),
    }
}

/// Every field, by another instance too; removed, they are gone.
pub async fn attempts_come_back_as_they_were<F: StoreFixture>(fixture: &F) {
    let (store, other) = (fixture.open().await, fixture.open().await);
    let key = attempts_key(1);
    assert_eq!(store.load_attempts(key).await.unwrap(), None);
    assert!(store.save_attempts(key, &attempts(1, 3), 0, START).await.unwrap());
    assert_eq!(other.load_attempts(key).await.unwrap(), Some(attempts(1, 3)));
    assert_eq!(other.load_attempts(attempts_key(2)).await.unwrap(), None);
    assert!(other.remove_attempts(key).await.unwrap());
    assert!(!store.remove_attempts(key).await.unwrap());
    assert_eq!(store.load_attempts(key).await.unwrap(), None);
}

/// Compare-and-set.
pub async fn attempts_are_written_only_over_the_version_that_is_expected<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    let key = attempts_key(1);
    let save = async |new: Attempts, expected| store.save_attempts(key, &new, expected, START).await.unwrap();
    assert!(!save(attempts(2, 2), 1).await, "there are none");
    assert!(save(attempts(1, 1), 0).await);
    assert!(!save(attempts(1, 9), 0).await, "there are some");
    assert!(!save(attempts(3, 9), 2).await, "another version");
    assert!(save(attempts(2, 2), 1).await);
    assert_eq!(store.load_attempts(key).await.unwrap(), Some(attempts(2, 2)));
}

/// From their expiry on, to the millisecond.
pub async fn expired_attempts_count_as_none<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    let key = attempts_key(1);
    assert!(store.save_attempts(key, &attempts(1, 9), 0, START).await.unwrap());
    let later = Attempts {
        expires_at: START.plus(millis(9_000)),
        ..attempts(2, 1)
    };
    let just_before = START.plus(millis(999));
    assert!(!store.save_attempts(key, &later, 0, just_before).await.unwrap());
    let at_it = START.plus(millis(1_000));
    assert!(store.save_attempts(key, &later, 0, at_it).await.unwrap());
    assert_eq!(store.load_attempts(key).await.unwrap(), Some(later));
}

/// 64 tasks on several instances, each counts one failure.
pub async fn of_many_failures_at_once_none_is_lost<F: StoreFixture>(fixture: &F) {
    const TASKS: u32 = 64;
    let mut stores = Vec::new();
    for _ in 0..4 {
        stores.push(Arc::new(fixture.open().await));
    }
    let key = attempts_key(1);
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let store = Arc::clone(&stores[task as usize % stores.len()]);
        tasks.spawn(async move {
            loop {
                let there = store.load_attempts(key).await.unwrap();
                let (version, failures) = there.map_or((0, 0), |there| (there.version, there.failures));
                let next = attempts(version + 1, failures + 1);
                if store.save_attempts(key, &next, version, START).await.unwrap() {
                    return;
                }
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let counted = stores[0].load_attempts(key).await.unwrap().unwrap();
    assert_eq!((counted.failures, counted.version), (TASKS, TASKS.into()));
}

/// And leaves the others.
pub async fn a_sweep_takes_attempts_that_have_expired_too<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    let lasting = Attempts {
        expires_at: START.plus(millis(5_000)),
        ..attempts(1, 1)
    };
    assert!(
        store
            .save_attempts(attempts_key(1), &attempts(1, 1), 0, START)
            .await
            .unwrap()
    );
    assert!(
        store
            .save_attempts(attempts_key(2), &lasting, 0, START)
            .await
            .unwrap()
    );
    let swept = store.sweep_expired(START.plus(millis(1_000)), 10).await.unwrap();
    assert_eq!(swept.sessions, 0, "no session was there");
    if !F::EXPIRES_BY_ITSELF {
        assert_eq!(swept.attempts, 1);
        assert_eq!(store.load_attempts(attempts_key(1)).await.unwrap(), None);
    }
    assert_eq!(store.load_attempts(attempts_key(2)).await.unwrap(), Some(lasting));
}

/// Never more than `limit`, and as many as that as long as there are more: a sweep that has no sessions to remove has to go on
/// all the same.
pub async fn a_sweep_of_attempts_is_bounded_and_says_when_it_is_done<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    for number in 0..25 {
        let (key, once) = (attempts_key(number), attempts(1, 1));
        assert!(store.save_attempts(key, &once, 0, START).await.unwrap());
    }
    if F::EXPIRES_BY_ITSELF {
        return;
    }
    let mut taken = Vec::new();
    loop {
        let swept = store.sweep_expired(START.plus(millis(1_000)), 10).await.unwrap();
        taken.push(swept.attempts);
        if !swept.is_full(10) {
            break;
        }
    }
    assert_eq!(taken, [10, 10, 5]);
}

/// A session of nobody's, one of many.
fn numbered(number: u64) -> Record {
    let mut bytes = [0; SessionId::LENGTH];
    bytes[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    Record {
        id: SessionId::from_bytes(bytes),
        owner: None,
        ..session(0)
    }
}

async fn walk(store: &impl Store, limit: u32) -> Vec<Record> {
    let (mut seen, mut next) = (Vec::new(), None);
    loop {
        let page = store.page(next.as_ref(), limit).await.unwrap();
        seen.extend(page.records);
        next = page.next;
        if next.is_none() {
            return seen;
        }
    }
}

/// Live ones and expired ones, whatever the size of a page.
pub async fn a_walk_sees_every_session_without_its_data<F: StoreFixture>(fixture: &F) {
    const SESSIONS: u64 = 100;
    let store = fixture.open().await;
    assert_eq!(walk(&store, 10).await, []);
    let mut expected = BTreeSet::new();
    for number in 0..SESSIONS {
        let record = numbered(number);
        expected.insert(record.id);
        store.insert(&record).await.unwrap();
    }
    for limit in [1, 7, 100, 1_000] {
        let seen = walk(&store, limit).await;
        let ids: BTreeSet<_> = seen.iter().map(|record| record.id).collect();
        assert_eq!(ids, expected, "{limit}");
        assert!(seen.iter().all(|record| record.data.is_empty()));
    }
    let some = look(&store, numbered(3).id).await.expect("a record");
    let walked = walk(&store, 7)
        .await
        .into_iter()
        .find(|record| record.id == some.id)
        .unwrap();
    assert_eq!(
        walked,
        Record {
            data: Bytes::new(),
            ..some
        }
    );
}

/// Others may be seen or not.
pub async fn a_walk_sees_what_stays_while_sessions_come_and_go<F: StoreFixture>(fixture: &F) {
    let store = Arc::new(fixture.open().await);
    let mut staying = BTreeSet::new();
    for number in 0..60 {
        let record = numbered(number);
        staying.insert(record.id);
        store.insert(&record).await.unwrap();
    }
    let others = Arc::clone(&store);
    let coming_and_going = tokio::spawn(async move {
        for number in 1_000..1_100 {
            let record = numbered(number);
            others.insert(&record).await.unwrap();
            others.remove(record.id).await.unwrap();
        }
    });
    let seen: BTreeSet<_> = walk(&*store, 5).await.iter().map(|record| record.id).collect();
    coming_and_going.await.unwrap();
    assert!(staying.is_subset(&seen));
}

/// Those that have expired are not.
pub async fn the_living_are_counted<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    assert_eq!(store.count(START).await.unwrap(), 0);
    let mut ends = Vec::new();
    for number in 0..10 {
        let record = Record {
            idle_timeout: millis(1_000 * (number + 1)),
            ..numbered(number)
        };
        ends.push(record.expires_at());
        store.insert(&record).await.unwrap();
    }
    ends.sort();
    assert_eq!(store.count(START).await.unwrap(), 10);
    assert_eq!(store.count(ends[4]).await.unwrap(), 5);
    assert_eq!(store.count(ends[9]).await.unwrap(), 0);
}

/// A health check finds it well.
pub async fn a_store_answers_a_ping<F: StoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    store.ping().await.expect("an answer");
    assert!(!store.name().is_empty());
}

/// `Arc<dyn Store>` is a store, and tasks share it.
pub async fn a_store_works_behind_a_trait_object<F: StoreFixture>(fixture: &F) {
    let store: Arc<dyn Store> = Arc::new(fixture.open().await);
    let mut tasks = JoinSet::new();
    for number in 0..8 {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            insert(&store, &session(number)).await;
            assert!(count_one_more(&store, id(number), START, active(START)).await);
            store.ping().await.expect("an answer");
        });
    }
    joined(tasks).await;
    let listed = store.list_by_owner(&owner("alice"), START).await.expect("a list");
    let ids: BTreeSet<SessionId> = listed.iter().map(|record| record.id).collect();
    assert_eq!(ids, (0..8).map(id).collect());
    assert_eq!(
        store
            .remove_by_owner(&owner("alice"), None)
            .await
            .expect("a removal"),
        8
    );
}
