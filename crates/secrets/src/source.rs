//! The trait of a place where secrets are kept.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::fetch_error::{FetchError, RotateError};
use crate::secret_text::SecretText;
use crate::version::SecretVersion;

/// What a source's method gives back: boxed, so that `Arc<dyn SecretSource>` works.
pub type SourceFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A place where the versions of one secret are kept.
///
/// # Contract
///
/// - **`fetch` gives all versions that are there, the one to sign with first** and the others behind it from newer to
///   older, or an error; never an empty list, and never a part of them because one could not be had.
/// - **A version that is no longer given is dropped**: its cookies and its sealed data are refused from then on. So
///   an operator revokes a leaked secret by removing it at the source.
/// - **A version's name stays its own.** The same name never stands for another value, except where the source
///   has no versions; then the name is derived from the value, one-way.
/// - **Nothing secret** is in the source's name, its `Debug`, or its errors.
/// - **Cancelling is safe**, and every call ends by itself: a client has a timeout.
pub trait SecretSource: fmt::Debug + Send + Sync + 'static {
    /// What the operator calls it, such as `vault:secret/shop#session`. Holds no credentials.
    fn name(&self) -> &str;

    /// The versions that are there now, the one to sign with first.
    fn fetch(&self) -> SourceFuture<'_, Result<Fetched, FetchError>>;

    /// Ends when there may be something new to fetch, sooner than the next look would be; at once, if there was
    /// since the last `fetch` began. *Default*: never, for a source that can't tell.
    fn changed(&self) -> SourceFuture<'_, ()> {
        Box::pin(std::future::pending())
    }

    /// Writes `secret` as the newest version, and gives that version's name. *Default*: refused, for a source that
    /// is written elsewhere.
    fn rotate<'a>(&'a self, secret: &'a SecretText) -> SourceFuture<'a, Result<String, RotateError>> {
        let _ = secret;
        Box::pin(async move {
            Err(RotateError::NotWritable {
                origin: self.name().to_owned(),
            })
        })
    }
}

impl<S: SecretSource + ?Sized> SecretSource for Arc<S> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn fetch(&self) -> SourceFuture<'_, Result<Fetched, FetchError>> {
        (**self).fetch()
    }

    fn changed(&self) -> SourceFuture<'_, ()> {
        (**self).changed()
    }

    fn rotate<'a>(&'a self, secret: &'a SecretText) -> SourceFuture<'a, Result<String, RotateError>> {
        (**self).rotate(secret)
    }
}

/// What a source has.
#[derive(Debug)]
pub struct Fetched {
    /// The versions, the one to sign with first; at least one.
    pub versions: Vec<SecretVersion>,
    /// When to look again, if the source has a reason to say so, such as a version that becomes valid then.
    pub look_again_in: Option<Duration>,
}
