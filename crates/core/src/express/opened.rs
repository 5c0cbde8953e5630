//! One request, opened: its cookie verified, its session not yet asked for.

use std::fmt;
use std::sync::Arc;

use crate::express::ExpressSession;
use crate::express::visit::Visit;
use crate::visit::LoadError;

/// One request, [opened](crate::express::ExpressSessions::open): its cookie is verified, its session not yet asked for.
/// Cheap to clone; clones are the same request.
#[derive(Clone)]
pub struct ExpressOpened {
    visit: Arc<Visit>,
}

impl ExpressOpened {
    pub(super) fn new(visit: Visit) -> Self {
        Self {
            visit: Arc::new(visit),
        }
    }

    /// The request's session; asks the store for it the first time.
    ///
    /// A request without a session gets a handle all the same; the first write through it makes one, under an id of its
    /// own: one that the store does not know is never adopted.
    ///
    /// # Errors
    /// If the store fails, or holds something else than a session under the id. Loading may be tried again.
    pub async fn load(&self) -> Result<ExpressSession, LoadError> {
        self.visit.load().await?;
        Ok(ExpressSession::new(Arc::clone(&self.visit)))
    }

    /// Whether [`commit`](crate::express::ExpressSessions::commit) has nothing to do, for the session was not asked for.
    #[must_use]
    pub fn is_unasked(&self) -> bool {
        self.visit.is_unasked()
    }

    pub(super) fn visit(&self) -> &Visit {
        &self.visit
    }
}

impl fmt::Debug for ExpressOpened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExpressOpened").finish_non_exhaustive()
    }
}
