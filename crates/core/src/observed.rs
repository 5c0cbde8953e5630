//! What an operator's dashboards see, through the `metrics` facade.
//!
//! | name | kind | labels | meaning |
//! | --- | --- | --- | --- |
//! | `tenure_events_total` | counter | `event`, `reason` | events, by [`EventKind::name`] and [`EventKind::reason`] |
//! | `tenure_events_dropped_total` | counter | | events that the listener was too slow for |
//! | `tenure_sessions_loaded_total` | counter | | live sessions that a request found by its cookie |
//! | `tenure_sessions_live` | gauge | `store` | sessions alive, if [`Policy::count_interval`](crate::Policy::count_interval) has them counted |
//! | `tenure_store_seconds` | histogram | `store`, `operation` | how long the store took to answer or to fail |
//! | `tenure_cookies_verified_total` | counter | `key` | genuine cookies under this key |
//!
//! What every request passes is looked up once and kept, so that it costs no allocation. So a recorder has to be
//! installed before the first request.

use crate::event::EventKind;
use crate::keyring::KeyId;
use crate::store::Operation;

pub(crate) use exported::{KeyObserved, Observed, StoreObserved};

/// Counts an event.
pub(crate) fn event(kind: EventKind) {
    exported::event(kind.name(), kind.reason().unwrap_or_default());
}

/// Counts an event that did not reach the listener.
pub(crate) fn event_dropped() {
    exported::events_dropped(1);
}

#[cfg(feature = "metrics")]
mod exported {
    use std::sync::{Arc, OnceLock};
    use std::time::Instant;

    use metrics::{Counter, Histogram};

    use super::{KeyId, Operation};

    pub(super) fn event(name: &'static str, reason: &'static str) {
        metrics::counter!("tenure_events_total", "event" => name, "reason" => reason).increment(1);
    }

    pub(super) fn events_dropped(events: u64) {
        metrics::counter!("tenure_events_dropped_total").increment(events);
    }

    /// What a manager counts beside its events.
    pub(crate) struct Observed {
        loaded: OnceLock<Counter>,
        store: StoreObserved,
    }

    impl Observed {
        /// Describes all there is to see, and begins what may stay at nothing, so that dashboards have it from the start.
        pub(crate) fn of(store: &'static str) -> Self {
            describe();
            events_dropped(0);
            Self {
                loaded: OnceLock::new(),
                store: StoreObserved::of(store),
            }
        }

        pub(crate) fn loaded(&self) {
            let counter = || metrics::counter!("tenure_sessions_loaded_total");
            self.loaded.get_or_init(counter).increment(1);
        }

        #[expect(
            clippy::cast_precision_loss,
            reason = "a gauge is a float, and nobody has 2^53 sessions"
        )]
        pub(crate) fn live(&self, sessions: u64) {
            metrics::gauge!("tenure_sessions_live", "store" => self.store.name).set(sessions as f64);
        }

        pub(crate) fn store(&self) -> StoreObserved {
            self.store.clone()
        }
    }

    fn describe() {
        use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

        describe_counter!("tenure_events_total", "Events in the lives of sessions");
        describe_counter!(
            "tenure_events_dropped_total",
            "Events that the listener was too slow for"
        );
        describe_counter!(
            "tenure_sessions_loaded_total",
            "Live sessions that a request found by its cookie"
        );
        describe_gauge!("tenure_sessions_live", "Sessions alive");
        describe_histogram!(
            "tenure_store_seconds",
            Unit::Seconds,
            "How long the store took to answer or to fail"
        );
        describe_counter!("tenure_cookies_verified_total", "Genuine cookies under a key");
    }

    /// A store by its name, and how long it takes.
    #[derive(Clone)]
    pub(crate) struct StoreObserved {
        name: &'static str,
        loads: Arc<OnceLock<Histogram>>,
    }

    /// Runs while a store works.
    pub(crate) struct StopWatch {
        started: Instant,
    }

    impl StoreObserved {
        pub(crate) fn of(store: &'static str) -> Self {
            Self {
                name: store,
                loads: Arc::default(),
            }
        }

        pub(crate) fn name(&self) -> &'static str {
            self.name
        }

        pub(crate) fn start() -> StopWatch {
            StopWatch {
                started: Instant::now(),
            }
        }

        pub(crate) fn stop(&self, watch: &StopWatch, operation: Operation) {
            let taken = watch.started.elapsed();
            let histogram = || metrics::histogram!("tenure_store_seconds", "store" => self.name, "operation" => operation.name());
            match operation {
                Operation::Load => self.loads.get_or_init(histogram).record(taken),
                _ => histogram().record(taken),
            }
        }
    }

    /// How many genuine cookies came under a key.
    #[derive(Default)]
    pub(crate) struct KeyObserved {
        cookies: OnceLock<Counter>,
    }

    impl KeyObserved {
        pub(crate) fn cookie_verified(&self, key: KeyId) {
            let counter = || metrics::counter!("tenure_cookies_verified_total", "key" => key.to_string());
            self.cookies.get_or_init(counter).increment(1);
        }
    }
}

#[cfg(not(feature = "metrics"))]
#[allow(clippy::unused_self, reason = "the same signatures as with the feature")]
mod exported {
    use super::{KeyId, Operation};

    pub(super) fn event(_: &'static str, _: &'static str) {}

    pub(super) fn events_dropped(_: u64) {}

    pub(crate) struct Observed(StoreObserved);

    impl Observed {
        pub(crate) fn of(store: &'static str) -> Self {
            Self(StoreObserved::of(store))
        }

        pub(crate) fn loaded(&self) {}

        pub(crate) fn store(&self) -> StoreObserved {
            self.0.clone()
        }
    }

    #[derive(Clone)]
    pub(crate) struct StoreObserved(&'static str);

    pub(crate) struct StopWatch;

    impl StoreObserved {
        pub(crate) fn of(store: &'static str) -> Self {
            Self(store)
        }

        pub(crate) fn name(&self) -> &'static str {
            self.0
        }

        pub(crate) fn start() -> StopWatch {
            StopWatch
        }

        pub(crate) fn stop(&self, _: &StopWatch, _: Operation) {}
    }

    #[derive(Default)]
    pub(crate) struct KeyObserved;

    impl KeyObserved {
        pub(crate) fn cookie_verified(&self, _: KeyId) {}
    }
}
