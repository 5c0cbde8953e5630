//! A disk that is full: a small file system in memory that a process has for itself.

use std::fs::{File, Metadata};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tenure_core::store::{Inserted, Updated};
use tenure_core::{Record, Store};

use super::servers::shown;
use super::{START, id, insert, look, record};

/// What a disk must not be larger than, or somebody would see theirs filled.
const SMALL: usize = 1 << 30;

/// By when a store works again once there is room.
const RECOVERED_WITHIN: Duration = Duration::from_secs(10);

/// How the shell says that there is no such disk.
const NO_DISK: i32 = 125;

/// Mounts a file system of size `$1` on folder `$2`, and runs what follows.
const AS_ROOT: &str = r#"mount -t tmpfs -o "size=$1,mode=1777" tmpfs "$2" || exit 125; shift 4; exec "$@""#;

/// The same for somebody else, who is root only for as long as it takes: `$3` and `$4` are user and group.
const AS_USER: &str = r#"mount -t tmpfs -o "size=$1,mode=1777" tmpfs "$2" || exit 125
user=$3 group=$4; shift 4; exec unshare --user --map-user="$user" --map-group="$group" -- "$@""#;

const HOW_TO_GET: &str = "a small disk can't be mounted for this test. It takes `unshare` and `mount` (apt-get install \
     -y util-linux mount) and the right to namespaces (in a container: --cap-add SYS_ADMIN --security-opt \
     seccomp=unconfined --security-opt apparmor=unconfined). Without that right, name a folder that everybody may \
     write to on a file system of some 400 MB in TENURE_SMALL_DISK (docker run --tmpfs /small:size=400m,mode=1777)";

/// Runs an ignored test of this same program as another process, whose temporary folder is on a disk of so many
/// megabytes.
pub(crate) fn run_on_a_small_disk(test: &str, megabytes: u32) {
    let folder = tempfile::tempdir().unwrap();
    let mut child = match std::env::var_os("TENURE_SMALL_DISK") {
        Some(disk) => with_temporary_folder(Command::new(this_program()), Path::new(&disk)),
        None => with_temporary_folder(with_a_disk(folder.path(), megabytes), folder.path()),
    };
    let output = child
        .args(["--exact", test, "--ignored", "--nocapture"])
        .output()
        .unwrap_or_else(|error| panic!("{error}: {HOW_TO_GET}"));
    let [printed, complaints] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    // `unshare` itself ends with 1 and says so.
    let has_no_disk = output.status.code() == Some(NO_DISK) || complaints.starts_with("unshare: ");
    assert!(!has_no_disk, "{complaints}{HOW_TO_GET}");
    assert!(output.status.success(), "{printed}{complaints}");
    assert!(printed.contains("1 passed"), "there is no test {test}: {printed}");
}

fn this_program() -> PathBuf {
    std::env::current_exe().unwrap()
}

fn with_temporary_folder(mut command: Command, folder: &Path) -> Command {
    command.env("TMPDIR", folder);
    command
}

fn with_a_disk(folder: &Path, megabytes: u32) -> Command {
    let me: Metadata = std::fs::metadata("/proc/self").unwrap();
    let (namespaces, program): (&[&str], &str) = match me.uid() {
        0 => (&["--mount"], AS_ROOT),
        _ => (&["--user", "--map-root-user", "--mount"], AS_USER),
    };
    let mut command = Command::new("unshare");
    command
        .args(namespaces)
        .args(["--", "sh", "-c", program, "sh", &format!("{megabytes}m")])
        .arg(folder)
        .args([me.uid().to_string(), me.gid().to_string()])
        .arg(this_program());
    command
}

/// A file that takes all the room that is left on the disk of the temporary folder, until it is dropped.
struct Filling(PathBuf);

impl Filling {
    fn new() -> Self {
        let path = std::env::temp_dir().join("filling");
        let mut file = File::create(&path).unwrap();
        let filling = Self(path);
        let mut size = 0;
        for block in [1 << 20, 4096, 1].map(|length| vec![0; length]) {
            while let Some(written) = write(&mut file, &block) {
                size += written;
                assert!(size < SMALL, "the disk of the temporary folder is not small");
            }
        }
        filling
    }
}

/// How much of the block was written, unless there is no room.
fn write(file: &mut File, block: &[u8]) -> Option<usize> {
    match file.write(block) {
        Ok(written) => Some(written),
        Err(error) if error.kind() == ErrorKind::StorageFull => None,
        Err(error) => panic!("{error}"),
    }
}

impl Drop for Filling {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).unwrap();
    }
}

/// Fills the disk that the store is on, and frees it again. The errors in between have to name the `cause`.
pub(crate) async fn survives_a_full_disk(store: &impl Store, cause: &str) {
    insert(store, &large(1)).await;
    insert(store, &large(2)).await;
    assert!(store.remove(id(2)).await.unwrap());

    let filling = Filling::new();
    let mut acknowledged = vec![1];
    let refused = loop {
        let number = acknowledged.len() as u8 + 2;
        match store.insert(&large(number)).await {
            Ok(inserted) => assert_eq!(inserted, Inserted::New),
            Err(refused) => break (number, shown(&refused)),
        }
        acknowledged.push(number);
    };
    let (refused, told) = refused;
    assert!(told.contains(cause), "{told}");
    assert!(look(store, id(1)).await.is_some(), "to read takes no room");
    store.ping().await.unwrap();

    drop(filling);
    let freed = Instant::now();
    while store.insert(&large(250)).await.is_err() {
        assert!(freed.elapsed() < RECOVERED_WITHIN, "it does not recover");
    }
    for number in acknowledged {
        assert_eq!(look(store, id(number)).await, Some(large(number)));
    }
    assert_eq!(look(store, id(2)).await, None, "it was signed out");
    assert_eq!(
        look(store, id(refused)).await,
        None,
        "nobody was told that it is there"
    );
    insert(store, &large(refused)).await;
    let next = Record {
        version: 2,
        ..large(1)
    };
    assert_eq!(store.update(&next, 1, START).await.unwrap(), Updated::Saved);
}

/// A record of data that can't be compressed. Not so much of it that MariaDB would keep it beside the row: where there is
/// no room for that, the whole server ends.
fn large(number: u8) -> Record {
    let mut state = u32::from(number);
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    Record {
        data: noise.take(4 * 1024).collect::<Vec<u8>>().into(),
        ..record(number)
    }
}
