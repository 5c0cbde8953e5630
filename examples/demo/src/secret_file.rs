//! The secret of a developer's machine, kept in a file between runs.

use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use base64ct::{Base64, Encoding};
use tempfile::NamedTempFile;
use tenure::Secret;

/// A secret from a file, and whether it was made just now.
#[derive(Debug)]
pub struct KeptSecret {
    /// The secret.
    pub secret: Secret,
    /// Whether this run made it.
    pub is_new: bool,
}

/// The secret could neither be read nor made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretFileError {
    /// Other users of the machine can read or write it, so it is no secret.
    #[error(
        "{} is open to other users of this machine (its mode is {mode:04o}), so it is no secret any more; delete it to have a new one made",
        path.display()
    )]
    ReadableByOthers {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file or its folder failed.
    #[error("the secret in {} can't be read or made: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The operating system gave no random bytes.
    #[error("no secret could be made: {0}")]
    Random(getrandom::Error),
}

/// Reads the secret in the file at `path`; makes the file, with a new secret, if it is not there.
///
/// # Errors
/// If other users can read the file, or it can't be read or made.
pub fn read_or_make(path: &Path) -> Result<KeptSecret, SecretFileError> {
    let failed = |source| SecretFileError::File {
        path: path.to_owned(),
        source,
    };
    let is_new = match File::open(path) {
        Ok(_) => false,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let secret = random_secret().map_err(SecretFileError::Random)?;
            make(path, &secret).map_err(failed)?
        }
        Err(error) => return Err(failed(error)),
    };
    let mut file = File::open(path).map_err(failed)?;
    refuse_if_readable_by_others(path, &file.metadata().map_err(failed)?)?;
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(failed)?;
    Ok(KeptSecret {
        secret: Secret::new(text.trim()),
        is_new,
    })
}

fn random_secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(Base64::encode_string(&bytes))
}

/// Says whether it was this call that made the file, for another process may be faster.
fn make(path: &Path, secret: &str) -> io::Result<bool> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    // Born with mode 0600 under another name, and renamed only when it is whole: nobody ever sees
    // half a secret, and no secret that is in use is overwritten.
    let mut file = NamedTempFile::new_in(folder)?;
    writeln!(file, "{secret}")?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(true),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error.error),
    }
}

#[cfg(unix)]
fn refuse_if_readable_by_others(path: &Path, metadata: &Metadata) -> Result<(), SecretFileError> {
    use std::os::unix::fs::PermissionsExt;

    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(SecretFileError::ReadableByOthers {
        path: path.to_owned(),
        mode,
    })
}

/// Elsewhere a file in a user's own folder is that user's alone.
#[cfg(not(unix))]
fn refuse_if_readable_by_others(_: &Path, _: &Metadata) -> Result<(), SecretFileError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_secret_is_made_once_and_used_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("demo.secret");
        let made = read_or_make(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let again = read_or_make(&path).unwrap();
        assert!(made.is_new && !again.is_new);
        assert_eq!(made.secret.weakness(), None);
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "nothing else is left"
        );
    }

    #[test]
    fn two_secrets_differ() {
        assert_ne!(random_secret().unwrap(), random_secret().unwrap());
    }

    #[test]
    fn a_slower_process_does_not_overwrite() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("demo.secret");
        assert!(make(&path, "first").unwrap());
        assert!(!make(&path, "second").unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "first\n");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("demo.secret");
        let _ = read_or_make(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);

        for mode in [0o644, 0o640, 0o604, 0o620] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let refused = read_or_make(&path).unwrap_err();
            assert!(
                matches!(refused, SecretFileError::ReadableByOthers { .. }),
                "{refused}"
            );
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let refused = read_or_make(&folder.path().join("nowhere/demo.secret")).unwrap_err();
        assert!(refused.to_string().contains("nowhere"), "{refused}");
    }
}
