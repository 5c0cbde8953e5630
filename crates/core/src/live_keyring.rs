//! The keyring in use, which may be replaced while requests are served.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use arc_swap::{ArcSwap, Guard};

use crate::keyring::{KeyUsage, Keyring, KeyringProblem};

/// The keyring in use. It can be replaced at any time, without a lock on the path of a request. Cheap to clone;
/// clones are the same keyring.
///
/// ```
/// use tenure_core::{Keyring, LiveKeyring, Secret};
///
/// let old = Secret::new("Yb0yP2kV9rT4nXwE6uLsJ1dHfCaGzmQ7");
/// let new = Secret::new("T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r");
///
/// let keyring = LiveKeyring::new(Keyring::new(old.clone()));
/// keyring.replace(Keyring::new(new).with_older(old))?;
///
/// let weak = Keyring::new(Secret::new("keyboard cat"));
/// assert!(keyring.replace(weak).is_err());
/// assert_eq!(keyring.usage().len(), 2);
/// # Ok::<(), tenure_core::KeyringRefused>(())
/// ```
#[derive(Clone)]
pub struct LiveKeyring {
    shared: Arc<Shared>,
}

/// A [`LiveKeyring`] that does not keep it in use: for a task that replaces it for as long as anybody needs it.
#[derive(Clone)]
pub struct WeakLiveKeyring {
    shared: Weak<Shared>,
}

struct Shared {
    keyring: ArcSwap<Keyring>,
    may_be_outdated: AtomicBool,
}

/// A keyring was not taken, because of secrets that are too weak. The one before stays in use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the keyring has secrets that are too weak, and the one before stays in use: {}", list(.problems))]
pub struct KeyringRefused {
    /// Which secrets, and why.
    pub problems: Vec<KeyringProblem>,
}

fn list(problems: &[KeyringProblem]) -> String {
    let problems: Vec<_> = problems.iter().map(KeyringProblem::to_string).collect();
    problems.join("; ")
}

impl LiveKeyring {
    /// This keyring, until it is replaced.
    #[must_use]
    pub fn new(keyring: Keyring) -> Self {
        Self {
            shared: Arc::new(Shared {
                keyring: ArcSwap::from_pointee(keyring),
                may_be_outdated: AtomicBool::new(false),
            }),
        }
    }

    /// Puts another keyring in use, for every request from now on. Keys that are in both go on with their
    /// [counts](LiveKeyring::usage).
    ///
    /// # Errors
    /// If a secret is too weak. The keyring before stays in use then.
    pub fn replace(&self, mut keyring: Keyring) -> Result<(), KeyringRefused> {
        let problems = keyring.problems();
        if !problems.is_empty() {
            return Err(KeyringRefused { problems });
        }
        keyring.continue_counting(&self.load());
        self.shared.keyring.store(Arc::new(keyring));
        Ok(())
    }

    /// How often each key has verified a cookie: the current key first, then the older and the upcoming ones.
    #[must_use]
    pub fn usage(&self) -> Vec<KeyUsage> {
        self.load().usage()
    }

    /// Says whether there may be newer keys that this keyring does not have, because their source cannot be read.
    /// *Default*: no.
    ///
    /// While there may, a cookie under an unknown key may be a newer one that another instance issued: it opens
    /// nothing here, and is left in the browser. Otherwise it is forged, or its key was dropped, and it is removed.
    pub fn set_may_be_outdated(&self, may_be_outdated: bool) {
        self.shared
            .may_be_outdated
            .store(may_be_outdated, Ordering::Relaxed);
    }

    /// The same keyring, without keeping it in use.
    #[must_use]
    pub fn downgrade(&self) -> WeakLiveKeyring {
        WeakLiveKeyring {
            shared: Arc::downgrade(&self.shared),
        }
    }

    pub(crate) fn load(&self) -> Guard<Arc<Keyring>> {
        self.shared.keyring.load()
    }

    pub(crate) fn may_be_outdated(&self) -> bool {
        self.shared.may_be_outdated.load(Ordering::Relaxed)
    }
}

impl WeakLiveKeyring {
    /// The keyring, unless nobody uses it any more.
    #[must_use]
    pub fn upgrade(&self) -> Option<LiveKeyring> {
        let shared = self.shared.upgrade()?;
        Some(LiveKeyring { shared })
    }
}

impl From<Keyring> for LiveKeyring {
    fn from(keyring: Keyring) -> Self {
        Self::new(keyring)
    }
}

impl From<&LiveKeyring> for LiveKeyring {
    fn from(keyring: &LiveKeyring) -> Self {
        keyring.clone()
    }
}

impl fmt::Debug for LiveKeyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.load().fmt(f)
    }
}

impl fmt::Debug for WeakLiveKeyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WeakLiveKeyring")
    }
}
