//! The directories that hold cache repositories: who uses them, how large they
//! may grow, and when they go.
//!
//! Every directory has a lock, and its time tells when it was last used. What
//! is in the repositories is for others to know.

use std::fs::{self, File, FileTimes};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use crate::git::error::GitError;
use crate::git::process::CancelFlag;

const LOCK: &str = "lock";

/// What nobody used for so long is removed.
pub(super) const MAX_AGE: Duration = Duration::from_hours(30 * 24);

/// How large a cache may grow before it is made anew. Each Deployment leaves a
/// pack or a few loose objects, and many of them slow every command down.
#[derive(Debug, Clone, Copy)]
pub(super) struct CacheLimits {
    packs: usize,
    loose: usize,
    bytes: u64,
}

pub(super) const LIMITS: CacheLimits = CacheLimits { packs: 200, loose: 6700, bytes: 1 << 30 };

/// An error about a cache directory, with what to do.
pub(super) fn unusable(directory: &Path) -> impl Fn(io::Error) -> GitError {
    let what = format!("cannot use the cache `{}`", directory.display());
    move |source| {
        let hint = "name another directory with XDG_CACHE_HOME, or pass --no-cache";
        let source = io::Error::new(source.kind(), format!("{source}\n  hint: {hint}"));
        GitError::Io { what: what.clone(), source }
    }
}

/// Makes the directory, waits for its lock, and marks it as used now.
pub(super) fn lock(directory: &Path, cancel: &CancelFlag, timeout: Duration, url: &str) -> Result<File, GitError> {
    let path = directory.join(LOCK);
    let io_error = unusable(directory);
    let started = Instant::now();
    loop {
        fs::create_dir_all(directory).map_err(&io_error)?;
        let file = match File::options().create(true).truncate(false).write(true).open(&path) {
            // Somebody removed the directory between the two steps.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !directory.exists() => continue,
            other => other.map_err(&io_error)?,
        };
        match file.try_lock() {
            Ok(()) if is_at(&file, &path) => {
                let now = FileTimes::new().set_modified(SystemTime::now());
                file.set_times(now).map_err(&io_error)?;
                return Ok(file);
            }
            // It was removed with its directory before we got it.
            Ok(()) => {}
            Err(fs::TryLockError::Error(source)) => return Err(io_error(source)),
            Err(fs::TryLockError::WouldBlock) if cancel.is_set() => return Err(GitError::Cancelled),
            Err(fs::TryLockError::WouldBlock) if started.elapsed() > timeout => {
                return Err(GitError::Timeout {
                    url: url.to_owned(),
                    command: "lock".to_owned(),
                    seconds: timeout.as_secs(),
                });
            }
            Err(fs::TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

/// True when an open file is still the one that a path names.
fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(held), Ok(named)) = (file.metadata(), fs::metadata(path)) else { return false };
    (held.dev(), held.ino()) == (named.dev(), named.ino())
}

/// Removes the caches that nobody used for long, if nobody uses them now.
/// What cannot be removed stays for another time.
pub(super) fn remove_unused(root: &Path, max_age: Duration) {
    for directory in fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path()) {
        let lock = directory.join(LOCK);
        let is_old = |file: &File| {
            let used = file.metadata().and_then(|metadata| metadata.modified());
            used.ok().and_then(|used| used.elapsed().ok()).is_some_and(|age| age > max_age)
        };
        let Ok(file) = File::open(&lock) else { continue };
        if is_old(&file) && file.try_lock().is_ok() && is_at(&file, &lock) && is_old(&file) {
            // The lock goes last: until then nobody else comes in.
            for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
                let path: PathBuf = entry.path();
                if path != lock {
                    let _ = remove(&path);
                }
            }
            let _ = fs::remove_file(&lock);
            let _ = fs::remove_dir(&directory);
        }
    }
}

/// Removes whatever is there, if anything.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// True when a repository has grown beyond the limits. Looks at two directories only.
pub(super) fn is_overgrown(repository: &Path, limits: CacheLimits) -> bool {
    let objects = repository.join("objects");
    let entries = |directory: &str| fs::read_dir(objects.join(directory)).into_iter().flatten().flatten();
    let pack_files =
        || entries("pack").filter(|entry| entry.path().extension().is_some_and(|extension| extension == "pack"));
    let n_bytes: u64 = pack_files().filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum();
    // Names are spread evenly, so one directory of 256 tells of all, as for `git gc --auto`.
    pack_files().count() > limits.packs || entries("17").count() * 256 > limits.loose || n_bytes > limits.bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(directory: &Path) -> Result<File, GitError> {
        lock(directory, &CancelFlag::default(), Duration::ZERO, "u")
    }

    #[test]
    fn a_lock_keeps_others_out_for_as_long_as_it_is_held() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("deep/er");
        let first = held(&directory).unwrap();
        assert!(matches!(held(&directory), Err(GitError::Timeout { .. })));
        drop(first);
        held(&directory).unwrap();
    }

    #[test]
    fn only_what_is_old_and_free_is_removed() {
        let root = tempfile::tempdir().unwrap();
        let old = FileTimes::new().set_modified(SystemTime::now() - Duration::from_hours(31 * 24));
        for name in ["old", "old-but-held", "new"] {
            let file = held(&root.path().join(name)).unwrap();
            fs::create_dir_all(root.path().join(name).join("repo.git/objects")).unwrap();
            if name != "new" {
                file.set_times(old).unwrap();
            }
        }
        fs::write(root.path().join("file"), "").unwrap();
        let holder = File::open(root.path().join("old-but-held/lock")).unwrap();
        holder.lock().unwrap();
        remove_unused(root.path(), MAX_AGE);
        let mut left: Vec<_> = fs::read_dir(root.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["file", "new", "old-but-held"]);
        remove_unused(Path::new("/nowhere"), MAX_AGE);
    }

    #[test]
    fn a_cache_grows_in_three_ways() {
        let repository = tempfile::tempdir().unwrap();
        let objects = repository.path().join("objects");
        fs::create_dir_all(objects.join("pack")).unwrap();
        fs::create_dir_all(objects.join("17")).unwrap();
        for name in ["pack/a.pack", "pack/b.pack", "pack/b.idx", "17/ab", "17/cd"] {
            fs::write(objects.join(name), "12345").unwrap();
        }
        for (packs, loose, bytes, expected) in
            [(2, 512, 10, false), (1, 512, 10, true), (2, 511, 10, true), (2, 512, 9, true)]
        {
            let limits = CacheLimits { packs, loose, bytes };
            assert_eq!(is_overgrown(repository.path(), limits), expected, "{limits:?}");
        }
        assert!(!is_overgrown(Path::new("/nowhere"), LIMITS));
    }
}
