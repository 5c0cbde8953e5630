//! Secrets in files: one with lines, or a folder with a file for each version.

mod ordering;
mod read;
mod watch;
mod write;

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use crate::fetch_error::{FetchError, RotateError};
use crate::secret_text::SecretText;
use crate::source::{Fetched, SecretSource, SourceFuture};
use watch::Watch;
use zeroize::Zeroizing;

/// A file or a folder: `file:/run/secrets/session`.
///
/// **A file** has one secret a line, the one to sign with first. **A folder** has one file for each version, as Docker,
/// Kubernetes and systemd (`file:%d/session` in a unit, where `%d` is `$CREDENTIALS_DIRECTORY`) put them there. White
/// space around a secret does not count.
///
/// The files of a folder are ordered by name: `current` first and `previous` behind it, whatever their extension; then
/// all others from the highest name to the lowest, where runs of digits are compared as numbers: `v10` before `v9`,
/// `2026-11-02` before `2026-11-01`. Hidden files are left out, and so is what Kubernetes keeps for itself (`..data`).
///
/// Refused are files that others may read, files of more than 64 KiB or with bytes that are no text, empty ones, and
/// folders with more than 100 files. What counts is the file that a symbolic link leads to. In Kubernetes,
/// set `defaultMode: 0400` on the volume; in Docker, `mode: 0400` on the secret.
///
/// No version has a `created_at`: each machine has a copy of its own, and its times are its own. So an instance that
/// starts signs with the second one until the newest has been there for the propagation delay, and an older one
/// verifies until it is taken out. A version is named by its key's id, which is derived one-way.
///
/// A change is noticed at once where the operating system tells of it, links that are swapped included, and by the
/// next regular look elsewhere (network file systems). Write a new file beside the old one and rename it, as
/// [`rotate`](SecretSource::rotate) does: a file that is read while it is written in place is half a secret.
///
/// `rotate` puts a new line in front, or a new file in the folder, named by the time in UTC. It keeps the owner and
/// the permissions; a file that is not there yet is made, for its owner alone. A Kubernetes volume can't be written.
/// On Windows permissions are not looked at, and nothing is written.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use tenure_secrets::{FileSource, SecretSource, SecretText};
///
/// let folder = tempfile::tempdir()?;
/// let source = FileSource::new(folder.path().join("session"));
/// let first = source.rotate(&SecretText::generate()?).await?;
/// let second = source.rotate(&SecretText::generate()?).await?;
///
/// let fetched = source.fetch().await?;
/// let names: Vec<_> = fetched.versions.iter().map(|version| &version.name).collect();
/// assert_eq!(names, [&second, &first]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FileSource {
    name: String,
    path: PathBuf,
    timeout: Duration,
    watch: OnceLock<Watch>,
}

impl FileSource {
    /// The secrets in the file or folder at `path`. It is looked at when it is fetched.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self {
            name: format!("file:{}", path.display()),
            path,
            timeout: crate::DEFAULT_TIMEOUT,
            watch: OnceLock::new(),
        }
    }

    /// How long reading or writing may take. *Default*: 5 seconds. *Reason*: a network file system can hang, and a start
    /// must not hang with it.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Does what waits for a disk, elsewhere. It goes on to its end there when it is not waited for any longer.
    async fn in_time<T: Send + 'static, E: From<FetchError> + Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let unreachable = |cause| FetchError::Unreachable {
            origin: self.name.clone(),
            cause,
        };
        match tokio::time::timeout(self.timeout, tokio::task::spawn_blocking(work)).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(failed)) => Err(unreachable(failed.into()).into()),
            Err(late) => Err(unreachable(late.into()).into()),
        }
    }
}

impl SecretSource for FileSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn fetch(&self) -> SourceFuture<'_, Result<Fetched, FetchError>> {
        Box::pin(async move {
            let (name, path) = (self.name.clone(), self.path.clone());
            let watching = self.watch.get_or_init(Watch::default).looking();
            self.in_time(move || {
                // First, so that what changes while it is read is seen.
                watching.follow(&path);
                read::versions(&path, &name)
            })
            .await
        })
    }

    fn changed(&self) -> SourceFuture<'_, ()> {
        Box::pin(self.watch.get_or_init(Watch::default).changed())
    }

    fn rotate<'a>(&'a self, secret: &'a SecretText) -> SourceFuture<'a, Result<String, RotateError>> {
        Box::pin(async move {
            let (name, path, secret) = (
                self.name.clone(),
                self.path.clone(),
                Zeroizing::new(secret.expose().to_owned()),
            );
            self.in_time(move || write::rotate(&path, &name, &secret)).await
        })
    }
}
