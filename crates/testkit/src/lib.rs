//! What the tests of Tenure share.

pub mod application;
mod browser;
pub mod conformance;
#[cfg(feature = "door")]
pub mod door;
mod event_log;
#[cfg(feature = "express")]
pub mod express_conformance;
pub mod faults;
pub mod instances;
pub mod ledger;
mod planted;
pub mod records;
pub mod servers;
mod split_mix;

pub use application::Application;
pub use browser::Browser;
pub use event_log::EventLog;
pub use faults::{FaultyStore, YieldingStore};
pub use planted::Planted;
pub use split_mix::SplitMix64;
