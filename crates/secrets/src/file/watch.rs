//! Tells when a file may have changed.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::watch;

/// A change is told of when nothing has followed it for so long: a file is written in several steps.
const QUIET: Duration = Duration::from_millis(100);
/// And at the latest then.
const LATEST: Duration = Duration::from_secs(1);
/// As many links in a row as Linux follows.
const MOST_LINKS: usize = 40;

/// Watches a file and all links on the way to it.
#[derive(Debug)]
pub(super) struct Watch {
    shared: Arc<Shared>,
    changes: watch::Receiver<u64>,
}

#[derive(Debug)]
struct Shared {
    /// None where the operating system gives no watcher.
    watcher: Option<Mutex<RecommendedWatcher>>,
    watched: Arc<Mutex<Watched>>,
    /// How many changes there were when it was last looked at.
    seen: AtomicU64,
    count: Arc<watch::Sender<u64>>,
}

/// What changes count.
#[derive(Debug, Default)]
struct Watched {
    /// Links, and the file at the end.
    entries: HashSet<PathBuf>,
    /// A folder of versions: everything that is in it.
    folder: Option<PathBuf>,
    /// The folders that the operating system was asked to watch.
    folders: HashSet<PathBuf>,
}

/// The part of a look that needs the disk.
pub(super) struct Looking(Arc<Shared>);

impl Default for Watch {
    fn default() -> Self {
        let (count, changes) = watch::channel(0);
        let count = Arc::new(count);
        let watched = Arc::new(Mutex::new(Watched::default()));
        let watcher = watcher(Arc::clone(&count), Arc::clone(&watched));
        if let Err(error) = &watcher {
            tracing::warn!(%error, "changes of files are not told by the operating system; they are noticed later");
        }
        let shared = Shared {
            watcher: watcher.ok().map(Mutex::new),
            watched,
            seen: AtomicU64::new(0),
            count,
        };
        Self {
            shared: Arc::new(shared),
            changes,
        }
    }
}

fn watcher(
    count: Arc<watch::Sender<u64>>,
    watched: Arc<Mutex<Watched>>,
) -> notify::Result<RecommendedWatcher> {
    notify::recommended_watcher(move |event: notify::Result<Event>| {
        let counts = match event {
            Ok(event) => is_change_of(&event, &watched),
            // It may stand for changes that were lost.
            Err(_) => true,
        };
        if counts {
            count.send_modify(|count| *count += 1);
        }
    })
}

/// Opening and reading is no change: what is fetched would be fetched for ever.
fn is_change_of(event: &Event, watched: &Mutex<Watched>) -> bool {
    let changes = match event.kind {
        EventKind::Access(kind) => kind == AccessKind::Close(AccessMode::Write),
        _ => true,
    };
    changes
        && (event.need_rescan() || {
            let watched = watched.lock().unwrap_or_else(PoisonError::into_inner);
            event.paths.iter().any(|path| watched.counts(path))
        })
}

impl Watched {
    fn counts(&self, path: &Path) -> bool {
        let is_in_folder = self.folder.is_some() && path.parent() == self.folder.as_deref();
        is_in_folder || self.entries.contains(path) || self.folders.contains(path)
    }
}

impl Watch {
    /// A look begins. What changes from now on is told.
    pub(super) fn looking(&self) -> Looking {
        self.shared
            .seen
            .store(*self.shared.count.borrow(), Ordering::Release);
        Looking(Arc::clone(&self.shared))
    }

    /// Ends when there was a change since the last look began, and it is over.
    pub(super) async fn changed(&self) {
        let mut changes = self.changes.clone();
        let seen = || self.shared.seen.load(Ordering::Acquire);
        if changes.wait_for(|count| *count != seen()).await.is_err() {
            std::future::pending::<()>().await;
        }
        let quiet = async { while let Ok(Ok(())) = tokio::time::timeout(QUIET, changes.changed()).await {} };
        // Late is as good as quiet.
        let _ = tokio::time::timeout(LATEST, quiet).await;
    }
}

impl Looking {
    /// Watches what `path` leads to now. What can't be watched is noticed later.
    pub(super) fn follow(&self, path: &Path) {
        let Some(watcher) = &self.0.watcher else { return };
        let entries = entries_on_the_way(path);
        let folder = entries.last().filter(|place| place.is_dir()).cloned();
        let mut folders: HashSet<PathBuf> = entries
            .iter()
            .filter_map(|entry| entry.parent().map(Path::to_owned))
            .collect();
        folders.extend(folder.clone());

        let mut watcher = watcher.lock().unwrap_or_else(PoisonError::into_inner);
        let former = {
            let mut watched = self.0.watched.lock().unwrap_or_else(PoisonError::into_inner);
            let former = std::mem::take(&mut watched.folders);
            *watched = Watched {
                entries: entries.into_iter().collect(),
                folder,
                folders: folders.clone(),
            };
            former
        };
        for gone in former.difference(&folders) {
            // It may be gone from the disk as well.
            let _ = watcher.unwatch(gone);
        }
        for folder in &folders {
            // Again each time: one of the same name may have taken its place.
            if let Err(error) = watcher.watch(folder, RecursiveMode::NonRecursive) {
                tracing::debug!(%error, "a folder can't be watched; changes there are noticed later");
            }
        }
    }
}

/// Every link that is followed from `path`, and last what they lead to.
fn entries_on_the_way(path: &Path) -> Vec<PathBuf> {
    let mut entries = Vec::new();
    let Ok(mut place) = std::path::absolute(path) else {
        return entries;
    };
    for _ in 0..MOST_LINKS {
        let Some((link, target)) = first_link(&place) else {
            break;
        };
        let rest = place.strip_prefix(&link).map(Path::to_owned).unwrap_or_default();
        let folder = link.parent().unwrap_or(Path::new("/"));
        place = folder.join(target).join(rest);
        entries.push(link);
    }
    entries.push(place);
    entries
}

fn first_link(path: &Path) -> Option<(PathBuf, PathBuf)> {
    let mut place = PathBuf::new();
    for component in path.components() {
        place.push(component);
        if let Ok(target) = fs::read_link(&place) {
            return Some((place, target));
        }
    }
    None
}
