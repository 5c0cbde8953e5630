//! What the tests of Tenure share.

pub mod conformance;
mod event_log;
pub mod faults;
pub mod servers;
mod split_mix;

pub use event_log::EventLog;
pub use faults::{FaultyStore, YieldingStore};
pub use split_mix::SplitMix64;
