//! What a request does, and how large its session is as JSON.

use std::fmt;

use serde::Serialize;

use crate::contender::Contender;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Work {
    ReadSmall,
    WriteSmall,
    ReadLarge,
}

impl Work {
    pub const ALL: [Self; 3] = [Self::ReadSmall, Self::WriteSmall, Self::ReadLarge];

    pub const fn bytes(self) -> usize {
        match self {
            Self::ReadSmall | Self::WriteSmall => 230,
            Self::ReadLarge => 10_000,
        }
    }

    pub const fn path(self) -> &'static str {
        match self {
            Self::ReadSmall | Self::ReadLarge => "/read",
            Self::WriteSmall => "/write",
        }
    }

    /// A cookie holds 4 KB.
    pub const fn fits(self, contender: &Contender) -> bool {
        !contender.keeps_all_in_the_cookie || self.bytes() < 2_000
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::ReadSmall => "reads, 230 bytes",
            Self::WriteSmall => "writes, 230 bytes",
            Self::ReadLarge => "reads, 10 KB",
        })
    }
}
