//! A keyring that follows its source.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tenure_core::{KeyId, KeyRole, Keyring, LiveKeyring, Timestamp, WeakLiveKeyring};

use crate::follow_error::FollowError;
use crate::follow_options::FollowOptions;
use crate::intake::Intake;
use crate::jitter::give_or_take_a_tenth;
use crate::observed;
use crate::plan::{Duty, Known, Plan};
use crate::secret_event::{self, SecretEvent, SecretEventKind};
use crate::source::{Fetched, SecretSource};

/// A keyring that follows its source: it reads the source in the background, takes a new version in as an upcoming
/// key at once, signs with it when every instance has had the time to see it, and lets go of an old one when no
/// session can be alive under it. The swap needs no lock on the path of a request.
///
/// ```
/// use tenure_core::{Environment, MemoryStore, Policy, Sessions};
/// use tenure_secrets::{FollowOptions, FollowingKeyring};
/// # use tenure_secrets::{Fetched, FetchError, SecretSource, SecretText, SecretVersion, SourceFuture, Stage};
/// # #[derive(Debug)]
/// # struct MySource(SecretText);
/// # impl SecretSource for MySource {
/// #     fn name(&self) -> &str { "mine" }
/// #     fn fetch(&self) -> SourceFuture<'_, Result<Fetched, FetchError>> {
/// #         let version = SecretVersion {
/// #             name: "1".to_owned(), secret: self.0.to_secret(), stage: Stage::Active, created_at: None,
/// #         };
/// #         Box::pin(async move { Ok(Fetched { versions: vec![version], look_again_in: None }) })
/// #     }
/// # }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let policy = Policy::default().environment(Environment::Development);
/// # let source = MySource(SecretText::generate()?);
/// let keyring = FollowingKeyring::start(source, FollowOptions::for_policy(&policy)).await?;
/// let sessions = Sessions::new(policy, keyring.live(), MemoryStore::new())?;
///
/// assert_eq!(keyring.status().versions[0].name, "1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// While the source is down, the last good set stays in service for as long as it takes, and every attempt is told of.
/// The same goes for a source that has something that can't be used: an empty value, a weak one, garbage. A
/// start without a good set is refused.
///
/// The background task ends when the last clone of the [live keyring](FollowingKeyring::live) is gone.
#[derive(Clone)]
pub struct FollowingKeyring {
    live: LiveKeyring,
    follower: Arc<Follower>,
}

/// How a [`FollowingKeyring`] stands.
#[derive(Clone, Debug)]
pub struct FollowStatus {
    /// The source's name.
    pub source: String,
    /// When the source was last read successfully.
    pub last_success_at: Timestamp,
    /// Since when it cannot be read, and why; `None` while it can.
    pub failing: Option<Failing>,
    /// The versions, the one to sign with first.
    pub versions: Vec<VersionStatus>,
}

/// A source that cannot be read, or that has nothing that can be used.
#[derive(Clone, Debug)]
pub struct Failing {
    /// Since when.
    pub since: Timestamp,
    /// What the last attempt said. Holds no secret.
    pub error: String,
}

/// How one version stands.
#[derive(Clone, Debug)]
pub struct VersionStatus {
    /// The source's name for it.
    pub name: String,
    /// Its key's id.
    pub key: KeyId,
    /// What it is there for. `None` if no session under it can be alive, and it is in the keyring no longer.
    pub role: Option<KeyRole>,
    /// When it begins to sign, if it is upcoming and the source does not hold it back.
    pub signs_from: Option<Timestamp>,
    /// Until when it verifies, if another one signs.
    pub verifies_until: Option<Timestamp>,
    /// The genuine cookies under it that this process has seen.
    pub cookies_verified: u64,
}

struct Follower {
    source: Arc<dyn SecretSource>,
    options: FollowOptions,
    /// Reads of the source take turns, so that an older answer never replaces a newer one.
    turn: tokio::sync::Mutex<()>,
    followed: Mutex<Followed>,
}

/// What the source had when it was last read, and what follows from it.
struct Followed {
    known: Vec<Known>,
    plan: Plan,
    last_success_at: Timestamp,
    look_again_in: Option<Duration>,
    trouble: Option<Trouble>,
}

struct Trouble {
    failing: Failing,
    attempts: u32,
}

/// What the background task does next.
enum Next {
    /// The plan changes without news from the source.
    Replan(Duration),
    Read(Duration),
}

/// The pause after the first failure; it doubles with every further one, up to the refresh interval.
const FIRST_RETRY: Duration = Duration::from_secs(5);
/// No source gets to be read in a tight circle, whatever it says about when to look again.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

impl FollowingKeyring {
    /// Reads the source, and follows it from then on.
    ///
    /// # Errors
    /// If the source cannot be read, or has no secret that can be used.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub async fn start(source: impl SecretSource, options: FollowOptions) -> Result<Self, FollowError> {
        let source: Arc<dyn SecretSource> = Arc::new(source);
        let now = options.clock.now();
        let followed = match read(&*source, &options).await {
            Ok(fetched) => Followed::of(fetched, None, source.name(), &options, now),
            Err(error) => Err(error),
        };
        let tell = |kind| tell(&source, &options, kind);
        let followed = followed.inspect_err(|error| {
            tell(SecretEventKind::FetchFailed {
                error: error.with_causes(),
                failing_for: Duration::ZERO,
            });
        })?;
        tell(followed.fetched_event());
        for kind in followed.news_since(None) {
            tell(kind);
        }
        let live = LiveKeyring::new(followed.keyring());
        observed::success(source.name(), &live);
        let follower = Arc::new(Follower {
            source,
            options,
            turn: tokio::sync::Mutex::default(),
            followed: Mutex::new(followed),
        });
        tokio::spawn(follow(live.downgrade(), Arc::clone(&follower)));
        Ok(Self { live, follower })
    }

    /// The keyring, for [`Sessions`](tenure_core::Sessions).
    #[must_use]
    pub fn live(&self) -> &LiveKeyring {
        &self.live
    }

    /// Reads the source now, without waiting for the next time.
    ///
    /// # Errors
    /// If the source cannot be read, or has no secret that can be used. The last good set stays in service.
    pub async fn refresh(&self) -> Result<(), FollowError> {
        self.follower.refresh(&self.live).await
    }

    /// How it stands: for health pages and operators.
    #[must_use]
    pub fn status(&self) -> FollowStatus {
        let usage = self.live.usage();
        let followed = self.follower.followed();
        let versions = followed.known.iter().zip(&followed.plan.duties);
        FollowStatus {
            source: self.follower.source.name().to_owned(),
            last_success_at: followed.last_success_at,
            failing: followed.trouble.as_ref().map(|trouble| trouble.failing.clone()),
            versions: versions
                .map(|(known, duty)| {
                    let used = usage.iter().find(|used| used.id == known.key_id);
                    let (role, signs_from, verifies_until) = duty.parts();
                    VersionStatus {
                        name: known.version.name.clone(),
                        key: known.key_id,
                        role,
                        signs_from,
                        verifies_until,
                        cookies_verified: used.map_or(0, |used| used.cookies_verified),
                    }
                })
                .collect(),
        }
    }
}

impl From<&FollowingKeyring> for LiveKeyring {
    fn from(keyring: &FollowingKeyring) -> Self {
        keyring.live.clone()
    }
}

impl fmt::Debug for FollowingKeyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FollowingKeyring")
            .field("source", &self.follower.source.name())
            .field("keyring", &self.live)
            .finish_non_exhaustive()
    }
}

async fn follow(live: WeakLiveKeyring, follower: Arc<Follower>) {
    loop {
        let next = follower.next();
        match next {
            Next::Replan(pause) => tokio::time::sleep(pause).await,
            Next::Read(pause) => {
                // Whoever can tell is believed, and whoever can't is asked again in time.
                let _ = tokio::time::timeout(pause, follower.source.changed()).await;
            }
        }
        let Some(live) = live.upgrade() else { return };
        match next {
            Next::Replan(_) => follower.replan(&live).await,
            // A failure has been told of; the next round tries again.
            Next::Read(_) => drop(follower.refresh(&live).await),
        }
    }
}

pub(crate) async fn read(source: &dyn SecretSource, options: &FollowOptions) -> Result<Fetched, FollowError> {
    match tokio::time::timeout(options.fetch_deadline, source.fetch()).await {
        Ok(fetched) => Ok(fetched?),
        Err(_) => Err(FollowError::TooSlow {
            origin: source.name().to_owned(),
            deadline: options.fetch_deadline,
        }),
    }
}

fn tell(source: &Arc<dyn SecretSource>, options: &FollowOptions, kind: SecretEventKind) {
    let event = SecretEvent {
        at: options.clock.now(),
        source: source.name().to_owned(),
        kind,
    };
    secret_event::tell(options.listener.as_deref(), &event);
}

impl Follower {
    async fn refresh(&self, live: &LiveKeyring) -> Result<(), FollowError> {
        let _turn = self.turn.lock().await;
        let fetched = read(&*self.source, &self.options).await;
        let now = self.options.clock.now();
        let followed = fetched.and_then(|fetched| {
            let before = self.followed();
            Followed::of(
                fetched,
                Some(&before.known),
                self.source.name(),
                &self.options,
                now,
            )
        });
        match followed {
            Ok(followed) => {
                self.put_in_service(followed, live, now);
                Ok(())
            }
            Err(error) => {
                self.note_failure(&error, live, now);
                Err(error)
            }
        }
    }

    fn put_in_service(&self, followed: Followed, live: &LiveKeyring, now: Timestamp) {
        let mut news = vec![followed.fetched_event()];
        {
            let mut before = self.followed();
            if let Some(trouble) = &before.trouble {
                let after = trouble.failing.since.until(now);
                news.push(SecretEventKind::Recovered { after });
            }
            news.extend(followed.news_since(Some(&before)));
            *before = followed;
            swap(live, &before);
        }
        live.set_may_be_outdated(false);
        for kind in news {
            self.tell(kind);
        }
        observed::success(self.source.name(), live);
    }

    fn note_failure(&self, error: &FollowError, live: &LiveKeyring, now: Timestamp) {
        let message = error.with_causes();
        let (failing_for, stale_for) = {
            let mut followed = self.followed();
            let (since, attempts) = match &followed.trouble {
                Some(trouble) => (trouble.failing.since, trouble.attempts.saturating_add(1)),
                None => (now, 1),
            };
            let error = message.clone();
            followed.trouble = Some(Trouble {
                failing: Failing { since, error },
                attempts,
            });
            (since.until(now), followed.last_success_at.until(now))
        };
        live.set_may_be_outdated(true);
        self.tell(SecretEventKind::FetchFailed {
            error: message,
            failing_for,
        });
        observed::failure(self.source.name(), stale_for, live);
    }

    /// Does what the clock alone makes due: lets a version sign, or retires one.
    async fn replan(&self, live: &LiveKeyring) {
        let _turn = self.turn.lock().await;
        let now = self.options.clock.now();
        let news = {
            let mut followed = self.followed();
            let Some(plan) = Plan::at(now, &followed.known, self.options.timing()) else {
                return;
            };
            let news = news(&followed.known, &plan, Some((&followed.known, &followed.plan)));
            followed.plan = plan;
            swap(live, &followed);
            news
        };
        for kind in news {
            self.tell(kind);
        }
    }

    fn next(&self) -> Next {
        let now = self.options.clock.now();
        let followed = self.followed();
        let refresh_every = self.options.refresh_every;
        let pause = match &followed.trouble {
            Some(trouble) => FIRST_RETRY
                .saturating_mul(1 << trouble.attempts.saturating_sub(1).min(16))
                .min(refresh_every),
            None => followed
                .look_again_in
                .map_or(refresh_every, |sooner| sooner.min(refresh_every)),
        };
        let pause = give_or_take_a_tenth(pause).max(SHORTEST_PAUSE);
        match followed.plan.changes_at.map(|moment| now.until(moment)) {
            Some(due) if due <= pause => Next::Replan(due),
            _ => Next::Read(pause),
        }
    }

    fn tell(&self, kind: SecretEventKind) {
        tell(&self.source, &self.options, kind);
    }

    fn followed(&self) -> MutexGuard<'_, Followed> {
        // Nothing under this lock leaves it half changed.
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn swap(live: &LiveKeyring, followed: &Followed) {
    // Weak secrets were refused when the versions were taken in, so nothing is left to be refused here.
    let swapped = live.replace(followed.keyring());
    debug_assert!(swapped.is_ok(), "{swapped:?}");
}

impl Followed {
    fn of(
        fetched: Fetched,
        before: Option<&[Known]>,
        origin: &str,
        options: &FollowOptions,
        now: Timestamp,
    ) -> Result<Self, FollowError> {
        let intake = Intake::of(fetched.versions, before, options, now);
        let plan = intake.judged(origin)?.clone();
        Ok(Self {
            known: intake.known,
            plan,
            last_success_at: now,
            look_again_in: fetched.look_again_in,
            trouble: None,
        })
    }

    fn keyring(&self) -> Keyring {
        let with_role = |wanted: KeyRole| {
            let versions = self.known.iter().zip(&self.plan.duties);
            versions
                .filter(move |(_, duty)| duty.parts().0 == Some(wanted))
                .map(|(known, _)| known.version.secret.clone())
        };
        let current = with_role(KeyRole::Current).next();
        let current = current.expect("a plan has one version that signs");
        let keyring = with_role(KeyRole::Older).fold(Keyring::new(current), Keyring::with_older);
        with_role(KeyRole::Upcoming).fold(keyring, Keyring::with_upcoming)
    }

    fn fetched_event(&self) -> SecretEventKind {
        let names = self.known.iter().map(|known| known.version.name.clone());
        SecretEventKind::Fetched {
            versions: names.collect(),
        }
    }

    fn news_since(&self, before: Option<&Self>) -> Vec<SecretEventKind> {
        let before = before.map(|before| (&*before.known, &before.plan));
        news(&self.known, &self.plan, before)
    }
}

/// What is different from before.
fn news(known: &[Known], plan: &Plan, before: Option<(&[Known], &Plan)>) -> Vec<SecretEventKind> {
    let (known_before, duties_before) = match before {
        Some((known, plan)) => (known, &*plan.duties),
        None => (&[][..], &[][..]),
    };
    let duty_before = |key: KeyId| {
        let mut versions = known_before.iter().zip(duties_before);
        versions
            .find(|(known, _)| known.key_id == key)
            .map(|(_, duty)| duty)
    };
    let mut news = Vec::new();
    for (known, duty) in known.iter().zip(&plan.duties) {
        let (version, key) = (known.version.name.clone(), known.key_id);
        let role_before = duty_before(key).and_then(|duty| duty.parts().0);
        let role = duty.parts().0;
        if role_before.is_none() && role.is_some() {
            news.push(SecretEventKind::VersionAdded {
                version: version.clone(),
                key,
            });
        }
        if role == Some(KeyRole::Current) && role_before != Some(KeyRole::Current) && before.is_some() {
            news.push(SecretEventKind::Rotated {
                version: version.clone(),
                key,
            });
        }
        if role.is_none() && role_before.is_some() {
            news.push(SecretEventKind::VersionRetired { version, key });
        }
    }
    for (gone, duty) in known_before.iter().zip(duties_before) {
        let still_there = known.iter().any(|known| known.key_id == gone.key_id);
        if !still_there && *duty != Duty::Retired {
            news.push(SecretEventKind::VersionDropped {
                version: gone.version.name.clone(),
                key: gone.key_id,
            });
        }
    }
    news
}
