//! Writes a new version so that a reader sees the old state or the new one, and a power cut leaves one of them.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use base64ct::{Base64UrlUnpadded, Encoding};
use tenure_core::Secret;
use zeroize::Zeroizing;

use super::ordering::{is_named_by_role, newest_first};
use super::read::{self, KUBERNETES_DATA, MOST_BYTES, MOST_FILES};
use crate::fetch_error::RotateError;
use crate::value::name_by_value;

/// Puts `secret` in front, and gives its version's name.
pub(super) fn rotate(path: &Path, origin: &str, secret: &str) -> Result<String, RotateError> {
    let failed = |error| refused(error, path, origin);
    // What a link leads to is replaced, not the link.
    let place = match path.canonicalize() {
        Ok(place) => place,
        Err(error) if error.kind() == ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(failed(error)),
    };
    let folder = if place.is_dir() { &place } else { folder_of(&place) };
    if is_of_kubernetes(folder) {
        return Err(RotateError::NotWritable {
            origin: origin.to_owned(),
        });
    }
    // Whoever else writes here waits, so that nobody's line is lost. Released when it is closed.
    let lock = File::open(folder).map_err(failed)?;
    lock.lock().map_err(failed)?;

    let writing = if place.is_dir() {
        into_folder(&place, origin, secret)?
    } else {
        in_front_of_file(place, origin, secret)?
    };
    replace(&writing).and_then(|()| lock.sync_all()).map_err(failed)?;
    Ok(name_by_value(&Secret::new(secret)))
}

/// A file that is to be there, with what.
struct Writing {
    file: PathBuf,
    content: Zeroizing<String>,
    /// The file whose owner and permissions it gets.
    model: Option<Metadata>,
}

fn in_front_of_file(file: PathBuf, origin: &str, secret: &str) -> Result<Writing, RotateError> {
    let mut content = Zeroizing::new(String::with_capacity(MOST_BYTES as usize));
    content.push_str(secret);
    content.push('\n');
    let mut model = None;
    if file.exists() {
        let older = read::content(&file, origin)?;
        content.push_str(&String::from_utf8_lossy(&older.bytes));
        model = Some(older.metadata);
    }
    if content.len() as u64 > MOST_BYTES {
        let reason = format!(
            "{} would have more than {MOST_BYTES} bytes; remove old lines",
            file.display()
        );
        return Err(RotateError::Refused {
            origin: origin.to_owned(),
            reason,
        });
    }
    Ok(Writing { file, content, model })
}

fn into_folder(folder: &Path, origin: &str, secret: &str) -> Result<Writing, RotateError> {
    let names = read::visible_names(folder, origin)?;
    if names.len() >= MOST_FILES {
        return Err(RotateError::Refused {
            origin: origin.to_owned(),
            reason: format!(
                "{} would have more than {MOST_FILES} files, and could not be read any more; remove old ones",
                folder.display()
            ),
        });
    }
    let newest = names.first();
    if newest.is_some_and(|name| is_named_by_role(name)) {
        return Err(RotateError::Refused {
            origin: origin.to_owned(),
            reason: "its files are named `current` and `previous`, which only you can give new names; name them by \
                     number or date, and new ones are written"
                .to_owned(),
        });
    }
    let model = newest.map(|name| fs::metadata(folder.join(name)));
    Ok(Writing {
        file: folder.join(name_before(newest.map(OsString::as_os_str))),
        content: Zeroizing::new(format!("{secret}\n")),
        model: model
            .transpose()
            .map_err(|error| refused(error, folder, origin))?,
    })
}

/// The time in UTC, or else the newest name with more behind it: in any case a name before the newest.
fn name_before(newest: Option<&OsStr>) -> OsString {
    let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    // No file system is without hyphens, and some are without colons.
    let by_time = OsString::from(now.replace(':', ""));
    match newest {
        Some(newest) if newest_first(&by_time, newest).is_ge() => {
            let mut name = newest.to_owned();
            name.push("-1");
            name
        }
        _ => by_time,
    }
}

/// Writes beside it, and renames.
fn replace(writing: &Writing) -> io::Result<()> {
    let new = folder_of(&writing.file).join(temporary_name()?);
    let written = write_new(&new, writing).and_then(|()| fs::rename(&new, &writing.file));
    if written.is_err() {
        // It is gone already, or can't be removed either; what is reported is why it was not written.
        let _ = fs::remove_file(&new);
    }
    written
}

fn write_new(new: &Path, writing: &Writing) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(new)?;
    if let Some(model) = &writing.model {
        make_like(&file, model)?;
    }
    file.write_all(writing.content.as_bytes())?;
    file.sync_all()
}

#[cfg(unix)]
fn make_like(file: &File, model: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    let own = file.metadata()?;
    if (own.uid(), own.gid()) != (model.uid(), model.gid()) {
        std::os::unix::fs::fchown(file, Some(model.uid()), Some(model.gid()))?;
    }
    // Owner and group as they are; never others.
    file.set_permissions(fs::Permissions::from_mode(model.mode() & 0o770))
}

#[cfg(not(unix))]
fn make_like(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

/// Hidden, so that no reader of the folder takes it for a version.
fn temporary_name() -> io::Result<String> {
    let mut random = [0; 12];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    Ok(format!(".{}.new", Base64UrlUnpadded::encode_string(&random)))
}

fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A volume that Kubernetes fills, or the hidden folder in it that its files are really in.
fn is_of_kubernetes(folder: &Path) -> bool {
    let holds_data = |folder: &Path| folder.join(KUBERNETES_DATA).is_symlink();
    holds_data(folder) || folder.parent().is_some_and(holds_data)
}

fn refused(error: io::Error, path: &Path, origin: &str) -> RotateError {
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem | ErrorKind::StorageFull => {
            RotateError::Refused {
                origin: origin.to_owned(),
                reason: format!("{}: {error}", path.display()),
            }
        }
        _ => RotateError::Fetch(read::failed(error, path, origin)),
    }
}
