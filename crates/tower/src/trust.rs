//! Whom a layer believes about its clients.

use std::ops::Deref;
use std::sync::Arc;

use tenure_core::TrustProxy;

/// What a layer was told, if anything. axum clones its layers with every request, and nothing is the cheapest to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trust(Option<Arc<TrustProxy>>);

static NOBODY: TrustProxy = TrustProxy::nobody();

impl Trust {
    pub(crate) fn new(trust_proxy: TrustProxy) -> Self {
        Self(Some(Arc::new(trust_proxy)))
    }
}

impl Deref for Trust {
    type Target = TrustProxy;

    fn deref(&self) -> &TrustProxy {
        self.0.as_deref().unwrap_or(&NOBODY)
    }
}
