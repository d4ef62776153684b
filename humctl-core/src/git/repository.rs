//! The cache repository: a bare, blobless copy of one branch of one remote.
//!
//! Only a cache: it is fetched into before every use, holds nothing that the
//! remote does not have, and is made anew when it is damaged or has grown too
//! large. A lock beside it keeps processes apart.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::fault;
use crate::git::cache::{self, unusable};
use crate::git::early::{Early, Waiting};
use crate::git::error::{GitError, last_words};
use crate::git::process::{Finished, Git, Limits};
use crate::git::push::{PushOutcome, outcome};
use crate::git::retry::retrying;
use crate::git::skeleton::{self, remote_line};
use crate::git::tree::{CommitHead, TreeEntry};
use crate::hash::{self, ObjectFormat};

/// The branch's tip in the cache.
const TIP: &str = "refs/humctl/tip";

/// A file that exists while the cache has the branch: cheaper to ask than Git.
const FETCHED: &str = "humctl-fetched";

/// Where `fast-import` puts a commit before it is pushed.
pub(super) const WORK: &str = "refs/humctl/work";

const LOCAL: Limits = Limits { timeout: Duration::from_mins(1), is_cancellable: true, n_retries: 0 };

/// How far back a pushed commit is searched for in a cache that was made anew.
const HISTORY: u32 = 100;

/// Where a cache repository lies.
#[derive(Debug, Clone, Copy)]
pub enum CachePlace<'p> {
    /// Below the user's cache directory, for the next time.
    Kept {
        /// That directory.
        cache_dir: &'p Path,
        /// How long to wait while others use the same cache.
        wait: Duration,
    },
    /// In a directory that somebody else removes.
    Temporary(&'p Path),
}

/// A locked cache repository.
#[derive(Debug)]
pub struct CacheRepository {
    git: Git,
    // Nobody else knows of a temporary one.
    _lock: Option<File>,
    network: Limits,
    format: Cell<ObjectFormat>,
    /// The branch came into it for the first time.
    is_new: Cell<bool>,
    /// Directory for what is needed for a moment.
    scratch: PathBuf,
    /// Commands that were started beside another one, and wait for their input.
    waiting: Waiting,
}

/// An object that `cat-file` printed.
#[derive(Debug)]
pub struct Object {
    /// Its id.
    pub id: String,
    /// `commit`, `tree` or `blob`.
    pub kind: String,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// Where a branch is, seen from a commit that was pushed to it.
enum Look {
    /// It holds the commit.
    Holds,
    /// It does not; its tip, if there is one.
    At(Option<String>),
}

impl CacheRepository {
    /// Locks and, when needed, makes the cache of a branch. `git` says how to
    /// run the program; its directory is set here. `scratch` is a private directory.
    ///
    /// # Errors
    /// [`GitError`]; `Timeout` when somebody else holds the lock for too long.
    pub fn open(
        place: CachePlace<'_>,
        mut git: Git,
        branch: Option<&str>,
        network: Limits,
        scratch: &Path,
    ) -> Result<Self, GitError> {
        let lock = match place {
            CachePlace::Temporary(directory) => {
                git.directory = directory.join("repo.git");
                None
            }
            CachePlace::Kept { cache_dir, wait } => {
                let root = cache_root(cache_dir);
                let name = hash::sha256_hex(format!("{}\0{}", git.url, branch.unwrap_or_default()).as_bytes());
                let directory = root.join(&name[..32]);
                let lock = cache::lock(&directory, &git.cancel, wait, &git.url)?;
                fault::point("cache locked");
                cache::remove_unused(&root, cache::MAX_AGE);
                git.directory = directory.join("repo.git");
                Some(lock)
            }
        };
        let config = fs::read_to_string(git.directory.join("config")).unwrap_or_default();
        let format = format_in(&config);
        let (scratch, waiting) = (scratch.to_owned(), Waiting::default());
        let repository =
            Self { git, _lock: lock, network, format: Cell::new(format), is_new: Cell::new(false), scratch, waiting };
        let directory = &repository.git.directory;
        let is_of_remote = config.contains(&remote_line(&repository.git.url));
        if !is_of_remote || cache::is_overgrown(directory, cache::LIMITS) {
            repository.make()?;
        }
        Ok(repository)
    }

    /// How the repository names its objects.
    #[must_use]
    pub fn format(&self) -> ObjectFormat {
        self.format.get()
    }

    /// Makes the cache anew, with nothing in it.
    ///
    /// # Errors
    /// [`GitError`] when the old one cannot be removed or no new one be made.
    pub fn make(&self) -> Result<(), GitError> {
        self.waiting.clear();
        let directory = &self.git.directory;
        // It gets its name once it is whole: a process may be killed in between.
        let begun = directory.with_extension("new");
        for old in [directory, &begun] {
            cache::remove(old).map_err(unusable(old))?;
        }
        fault::point("cache removed");
        skeleton::write(&begun, &self.git.url, self.format.get()).map_err(unusable(&begun))?;
        fault::point("cache begun");
        fs::rename(&begun, directory).map_err(unusable(directory))?;
        fault::point("cache made");
        Ok(())
    }

    /// Makes the cache anew after a failure; in the repository's format when
    /// that was the reason.
    ///
    /// # Errors
    /// As [`Self::make`].
    pub fn make_after(&self, error: &GitError) -> Result<(), GitError> {
        tracing::debug!(target: "humctl::git", "the cache is made anew: {}", error.summary());
        if let GitError::OtherFormat { .. } = error {
            self.format.set(match self.format.get() {
                ObjectFormat::Sha1 => ObjectFormat::Sha256,
                ObjectFormat::Sha256 => ObjectFormat::Sha1,
            });
        }
        self.make()
    }

    /// Says that what is fetched will probably be committed on.
    pub fn expect_commit(&self) {
        self.waiting.expect(Early::Import);
    }

    /// Runs a command that is about the cache alone.
    fn local(&self, arguments: &[&str], input: Option<&[u8]>) -> Result<Finished, GitError> {
        self.git.check(arguments, input, LOCAL).map_err(|error| self.damaged(error))
    }

    /// A failure without a class, of a command that asks no remote, is the cache's.
    fn damaged(&self, error: GitError) -> GitError {
        match error {
            GitError::Other { words, command, .. } => GitError::Damaged {
                directory: self.git.directory.display().to_string(),
                words: format!("`git {command}` says: {words}"),
            },
            other => other,
        }
    }

    /// An error that the cache lacks what it must have.
    pub(super) fn lacks(&self, what: &str) -> GitError {
        let directory = self.git.directory.display().to_string();
        GitError::Damaged { directory, words: format!("{what} is missing") }
    }

    /// Asks the remote something: again while the network fails, and once more
    /// with a new cache when this one may be the reason.
    fn ask<T>(&self, limits: Limits, attempt: impl Fn(Limits) -> Result<T, GitError>) -> Result<T, GitError> {
        match retrying(limits, &self.git.cancel, &attempt) {
            Err(error) if error.may_be_the_cache() => {
                // A damaged cache is no reason to fail; a second failure is.
                self.make_after(&error)?;
                retrying(limits, &self.git.cancel, &attempt)
            }
            other => other,
        }
    }

    /// What a push is finished with once it has begun.
    fn finishing(&self) -> Limits {
        Limits { is_cancellable: false, ..self.network }
    }

    /// The branch that the remote's HEAD names, also when it does not exist yet.
    ///
    /// # Errors
    /// [`GitError`] when the remote cannot be asked.
    pub fn default_branch(&self) -> Result<String, GitError> {
        if let Some(branch) = self.remote_head(self.network)? {
            return Ok(branch);
        }
        // An empty repository prints nothing; a clone still learns the name.
        let directory = tempfile::tempdir_in(&self.scratch)
            .map_err(|source| GitError::Io { what: "cannot make a temporary directory".to_owned(), source })?;
        let clone = directory.path().join("clone.git");
        let clone_text = clone.display().to_string();
        let arguments = ["clone", "--quiet", "--bare", "--depth=1", "--no-tags", &self.git.url, &clone_text];
        let outside = Git { directory: directory.path().to_owned(), is_repository: false, ..self.git.clone() };
        retrying(self.network, &self.git.cancel, |limits| outside.check(&arguments, None, limits))?;
        let inside = Git { directory: clone, ..self.git.clone() };
        let head = inside.run(&["symbolic-ref", "--short", "HEAD"], None, LOCAL)?;
        Ok(if head.code == 0 { head.text() } else { "main".to_owned() })
    }

    fn remote_head(&self, limits: Limits) -> Result<Option<String>, GitError> {
        let arguments = ["ls-remote", "--symref", "origin", "HEAD"];
        Ok(symref(&self.ask(limits, |limits| self.git.check(&arguments, None, limits))?.text()))
    }

    /// True when the remote's HEAD names a branch that does not exist, though others do.
    ///
    /// # Errors
    /// [`GitError`] when the remote cannot be asked.
    pub fn has_dangling_head(&self) -> Result<bool, GitError> {
        Ok(self.remote_head(self.finishing())?.is_none())
    }

    /// Brings the cache up to date with a branch; false when there is no such branch.
    ///
    /// # Errors
    /// [`GitError`] when the remote cannot be read.
    pub fn fetch(&self, branch: &str) -> Result<bool, GitError> {
        self.fetch_within(branch, self.network)
    }

    fn fetch_within(&self, branch: &str, limits: Limits) -> Result<bool, GitError> {
        fault::point("about to fetch");
        let exists = self.ask(limits, |limits| self.try_fetch(branch, limits))?;
        fault::point("fetched");
        Ok(exists)
    }

    fn try_fetch(&self, branch: &str, limits: Limits) -> Result<bool, GitError> {
        let mark = self.git.directory.join(FETCHED);
        let is_cold = !mark.is_file();
        let refspec = format!("+refs/heads/{branch}:{TIP}");
        let mut arguments = vec!["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--filter=blob:none"];
        if is_cold {
            // Later fetches go without: with `--depth` the server would send everything again.
            arguments.push("--depth=1");
        }
        arguments.extend(["origin", &refspec]);
        // Git would fetch a commit that a damaged cache lacks, and look for it again to do so, without end.
        let mut alone = self.git.clone();
        alone.environment.insert("GIT_NO_LAZY_FETCH".into(), "1".into());
        let running = alone.start(&arguments, false)?;
        self.waiting.start(&self.git);
        let finished = alone.finish(running, &[], limits)?;
        let io_error = unusable(&self.git.directory);
        if finished.code == 0 {
            self.is_new.set(is_cold || self.is_new.get());
            if is_cold {
                File::create(&mark).map_err(io_error)?;
            }
            return Ok(true);
        }
        if finished.stderr.contains("couldn't find remote ref") {
            if !is_cold {
                fs::remove_file(&mark).map_err(io_error)?;
            }
            self.local(&["update-ref", "-d", TIP], None)?;
            self.check_is_git(limits)?;
            return Ok(false);
        }
        Err(self.git.classify(&arguments, &finished))
    }

    /// Over HTTP, Git takes any page for a list of branches, and one without a
    /// line for an empty one. Nothing may be concluded from that.
    fn check_is_git(&self, limits: Limits) -> Result<(), GitError> {
        if !self.git.url.starts_with("http") {
            return Ok(());
        }
        let mut traced = self.git.clone();
        traced.environment.insert("GIT_TRACE_PACKET".into(), "1".into());
        let finished = traced.check(&["ls-remote", "origin"], None, limits)?;
        match finished.stderr.contains("packet:") {
            true => Ok(()),
            false => Err(GitError::page(&self.git.url)),
        }
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
        let finished = retrying(self.network, &self.git.cancel, |limits| {
            let finished = self.waiting.finish(&self.git, Early::Read, input.as_bytes(), limits)?;
            if finished.code == 0 { Ok(finished) } else { Err(self.git.classify(Early::Read.arguments(), &finished)) }
        });
        let finished = finished.map_err(|error| self.damaged(error))?;
        let objects = parse_batch(&finished.stdout, names);
        objects.ok_or_else(|| self.damaged(self.git.classify(Early::Read.arguments(), &finished)))
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

    /// What the tip has at some paths, without looking at it.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn list<'p>(&self, paths: impl Iterator<Item = &'p str>) -> Result<BTreeMap<String, TreeEntry>, GitError> {
        let literal: Vec<String> = paths.map(|path| format!(":(literal){path}")).collect();
        let mut arguments = vec!["ls-tree", "-z", "--full-tree", TIP, "--"];
        arguments.extend(literal.iter().map(String::as_str));
        let listed = self.local(&arguments, None)?.stdout;
        let lines = listed.split(|&byte| byte == 0).filter_map(|line| std::str::from_utf8(line).ok());
        Ok(lines
            .filter_map(|line| {
                let (entry, path) = line.split_once('\t')?;
                let mut words = entry.split(' ');
                let mode = words.next()?.trim_start_matches('0').to_owned();
                Some((path.to_owned(), TreeEntry { mode, id: words.nth(1)?.to_owned() }))
            })
            .collect())
    }

    /// Paths of all files below a directory of the tip; the root when empty.
    /// Those that no record could name are left out.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn files_below(&self, path: &str) -> Result<Vec<String>, GitError> {
        let mut arguments = vec!["ls-tree", "-r", "-z", "--name-only", "--full-tree", TIP];
        let directory = format!(":(literal){path}/");
        if !path.is_empty() {
            arguments.extend(["--", &directory]);
        }
        let finished = self.local(&arguments, None)?;
        let paths = finished.stdout.split(|&byte| byte == 0).filter_map(|path| std::str::from_utf8(path).ok());
        Ok(paths.filter(|p| !p.is_empty() && !p.contains(char::is_control)).map(ToOwned::to_owned).collect())
    }

    /// Trailer values and ids of the commits that the cache has, newest first.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn deployments(&self, trailer: &str) -> Result<Vec<(String, String)>, GitError> {
        let format = format!("--format=%H%x09%(trailers:key={trailer},valueonly,separator=%x2C)");
        let finished = self.local(&["log", "-n", "200", &format, TIP], None)?;
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
        self.deepen_within(branch, n_commits, self.network)
    }

    fn deepen_within(&self, branch: &str, n_commits: u32, limits: Limits) -> Result<(), GitError> {
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
        retrying(limits, &self.git.cancel, |limits| self.git.check(&arguments, None, limits)).map(drop)
    }

    /// Makes a commit from a fast-import stream and returns its id.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn import(&self, stream: &[u8]) -> Result<String, GitError> {
        let finished = self.waiting.finish(&self.git, Early::Import, stream, LOCAL)?;
        if finished.code != 0 {
            self.remove_crash_reports();
            return Err(self.damaged(self.git.classify(Early::Import.arguments(), &finished)));
        }
        Ok(finished.text())
    }

    /// Makes the commit anew with a signature, and returns its id.
    ///
    /// # Errors
    /// [`GitError::Key`] when the key signs nothing.
    pub fn sign(&self, commit: &str, head: &CommitHead<'_>, key: &Path) -> Result<String, GitError> {
        let mut git = self.git.clone();
        git.settings.extend(["gpg.format=ssh".to_owned(), format!("user.signingKey={}", key.display())]);
        let (name, email) = head.author.clean();
        let date = format!("@{} +0000", head.author.seconds);
        for who in ["AUTHOR", "COMMITTER"] {
            for (what, value) in [("NAME", &name), ("EMAIL", &email), ("DATE", &date)] {
                git.environment.insert(format!("GIT_{who}_{what}").into(), value.into());
            }
        }
        let tree = format!("{commit}^{{tree}}");
        let mut arguments = vec!["commit-tree", "-S", &tree];
        arguments.extend(head.from.into_iter().flat_map(|parent| ["-p", parent]));
        let finished = git.run(&arguments, Some(head.message.as_bytes()), LOCAL)?;
        if finished.code != 0 {
            let words = last_words(&finished.stderr);
            let reason =
                format!("nothing can be signed with it\n  remote: {words}\n  hint: ssh-keygen has to be there");
            return Err(GitError::Key { place: "the signing key".to_owned(), reason });
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

    /// Pushes a commit if the branch still is where it was expected. However the
    /// push ends, the branch is looked at before anything is told of it.
    ///
    /// # Errors
    /// [`GitError`] for everything that another attempt would not mend.
    pub fn push(&self, commit: &str, branch: &str, expected: Option<&str>) -> Result<PushOutcome, GitError> {
        let lease = format!("--force-with-lease=refs/heads/{branch}:{}", expected.unwrap_or_default());
        let refspec = format!("{commit}:refs/heads/{branch}");
        // A new cache has no old files, and Git would fetch them only to send differences.
        let thin = if self.is_new.get() { "--no-thin" } else { "--thin" };
        let arguments = ["push", "--porcelain", "--no-verify", thin, &lease, "origin", &refspec];
        retrying(self.network, &self.git.cancel, |limits| {
            // Only the pause before the next attempt can be cut short.
            let finished = self.git.run(&arguments, None, Limits { is_cancellable: false, ..limits });
            fault::point("pushed");
            let host = self.git.host.as_deref();
            match finished.and_then(|finished| outcome(&finished, &self.git.url, host, branch)) {
                Err(error) if error.is_end_unknown() => match self.look(commit, branch) {
                    Ok(Look::Holds) => Ok(PushOutcome::Landed),
                    Ok(Look::At(tip)) if tip.as_deref() != expected => Ok(PushOutcome::Moved),
                    Ok(Look::At(_)) => Err(error),
                    Err(blind) => Err(self.no_answer(commit, branch, &blind)),
                },
                Ok(PushOutcome::Landed) => match self.look(commit, branch) {
                    Ok(Look::Holds) => Ok(PushOutcome::Landed),
                    // A transport has been seen to report success for a push that was undone.
                    Ok(Look::At(_)) => Err(GitError::NotVerified {
                        url: self.git.url.clone(),
                        branch: branch.to_owned(),
                        commit: commit.to_owned(),
                    }),
                    Err(blind) => Err(self.no_answer(commit, branch, &blind)),
                },
                other => other,
            }
        })
    }

    fn no_answer(&self, commit: &str, branch: &str, blind: &GitError) -> GitError {
        GitError::NoAnswer {
            url: self.git.url.clone(),
            branch: branch.to_owned(),
            commit: commit.to_owned(),
            words: blind.to_string().lines().next().unwrap_or_default().to_owned(),
        }
    }

    /// Looks whether a branch holds a commit.
    fn look(&self, commit: &str, branch: &str) -> Result<Look, GitError> {
        let limits = self.finishing();
        let reference = format!("refs/heads/{branch}");
        let arguments = ["ls-remote", "origin", &reference];
        let listed = self.ask(limits, |limits| self.git.check(&arguments, None, limits))?.text();
        fault::point("looked at the branch");
        let tip = listed.split_whitespace().next().map(ToOwned::to_owned);
        if tip.as_deref() == Some(commit) {
            return Ok(Look::Holds);
        }
        // Somebody may have pushed on top of it already.
        if tip.is_none() || !self.fetch_within(branch, limits)? {
            return Ok(Look::At(tip));
        }
        let is_below = || -> Result<bool, GitError> {
            let arguments = ["merge-base", "--is-ancestor", commit, TIP];
            Ok(self.git.run(&arguments, None, Limits { is_cancellable: false, ..LOCAL })?.code == 0)
        };
        if is_below()? {
            return Ok(Look::Holds);
        }
        // A cache that was made anew has no history yet.
        self.deepen_within(branch, HISTORY, limits)?;
        Ok(if is_below()? { Look::Holds } else { Look::At(tip) })
    }
}

/// How a cache with this configuration names objects.
fn format_in(config: &str) -> ObjectFormat {
    let is_sha256 = config.lines().any(|line| line.trim().replace(' ', "").eq_ignore_ascii_case("objectformat=sha256"));
    if is_sha256 { ObjectFormat::Sha256 } else { ObjectFormat::Sha1 }
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
        if [" missing", " ambiguous", " submodule"].iter().any(|end| head.ends_with(end)) {
            continue;
        }
        let mut fields = head.split(' ');
        let (id, kind, size) = (fields.next()?.to_owned(), fields.next()?.to_owned(), fields.next()?);
        let size = size.parse::<usize>().ok()?;
        objects.insert(name.clone(), Object { id, kind, content: bytes.get(..size)?.to_vec() });
        bytes = bytes.get(size + 1..)?;
    }
    Some(objects)
}

/// Reads the entries of a raw tree object. A name that is no UTF-8 keeps a form
/// of its own, which no file of ours can have.
///
/// # Errors
/// What is wrong, as a sentence: a tree that names something twice means
/// different things to different readers.
pub fn parse_tree(mut bytes: &[u8], id_len: usize) -> Result<BTreeMap<String, TreeEntry>, String> {
    let mut entries = BTreeMap::new();
    while !bytes.is_empty() {
        let (head, rest) = split_at_byte(bytes, 0).ok_or("it ends in the middle of a name")?;
        let (mode, name) = split_at_byte(head, b' ').ok_or("it has an entry without a mode")?;
        let (id, rest) = rest.split_at_checked(id_len).ok_or("it ends in the middle of an entry")?;
        bytes = rest;
        let mode = String::from_utf8_lossy(mode).into_owned();
        let name = String::from_utf8(name.to_vec()).unwrap_or_else(|_| format!("\0{}", hash::hex(name)));
        if let Some(twice) = entries.insert(name.clone(), TreeEntry { mode, id: hash::hex(id) }) {
            return Err(format!("it has two entries `{}`, one of them {}", name.escape_debug(), twice.kind()));
        }
    }
    Ok(entries)
}

/// What is before and behind the first such byte.
fn split_at_byte(bytes: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|&b| b == byte)?;
    Some((&bytes[..at], &bytes[at + 1..]))
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
        let entries = parse_tree(&raw, 20).unwrap();
        assert_eq!(entries["a b"].id, "ab".repeat(20));
        assert!(entries["dir"].is_tree());
    }

    #[test]
    fn hostile_trees_are_refused_or_kept_apart() {
        let entry = |mode: &str, name: &[u8]| [mode.as_bytes(), b" ", name, b"\0", &[7; 20]].concat();
        let tree = [entry("100644", b"a\xff"), entry("100644", b"a\xfe"), entry("100644", "a\u{fffd}".as_bytes())];
        assert_eq!(parse_tree(&tree.concat(), 20).unwrap().len(), 3);
        for (bytes, expected) in [
            ([entry("100644", b"shop"), entry("40000", b"shop")].concat(), "two entries `shop`, one of them a file"),
            (b"100644 a".to_vec(), "middle of a name"),
            (b"100644\0 a".to_vec(), "without a mode"),
            (b"\0\0\0\0".to_vec(), "without a mode"),
            (b"100644 a\0abc".to_vec(), "middle of an entry"),
        ] {
            let reason = parse_tree(&bytes, 20).unwrap_err();
            assert!(reason.contains(expected), "{reason}");
        }
    }

    #[test]
    fn the_default_branch_is_read_from_the_symref() {
        assert_eq!(symref("ref: refs/heads/trunk\tHEAD\nabc\tHEAD").as_deref(), Some("trunk"));
        assert_eq!(symref(""), None);
    }
}
