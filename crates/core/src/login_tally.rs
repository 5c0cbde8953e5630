//! Counting attempts in the store, one at a time however many come at once.

use tokio::sync::MutexGuard;

use crate::clock::Timestamp;
use crate::deadline::Deadline;
use crate::engine::Engine;
use crate::login_limit::LoginLimit;
use crate::login_subject::Keychain;
use crate::store::{Attempts, AttemptsKey, Operation, StoreError};

/// How many others may be faster before an attempt gives up. Those of this process queue up, so it takes this many
/// other processes that count the same at the same time to get here.
const MOST_TRIES: u32 = 16;

/// Where one subject's failures are counted, and by which limit.
pub(crate) struct Tally {
    pub(crate) keychain: Keychain,
    pub(crate) limit: LoginLimit,
}

/// How a subject stands: what is counted under every secret of the ring.
#[derive(Clone, Copy)]
pub(crate) struct Standing {
    /// Under the current secret, if anything is.
    here: Option<Attempts>,
    elsewhere: Elsewhere,
}

/// What is counted under the other secrets of the ring.
#[derive(Clone, Copy, Default)]
struct Elsewhere {
    failures: u32,
    blocked_until: Option<Timestamp>,
}

/// An attempt that is counted in advance.
pub(crate) struct Reservation {
    tally: Tally,
    before: Standing,
    made: Attempts,
}

/// What became of the wish to count one more attempt.
pub(crate) enum Reserved {
    /// It is counted, as if it had failed.
    Made(Box<Reservation>),
    /// There is a wait, and nothing was counted.
    Blocked { until: Timestamp },
    /// Others were faster, again and again, and nothing was counted.
    Contended,
}

impl Standing {
    pub(crate) fn failures(&self) -> u32 {
        let here = self.here.map_or(0, |attempts| attempts.failures);
        here.saturating_add(self.elsewhere.failures)
    }

    pub(crate) fn blocked_until(&self, now: Timestamp) -> Option<Timestamp> {
        let here = self.here.map(|attempts| attempts.blocked_until);
        here.max(self.elsewhere.blocked_until)
            .filter(|until| *until > now)
    }
}

impl Tally {
    /// How the subject stands, without counting anything.
    pub(crate) async fn look(
        &self,
        engine: &Engine,
        deadline: &mut Deadline,
        now: Timestamp,
    ) -> Result<Standing, StoreError> {
        let mut elsewhere = Elsewhere::default();
        for key in &self.keychain.others {
            if let Some(attempts) = load(engine, deadline, *key, now).await? {
                elsewhere.failures = elsewhere.failures.saturating_add(attempts.failures);
                elsewhere.blocked_until = elsewhere.blocked_until.max(Some(attempts.blocked_until));
            }
        }
        let here = load(engine, deadline, self.keychain.current, now).await?;
        Ok(Standing { here, elsewhere })
    }

    /// Counts one more attempt, unless the subject has to wait.
    pub(crate) async fn reserve(
        self,
        mut standing: Standing,
        engine: &Engine,
        deadline: &mut Deadline,
        now: Timestamp,
    ) -> Result<Reserved, StoreError> {
        let mut turn = None;
        for _ in 0..MOST_TRIES {
            if let Some(until) = standing.blocked_until(now) {
                return Ok(Reserved::Blocked { until });
            }
            let made = self.one_more(&standing, now);
            if save(
                engine,
                deadline,
                self.keychain.current,
                &made,
                version_of(standing.here),
                now,
            )
            .await?
            {
                return Ok(Reserved::Made(Box::new(Reservation {
                    tally: self,
                    before: standing,
                    made,
                })));
            }
            wait_for_turn(&mut turn, engine, deadline, self.keychain.current).await?;
            standing.here = load(engine, deadline, self.keychain.current, now).await?;
        }
        Ok(Reserved::Contended)
    }

    fn one_more(&self, standing: &Standing, now: Timestamp) -> Attempts {
        let here = standing.here.map_or(0, |attempts| attempts.failures);
        let failures = standing.failures().saturating_add(1);
        Attempts {
            version: next_version(standing.here, now),
            failures: here.saturating_add(1),
            last_failed_at: now,
            blocked_until: now.plus(self.limit.wait_after(failures)),
            expires_at: now.plus(self.limit.kept_after(failures)),
        }
    }
}

impl Reservation {
    /// How many attempts failed in a row before this one.
    pub(crate) fn failures_before(&self) -> u32 {
        self.before.failures()
    }

    /// Whether this attempt, if it fails, is one that locks.
    pub(crate) fn locks(&self) -> bool {
        let failures = self.failures_before().saturating_add(1);
        self.tally.limit.locks_after(failures)
    }

    /// Forgets every failure.
    pub(crate) async fn forget_all(
        &self,
        engine: &Engine,
        deadline: &mut Deadline,
    ) -> Result<(), StoreError> {
        remove(engine, deadline, self.tally.keychain.current).await?;
        if self.before.elsewhere.failures > 0 {
            for key in &self.tally.keychain.others {
                remove(engine, deadline, *key).await?;
            }
        }
        Ok(())
    }

    /// Takes this one attempt back, and leaves what others have failed. Where nobody has tried in the meantime,
    /// all is as before; else the wait stays that has come about since.
    pub(crate) async fn take_back(
        &self,
        engine: &Engine,
        deadline: &mut Deadline,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let key = self.tally.keychain.current;
        let mut turn = None;
        let mut found = self.made;
        for _ in 0..MOST_TRIES {
            let restored = self.without(found, now);
            if save(engine, deadline, key, &restored, found.version, now).await? {
                return Ok(());
            }
            wait_for_turn(&mut turn, engine, deadline, key).await?;
            match load(engine, deadline, key, now).await? {
                Some(newer) => found = newer,
                None => return Ok(()),
            }
        }
        // Counted once too often, which is on the safe side.
        Ok(())
    }

    fn without(&self, found: Attempts, now: Timestamp) -> Attempts {
        let untouched = if found.version == self.made.version {
            self.before.here
        } else {
            None
        };
        let version = next_version(Some(found), now);
        match untouched {
            Some(before) => Attempts { version, ..before },
            None if found.version == self.made.version => Attempts {
                version,
                failures: 0,
                blocked_until: now,
                ..found
            },
            None => Attempts {
                version,
                failures: found.failures.saturating_sub(1),
                ..found
            },
        }
    }
}

/// Never one that was there before, not even after a removal: a slower writer would otherwise take the new count for
/// the one that it has seen.
fn next_version(before: Option<Attempts>, now: Timestamp) -> u64 {
    let after = version_of(before).saturating_add(1);
    after.max(now.as_millis())
}

fn version_of(attempts: Option<Attempts>) -> u64 {
    attempts.map_or(0, |attempts| attempts.version)
}

async fn wait_for_turn<'e>(
    turn: &mut Option<MutexGuard<'e, ()>>,
    engine: &'e Engine,
    deadline: &mut Deadline,
    key: AttemptsKey,
) -> Result<(), StoreError> {
    if turn.is_none() {
        let queue = engine.attempts_queue(key);
        *turn = Some(deadline.wait(Operation::SaveAttempts, queue.lock()).await?);
    }
    Ok(())
}

async fn load(
    engine: &Engine,
    deadline: &mut Deadline,
    key: AttemptsKey,
    now: Timestamp,
) -> Result<Option<Attempts>, StoreError> {
    let loading = engine.store.load_attempts(key);
    let found = deadline.call(Operation::LoadAttempts, loading).await;
    let found = engine.reported(Operation::LoadAttempts, None, found)?;
    Ok(found.filter(|attempts| attempts.expires_at > now))
}

async fn save(
    engine: &Engine,
    deadline: &mut Deadline,
    key: AttemptsKey,
    attempts: &Attempts,
    expected: u64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let saving = engine.store.save_attempts(key, attempts, expected, now);
    let saved = deadline.call(Operation::SaveAttempts, saving).await;
    engine.reported(Operation::SaveAttempts, None, saved)
}

async fn remove(engine: &Engine, deadline: &mut Deadline, key: AttemptsKey) -> Result<(), StoreError> {
    let removing = engine.store.remove_attempts(key);
    let removed = deadline.call(Operation::RemoveAttempts, removing).await;
    engine.reported(Operation::RemoveAttempts, None, removed)?;
    Ok(())
}
