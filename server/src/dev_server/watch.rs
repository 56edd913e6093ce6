//! Follows the files below the root: no editor tells the server what git, a formatter or another editor did.
//!
//! `.git`, `node_modules` and cargo's `target` are left out. Linux wants a watch for each folder, so there we walk and
//! watch the folders that count, new ones when they appear; elsewhere the system watches the whole tree and we filter.
//! Symbolic links to folders are not followed: files outside the root are not served.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use notify::event::{EventKind, ModifyKind};
use notify::{RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, DebouncedEvent, Debouncer, RecommendedCache, new_debouncer};

use crate::engine::event::{Event, Handle};

/// Short: somebody waits for it. Long enough for an editor's way to save, which is several steps.
const DEBOUNCE: Duration = Duration::from_millis(30);

/// How long a file may be empty before we believe it: many programs empty a file first and then write it.
const EMPTY: Duration = Duration::from_millis(100);

type Files = Debouncer<RecommendedWatcher, RecommendedCache>;

/// Follows files until it is dropped.
#[derive(Debug)]
pub struct Watcher {
    inbox: mpsc::Sender<Inbox>,
}

enum Inbox {
    Files(DebounceEventResult),
    Stop,
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.inbox.send(Inbox::Stop);
    }
}

/// Sends [`Event::FilesChanged`] for what changes below `root`, which is canonical. A path is a file, or a folder that is
/// gone with all that was in it. When this returns, the watches are in place. Whatever goes wrong is one sentence in the log.
pub fn watch(root: &Path, events: Handle) -> Watcher {
    let (inbox, received) = mpsc::channel();
    let to_inbox = inbox.clone();
    match new_debouncer(DEBOUNCE, None, move |result| drop(to_inbox.send(Inbox::Files(result)))) {
        Ok(mut files) => {
            let root = root.to_owned();
            if !NEEDS_EACH_FOLDER && let Err(error) = files.watch(&root, RecursiveMode::Recursive) {
                tracing::warn!("changes on disk are not followed: {error}");
            }
            watch_tree(&mut files, &root, &mut BTreeSet::new());
            std::thread::spawn(move || follow(&root, files, received, &events));
        }
        Err(error) => tracing::warn!("changes on disk are not followed: {error}"),
    }
    Watcher { inbox }
}

fn follow(root: &Path, mut files: Files, received: mpsc::Receiver<Inbox>, events: &Handle) {
    let mut emptied = Emptied::default();
    loop {
        let mut changed = BTreeSet::new();
        match emptied.receive(&received) {
            Ok(Inbox::Files(Ok(happened))) => {
                for event in happened {
                    note(root, &mut files, &event, &mut changed);
                }
            }
            Ok(Inbox::Files(Err(errors))) => {
                for error in errors {
                    tracing::warn!("a change on disk may have been missed: {error}");
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Ok(Inbox::Stop) | Err(RecvTimeoutError::Disconnected) => break,
        }
        let paths = emptied.settle(changed, Instant::now());
        if !paths.is_empty() {
            events.send(Event::FilesChanged { paths });
        }
    }
    files.stop_nonblocking();
}

/// Files that were found empty, each with the time at which that counts.
#[derive(Debug, Default)]
struct Emptied(BTreeMap<PathBuf, Instant>);

impl Emptied {
    /// What comes next; `Timeout` when it is time for a file that stayed empty.
    fn receive(&self, received: &mpsc::Receiver<Inbox>) -> Result<Inbox, RecvTimeoutError> {
        match self.0.values().min() {
            Some(due) => received.recv_timeout(due.saturating_duration_since(Instant::now())),
            None => received.recv().map_err(RecvTimeoutError::from),
        }
    }

    /// The paths to name now: what has changed but for files that are empty, and what has been empty for long enough.
    fn settle(&mut self, changed: BTreeSet<PathBuf>, now: Instant) -> Vec<PathBuf> {
        let mut paths = Vec::new();
        for path in changed {
            if fs::metadata(&path).is_ok_and(|it| it.is_file() && it.len() == 0) {
                self.0.entry(path).or_insert(now + EMPTY);
            } else {
                self.0.remove(&path);
                paths.push(path);
            }
        }
        paths.extend(self.0.extract_if(.., |_, due| *due <= now).map(|(path, _)| path));
        paths
    }
}

fn note(root: &Path, files: &mut Files, event: &DebouncedEvent, changed: &mut BTreeSet<PathBuf>) {
    if event.need_rescan() {
        // The system lost events: every file may have changed.
        watch_tree(files, root, changed);
        return;
    }
    let is_change =
        matches!(event.kind, EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_) | EventKind::Any);
    if !is_change {
        return;
    }
    for path in &event.paths {
        if !counts(root, path) {
            continue;
        }
        let may_be_new =
            matches!(event.kind, EventKind::Create(_) | EventKind::Modify(ModifyKind::Name(_)) | EventKind::Any);
        if path.is_dir() && !path.is_symlink() {
            if may_be_new {
                watch_tree(files, path, changed);
            }
            continue;
        }
        let real = path.canonicalize().unwrap_or_else(|_| path.clone());
        if real.starts_with(root) {
            changed.insert(real);
        }
    }
}

const NEEDS_EACH_FOLDER: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// Watches `folder` and the folders in it that count, and names the files found on the way: those that came with a new
/// folder came before its watch.
fn watch_tree(files: &mut Files, folder: &Path, found: &mut BTreeSet<PathBuf>) {
    let mut failures = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        if NEEDS_EACH_FOLDER && let Err(error) = files.watch(&folder, RecursiveMode::NonRecursive) {
            failures.push((folder.clone(), error));
        }
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && is_followed(&path) => folders.push(path),
                Ok(kind) if kind.is_file() => {
                    found.insert(path);
                }
                _ => {}
            }
        }
    }
    // Once, not for each folder: the usual reason is the system's limit of watches.
    if let Some((folder, error)) = failures.first() {
        tracing::warn!(
            "changes in {} folders, {} among them, are not followed: {error}",
            failures.len(),
            folder.display()
        );
    }
}

fn counts(root: &Path, path: &Path) -> bool {
    path.starts_with(root) && path.ancestors().take_while(|it| *it != root).all(is_followed)
}

/// Only cargo's own `target` is left out: a program may have a folder of that name.
fn is_followed(path: &Path) -> bool {
    match path.file_name().and_then(|name| name.to_str()) {
        Some(".git" | "node_modules") => false,
        Some("target") => !path.join("CACHEDIR.TAG").exists(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::testing::Folders;
    use super::*;

    struct Watched {
        folders: Folders,
        events: mpsc::Receiver<Event>,
        _watcher: Watcher,
    }

    fn watched(files: &[&str]) -> Watched {
        let folders = Folders::new();
        for file in files {
            folders.write(&format!("root/{file}"), "first");
        }
        let (sender, events) = mpsc::channel();
        let watcher = watch(&folders.root(), Handle { events: Arc::new(sender) });
        Watched { folders, events, _watcher: watcher }
    }

    impl Watched {
        /// Waits until `file` is said to have changed; everything that was named until then, relative to the root.
        #[track_caller]
        fn until(&self, file: &str) -> Vec<String> {
            let mut named = Vec::new();
            while !named.iter().any(|it| it == file) {
                let Ok(Event::FilesChanged { paths }) = self.events.recv_timeout(Duration::from_secs(20)) else {
                    panic!("{file} was not named, only {named:?}");
                };
                let root = self.folders.root();
                named.extend(paths.iter().map(|path| {
                    path.strip_prefix(&root).expect("below the root").display().to_string().replace('\\', "/")
                }));
            }
            named
        }
    }

    #[test]
    fn files_that_are_written_made_and_deleted_are_named() {
        let it = watched(&["a.js", "sub/b.js"]);
        it.folders.write("root/a.js", "second");
        it.until("a.js");
        it.folders.write("root/sub/c.js", "new");
        it.until("sub/c.js");
        fs::remove_file(it.folders.root().join("sub/b.js")).expect("it exists");
        it.until("sub/b.js");
    }

    #[test]
    fn a_file_that_is_emptied_counts_when_it_stays_so() {
        let it = watched(&[]);
        it.folders.write("root/a.js", "");
        it.until("a.js");

        let (start, path) = (Instant::now(), it.folders.root().join("a.js"));
        let (changed, named) = (|| BTreeSet::from([path.clone()]), [path.clone()]);
        let mut emptied = Emptied::default();
        assert!(emptied.settle(changed(), start).is_empty());
        assert!(emptied.settle(changed(), start + EMPTY / 2).is_empty());
        assert_eq!(emptied.settle(BTreeSet::new(), start + EMPTY), named);
        assert!(emptied.settle(BTreeSet::new(), start + EMPTY * 2).is_empty());
        // Whoever emptied it goes on to write.
        assert!(emptied.settle(changed(), start).is_empty());
        it.folders.write("root/a.js", "text");
        assert_eq!(emptied.settle(changed(), start), named);
        assert!(emptied.settle(BTreeSet::new(), start + EMPTY).is_empty());
        // Or it goes away.
        it.folders.write("root/a.js", "");
        assert!(emptied.settle(changed(), start).is_empty());
        fs::remove_file(&path).expect("it exists");
        assert_eq!(emptied.settle(changed(), start), named);
    }

    #[test]
    fn a_file_that_is_replaced_by_renaming_is_named() {
        let it = watched(&["a.js"]);
        it.folders.write("root/a.js.tmp", "second");
        fs::rename(it.folders.root().join("a.js.tmp"), it.folders.root().join("a.js")).expect("it exists");
        it.until("a.js");
    }

    #[test]
    fn new_folders_are_followed() {
        let it = watched(&[]);
        it.folders.write("root/new/deep/a.js", "first");
        it.until("new/deep/a.js");
        it.folders.write("root/new/deep/b.js", "first");
        it.until("new/deep/b.js");
        it.folders.write("outside/tree/c.js", "first");
        fs::rename(it.folders.outside().join("tree"), it.folders.root().join("tree")).expect("it exists");
        it.until("tree/c.js");
        it.folders.write("root/tree/d.js", "first");
        it.until("tree/d.js");
    }

    #[test]
    fn what_is_not_the_programs_is_left_out() {
        let it = watched(&[".git/HEAD", "node_modules/a/a.js", "target/CACHEDIR.TAG", "game/target/t.js"]);
        // One that is made only now, too.
        it.folders.write("root/game/node_modules/a/a.js", "first");
        it.folders.write("root/.git/HEAD", "second");
        it.folders.write("root/node_modules/a/a.js", "second");
        it.folders.write("root/node_modules/new/a.js", "second");
        it.folders.write("root/target/x.js", "second");
        it.folders.write("root/game/target/t.js", "second");
        assert_eq!(it.until("game/target/t.js"), ["game/target/t.js"]);
    }

    #[test]
    fn a_root_that_is_gone_ends_nothing() {
        let it = watched(&["a.js"]);
        fs::remove_dir_all(it.folders.root()).expect("it exists");
        it.until("");
        let (sender, _events) = mpsc::channel();
        drop(watch(Path::new("/nowhere/at/all"), Handle { events: Arc::new(sender) }));
    }
}
