//! The opened session as a handler finds it in its request.

use std::sync::Arc;

use http::Extensions;
use tenure_core::Opened;

use crate::trust::Trust;

/// What the layer puts into the request's extensions.
#[derive(Clone)]
pub(crate) struct Current {
    pub(crate) opened: Opened,
    pub(crate) trust_proxy: Trust,
    /// The session of a layer further out, which has another cookie.
    outer: Option<Arc<Current>>,
}

impl Current {
    pub(crate) fn enter(extensions: &mut Extensions, opened: Opened, trust_proxy: Trust) {
        let entered = Self {
            opened,
            trust_proxy,
            outer: None,
        };
        // Nearly always there is no other, so nobody looks before.
        if let Some(outer) = extensions.insert(entered)
            && let Some(entered) = extensions.get_mut::<Self>()
        {
            entered.outer = Some(Arc::new(outer));
        }
    }

    /// The session with this cookie, of this layer or of one further out.
    #[cfg(feature = "axum")]
    pub(crate) fn named(&self, cookie_name: &str) -> Option<&Opened> {
        if self.opened.cookie_name() == cookie_name {
            return Some(&self.opened);
        }
        self.outer.as_ref()?.named(cookie_name)
    }
}
