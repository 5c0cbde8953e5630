//! What an operator's dashboards see of a source, through the `metrics` facade.
//!
//! | name | kind | labels | meaning |
//! | --- | --- | --- | --- |
//! | `tenure_secret_fetches_total` | counter | `source`, `outcome`: `ok`, `failed` | reads of the source |
//! | `tenure_secret_stale_seconds` | gauge | `source` | for how long the source has not been read successfully |
//! | `tenure_key_signs` | gauge | `key` | 1 for the key that signs, 0 for those that only verify |

use std::time::Duration;

use tenure_core::LiveKeyring;

#[cfg(feature = "metrics")]
mod exported {
    use super::{Duration, LiveKeyring};
    use tenure_core::KeyRole;

    pub(crate) fn fetched(source: &str, outcome: &'static str, stale_for: Duration, live: &LiveKeyring) {
        let source = source.to_owned();
        metrics::counter!("tenure_secret_fetches_total", "source" => source.clone(), "outcome" => outcome)
            .increment(1);
        metrics::gauge!("tenure_secret_stale_seconds", "source" => source).set(stale_for.as_secs_f64());
        for used in live.usage() {
            let key = used.id.to_string();
            let signs = if used.role == KeyRole::Current { 1.0 } else { 0.0 };
            metrics::gauge!("tenure_key_signs", "key" => key).set(signs);
        }
    }
}

#[cfg(not(feature = "metrics"))]
mod exported {
    use super::{Duration, LiveKeyring};

    pub(crate) fn fetched(_: &str, _: &'static str, _: Duration, _: &LiveKeyring) {}
}

pub(crate) fn success(source: &str, live: &LiveKeyring) {
    exported::fetched(source, "ok", Duration::ZERO, live);
}

pub(crate) fn failure(source: &str, stale_for: Duration, live: &LiveKeyring) {
    exported::fetched(source, "failed", stale_for, live);
}
