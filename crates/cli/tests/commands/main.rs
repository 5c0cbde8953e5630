//! What the command `tenure` does, asked of the program that is built.

#[cfg(feature = "file")]
mod check;
mod generate;
mod interface;
#[cfg(feature = "file")]
mod rotate;
#[cfg_attr(
    not(feature = "file"),
    allow(dead_code, reason = "the tests of files use most of it")
)]
mod run;
#[cfg(all(feature = "sqlite", feature = "redis", feature = "postgres"))]
mod sessions;
#[cfg(feature = "vault")]
mod vault;
