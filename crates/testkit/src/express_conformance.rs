//! The contract of [`ExpressStore`], as tests that every such store runs.
//!
//! A store brings an [`ExpressStoreFixture`] and names it in [`express_conformance!`](crate::express_conformance!). Each check
//! becomes a test of its own on a database of its own. Time is what the checks say it is, so none of them waits.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tenure_core::Timestamp;
use tenure_core::express::{ExpressExpiry, ExpressStore, Replaced};
use tenure_core::store::Inserted;
use tokio::task::JoinSet;

/// A database of a store under test, empty when created and gone when dropped.
pub trait ExpressStoreFixture: Send + Sync + Sized + 'static {
    /// The store under test.
    type Store: ExpressStore;

    /// Whether the database drops expired sessions by a clock of its own, which these checks can't move.
    const EXPIRES_BY_ITSELF: bool = false;

    /// How long a session without `expires` lives.
    const TIME_TO_LIVE: Duration = Duration::from_secs(86_400);

    /// A fresh and empty database.
    fn create() -> impl Future<Output = Self> + Send;

    /// An instance on this database, as another process would have it. Called more than once; a store that lives in one
    /// process gives back the same one.
    fn open(&self) -> impl Future<Output = Self::Store> + Send;
}

/// Makes a test of each check, on the database of the given [`ExpressStoreFixture`].
#[macro_export]
macro_rules! express_conformance {
    ($fixture:ty) => {
        $crate::express_conformance!(@tests $fixture:
            an_unknown_sid_loads_nothing
            json_comes_back_as_it_was
            an_insert_under_a_taken_sid_changes_nothing
            of_many_inserts_under_one_sid_one_wins
            a_session_is_replaced_only_as_it_was_seen
            replacing_and_touching_never_create
            a_touch_keeps_the_json
            a_removed_session_stays_removed
            a_session_is_removed_only_as_it_was_seen
            sids_and_contents_that_differ_in_case_alone_are_different
            of_many_replacements_of_one_content_one_is_done
            a_counter_loses_no_update
            racing_writes_revive_no_removed_session
            of_racing_removals_of_one_content_one_is_done
            the_deadline_ends_a_session_whatever_its_json_says
            a_touch_moves_the_deadline
            a_session_without_expires_lives_for_the_stores_time
            a_session_that_is_over_is_not_kept
            another_instance_sees_an_answered_write
            a_store_works_behind_a_trait_object
        );
    };
    (@tests $fixture:ty: $($check:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $check() {
                let fixture = <$fixture as $crate::express_conformance::ExpressStoreFixture>::create().await;
                $crate::express_conformance::$check(&fixture).await;
            }
        )*
    };
}

/// How many tasks work on one session at once.
const TASKS: usize = 32;

/// How often a race is run. Each run interleaves differently.
const ROUNDS: usize = 20;

/// 2100-01-01T00:00:00Z: far enough away that no server takes a session of it for expired.
const NOW: Timestamp = Timestamp::from_millis(4_102_444_800_000);

const SID: &str = "hQ2Vwk-_8Xl0b3fXrKx9cVgkT1yq7Zsd";

fn after(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

/// A session that ends after so many seconds.
fn for_seconds(seconds: u64) -> ExpressExpiry {
    ExpressExpiry {
        now: NOW,
        ends_at: Some(after(seconds)),
    }
}

/// An hour, which is long in a check.
fn long() -> ExpressExpiry {
    for_seconds(3_600)
}

/// Its `expires` is over, as it is after an Express application has touched the session once.
fn json(data: &str) -> String {
    format!(
        r#"{{"cookie":{{"originalMaxAge":3600000,"expires":"2099-12-31T23:59:59.000Z","httpOnly":true,"path":"/"}}{data}}}"#
    )
}

fn count(n: usize) -> String {
    json(&format!(r#","n":{n}"#))
}

async fn put(store: &impl ExpressStore, json: &str) {
    assert_eq!(store.insert(SID, json, long()).await.unwrap(), Inserted::New);
}

async fn look(store: &impl ExpressStore) -> Option<String> {
    store.load(SID, NOW).await.unwrap()
}

/// No session is no error.
pub async fn an_unknown_sid_loads_nothing<F: ExpressStoreFixture>(fixture: &F) {
    assert_eq!(look(&fixture.open().await).await, None);
}

/// The content stands for a version, so it has to be the very same: whatever it holds, and in its order.
pub async fn json_comes_back_as_it_was<F: ExpressStoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    let large = "x".repeat(200_000);
    for (nth, data) in [
        "",
        r#","user":{"id":7,"name":"Ada"},"tags":[1,"two",null,true,[]],"":0"#,
        r#","text":"\"\\\n\t 東京 😀 'single' ; -- $1 ? %s","a.b":1,"$set":{"$gt":1}"#,
        r#","half":0.5,"negative":-3,"large":9007199254740991,"exponent":1e+21"#,
        &format!(r#","large":"{large}""#),
    ]
    .into_iter()
    .enumerate()
    {
        let (sid, json) = (format!("{SID}{nth}"), json(data));
        store.insert(&sid, &json, long()).await.unwrap();
        assert_eq!(store.load(&sid, NOW).await.unwrap(), Some(json));
    }
}

/// Nobody's session is taken over.
pub async fn an_insert_under_a_taken_sid_changes_nothing<F: ExpressStoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    put(&store, &count(1)).await;
    assert_eq!(
        store.insert(SID, &count(2), long()).await.unwrap(),
        Inserted::Taken
    );
    assert_eq!(look(&store).await, Some(count(1)));
}

/// Even at once.
pub async fn of_many_inserts_under_one_sid_one_wins<F: ExpressStoreFixture>(fixture: &F) {
    let store = Arc::new(fixture.open().await);
    let inserted = at_once(&store, |store, task| async move {
        store.insert(SID, &count(task), long()).await.unwrap()
    })
    .await;
    let new = inserted.iter().filter(|inserted| **inserted == Inserted::New);
    assert_eq!(new.count(), 1);
}

/// What another request wrote in between is not written over.
pub async fn a_session_is_replaced_only_as_it_was_seen<F: ExpressStoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    put(&store, &count(1)).await;
    let seen = look(&store).await.unwrap();
    let stale = store.replace(SID, &count(7), &count(8), long()).await.unwrap();
    assert_eq!(stale, Replaced::Stale);
    assert_eq!(look(&store).await.as_ref(), Some(&seen));

    let done = store.replace(SID, &seen, &count(2), long()).await.unwrap();
    assert_eq!(done, Replaced::Done);
    assert_eq!(look(&store).await, Some(count(2)));
    let again = store.replace(SID, &seen, &count(3), long()).await.unwrap();
    assert_eq!(again, Replaced::Stale);
}

/// Only an insert does.
pub async fn replacing_and_touching_never_create<F: ExpressStoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    let replaced = store.replace(SID, &count(1), &count(2), long()).await.unwrap();
    assert_eq!(replaced, Replaced::Gone);
    assert!(!store.touch(SID, long()).await.unwrap());
    assert_eq!(look(&store).await, None);
}

/// An Express application's touch is no change for a request that is under way.
pub async fn a_touch_keeps_the_json<F: ExpressStoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    put(&store, &count(1)).await;
    assert!(store.touch(SID, for_seconds(7_200)).await.unwrap());
    assert!(
        store.touch(SID, for_seconds(7_200)).await.unwrap(),
        "to where it is already"
    );
    assert_eq!(look(&store).await, Some(count(1)));
    let done = store.replace(SID, &count(1), &count(2), long()).await.unwrap();
    assert_eq!(done, Replaced::Done, "a touch is no change");
}

/// Logging out is final, whatever a request that began before still does.
pub async fn a_removed_session_stays_removed<F: ExpressStoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    put(&store, &count(1)).await;
    assert!(store.remove(SID).await.unwrap());
    assert!(!store.remove(SID).await.unwrap());
    let replaced = store.replace(SID, &count(1), &count(2), long()).await.unwrap();
    assert_eq!(replaced, Replaced::Gone);
    assert!(!store.touch(SID, long()).await.unwrap());
    let removed = store.remove_unchanged(SID, &count(1), NOW).await.unwrap();
    assert_eq!(removed, Replaced::Gone);
    assert_eq!(look(&store).await, None);
}

/// So that a session that gets another id loses no write.
pub async fn a_session_is_removed_only_as_it_was_seen<F: ExpressStoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    put(&store, &count(1)).await;
    let stale = store.remove_unchanged(SID, &count(2), NOW).await.unwrap();
    assert_eq!(stale, Replaced::Stale);
    assert_eq!(look(&store).await, Some(count(1)));
    let done = store.remove_unchanged(SID, &count(1), NOW).await.unwrap();
    assert_eq!(done, Replaced::Done);
    assert_eq!(look(&store).await, None);
}

/// Databases have collations that say otherwise.
pub async fn sids_and_contents_that_differ_in_case_alone_are_different<F: ExpressStoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    let small = json(r#","name":"ada""#);
    put(&store, &small).await;
    assert_eq!(store.load(&SID.to_lowercase(), NOW).await.unwrap(), None);
    let large = json(r#","name":"Ada""#);
    let stale = store.replace(SID, &large, &count(1), long()).await.unwrap();
    assert_eq!(stale, Replaced::Stale);
}

/// Of those that saw the same, one is the first.
pub async fn of_many_replacements_of_one_content_one_is_done<F: ExpressStoreFixture>(fixture: &F) {
    let store = Arc::new(fixture.open().await);
    put(&*store, &json("")).await;
    let replaced = at_once(&store, |store, task| async move {
        store.replace(SID, &json(""), &count(task), long()).await.unwrap()
    })
    .await;
    let done: Vec<_> = (0..TASKS)
        .filter(|task| replaced[*task] == Replaced::Done)
        .collect();
    assert_eq!(done.len(), 1);
    assert_eq!(look(&*store).await, Some(count(done[0])));
    assert!(!replaced.contains(&Replaced::Gone));
}

/// By replacing what was seen until it is done.
pub async fn a_counter_loses_no_update<F: ExpressStoreFixture>(fixture: &F) {
    const EACH: usize = 4;
    let store = Arc::new(fixture.open().await);
    put(&*store, &count(0)).await;
    at_once(&store, |store, _| async move {
        for _ in 0..EACH {
            loop {
                let seen = look(&*store).await.expect("it lives on");
                let n = seen.rsplit(':').next().and_then(|n| n.strip_suffix('}'));
                let n: usize = n.and_then(|n| n.parse().ok()).expect("a count");
                let more = count(n + 1);
                match store.replace(SID, &seen, &more, long()).await.unwrap() {
                    Replaced::Done => break,
                    Replaced::Stale => {}
                    Replaced::Gone => panic!("it lives on"),
                }
            }
        }
    })
    .await;
    assert_eq!(look(&*store).await, Some(count(TASKS * EACH)));
}

/// However they interleave.
pub async fn racing_writes_revive_no_removed_session<F: ExpressStoreFixture>(fixture: &F) {
    let store = Arc::new(fixture.open().await);
    for _ in 0..ROUNDS {
        put(&*store, &count(0)).await;
        at_once(&store, |store, task| async move {
            match task % 4 {
                0 if task == TASKS / 2 => assert!(store.remove(SID).await.unwrap()),
                0 | 1 => {
                    store.touch(SID, long()).await.unwrap();
                }
                _ => {
                    if let Some(seen) = look(&*store).await {
                        store.replace(SID, &seen, &count(task), long()).await.unwrap();
                    }
                }
            }
        })
        .await;
        assert_eq!(look(&*store).await, None);
    }
}

/// Either the session gets another id, or the other request has written first.
pub async fn of_racing_removals_of_one_content_one_is_done<F: ExpressStoreFixture>(fixture: &F) {
    let store = Arc::new(fixture.open().await);
    put(&*store, &count(0)).await;
    let outcomes = at_once(&store, |store, task| async move {
        if task % 2 == 0 {
            store.remove_unchanged(SID, &count(0), NOW).await.unwrap()
        } else {
            store.replace(SID, &count(0), &count(task), long()).await.unwrap()
        }
    })
    .await;
    let done: Vec<_> = (0..TASKS)
        .filter(|task| outcomes[*task] == Replaced::Done)
        .collect();
    assert_eq!(done.len(), 1, "either one removal or one replacement");
    let expected = (done[0] % 2 == 1).then(|| count(done[0]));
    assert_eq!(look(&*store).await, expected);
}

/// The store's deadline decides, to the second.
pub async fn the_deadline_ends_a_session_whatever_its_json_says<F: ExpressStoreFixture>(fixture: &F) {
    if F::EXPIRES_BY_ITSELF {
        return;
    }
    let store = fixture.open().await;
    store.insert(SID, &count(1), for_seconds(10)).await.unwrap();
    assert_eq!(store.load(SID, after(9)).await.unwrap(), Some(count(1)));
    let over = ExpressExpiry {
        now: after(12),
        ends_at: Some(after(100)),
    };
    assert_eq!(store.load(SID, over.now).await.unwrap(), None);
    assert!(!store.touch(SID, over).await.unwrap());
    let replaced = store.replace(SID, &count(1), &count(2), over).await.unwrap();
    assert_eq!(replaced, Replaced::Gone);
    let removed = store.remove_unchanged(SID, &count(1), over.now).await.unwrap();
    assert_eq!(removed, Replaced::Gone);
}

/// To later and to sooner.
pub async fn a_touch_moves_the_deadline<F: ExpressStoreFixture>(fixture: &F) {
    if F::EXPIRES_BY_ITSELF {
        return;
    }
    let store = fixture.open().await;
    store.insert(SID, &count(1), for_seconds(10)).await.unwrap();
    assert!(store.touch(SID, for_seconds(20)).await.unwrap());
    assert_eq!(store.load(SID, after(19)).await.unwrap(), Some(count(1)));
    assert!(store.touch(SID, for_seconds(5)).await.unwrap());
    assert_eq!(store.load(SID, after(7)).await.unwrap(), None, "also to sooner");
}

/// As long as the store of the Express application would keep it.
pub async fn a_session_without_expires_lives_for_the_stores_time<F: ExpressStoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    let open = ExpressExpiry {
        now: NOW,
        ends_at: None,
    };
    store.insert(SID, &count(1), open).await.unwrap();
    assert_eq!(look(&store).await, Some(count(1)));
    if F::EXPIRES_BY_ITSELF {
        return;
    }
    let seconds = F::TIME_TO_LIVE.as_secs();
    assert_eq!(store.load(SID, after(seconds - 1)).await.unwrap(), Some(count(1)));
    assert_eq!(store.load(SID, after(seconds + 2)).await.unwrap(), None);
}

/// An application ends a session by a cookie that is over.
pub async fn a_session_that_is_over_is_not_kept<F: ExpressStoreFixture>(fixture: &F) {
    let store = fixture.open().await;
    let over = ExpressExpiry {
        now: NOW,
        ends_at: Some(NOW.minus(Duration::from_secs(10))),
    };
    store.insert(SID, &count(1), over).await.unwrap();
    assert_eq!(look(&store).await, None);

    let other = format!("{SID}2");
    store.insert(&other, &count(1), long()).await.unwrap();
    store.replace(&other, &count(1), &count(2), over).await.unwrap();
    assert_eq!(store.load(&other, NOW).await.unwrap(), None);
}

/// As the Express application does.
pub async fn another_instance_sees_an_answered_write<F: ExpressStoreFixture>(fixture: &F) {
    let (one, other) = (fixture.open().await, fixture.open().await);
    put(&one, &count(1)).await;
    assert_eq!(look(&other).await, Some(count(1)));
    let done = other.replace(SID, &count(1), &count(2), long()).await.unwrap();
    assert_eq!(done, Replaced::Done);
    assert_eq!(look(&one).await, Some(count(2)));
    assert!(one.remove(SID).await.unwrap());
    assert_eq!(look(&other).await, None);
}

/// And answers a ping.
pub async fn a_store_works_behind_a_trait_object<F: ExpressStoreFixture>(fixture: &F) {
    let store: Arc<dyn ExpressStore> = Arc::new(fixture.open().await);
    assert!(!store.name().is_empty());
    store.ping().await.unwrap();
    put(&store, &count(1)).await;
    assert_eq!(look(&store).await, Some(count(1)));
}

/// What came of `work` in each of many tasks.
async fn at_once<S: ExpressStore, T: Send + 'static, W: Future<Output = T> + Send + 'static>(
    store: &Arc<S>,
    work: impl Fn(Arc<S>, usize) -> W,
) -> Vec<T> {
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let work = work(Arc::clone(store), task);
        tasks.spawn(async move { (task, work.await) });
    }
    let mut outcomes = tasks.join_all().await;
    outcomes.sort_by_key(|(task, _)| *task);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}
