//! One Git target, opened for a Deployment: read the branch, commit, push.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::context::EnvironmentContext;
use crate::git::credentials::{CredentialSession, HostKeys, Login};
use crate::git::error::GitError;
use crate::git::process::{CancelFlag, Git, Limits, environment};
use crate::git::push::PushOutcome;
use crate::git::record::{EnvironmentRecord, RECORD_DIR};
use crate::git::repository::{CacheRepository, WORK, cache_root, parse_tree};
use crate::git::target::{GitTarget, TargetPath};
use crate::git::tree::{Author, BranchView, CommitHead, Edit, TreeEntry, fast_import_stream, is_owned_name};
use crate::hash::ObjectFormat;
use crate::secret::SecretScanner;

/// How this process uses Git; made once from arguments and environment.
#[derive(Debug, Clone)]
pub struct GitSettings {
    /// Our own executable, which Git starts to ask for a password.
    pub executable: PathBuf,
    /// The user's cache directory for us.
    pub cache_dir: PathBuf,
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
    /// Trust hosts that no file names.
    pub accept_new_host_key: bool,
    /// The user's own `known_hosts`.
    pub known_hosts: Option<PathBuf>,
    /// Asks for an orderly end.
    pub cancel: CancelFlag,
}

/// An opened Git target.
#[derive(Debug)]
pub struct GitSession {
    repository: CacheRepository,
    // Held for as long as children may ask for credentials.
    _credentials: CredentialSession,
    target: GitTarget,
    branch: String,
    settings: GitSettings,
}

/// A branch that was fetched just now.
#[derive(Debug, Clone, Copy)]
pub struct Fetched {
    branch_exists: bool,
}

/// How long one network command may take.
const NETWORK: Duration = Duration::from_mins(5);

impl GitSession {
    /// Locks the target's cache, prepares the login and finds out the branch.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn open(
        settings: &GitSettings,
        target: &GitTarget,
        login: &Login,
        scanner: SecretScanner,
        timeout: Option<Duration>,
    ) -> Result<Self, GitError> {
        let host_keys = HostKeys {
            from_definition: target.known_hosts.clone(),
            users_file: settings.known_hosts.clone(),
            accept_new: settings.accept_new_host_key,
        };
        let credentials = CredentialSession::open(&settings.runtime_dir, &settings.executable, login, &host_keys)?;
        let mut child_environment = environment(&settings.environment, credentials.private_home());
        for (name, value) in credentials.variables() {
            child_environment.insert(name.into(), value.into());
        }
        let mut child_settings: Vec<String> = [
            "core.fsmonitor=false",
            "gc.auto=0",
            "maintenance.auto=false",
            "core.hooksPath=/dev/null",
            "push.gpgSign=false",
            "advice.all=false",
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
        let limits = Limits { timeout: timeout.unwrap_or(NETWORK), is_cancellable: true };
        let repository =
            CacheRepository::open(&cache_root(&settings.cache_dir), git, target.branch.as_deref(), limits)?;
        let branch = match &target.branch {
            Some(branch) => branch.clone(),
            None => repository.default_branch()?,
        };
        Ok(Self { repository, _credentials: credentials, target: target.clone(), branch, settings: settings.clone() })
    }

    /// The branch, resolved.
    #[must_use]
    pub fn branch(&self) -> &str {
        &self.branch
    }

    /// The repository behind this session.
    #[must_use]
    pub fn repository(&self) -> &CacheRepository {
        &self.repository
    }

    /// Fetches the branch and reads what concerns an Environment of this target.
    ///
    /// # Errors
    /// As those of [`Self::look`].
    pub fn read(&self, context: &EnvironmentContext) -> Result<BranchView, GitError> {
        let fetched = self.fetch()?;
        self.look(fetched, context, &self.target.path)
    }

    /// Brings the cache up to date with the branch.
    ///
    /// # Errors
    /// [`GitError`] when the remote cannot be read.
    pub fn fetch(&self) -> Result<Fetched, GitError> {
        Ok(Fetched { branch_exists: self.repository.fetch(&self.branch)? })
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
        if !fetched.branch_exists {
            return Ok(self.empty_view());
        }
        let record_file = EnvironmentRecord::file(&context.app, &context.env);
        let tree_name = |path: &str| if path.is_empty() { "^{tree}".to_owned() } else { format!(":{path}") };
        let commit = String::new();
        let mut names = vec![commit.clone(), tree_name(""), format!(":{record_file}")];
        names.extend(path.ancestors().skip(1).map(tree_name));
        if !path.as_str().is_empty() {
            names.push(tree_name(path.as_str()));
        }
        let objects = self.repository.read(&names)?;
        let Some(tip) = objects.get(&commit).map(|object| object.id.clone()) else {
            return Ok(self.empty_view());
        };
        let format = if tip.len() == 64 { ObjectFormat::Sha256 } else { ObjectFormat::Sha1 };
        let id_len = tip.len() / 2;
        let entries_of = |path: &str| -> BTreeMap<String, TreeEntry> {
            let tree = objects.get(&tree_name(path));
            tree.map(|object| parse_tree(&object.content, id_len)).unwrap_or_default()
        };
        self.check_way(path.as_str(), &entries_of)?;
        self.check_way(&record_file, &|path| if path.is_empty() { entries_of("") } else { BTreeMap::new() })?;
        let record = match objects.get(&format!(":{record_file}")) {
            None => None,
            Some(object) => {
                let record = EnvironmentRecord::parse(&record_file, &object.content).map_err(GitError::Record)?;
                Some((object.id.clone(), record))
            }
        };
        let entries = entries_of(path.as_str());
        let mut view = BranchView {
            tip: Some(tip),
            branch: self.branch.clone(),
            format,
            record,
            nested: self.nested(path, &entries, &entries_of)?,
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
            branch: self.branch.clone(),
            format: ObjectFormat::Sha1,
            record: None,
            entries: BTreeMap::new(),
            nested: Vec::new(),
            others: Vec::new(),
        }
    }

    /// Every directory on the way must be one or not exist: `git fast-import`
    /// would silently replace a file or symlink by a directory.
    fn check_way(&self, path: &str, entries_of: &dyn Fn(&str) -> BTreeMap<String, TreeEntry>) -> Result<(), GitError> {
        let mut parent = String::new();
        let n_parts = path.split('/').count();
        for (index, part) in path.split('/').enumerate().filter(|(_, part)| !part.is_empty()) {
            let is_file = index + 1 == n_parts && path.starts_with(RECORD_DIR);
            if let Some(entry) = entries_of(&parent).get(part)
                && !entry.is_tree()
                && !is_file
            {
                let here = if parent.is_empty() { part.to_owned() } else { format!("{parent}/{part}") };
                let what = if entry.mode == "120000" { "a symlink" } else { "a file" };
                return Err(GitError::Foreign(format!(
                    "`{here}` on branch `{}` is {what}, and the target directory leads through it\n  \
                     hint: choose another `path` in the cluster's Definition, or remove `{here}` from the branch",
                    self.branch
                )));
            }
            parent = if parent.is_empty() { part.to_owned() } else { format!("{parent}/{part}") };
        }
        Ok(())
    }

    /// Files above or below the target directory whose names look like ours.
    fn nested(
        &self,
        path: &TargetPath,
        entries: &BTreeMap<String, TreeEntry>,
        entries_of: &dyn Fn(&str) -> BTreeMap<String, TreeEntry>,
    ) -> Result<Vec<String>, GitError> {
        let mut nested = Vec::new();
        for ancestor in path.ancestors() {
            let prefix = if ancestor.is_empty() { String::new() } else { format!("{ancestor}/") };
            nested
                .extend(entries_of(ancestor).into_keys().filter(|n| is_owned_name(n)).map(|n| format!("{prefix}{n}")));
        }
        let has_directories = entries.iter().any(|(name, entry)| entry.is_tree() && name != RECORD_DIR);
        if has_directories {
            let prefix = path.join("");
            nested.extend(self.repository.files_below(path.as_str())?.into_iter().filter(|file| {
                let below = file.strip_prefix(&prefix).unwrap_or(file);
                below.rsplit_once('/').is_some_and(|(_, name)| is_owned_name(name))
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

    /// The texts of files in a directory, as the branch was fetched. What is
    /// missing or no text is left out, and secrets that we know are masked.
    ///
    /// # Errors
    /// [`GitError`]; files that the cache lacks are fetched.
    pub fn texts(&self, path: &TargetPath, names: &[String]) -> Result<BTreeMap<String, String>, GitError> {
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        let objects: Vec<String> = names.iter().map(|name| format!(":{}", path.join(name))).collect();
        let mut found = self.repository.read_blobs(&objects)?;
        let text = |(name, object): (&String, &String)| {
            let bytes = found.remove(object)?.content;
            Some((name.clone(), self.repository.redact(&String::from_utf8(bytes).ok()?)))
        };
        Ok(names.iter().zip(&objects).filter_map(text).collect())
    }

    /// Makes one commit of edits and returns its id.
    ///
    /// # Errors
    /// [`GitError`]; `Target` when a path may not go into a tree.
    pub fn commit(
        &self,
        view: &BranchView,
        edits: &[Edit<'_>],
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
        self.repository.import(&fast_import_stream(&head, edits))
    }

    /// Pushes a commit and, when it landed, makes sure that it did.
    ///
    /// # Errors
    /// [`GitError`] for everything that another attempt would not mend.
    pub fn push(&self, view: &BranchView, commit: &str) -> Result<PushOutcome, GitError> {
        match self.repository.push(commit, &self.branch, view.tip.as_deref())? {
            PushOutcome::Moved => Ok(PushOutcome::Moved),
            PushOutcome::Landed => {
                self.repository.verify(commit, &self.branch)?;
                Ok(PushOutcome::Landed)
            }
        }
    }
}

/// True when the directory holds files of our pattern that the record does not name.
fn has_unrecorded(view: &BranchView, context: &EnvironmentContext, path: &TargetPath) -> bool {
    let recorded =
        view.record.as_ref().map(|(_, record)| record).filter(|r| r.is_of(context) && r.path == path.as_str());
    view.entries
        .keys()
        .any(|name| is_owned_name(name) && recorded.is_none_or(|record| !record.files.contains_key(name)))
}
