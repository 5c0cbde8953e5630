//! The sources, each against the real thing where there is one.
#![allow(missing_docs)]

#[allow(dead_code, reason = "each source uses a part of it")]
mod common;

#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "azure")]
mod azure;
mod connect;
#[cfg(feature = "file")]
mod file;
#[cfg(feature = "vault")]
mod vault;
