//! What the command `tenure` does, asked of the program that is built.

#[cfg(feature = "file")]
mod check;
mod generate;
mod interface;
#[cfg(feature = "file")]
mod rotate;
mod run;
#[cfg(feature = "vault")]
mod vault;
