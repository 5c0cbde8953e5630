//! What has to be shown, and whether it was.

use std::fmt;

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Bound {
    pub what: String,
    pub is: f64,
    pub required: Required,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Required {
    AtMost(f64),
    AtLeast(f64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Met,
    Missed,
}

impl Bound {
    pub fn at_most(what: impl Into<String>, bound: f64, is: f64) -> Self {
        Self {
            what: what.into(),
            is,
            required: Required::AtMost(bound),
        }
    }

    pub fn at_least(what: impl Into<String>, bound: f64, is: f64) -> Self {
        Self {
            what: what.into(),
            is,
            required: Required::AtLeast(bound),
        }
    }

    pub fn verdict(&self) -> Verdict {
        let is_met = match self.required {
            Required::AtMost(bound) => self.is <= bound,
            Required::AtLeast(bound) => self.is >= bound,
        };
        if is_met { Verdict::Met } else { Verdict::Missed }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict() {
            Verdict::Met => "met",
            Verdict::Missed => "MISSED",
        };
        write!(
            f,
            "{verdict}: {}: {:.2} (required {})",
            self.what, self.is, self.required
        )
    }
}

impl fmt::Display for Required {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(bound) => write!(f, "≤ {bound}"),
            Self::AtLeast(bound) => write!(f, "≥ {bound}"),
        }
    }
}
