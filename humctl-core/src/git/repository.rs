//! The cache repository: a bare, blobless copy of one branch of one remote.
//!
//! Only a cache: it is fetched into before every use, holds nothing that the
//! remote does not have, and is made anew when it is damaged. A lock beside it
//! keeps processes apart.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::git::error::GitError;
use crate::git::process::{CancelFlag, Git, Limits};
use crate::git::push::{PushOutcome, outcome};
use crate::git::tree::TreeEntry;
use crate::hash;

/// The branch's tip in the cache.
const TIP: &str = "refs/humctl/tip";

/// A file that exists while the cache has the branch: cheaper to ask than Git.
const FETCHED: &str = "humctl-fetched";

/// Where `fast-import` puts a commit before it is pushed.
pub(super) const WORK: &str = "refs/humctl/work";

const LOCAL: Limits = Limits { timeout: Duration::from_mins(1), is_cancellable: true };

/// A locked cache repository.
#[derive(Debug)]
pub struct CacheRepository {
    git: Git,
    _lock: File,
    network: Limits,
}

/// An object that `cat-file` printed.
#[derive(Debug)]
pub struct Object {
    /// Its id.
    pub id: String,
    /// Its bytes.
    pub content: Vec<u8>,
}

impl CacheRepository {
    /// Locks and, when needed, makes the cache of a branch. `git` says how to
    /// run the program; its directory is set here.
    ///
    /// # Errors
    /// [`GitError`]; `Timeout` when somebody else holds the lock for too long.
    pub fn open(cache_dir: &Path, mut git: Git, branch: Option<&str>, network: Limits) -> Result<Self, GitError> {
        let name = hash::sha256_hex(format!("{}\0{}", git.url, branch.unwrap_or_default()).as_bytes());
        let directory = cache_dir.join(&name[..32]);
        let io_error =
            |source| GitError::Io { what: format!("cannot use the cache `{}`", directory.display()), source };
        fs::create_dir_all(&directory).map_err(io_error)?;
        let lock = lock(&directory.join("lock"), &git.cancel, network.timeout, &git.url)?;
        git.directory = directory.join("repo.git");
        let repository = Self { git, _lock: lock, network };
        if !repository.git.directory.join("config").is_file() {
            repository.make()?;
        }
        Ok(repository)
    }

    fn make(&self) -> Result<(), GitError> {
        let directory = &self.git.directory;
        let io_error =
            |source| GitError::Io { what: format!("cannot use the cache `{}`", directory.display()), source };
        if directory.exists() {
            fs::remove_dir_all(directory).map_err(io_error)?;
        }
        fs::create_dir_all(directory).map_err(io_error)?;
        self.git.check(&["init", "--quiet", "--bare"], None, LOCAL)?;
        // A named remote: with an address as argument, `--filter` would write
        // that address into the configuration under its own name.
        self.git.check(&["config", "remote.origin.url", &self.git.url], None, LOCAL)?;
        Ok(())
    }

    /// The branch that the remote's HEAD names, also when it does not exist yet.
    ///
    /// # Errors
    /// [`GitError`] when the remote cannot be asked.
    pub fn default_branch(&self) -> Result<String, GitError> {
        let finished = self.git.check(&["ls-remote", "--symref", "origin", "HEAD"], None, self.network)?;
        if let Some(branch) = symref(&finished.text()) {
            return Ok(branch);
        }
        // An empty repository prints nothing; a clone still learns the name.
        let directory = tempfile::tempdir_in(self.git.directory.parent().unwrap_or(Path::new(".")))
            .map_err(|source| GitError::Io { what: "cannot make a temporary directory".to_owned(), source })?;
        let clone = directory.path().join("clone.git");
        let arguments =
            ["clone", "--quiet", "--bare", "--depth=1", "--no-tags", &self.git.url, &clone.display().to_string()];
        let outside = Git { directory: directory.path().to_owned(), is_repository: false, ..self.git.clone() };
        outside.check(&arguments, None, self.network)?;
        let inside = Git { directory: clone, ..self.git.clone() };
        let head = inside.run(&["symbolic-ref", "--short", "HEAD"], None, LOCAL)?;
        Ok(if head.code == 0 { head.text() } else { "main".to_owned() })
    }

    /// Brings the cache up to date with a branch; false when there is no such branch.
    ///
    /// # Errors
    /// [`GitError`] when the remote cannot be read.
    pub fn fetch(&self, branch: &str) -> Result<bool, GitError> {
        match self.try_fetch(branch) {
            Err(GitError::Other { .. }) => {
                // A damaged cache is no reason to fail; a second failure is.
                self.make()?;
                self.try_fetch(branch)
            }
            other => other,
        }
    }

    fn try_fetch(&self, branch: &str) -> Result<bool, GitError> {
        let mark = self.git.directory.join(FETCHED);
        let is_cold = !mark.is_file();
        let refspec = format!("+refs/heads/{branch}:{TIP}");
        let mut arguments = vec!["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--filter=blob:none"];
        if is_cold {
            // Later fetches go without: with `--depth` the server would send everything again.
            arguments.push("--depth=1");
        }
        arguments.extend(["origin", &refspec]);
        let finished = self.git.run(&arguments, None, self.network)?;
        let io_error = |source| GitError::Io { what: format!("cannot use the cache `{}`", mark.display()), source };
        if finished.code == 0 {
            if is_cold {
                File::create(&mark).map_err(io_error)?;
            }
            return Ok(true);
        }
        if finished.stderr.contains("couldn't find remote ref") {
            if !is_cold {
                fs::remove_file(&mark).map_err(io_error)?;
            }
            self.git.run(&["update-ref", "-d", TIP], None, LOCAL)?;
            return Ok(false);
        }
        Err(self.git.classify(&arguments, &finished))
    }

    /// Reads objects by name, relative to the tip: the empty one is the commit, `^{tree}`
    /// the root tree, `:path` a file or directory. Missing ones are absent.
    ///
    /// # Errors
    /// [`GitError`]; a blob that the cache lacks is fetched.
    pub fn read(&self, names: &[String]) -> Result<BTreeMap<String, Object>, GitError> {
        let mut input = String::new();
        for name in names {
            input.push_str(TIP);
            input.push_str(name);
            input.push('\n');
        }
        let finished = self.git.check(&["cat-file", "--batch"], Some(input.as_bytes()), self.network)?;
        parse_batch(&finished.stdout, names).ok_or_else(|| self.git.classify(&["cat-file"], &finished))
    }

    /// As [`Self::read`], for blobs that the cache may lack: they come with one
    /// request, where `cat-file` would ask for each by itself.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn read_blobs(&self, names: &[String]) -> Result<BTreeMap<String, Object>, GitError> {
        let mut input = String::new();
        for name in names {
            input.push_str(&format!("{TIP}{name}\n"));
        }
        let ids = self.git.check(&["rev-parse", "--revs-only", "--stdin"], Some(input.as_bytes()), LOCAL);
        if let Ok(ids) = ids {
            let arguments =
                ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--filter=blob:none", "--stdin", "origin"];
            // A server that gives nothing out by id is asked through `cat-file` then.
            let _ = self.git.run(&arguments, Some(format!("{}\n", ids.text()).as_bytes()), self.network);
        }
        self.read(names)
    }

    /// Hides every secret that is known in a text.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        self.git.scanner.redact(text)
    }

    /// Paths of all files below a directory of the tip; the root when empty.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn files_below(&self, path: &str) -> Result<Vec<String>, GitError> {
        let mut arguments = vec!["ls-tree", "-r", "-z", "--name-only", "--full-tree", TIP];
        let directory = format!("{path}/");
        if !path.is_empty() {
            arguments.extend(["--", &directory]);
        }
        let finished = self.git.check(&arguments, None, LOCAL)?;
        Ok(String::from_utf8_lossy(&finished.stdout)
            .split('\0')
            .filter(|p| !p.is_empty())
            .map(ToOwned::to_owned)
            .collect())
    }

    /// Trailer values and ids of the commits that the cache has, newest first.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn deployments(&self, trailer: &str) -> Result<Vec<(String, String)>, GitError> {
        let format = format!("--format=%H%x09%(trailers:key={trailer},valueonly,separator=%x2C)");
        let finished = self.git.check(&["log", "-n", "200", &format, TIP], None, LOCAL)?;
        Ok(finished
            .text()
            .lines()
            .filter_map(|line| line.split_once('\t'))
            // A commit of several Environments has several.
            .flat_map(|(commit, values)| values.split(',').map(|value| (value.trim().to_owned(), commit.to_owned())))
            .collect())
    }

    /// Brings further history of the branch into the cache.
    ///
    /// # Errors
    /// [`GitError`] when the remote cannot be read.
    pub fn deepen(&self, branch: &str, n_commits: u32) -> Result<(), GitError> {
        let depth = format!("--deepen={n_commits}");
        let refspec = format!("+refs/heads/{branch}:{TIP}");
        let arguments = [
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--filter=blob:none",
            &depth,
            "origin",
            &refspec,
        ];
        self.git.check(&arguments, None, self.network).map(drop)
    }

    /// Makes a commit from a fast-import stream and returns its id.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn import(&self, stream: &[u8]) -> Result<String, GitError> {
        let arguments = ["fast-import", "--quiet", "--force", "--date-format=raw"];
        let finished = self.git.run(&arguments, Some(stream), LOCAL)?;
        if finished.code != 0 {
            self.remove_crash_reports();
            return Err(self.git.classify(&arguments, &finished));
        }
        Ok(finished.text())
    }

    fn remove_crash_reports(&self) {
        for entry in fs::read_dir(&self.git.directory).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with("fast_import_crash_") {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Pushes a commit if the branch still is where it was read.
    ///
    /// # Errors
    /// [`GitError`] for everything that another attempt would not mend.
    pub fn push(&self, commit: &str, branch: &str, tip: Option<&str>) -> Result<PushOutcome, GitError> {
        let lease = format!("--force-with-lease=refs/heads/{branch}:{}", tip.unwrap_or_default());
        let refspec = format!("{commit}:refs/heads/{branch}");
        let limits = Limits { is_cancellable: false, ..self.network };
        let finished =
            self.git.run(&["push", "--porcelain", "--no-verify", &lease, "origin", &refspec], None, limits)?;
        outcome(&finished, &self.git.url, self.git.host.as_deref(), branch)
    }

    /// Makes sure that the branch holds a pushed commit: a transport has been
    /// seen to report success for a push that was undone.
    ///
    /// # Errors
    /// [`GitError::NotVerified`], or another one when the remote cannot be asked.
    pub fn verify(&self, commit: &str, branch: &str) -> Result<(), GitError> {
        let limits = Limits { is_cancellable: false, ..self.network };
        let reference = format!("refs/heads/{branch}");
        let finished = self.git.check(&["ls-remote", "origin", &reference], None, limits)?;
        let tip = finished.text().split_whitespace().next().unwrap_or_default().to_owned();
        if tip == commit {
            return Ok(());
        }
        // Somebody may have pushed on top of it already.
        if self.fetch(branch)? && self.git.run(&["merge-base", "--is-ancestor", commit, TIP], None, LOCAL)?.code == 0 {
            return Ok(());
        }
        Err(GitError::NotVerified { url: self.git.url.clone(), branch: branch.to_owned(), commit: commit.to_owned() })
    }
}

/// Waits for an exclusive lock.
fn lock(path: &Path, cancel: &CancelFlag, timeout: Duration, url: &str) -> Result<File, GitError> {
    let io_error = |source| GitError::Io { what: format!("cannot lock `{}`", path.display()), source };
    let file = File::options().create(true).truncate(false).write(true).open(path).map_err(io_error)?;
    let started = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
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

/// The branch in `ref: refs/heads/X<TAB>HEAD`.
fn symref(text: &str) -> Option<String> {
    let target = text.lines().find_map(|line| line.strip_prefix("ref: ")?.strip_suffix("\tHEAD"))?;
    target.strip_prefix("refs/heads/").map(ToOwned::to_owned)
}

/// Reads the answers of `cat-file --batch`, one for each name.
fn parse_batch(mut bytes: &[u8], names: &[String]) -> Option<BTreeMap<String, Object>> {
    let mut objects = BTreeMap::new();
    for name in names {
        let end = bytes.iter().position(|&b| b == b'\n')?;
        let head = std::str::from_utf8(&bytes[..end]).ok()?;
        bytes = &bytes[end + 1..];
        if head.ends_with(" missing") || head.ends_with(" ambiguous") {
            continue;
        }
        let mut fields = head.split(' ');
        let (id, size) = (fields.next()?, fields.nth(1)?.parse::<usize>().ok()?);
        objects.insert(name.clone(), Object { id: id.to_owned(), content: bytes.get(..size)?.to_vec() });
        bytes = bytes.get(size + 1..)?;
    }
    Some(objects)
}

/// Reads the entries of a raw tree object.
#[must_use]
pub fn parse_tree(mut bytes: &[u8], id_len: usize) -> BTreeMap<String, TreeEntry> {
    let mut entries = BTreeMap::new();
    while let Some(space) = bytes.iter().position(|&b| b == b' ') {
        let Some(nul) = bytes.iter().position(|&b| b == 0) else { break };
        let Some(id) = bytes.get(nul + 1..nul + 1 + id_len) else { break };
        let mode = String::from_utf8_lossy(&bytes[..space]).into_owned();
        let name = String::from_utf8_lossy(&bytes[space + 1..nul]).into_owned();
        entries.insert(name, TreeEntry { mode, id: hash::hex(id) });
        bytes = &bytes[nul + 1 + id_len..];
    }
    entries
}

/// The directory of all cache repositories below the user's cache directory.
#[must_use]
pub fn cache_root(cache_dir: &Path) -> PathBuf {
    cache_dir.join("git")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_and_trees_are_read() {
        let names: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
        let objects = parse_batch(b"1f blob 3\nx\ny\nb missing\n2e blob 0\n\n", &names).unwrap();
        assert_eq!(objects["a"].content, b"x\ny");
        assert!(!objects.contains_key("b"));
        assert_eq!(objects["c"].id, "2e");
        assert!(parse_batch(b"1f blob 30\nx", &names).is_none());

        let mut raw = b"100644 a b\0".to_vec();
        raw.extend([0xab; 20]);
        raw.extend(b"40000 dir\0");
        raw.extend([0x01; 20]);
        let entries = parse_tree(&raw, 20);
        assert_eq!(entries["a b"].id, "ab".repeat(20));
        assert!(entries["dir"].is_tree());
    }

    #[test]
    fn the_default_branch_is_read_from_the_symref() {
        assert_eq!(symref("ref: refs/heads/trunk\tHEAD\nabc\tHEAD").as_deref(), Some("trunk"));
        assert_eq!(symref(""), None);
    }
}
