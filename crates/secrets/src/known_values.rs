//! Values that were fetched before, of sources whose versions never change.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tenure_core::Secret;

/// What is behind each version's name, so that each is fetched once and not at every look: such calls cost money and
/// are limited.
#[derive(Default)]
pub(crate) struct KnownValues(Mutex<HashMap<String, Secret>>);

impl KnownValues {
    pub(crate) fn get(&self, version: &str) -> Option<Secret> {
        self.lock().get(version).cloned()
    }

    pub(crate) fn insert(&self, version: &str, value: &Secret) {
        self.lock().insert(version.to_owned(), value.clone());
    }

    /// Forgets what the source no longer has.
    pub(crate) fn keep_only<'a>(&self, versions: impl Iterator<Item = &'a str> + Clone) {
        self.lock()
            .retain(|known, _| versions.clone().any(|version| version == known));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Secret>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for KnownValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KnownValues({})", self.lock().len())
    }
}
