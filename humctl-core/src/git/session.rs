//! One Git target, opened for a Deployment: read the branch, commit, push.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::context::EnvironmentContext;
use crate::fault;
use crate::git::credentials::{CredentialSession, GivenCredentials, HostKeys, Login};
use crate::git::environment::environment;
use crate::git::error::GitError;
use crate::git::land::RACE_TIME;
use crate::git::process::{CancelFlag, Git, Limits};
use crate::git::push::PushOutcome;
use crate::git::record::{EnvironmentRecord, RECORD_DIR};
use crate::git::repository::{CachePlace, CacheRepository, Object, WORK, parse_tree};
use crate::git::retry::N_RETRIES;
use crate::git::target::{GitTarget, TargetPath};
use crate::git::tree::{Author, BranchView, CommitHead, Edit, TreeEntry, fast_import_stream, may_be_ours};
use crate::hash::ObjectFormat;
use crate::secret::SecretScanner;

/// How this process uses Git; made once from arguments and environment.
#[derive(Debug, Clone)]
pub struct GitSettings {
    /// Our own executable, which Git starts to ask for a password.
    pub executable: PathBuf,
    /// The user's cache directory for us.
    pub cache_dir: PathBuf,
    /// Use a cache of the moment instead of that in `cache_dir`.
    pub no_cache: bool,
    /// Directory for private files while Git runs.
    pub runtime_dir: PathBuf,
    /// Our environment, from which children get an allow-list.
    pub environment: BTreeMap<OsString, OsString>,
    /// Name of author and committer.
    pub author_name: String,
    /// Mail address of author and committer.
    pub author_email: String,
    /// Fixed time of commits, from `SOURCE_DATE_EPOCH`.
    pub commit_time: Option<i64>,
    /// Ask CI systems not to run for our commits.
    pub skip_ci: bool,
    /// Trust hosts that no file names.
    pub accept_new_host_key: bool,
    /// The user's own `known_hosts`; it need not exist.
    pub known_hosts: Option<PathBuf>,
    /// The file that was named to be used instead.
    pub named_known_hosts: Option<PathBuf>,
    /// For targets whose Definition has no credentials.
    pub given: GivenCredentials,
    /// How long one network operation may take, its repetitions included.
    pub timeout: Duration,
    /// Asks for an orderly end.
    pub cancel: CancelFlag,
}

/// An opened Git target.
#[derive(Debug)]
pub struct GitSession {
    repository: CacheRepository,
    // Held for as long as children may ask for credentials.
    _credentials: CredentialSession,
    /// A copy of the key to sign with, in the private directory.
    signing_key: Option<PathBuf>,
    target: GitTarget,
    branch: String,
    settings: GitSettings,
}

/// A branch that was fetched just now.
#[derive(Debug, Clone, Copy)]
pub struct Fetched {
    /// The branch is there.
    branch_exists: bool,
    /// It is there, or the one that it is to be made from.
    has_tip: bool,
}

impl GitSession {
    /// Locks the target's cache, prepares the login and finds out the branch.
    /// Whoever only looks says how long that is worth.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn open(
        settings: &GitSettings,
        target: &GitTarget,
        login: &Login,
        scanner: SecretScanner,
        look: Option<Duration>,
    ) -> Result<Self, GitError> {
        let host_keys = HostKeys {
            from_definition: target.known_hosts.clone(),
            users_file: settings.known_hosts.clone(),
            named_file: settings.named_known_hosts.clone(),
            accept_new: settings.accept_new_host_key,
        };
        let (runtime, executable) = (&settings.runtime_dir, &settings.executable);
        let credentials =
            CredentialSession::open(runtime, executable, &target.url, login, &host_keys, &settings.environment)?;
        let signing_key = settings.given.signing_key_file.as_deref();
        let signing_key = signing_key.map(|file| credentials.write_signing_key(file)).transpose()?;
        let home = credentials.private_home();
        let mut child_environment = environment(&settings.environment, home, target.url.protocol());
        for (name, value) in credentials.variables() {
            child_environment.insert(name.into(), value.clone());
        }
        let mut child_settings: Vec<String> = [
            "core.fsmonitor=false",
            "gc.auto=0",
            "maintenance.auto=false",
            "core.hooksPath=/dev/null",
            "push.gpgSign=false",
            "advice.all=false",
            // The cache holds nothing that the remote does not have: it may be lost with the power.
            "core.fsync=none",
            // A pack for each commit; taking it apart would need a process of its own.
            "fastimport.unpackLimit=0",
            // For a server that does not tell what the branch of an empty repository is called.
            "init.defaultBranch=main",
        ]
        .map(ToOwned::to_owned)
        .to_vec();
        if credentials.private_home().is_some() {
            // An empty helper ends the list of helpers that a system may have.
            child_settings.push("credential.helper=".to_owned());
        }
        let git = Git {
            directory: PathBuf::new(),
            is_repository: true,
            environment: child_environment,
            settings: child_settings,
            scanner,
            url: target.url.as_str().to_owned(),
            host: target.url.host_and_port(),
            cancel: settings.cancel.clone(),
        };
        let limits = Limits {
            timeout: look.unwrap_or(settings.timeout).min(settings.timeout),
            is_cancellable: true,
            n_retries: if look.is_some() { 1 } else { N_RETRIES },
        };
        let place = match settings.no_cache {
            true => CachePlace::Temporary(credentials.directory()),
            false => CachePlace::Kept { cache_dir: &settings.cache_dir, wait: look.unwrap_or(RACE_TIME) },
        };
        let repository = CacheRepository::open(place, git, target.branch.as_deref(), limits, credentials.directory())?;
        fault::point("cache opened");
        let branch = match &target.branch {
            Some(branch) => branch.clone(),
            None => repository.default_branch()?,
        };
        Ok(Self {
            repository,
            _credentials: credentials,
            signing_key,
            target: target.clone(),
            branch,
            settings: settings.clone(),
        })
    }

    /// The branch, resolved.
    #[must_use]
    pub fn branch(&self) -> &str {
        &self.branch
    }

    /// The address, without user or password.
    #[must_use]
    pub fn url(&self) -> &str {
        self.target.url.as_str()
    }

    /// Set when somebody asks to stop.
    #[must_use]
    pub fn cancel(&self) -> &CancelFlag {
        &self.settings.cancel
    }

    /// The repository behind this session.
    #[must_use]
    pub fn repository(&self) -> &CacheRepository {
        &self.repository
    }

    /// True when the remote's HEAD names no branch. Not knowing is no reason to
    /// fail once the commit is there.
    #[must_use]
    pub fn has_dangling_head(&self) -> bool {
        self.repository.has_dangling_head().unwrap_or_default()
    }

    /// Fetches the branch and reads what concerns an Environment of this target.
    ///
    /// # Errors
    /// As those of [`Self::look`].
    pub fn read(&self, context: &EnvironmentContext) -> Result<BranchView, GitError> {
        let fetched = self.fetch()?;
        self.look(fetched, context, &self.target.path)
    }

    /// Brings the cache up to date with the branch, or with the one that it is
    /// to be made from.
    ///
    /// # Errors
    /// [`GitError`] when the remote cannot be read.
    pub fn fetch(&self) -> Result<Fetched, GitError> {
        if self.repository.fetch(&self.branch)? {
            return Ok(Fetched { branch_exists: true, has_tip: true });
        }
        let Some(base) = &self.target.branch_from else {
            return Ok(Fetched { branch_exists: false, has_tip: false });
        };
        if self.repository.fetch(base)? {
            return Ok(Fetched { branch_exists: false, has_tip: true });
        }
        Err(GitError::Target(format!(
            "branch `{base}` of `{}`, which branch `{}` is to be made from, does not exist\n  \
             hint: mend `branch_from` in the Resource Definition of the cluster, or push that branch first",
            self.url(),
            self.branch
        )))
    }

    /// Reads what concerns an Environment, as it was when the branch was fetched.
    ///
    /// # Errors
    /// [`GitError`]; `Foreign` when the way to the directory leads through
    /// something that is no directory.
    pub fn look(
        &self,
        fetched: Fetched,
        context: &EnvironmentContext,
        path: &TargetPath,
    ) -> Result<BranchView, GitError> {
        match self.look_once(fetched, context, path) {
            Err(error @ GitError::Damaged { .. }) => {
                self.repository.make_after(&error)?;
                self.look_once(self.fetch()?, context, path)
            }
            other => other,
        }
    }

    fn look_once(
        &self,
        fetched: Fetched,
        context: &EnvironmentContext,
        path: &TargetPath,
    ) -> Result<BranchView, GitError> {
        if !fetched.has_tip {
            return Ok(self.empty_view());
        }
        let record_file = EnvironmentRecord::file(&context.app, &context.env);
        let ways = [Way::to_directory(path.as_str()), Way::to_file(&record_file)];
        let commit = String::new();
        let mut names = vec![commit.clone(), tree_name("")];
        names.extend(ways.iter().flat_map(Way::prefixes).map(tree_name));
        let objects = match self.repository.read(&names) {
            Ok(objects) => objects,
            Err(error) => {
                // Git looks for what a submodule names, and fails. Then that is the reason.
                let listed = self.repository.list(ways.iter().flat_map(Way::prefixes))?;
                for way in &ways {
                    self.check_listed(way, &listed)?;
                }
                return Err(error);
            }
        };
        fault::point("branch read");
        let Some(tip) = objects.get(&commit).map(|object| object.id.clone()) else {
            return Err(self.repository.lacks("the tip of the branch"));
        };
        let format = if tip.len() == 64 { ObjectFormat::Sha256 } else { ObjectFormat::Sha1 };
        let trees = self.trees(&objects, tip.len() / 2)?;
        for way in &ways {
            self.check_way(way, &trees, &objects)?;
        }
        let record = match objects.get(&format!(":{record_file}")) {
            None => None,
            Some(object) => {
                let record = EnvironmentRecord::parse(&record_file, &object.content).map_err(GitError::Record)?;
                Some((object.id.clone(), record))
            }
        };
        let entries = trees.get(path.as_str()).cloned().unwrap_or_default();
        let mut view = BranchView {
            expected: fetched.branch_exists.then(|| tip.clone()),
            tip: Some(tip),
            branch: self.branch.clone(),
            format,
            record,
            nested: self.nested(path, &entries, &trees)?,
            entries,
            others: Vec::new(),
        };
        if !view.nested.is_empty() || has_unrecorded(&view, context, path) {
            view.others = self.records(&record_file)?;
        }
        Ok(view)
    }

    fn empty_view(&self) -> BranchView {
        BranchView {
            tip: None,
            expected: None,
            branch: self.branch.clone(),
            format: self.repository.format(),
            record: None,
            entries: BTreeMap::new(),
            nested: Vec::new(),
            others: Vec::new(),
        }
    }

    /// The directories that were read, by their paths.
    fn trees(&self, objects: &BTreeMap<String, Object>, id_len: usize) -> Result<Trees, GitError> {
        let mut trees = Trees::new();
        for (name, object) in objects {
            let path = if *name == tree_name("") { "" } else { name.strip_prefix(':').unwrap_or_default() };
            if object.kind != "tree" {
                continue;
            }
            let tree = parse_tree(&object.content, id_len).map_err(|reason| {
                GitError::Foreign(format!(
                    "directory `{}` on branch `{}` is malformed: {reason}\n  hint: mend it on the branch",
                    if path.is_empty() { "." } else { path },
                    self.branch
                ))
            })?;
            trees.insert(path.to_owned(), tree);
        }
        Ok(trees)
    }

    /// Every directory on the way must be one or not exist: `git fast-import`
    /// would silently replace a file or symlink by a directory. What exists has
    /// to have been read: a damaged cache must not look like an empty directory.
    fn check_way(&self, way: &Way<'_>, trees: &Trees, objects: &BTreeMap<String, Object>) -> Result<(), GitError> {
        let mut parent = String::new();
        for (part, is_last) in way.parts() {
            let Some(tree) = trees.get(&parent) else { return Err(self.repository.lacks(&format!("`{parent}/`"))) };
            let Some(entry) = tree.get(part) else { return Ok(()) };
            let here = if parent.is_empty() { part.to_owned() } else { format!("{parent}/{part}") };
            self.check_step(way, &here, is_last, entry)?;
            if !objects.contains_key(&format!(":{here}")) {
                return Err(self.repository.lacks(&format!("`{here}`")));
            }
            parent = here;
        }
        Ok(())
    }

    /// One step of a way: a directory, or the file at its end.
    fn check_step(&self, way: &Way<'_>, here: &str, is_last: bool, entry: &TreeEntry) -> Result<(), GitError> {
        let is_right = if is_last && way.is_file { entry.is_file() } else { entry.is_tree() };
        if is_right {
            return Ok(());
        }
        let what = if way.is_file { "the Environment's record" } else { "the target directory" };
        let relation = if is_last { "should be there" } else { "leads through it" };
        Err(GitError::Foreign(format!(
            "`{here}` on branch `{}` is {}, and {what} {relation}\n  hint: {}remove `{here}` from the branch",
            self.branch,
            entry.kind(),
            if way.is_file { "" } else { "choose another `path` in the cluster's Definition, or " },
        )))
    }

    /// As [`Self::check_way`], with what a listing says of each step.
    fn check_listed(&self, way: &Way<'_>, listed: &BTreeMap<String, TreeEntry>) -> Result<(), GitError> {
        for here in way.prefixes() {
            // A directory is not listed itself when something below it is asked for.
            if let Some(entry) = listed.get(here) {
                self.check_step(way, here, here.len() == way.path.len(), entry)?;
            }
        }
        Ok(())
    }

    /// Files above or below the target directory whose names ours may have.
    fn nested(
        &self,
        path: &TargetPath,
        entries: &BTreeMap<String, TreeEntry>,
        trees: &Trees,
    ) -> Result<Vec<String>, GitError> {
        let mut nested = Vec::new();
        for ancestor in path.ancestors() {
            let prefix = if ancestor.is_empty() { String::new() } else { format!("{ancestor}/") };
            let names = trees.get(ancestor).into_iter().flat_map(BTreeMap::keys);
            nested.extend(names.filter(|name| may_be_ours(name)).map(|name| format!("{prefix}{name}")));
        }
        let has_directories = entries.iter().any(|(name, entry)| entry.is_tree() && name != RECORD_DIR);
        if has_directories {
            let prefix = path.join("");
            nested.extend(self.repository.files_below(path.as_str())?.into_iter().filter(|file| {
                let below = file.strip_prefix(&prefix).unwrap_or(file);
                below.rsplit_once('/').is_some_and(|(_, name)| may_be_ours(name))
            }));
        }
        Ok(nested)
    }

    /// The records of all other Environments on the branch. Damaged ones are
    /// left out: they are for their own Environment to complain about.
    fn records(&self, own: &str) -> Result<Vec<EnvironmentRecord>, GitError> {
        let files: Vec<String> = self
            .repository
            .files_below(RECORD_DIR)?
            .into_iter()
            .filter(|file| file.ends_with(".record") && file != own)
            .map(|file| format!(":{file}"))
            .collect();
        let objects = self.repository.read(&files)?;
        Ok(objects.iter().filter_map(|(file, object)| EnvironmentRecord::parse(file, &object.content).ok()).collect())
    }

    /// The texts of files by their paths, as the branch was fetched. What is
    /// missing or no text is left out, and secrets that we know are masked.
    ///
    /// # Errors
    /// [`GitError`]; files that the cache lacks are fetched.
    pub fn texts(&self, files: &[String]) -> Result<BTreeMap<String, String>, GitError> {
        if files.is_empty() {
            return Ok(BTreeMap::new());
        }
        let objects: Vec<String> = files.iter().map(|file| format!(":{file}")).collect();
        let mut found = self.repository.read_blobs(&objects)?;
        let text = |(file, object): (&String, &String)| {
            let bytes = found.remove(object)?.content;
            Some((file.clone(), self.repository.redact(&String::from_utf8(bytes).ok()?)))
        };
        Ok(files.iter().zip(&objects).filter_map(text).collect())
    }

    /// Makes one commit of edits and returns its id.
    ///
    /// # Errors
    /// [`GitError`]; `Target` when a path may not go into a tree.
    pub fn commit(
        &self,
        view: &BranchView,
        edits: &[Edit],
        message: &str,
        now_seconds: i64,
    ) -> Result<String, GitError> {
        let written = edits.iter().flat_map(|edit| edit.change.added.iter().chain(&edit.change.updated));
        let deleted = edits.iter().flat_map(|edit| &edit.change.deleted);
        for name in written.map(|file| &file.name).chain(deleted) {
            crate::git::target::check_component(name)
                .map_err(|reason| GitError::Target(format!("file `{name}`: {reason}")))?;
        }
        let author = Author {
            name: self.settings.author_name.clone(),
            email: self.settings.author_email.clone(),
            seconds: self.settings.commit_time.unwrap_or(now_seconds),
        };
        let head = CommitHead { reference: WORK, from: view.tip.as_deref(), author: &author, message };
        let commit = self.repository.import(&fast_import_stream(&head, edits))?;
        match &self.signing_key {
            Some(key) => self.repository.sign(&commit, &head, key),
            None => Ok(commit),
        }
    }

    /// Pushes a commit and makes sure what became of it.
    ///
    /// # Errors
    /// [`GitError`] for everything that another attempt would not mend.
    pub fn push(&self, view: &BranchView, commit: &str) -> Result<PushOutcome, GitError> {
        self.repository.push(commit, &self.branch, view.expected.as_deref())
    }
}

/// Directories by their paths; the root's is empty.
type Trees = BTreeMap<String, BTreeMap<String, TreeEntry>>;

/// How `cat-file` is asked for a directory or file of the tip.
fn tree_name(path: &str) -> String {
    if path.is_empty() { "^{tree}".to_owned() } else { format!(":{path}") }
}

/// A path through the branch, part by part.
struct Way<'p> {
    path: &'p str,
    is_file: bool,
}

impl<'p> Way<'p> {
    fn to_directory(path: &'p str) -> Self {
        Self { path, is_file: false }
    }

    fn to_file(path: &'p str) -> Self {
        Self { path, is_file: true }
    }

    /// The parts; true for the last one.
    fn parts(&self) -> impl Iterator<Item = (&'p str, bool)> {
        let n_parts = self.path.split('/').count();
        let parts = self.path.split('/').enumerate().filter(|(_, part)| !part.is_empty());
        parts.map(move |(index, part)| (part, index + 1 == n_parts))
    }

    /// The path of each step, but for the root.
    fn prefixes(&self) -> impl Iterator<Item = &'p str> {
        let path = self.path;
        let whole = (!path.is_empty()).then_some(path.len());
        path.match_indices('/').map(|(at, _)| at).chain(whole).map(move |end| &path[..end])
    }
}

/// True when the directory holds files that may be ours, and that the record does not name.
fn has_unrecorded(view: &BranchView, context: &EnvironmentContext, path: &TargetPath) -> bool {
    let record = view.record.as_ref().map(|(_, record)| record).filter(|record| record.is_of(context));
    view.entries.keys().any(|name| may_be_ours(name) && record.is_none_or(|record| !record.names(path, name)))
}
