//! Best, median and quartiles.

use serde::Serialize;

/// How a figure was spread over the rounds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Spread {
    pub best: f64,
    pub lower_quartile: f64,
    pub median: f64,
    pub upper_quartile: f64,
}

impl Spread {
    pub fn of(rounds: &[f64]) -> Self {
        Self {
            best: quantile(rounds, 0.0),
            lower_quartile: quantile(rounds, 0.25),
            median: quantile(rounds, 0.5),
            upper_quartile: quantile(rounds, 0.75),
        }
    }
}

/// The value below which this share of them lies.
///
/// # Panics
/// If there is none.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted
        .len()
        .checked_sub(1)
        .expect("at least one round was measured");
    sorted[(share * last as f64).round() as usize]
}
