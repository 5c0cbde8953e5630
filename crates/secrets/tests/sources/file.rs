//! Files and folders on a real file system.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tenure_secrets::{FetchError, FileSource, RotateError, SecretSource};

use crate::common::{
    FIRST, FOURTH, SECOND, THIRD, assert_error_silent, assert_silent, ids_of, key_id, key_ids, names,
    new_secret,
};

fn write(path: &Path, content: impl AsRef<[u8]>) {
    fs::write(path, content).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

async fn fetched(path: &Path) -> Vec<String> {
    key_ids(&FileSource::new(path).fetch().await.unwrap())
}

#[tokio::test]
async fn a_file_has_a_secret_a_line_with_the_one_to_sign_with_first() {
    let folder = folder();
    let path = folder.path().join("session");
    write(&path, FIRST);
    assert_eq!(fetched(&path).await, ids_of(&[FIRST]));
    write(&path, format!("{SECOND}\r\n\n  {FIRST}\t\n"));
    let source = FileSource::new(&path);
    let fetched = source.fetch().await.unwrap();
    assert_eq!(key_ids(&fetched), ids_of(&[SECOND, FIRST]));
    assert_eq!(names(&fetched), ids_of(&[SECOND, FIRST]));
    assert!(
        fetched
            .versions
            .iter()
            .all(|version| version.created_at.is_none()),
        "the times of a copy are its own"
    );
    assert_silent(&source, &[FIRST, SECOND]);
    assert_silent(&fetched, &[FIRST, SECOND]);
}

#[tokio::test]
async fn a_folder_has_a_file_a_version_with_the_highest_name_first() {
    let folder = folder();
    for (name, secret) in [("v9", FIRST), ("v10", SECOND), ("v8", FIRST)] {
        write(&folder.path().join(name), secret);
    }
    write(&folder.path().join(".hidden"), THIRD);
    assert_eq!(
        fetched(folder.path()).await,
        ids_of(&[SECOND, FIRST]),
        "one that is there twice counts once"
    );
    write(&folder.path().join("previous"), FOURTH);
    write(&folder.path().join("current"), THIRD);
    assert_eq!(
        fetched(folder.path()).await,
        ids_of(&[THIRD, FOURTH, SECOND, FIRST])
    );
}

#[tokio::test]
async fn what_others_may_read_is_refused_with_the_command_that_helps() {
    let folder = folder();
    let path = folder.path().join("session");
    let link = folder.path().join("link");
    write(&path, FIRST);
    symlink(&path, &link).unwrap();
    for mode in [0o604, 0o644, 0o602, 0o601, 0o444] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        for place in [&path, &link] {
            let error = FileSource::new(place).fetch().await.unwrap_err();
            assert!(
                matches!(&error, FetchError::Denied { reason, .. } if reason.contains("chmod 600") && reason.contains("defaultMode: 0400")),
                "{error}"
            );
            assert_error_silent(&error, &[FIRST]);
        }
    }
    for mode in [0o400, 0o600, 0o640, 0o440] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        assert_eq!(fetched(&link).await, ids_of(&[FIRST]), "{mode:o}");
    }
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let versions = folder.path().join("versions");
    fs::create_dir(&versions).unwrap();
    symlink(&path, versions.join("1")).unwrap();
    let error = FileSource::new(&versions).fetch().await.unwrap_err();
    assert!(matches!(error, FetchError::Denied { .. }), "{error}");
}

#[tokio::test]
async fn what_can_not_be_a_secret_is_refused_and_not_shown() {
    let folder = folder();
    let path = folder.path().join("session");
    for content in [
        format!("{FIRST}\0{SECOND}").into_bytes(),
        [FIRST.as_bytes(), &[0xff, 0xfe]].concat(),
        FIRST.repeat(64 * 1024 / FIRST.len() + 1).into_bytes(),
    ] {
        write(&path, &content);
        let error = FileSource::new(&path).fetch().await.unwrap_err();
        assert!(matches!(error, FetchError::Unusable { .. }), "{error}");
        assert_error_silent(&error, &[FIRST, SECOND]);
    }

    let pipe = folder.path().join("pipe");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let error = FileSource::new(&pipe).fetch().await.unwrap_err();
    assert!(matches!(&error, FetchError::Unusable { reason, .. } if reason.contains("not a regular file")));

    let versions = folder.path().join("versions");
    fs::create_dir(&versions).unwrap();
    write(&versions.join("2"), SECOND);
    write(&versions.join("1"), "");
    let error = FileSource::new(&versions).fetch().await.unwrap_err();
    assert!(
        matches!(error, FetchError::Unusable { .. }),
        "all or nothing: {error}"
    );
    fs::remove_file(versions.join("1")).unwrap();
    fs::create_dir(versions.join("1")).unwrap();
    let error = FileSource::new(&versions).fetch().await.unwrap_err();
    assert!(matches!(error, FetchError::Unusable { .. }), "{error}");
}

#[tokio::test]
async fn an_empty_file_or_folder_has_no_secret_yet_and_gets_its_first_by_rotation() {
    let folder = folder();
    let path = folder.path().join("session");
    let versions = folder.path().join("versions");
    fs::create_dir(&versions).unwrap();
    for content in ["", " \n\n\t"] {
        write(&path, content);
        for place in [&path, &versions] {
            let error = FileSource::new(place).fetch().await.unwrap_err();
            assert!(
                matches!(&error, FetchError::NotFound { reason, .. } if reason.contains("empty")),
                "{error}"
            );
        }
    }
    for place in [&path, &versions] {
        let source = FileSource::new(place);
        let name = source.rotate(&new_secret()).await.unwrap();
        assert_eq!(names(&source.fetch().await.unwrap()), [name]);
    }
}

#[tokio::test]
async fn a_missing_file_is_told_with_the_command_that_makes_it() {
    let folder = folder();
    let path = folder.path().join("session");
    let error = FileSource::new(&path).fetch().await.unwrap_err();
    assert!(matches!(&error, FetchError::NotFound { reason, .. } if reason.contains("openssl rand")));
    symlink("nowhere", &path).unwrap();
    let error = FileSource::new(&path).fetch().await.unwrap_err();
    assert!(matches!(error, FetchError::NotFound { .. }));
}

/// As Kubernetes does it: the files are links through `..data`, which is replaced by renaming a new link over it.
struct Volume {
    folder: TempDir,
    count: usize,
}

impl Volume {
    fn new(files: &[(&str, &str)]) -> Self {
        let mut volume = Self {
            folder: folder(),
            count: 0,
        };
        volume.swap(files);
        for (name, _) in files {
            symlink(Path::new("..data").join(name), volume.folder.path().join(name)).unwrap();
        }
        volume
    }

    fn swap(&mut self, files: &[(&str, &str)]) {
        self.count += 1;
        let place = self.folder.path();
        let data = format!("..2026_11_22_10_00_0{}.123", self.count);
        fs::create_dir(place.join(&data)).unwrap();
        for (name, secret) in files {
            write(&place.join(&data).join(name), secret);
        }
        let former = fs::read_link(place.join("..data"));
        symlink(&data, place.join("..data_tmp")).unwrap();
        fs::rename(place.join("..data_tmp"), place.join("..data")).unwrap();
        if let Ok(former) = former {
            fs::remove_dir_all(place.join(former)).unwrap();
        }
    }
}

/// Real time passes here, for the operating system tells of changes when it likes; a change that it never tells fails.
async fn is_told(source: &FileSource) -> bool {
    tokio::time::timeout(Duration::from_secs(20), source.changed())
        .await
        .is_ok()
}

async fn is_quiet(source: &FileSource) -> bool {
    tokio::time::timeout(Duration::from_millis(300), source.changed())
        .await
        .is_err()
}

#[tokio::test]
async fn a_volume_of_kubernetes_is_told_of_when_its_link_is_swapped_as_a_file_and_as_a_folder() {
    let mut volume = Volume::new(&[("1", FIRST), ("2", SECOND)]);
    let file = FileSource::new(volume.folder.path().join("2"));
    let folder = FileSource::new(volume.folder.path());
    // A link to the link, as an application may have one.
    let elsewhere = tempfile::tempdir().unwrap();
    symlink(volume.folder.path().join("2"), elsewhere.path().join("session")).unwrap();
    let linked = FileSource::new(elsewhere.path().join("session"));
    for newest in [THIRD, FOURTH] {
        for source in [&file, &folder, &linked] {
            source.fetch().await.unwrap();
            assert!(is_quiet(source).await, "reading is no change");
        }
        volume.swap(&[("1", SECOND), ("2", newest)]);
        for source in [&file, &folder, &linked] {
            assert!(is_told(source).await);
        }
        assert_eq!(key_ids(&file.fetch().await.unwrap()), ids_of(&[newest]));
        assert_eq!(key_ids(&linked.fetch().await.unwrap()), ids_of(&[newest]));
        assert_eq!(key_ids(&folder.fetch().await.unwrap()), ids_of(&[newest, SECOND]));
    }
    for source in [&file, &folder, &linked] {
        let refused = source.rotate(&new_secret()).await.unwrap_err();
        assert!(matches!(refused, RotateError::NotWritable { .. }), "{refused}");
    }
}

#[tokio::test]
async fn a_volume_that_is_swapped_all_the_time_is_read_as_it_was_at_one_moment() {
    let mut volume = Volume::new(&[("1", FIRST), ("2", SECOND)]);
    let source = Arc::new(FileSource::new(volume.folder.path()));
    let stop = Arc::new(AtomicBool::new(false));
    let (reader, stopped) = (Arc::clone(&source), Arc::clone(&stop));
    let reading = tokio::spawn(async move {
        let mut reads = 0;
        while !stopped.load(Ordering::Relaxed) {
            match reader.fetch().await {
                Ok(fetched) => {
                    let ids = key_ids(&fetched);
                    assert!(
                        ids == ids_of(&[SECOND, FIRST]) || ids == ids_of(&[FOURTH, THIRD]),
                        "{ids:?}"
                    );
                    reads += 1;
                }
                // The folder is gone that the link led to, three times in a row.
                Err(error) => assert!(matches!(error, FetchError::NotFound { .. }), "{error}"),
            }
        }
        reads
    });
    let swapping = tokio::task::spawn_blocking(move || {
        for _ in 0..50 {
            volume.swap(&[("1", THIRD), ("2", FOURTH)]);
            std::thread::yield_now();
            volume.swap(&[("1", FIRST), ("2", SECOND)]);
        }
        volume
    });
    let volume = swapping.await.unwrap();
    stop.store(true, Ordering::Relaxed);
    assert!(reading.await.unwrap() > 0);
    drop(volume);
}

#[tokio::test]
async fn a_file_that_is_written_replaced_or_removed_is_told_of_and_its_neighbours_are_not() {
    let folder = folder();
    let path = folder.path().join("session");
    write(&path, FIRST);
    let source = FileSource::new(&path);
    source.fetch().await.unwrap();
    write(&folder.path().join("neighbour"), "noise");
    assert!(is_quiet(&source).await);

    write(&path, SECOND);
    assert!(is_told(&source).await);
    assert!(is_told(&source).await, "until it is looked at");
    assert_eq!(key_ids(&source.fetch().await.unwrap()), ids_of(&[SECOND]));
    assert!(is_quiet(&source).await);

    write(&folder.path().join("new"), THIRD);
    fs::rename(folder.path().join("new"), &path).unwrap();
    assert!(is_told(&source).await);
    assert_eq!(key_ids(&source.fetch().await.unwrap()), ids_of(&[THIRD]));

    fs::remove_file(&path).unwrap();
    assert!(is_told(&source).await);
    assert!(source.fetch().await.is_err());
    write(&path, FOURTH);
    assert!(is_told(&source).await, "a look that failed still watches");
    assert_eq!(key_ids(&source.fetch().await.unwrap()), ids_of(&[FOURTH]));
}

#[tokio::test]
async fn a_wait_that_was_given_up_loses_no_change() {
    let folder = folder();
    let path = folder.path().join("session");
    write(&path, FIRST);
    let source = FileSource::new(&path);
    source.fetch().await.unwrap();
    assert!(is_quiet(&source).await);
    write(&path, SECOND);
    for _ in 0..5 {
        let _ = tokio::time::timeout(Duration::from_millis(20), source.changed()).await;
    }
    assert!(is_told(&source).await);
}

#[tokio::test]
async fn rotation_puts_a_line_in_front_and_keeps_owner_and_permissions() {
    let folder = folder();
    let path = folder.path().join("session");
    let link = folder.path().join("link");
    symlink("session", &link).unwrap();
    write(&path, format!("{SECOND}\n{FIRST}\n"));
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    let source = FileSource::new(&link);
    let new = new_secret();
    let name = source.rotate(&new).await.unwrap();
    assert_eq!(name, key_id(new.expose()));
    let fetched = source.fetch().await.unwrap();
    assert_eq!(key_ids(&fetched), [vec![name], ids_of(&[SECOND, FIRST])].concat());
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o640);
    assert!(
        fs::symlink_metadata(&link).unwrap().is_symlink(),
        "the link stays"
    );
    let entries = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(entries, 2, "nothing is left behind");
    assert_silent(&source, &[new.expose()]);
}

#[tokio::test]
async fn rotation_makes_a_file_that_is_not_there_for_its_owner_alone() {
    let folder = folder();
    let path = folder.path().join("session");
    FileSource::new(&path).rotate(&new_secret()).await.unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
    let nowhere = FileSource::new(folder.path().join("no/session"));
    assert!(nowhere.rotate(&new_secret()).await.is_err());
}

#[tokio::test]
async fn rotation_of_a_folder_makes_a_file_that_comes_first() {
    let folder = folder();
    let source = FileSource::new(folder.path());
    let mut expected = Vec::new();
    for _ in 0..4 {
        expected.insert(0, source.rotate(&new_secret()).await.unwrap());
        assert_eq!(names(&source.fetch().await.unwrap()), expected);
    }
    for odd in ["zz-99", "2999-01-01.key"] {
        let versions = tempfile::tempdir().unwrap();
        write(&versions.path().join(odd), FIRST);
        let source = FileSource::new(versions.path());
        for _ in 0..2 {
            let name = source.rotate(&new_secret()).await.unwrap();
            assert_eq!(names(&source.fetch().await.unwrap())[0], name, "{odd}");
        }
    }
    for entry in fs::read_dir(folder.path()).unwrap() {
        assert_eq!(entry.unwrap().metadata().unwrap().mode() & 0o7777, 0o600);
    }
}

#[tokio::test]
async fn rotation_writes_no_file_that_would_be_one_too_many_to_read() {
    let folder = folder();
    for number in 0..100 {
        write(&folder.path().join(format!("{number:03}")), FIRST);
    }
    let source = FileSource::new(folder.path());
    let refused = source.rotate(&new_secret()).await.unwrap_err();
    assert!(matches!(&refused, RotateError::Refused { reason, .. } if reason.contains("remove old ones")));
    source.fetch().await.unwrap();
}

#[tokio::test]
async fn rotation_leaves_names_that_say_current_to_the_operator() {
    let folder = folder();
    write(&folder.path().join("current"), FIRST);
    let refused = FileSource::new(folder.path())
        .rotate(&new_secret())
        .await
        .unwrap_err();
    assert!(matches!(&refused, RotateError::Refused { reason, .. } if reason.contains("number or date")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_never_sees_half_a_rotation_and_writers_lose_nothing() {
    const WRITERS: usize = 4;
    const ROTATIONS: usize = 10;

    let folder = folder();
    let path = folder.path().join("session");
    write(&path, FIRST);
    let stop = Arc::new(AtomicBool::new(false));
    let reading = tokio::spawn({
        let (source, stop) = (FileSource::new(&path), Arc::clone(&stop));
        async move {
            let mut most = 1;
            while !stop.load(Ordering::Relaxed) {
                let ids = key_ids(&source.fetch().await.unwrap());
                assert!(ids.len() >= most, "what was there is there");
                assert_eq!(ids.last(), Some(&key_id(FIRST)));
                most = ids.len();
            }
        }
    });
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let source = FileSource::new(&path);
            tokio::spawn(async move {
                let mut written = Vec::new();
                for _ in 0..ROTATIONS {
                    written.push(source.rotate(&new_secret()).await.unwrap());
                }
                written
            })
        })
        .collect();
    let mut written = vec![key_id(FIRST)];
    for writer in writers {
        written.extend(writer.await.unwrap());
    }
    stop.store(true, Ordering::Relaxed);
    reading.await.unwrap();
    let mut read = fetched(&path).await;
    read.sort();
    written.sort();
    assert_eq!(read, written);
}
