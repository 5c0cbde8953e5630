//! What passes by the library: who waits, whether the store works, and what a thief would find in it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use futures_util::future::BoxFuture;

use crate::forger::{Forger, Forgery};

/// A store that fails to load on command, and that can be stolen.
pub trait WatchedStore: Send + Sync {
    fn fail_loads(&self, fail: bool);

    /// The texts that somebody finds who steals it.
    fn dump(&self) -> BoxFuture<'_, Vec<String>>;
}

/// Shared by the two instances of a site.
#[derive(Clone)]
pub struct Control {
    waiting: Arc<AtomicUsize>,
    pub store: Arc<dyn WatchedStore>,
    /// None where cookies are not signed.
    forger: Option<Arc<dyn Forger>>,
}

/// A handler that waits, until this is dropped.
pub struct Waiting(Arc<AtomicUsize>);

impl Control {
    pub fn of(store: impl WatchedStore + 'static) -> Self {
        Self {
            waiting: Arc::default(),
            store: Arc::new(store),
            forger: None,
        }
    }

    #[must_use]
    pub fn forged_by(self, forger: Option<impl Forger + 'static>) -> Self {
        Self {
            forger: forger.map(|forger| Arc::new(forger) as _),
            ..self
        }
    }

    /// What can be made of the stolen store by one who has the application's secret; none if there is no such secret.
    ///
    /// # Errors
    /// If the `Cookie` header has no genuine cookie.
    pub async fn forgery(&self, cookies: &str) -> anyhow::Result<Option<Forgery>> {
        let Some(forger) = &self.forger else {
            return Ok(None);
        };
        let (_, genuine) = cookies.split_once('=').context("a genuine cookie is needed")?;
        forger.forge(genuine, &self.store.dump().await).map(Some)
    }

    pub fn waits(&self) -> Waiting {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        Waiting(Arc::clone(&self.waiting))
    }

    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// For stores that are wrapped here: the switch, and what was ever given to them to keep.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    fails_loads: Arc<AtomicBool>,
    kept: Arc<Mutex<Vec<String>>>,
}

impl Watch {
    pub fn fails_loads(&self) -> bool {
        self.fails_loads.load(Ordering::SeqCst)
    }

    pub fn keeps(&self, text: impl Into<String>) {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(text.into());
    }
}

impl WatchedStore for Watch {
    fn fail_loads(&self, fail: bool) {
        self.fails_loads.store(fail, Ordering::SeqCst);
    }

    fn dump(&self) -> BoxFuture<'_, Vec<String>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Box::pin(async { kept })
    }
}
