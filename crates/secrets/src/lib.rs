//! Where Tenure's secrets come from, and a keyring that follows them.

#![cfg_attr(not(test), warn(clippy::unwrap_used))]

mod fetch_error;
mod secret_text;
mod source;
mod version;

pub use fetch_error::{FetchError, RotateError};
pub use secret_text::{GenerateError, SecretText};
pub use source::{Fetched, SecretSource, SourceFuture};
pub use version::{SecretVersion, Stage};
