//! What every part of the comparison shares: how it measures, and how it tells.

#[cfg(feature = "in-process")]
mod alternating;
mod bound;
#[cfg(feature = "in-process")]
mod callgrind;
mod figures;
mod node;
mod options;
mod outcome;
mod picture;
mod results;
#[cfg(feature = "in-process")]
mod row;
mod served;
mod table;
#[cfg(feature = "tenure")]
mod tenure;
mod versions;
mod visitor;
mod work;
mod wrk;

#[cfg(feature = "in-process")]
pub use alternating::{Contender, Measured, Subject, measure};
pub use bound::{Bound, Verdict};
#[cfg(feature = "in-process")]
pub use callgrind::instructions_a_request;
pub use figures::{Spread, quantile};
pub use node::{node_folder, node_version_of};
pub use options::{Options, SoleRun};
pub use outcome::{MISSED, Outcome, conclude, outcome_of};
pub use picture::{Bar, Curve, bars, curves};
pub use results::{heading, raw, results_folder, text};
#[cfg(feature = "in-process")]
pub use row::{Row, draw_added};
pub use served::{Served, served_here};
pub use table::Table;
#[cfg(feature = "tenure")]
pub use tenure::sessions;
pub use versions::{version_of, version_of_series};
pub use visitor::{Answer, Held, Visitor};
pub use work::{Payload, Task, Work, next_number};
pub use wrk::{Load, Ran};
