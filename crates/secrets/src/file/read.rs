//! Reads the versions that are in a file or folder now.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::str;

use zeroize::Zeroizing;

use super::ordering::newest_first;
use crate::fetch_error::FetchError;
use crate::source::Fetched;
use crate::value::{empty, name_by_value, trimmed, without_repetition};
use crate::version::{SecretVersion, Stage};

pub(super) const MOST_BYTES: u64 = 64 * 1024;
pub(super) const MOST_FILES: usize = 100;

/// How often a folder is read again when a file is gone that was there a moment ago.
const READS: usize = 3;

/// What Kubernetes keeps a volume's files in; it is a link that is replaced when they change.
pub(super) const KUBERNETES_DATA: &str = "..data";

/// The content of a file, and what the file system says of it.
pub(super) struct Content {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    pub(super) metadata: Metadata,
}

pub(super) fn versions(path: &Path, origin: &str) -> Result<Fetched, FetchError> {
    let is_folder = fs::metadata(path)
        .map_err(|error| failed(error, path, origin))?
        .is_dir();
    let versions = if is_folder {
        versions_of_folder(path, origin)?
    } else {
        versions_of_file(path, origin)?
    };
    if versions.is_empty() {
        // Not `Unusable`: it is where a first secret may be written.
        return Err(FetchError::NotFound {
            origin: origin.to_owned(),
            reason: format!(
                "{} is empty; put a secret there, made with `openssl rand -base64 32`",
                path.display()
            ),
        });
    }
    Ok(Fetched {
        versions: without_repetition(versions),
        look_again_in: None,
    })
}

fn versions_of_file(path: &Path, origin: &str) -> Result<Vec<SecretVersion>, FetchError> {
    let content = content(path, origin)?;
    let lines = content.bytes.split(|byte| *byte == b'\n').filter_map(trimmed);
    Ok(lines.map(version).collect())
}

fn versions_of_folder(path: &Path, origin: &str) -> Result<Vec<SecretVersion>, FetchError> {
    for _ in 1..READS {
        match read_folder(path, origin) {
            Err(FetchError::NotFound { .. }) => {}
            outcome => return outcome,
        }
    }
    read_folder(path, origin)
}

fn read_folder(path: &Path, origin: &str) -> Result<Vec<SecretVersion>, FetchError> {
    // Through the link once and not once for each file: else old and new ones could come together.
    let data = path.join(KUBERNETES_DATA).canonicalize();
    let folder = data.as_deref().unwrap_or(path);
    let mut versions = Vec::new();
    for name in visible_names(folder, origin)? {
        let file = folder.join(&name);
        let content = content(&file, origin)?;
        let secret =
            trimmed(&content.bytes).ok_or_else(|| empty(origin, &path.join(&name).display().to_string()))?;
        versions.push(version(secret));
    }
    Ok(versions)
}

/// The names of a folder's files, the newest first.
pub(super) fn visible_names(folder: &Path, origin: &str) -> Result<Vec<OsString>, FetchError> {
    let failed = |error| failed(error, folder, origin);
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if !name.as_encoded_bytes().starts_with(b".") {
            names.push(name);
        }
    }
    if names.len() > MOST_FILES {
        let reason = format!(
            "{} has {} files, {MOST_FILES} at most are read; remove old ones",
            folder.display(),
            names.len()
        );
        return Err(unusable(reason, origin));
    }
    names.sort_by(|one, other| newest_first(one, other));
    Ok(names)
}

pub(super) fn content(path: &Path, origin: &str) -> Result<Content, FetchError> {
    // Opening a pipe would wait for somebody who writes to it.
    check_kind(
        &fs::metadata(path).map_err(|error| failed(error, path, origin))?,
        path,
        origin,
    )?;
    read_checked(path, origin)
}

fn read_checked(path: &Path, origin: &str) -> Result<Content, FetchError> {
    let failed = |error| failed(error, path, origin);
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    check_kind(&metadata, path, origin)?;
    check_permissions(&metadata, path, origin)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(
        usize::try_from(metadata.len()).unwrap_or(0) + 1,
    ));
    file.take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    check_size(bytes.len() as u64, path, origin)?;
    if !is_text(&bytes) {
        let reason = format!(
            "{} has bytes that are no text; write the secret as text, such as base64",
            path.display()
        );
        return Err(unusable(reason, origin));
    }
    Ok(Content { bytes, metadata })
}

fn check_kind(metadata: &Metadata, path: &Path, origin: &str) -> Result<(), FetchError> {
    if metadata.is_file() {
        return check_size(metadata.len(), path, origin);
    }
    let reason = format!("{} is not a regular file", path.display());
    Err(unusable(reason, origin))
}

fn check_size(bytes: u64, path: &Path, origin: &str) -> Result<(), FetchError> {
    if bytes <= MOST_BYTES {
        return Ok(());
    }
    let reason = format!(
        "{} has more than {MOST_BYTES} bytes, which no list of secrets has; name the right file",
        path.display()
    );
    Err(unusable(reason, origin))
}

#[cfg(unix)]
fn check_permissions(metadata: &Metadata, path: &Path, origin: &str) -> Result<(), FetchError> {
    use std::os::unix::fs::PermissionsExt;

    let mode = metadata.permissions().mode();
    if mode & 0o007 == 0 {
        return Ok(());
    }
    Err(FetchError::Denied {
        origin: origin.to_owned(),
        reason: format!(
            "every user of this machine may use {path} (mode {:04o}), so it is no secret; run `chmod 600 {path}`, or \
             set `defaultMode: 0400` on a volume of Kubernetes, `mode: 0400` on a secret of Docker",
            mode & 0o7777,
            path = path.display()
        ),
    })
}

/// Elsewhere access is not a matter of nine bits.
#[cfg(not(unix))]
fn check_permissions(_: &Metadata, _: &Path, _: &str) -> Result<(), FetchError> {
    Ok(())
}

fn is_text(bytes: &[u8]) -> bool {
    str::from_utf8(bytes).is_ok_and(|text| {
        text.chars()
            .all(|character| matches!(character, '\n' | '\r' | '\t') || !character.is_control())
    })
}

fn version(secret: tenure_core::Secret) -> SecretVersion {
    SecretVersion {
        name: name_by_value(&secret),
        secret,
        stage: Stage::Active,
        created_at: None,
    }
}

fn unusable(reason: String, origin: &str) -> FetchError {
    FetchError::Unusable {
        origin: origin.to_owned(),
        reason,
    }
}

pub(super) fn failed(error: io::Error, path: &Path, origin: &str) -> FetchError {
    let (origin, path) = (origin.to_owned(), path.display());
    match error.kind() {
        ErrorKind::NotFound => FetchError::NotFound {
            origin,
            reason: format!(
                "{path} is not there; make it with `(umask 077; openssl rand -base64 32 > {path})`"
            ),
        },
        ErrorKind::PermissionDenied => FetchError::Denied {
            origin,
            reason: format!("this process may not read {path}; make its user the owner of it"),
        },
        _ => FetchError::Unreachable {
            origin,
            cause: error.into(),
        },
    }
}
