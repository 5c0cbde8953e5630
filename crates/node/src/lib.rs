//! The native addon of the npm package `tenure-express`: what JavaScript leaves to Rust. The package's own
//! JavaScript is the only caller.

pub mod cookie_secrets;
pub mod engine;
pub mod sid;
