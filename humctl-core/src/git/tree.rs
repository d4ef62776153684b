//! The edit of a branch's tree: what is there, what we own, what changes.
//!
//! Pure: the branch is read before and written after. The edit names single
//! files only, never a directory.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::context::EnvironmentContext;
use crate::git::error::GitError;
use crate::git::record::EnvironmentRecord;
use crate::git::target::TargetPath;
use crate::hash::{ObjectFormat, git_blob_id};
use crate::render::CrFile;

/// An entry of a Git tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    /// `100644`, `40000`, `120000` …
    pub mode: String,
    /// Object id, hex.
    pub id: String,
}

impl TreeEntry {
    /// True for a directory.
    #[must_use]
    pub fn is_tree(&self) -> bool {
        self.mode == "40000"
    }

    /// True for a plain file: no directory, symlink or submodule.
    #[must_use]
    pub fn is_file(&self) -> bool {
        self.mode.starts_with("100")
    }

    /// What it is, for people.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.mode.as_str() {
            "40000" => "a directory",
            "120000" => "a symlink",
            "160000" => "a submodule",
            _ => "a file",
        }
    }
}

/// A branch as it was read, as far as it concerns one Environment.
#[derive(Debug)]
pub struct BranchView {
    /// The commit to build on: the branch's tip, or that of the branch which it
    /// is to be made from; `None` for a branch that begins with nothing.
    pub tip: Option<String>,
    /// Where a push has to find the branch; `None` when it has to be absent.
    pub expected: Option<String>,
    /// The branch.
    pub branch: String,
    /// How the repository names objects.
    pub format: ObjectFormat,
    /// The Environment's record and the blob that holds it.
    pub record: Option<(String, EnvironmentRecord)>,
    /// Everything in the target directory.
    pub entries: BTreeMap<String, TreeEntry>,
    /// Files above or below the target directory that look like ours.
    pub nested: Vec<String>,
    /// Records of other Environments; read only when there is something to settle.
    pub others: Vec<EnvironmentRecord>,
}

/// The edit of one commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TreeChange {
    /// New files: name and content.
    pub added: Vec<CrFile>,
    /// Files with another content than before.
    pub updated: Vec<CrFile>,
    /// Names of files that go.
    pub deleted: Vec<String>,
    /// New text of the record; `None` when it stays.
    pub record: Option<RecordChange>,
    /// Records of others whose files are taken over, by the records' files.
    pub records_of_others: BTreeMap<String, RecordChange>,
}

/// What happens to the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordChange {
    /// It is written.
    Write(String),
    /// It goes.
    Delete,
}

impl TreeChange {
    /// True when there is nothing to commit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty()
            && self.updated.is_empty()
            && self.deleted.is_empty()
            && self.record.is_none()
            && self.records_of_others.is_empty()
    }
}

/// True for names that a Deployment writes (spec/gitops.md §7.5).
#[must_use]
pub fn is_owned_name(name: &str) -> bool {
    let Some(stem) = name.strip_suffix(".yaml") else { return false };
    let is_small = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    if let Some(id) = stem.strip_prefix("resource-") {
        return (32..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    }
    if let Some(name) = stem.strip_prefix("workload-") {
        let bytes = name.as_bytes();
        return !bytes.is_empty()
            && bytes.iter().all(|&b| is_small(b) || b == b'-')
            && is_small(bytes[0])
            && is_small(bytes[bytes.len() - 1]);
    }
    stem.strip_prefix("secretmapping-")
        .is_some_and(|name| !name.is_empty() && name.bytes().all(|b| is_small(b) || b == b'-' || b == b'.'))
}

/// True for names that files of Kubernetes objects may have too: whether one is
/// ours, only a record tells.
#[must_use]
pub fn may_be_ours(name: &str) -> bool {
    let parts = name.strip_suffix(".yaml").and_then(|stem| stem.split_once('-'));
    let is_kind = |kind: &str| !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    parts.is_some_and(|(kind, name)| is_kind(kind) && !name.is_empty())
}

/// A directory of an Environment.
#[derive(Debug, Clone, Copy)]
pub struct Directory<'d> {
    /// The Environment.
    pub context: &'d EnvironmentContext,
    /// The directory.
    pub path: &'d TargetPath,
    /// The input of the cluster's Definition that names it.
    pub input: &'static str,
}

/// Works out the edit that makes a directory hold exactly `files`, and which
/// files are ours there afterwards: name → Git blob id. The record is left out.
///
/// # Errors
/// [`GitError::Foreign`] when files in the way are not ours, unless `adopt`.
pub fn change(
    view: &BranchView,
    directory: Directory<'_>,
    files: Vec<CrFile>,
    adopt: bool,
) -> Result<(TreeChange, BTreeMap<String, String>), GitError> {
    refuse_nesting(view, directory)?;
    let ours = owned_files(view, directory, &files, adopt)?;
    let path = directory.path;
    let mut change = TreeChange::default();
    let mut written = BTreeMap::new();
    for file in files {
        let id = git_blob_id(view.format, file.content.as_bytes());
        written.insert(file.name.clone(), id.clone());
        match view.entries.get(&file.name) {
            None => change.added.push(file),
            Some(entry) if !entry.is_file() => {
                return Err(GitError::Foreign(format!(
                    "`{}` on branch `{}` is {}, so it is left alone\n  hint: remove it from the branch",
                    path.join(&file.name),
                    view.branch,
                    entry.kind()
                )));
            }
            Some(entry) if entry.id == id && entry.mode == "100644" => {}
            Some(_) => change.updated.push(file),
        }
    }
    change.deleted = ours.into_iter().filter(|name| !written.contains_key(name)).collect();
    Ok((change, written))
}

/// The edit that takes the Environment's files out of a directory that it has no
/// more use for. Whatever else is there is of no concern.
#[must_use]
pub fn removal(view: &BranchView, directory: Directory<'_>) -> TreeChange {
    let record = view.record.as_ref().map(|(_, record)| record).filter(|record| record.is_of(directory.context));
    let is_ours = |(name, entry): &(&String, &TreeEntry)| {
        entry.is_file() && may_be_ours(name) && record.is_some_and(|record| record.names(directory.path, name))
    };
    let deleted = view.entries.iter().filter(is_ours).map(|(name, _)| name.clone()).collect();
    TreeChange { deleted, ..TreeChange::default() }
}

/// What has to happen to the record for it to be `new`, or to be gone.
#[must_use]
pub fn record_change(view: &BranchView, new: Option<&EnvironmentRecord>) -> Option<RecordChange> {
    let old = view.record.as_ref().map(|(id, _)| id.as_str());
    match new {
        None => old.map(|_| RecordChange::Delete),
        Some(record) => {
            let text = record.to_text();
            (old != Some(git_blob_id(view.format, text.as_bytes()).as_str())).then_some(RecordChange::Write(text))
        }
    }
}

/// What has to happen to the records of others when everything in some
/// directories becomes one Environment's.
#[must_use]
pub fn records_of_others<'r>(
    others: impl IntoIterator<Item = &'r EnvironmentRecord>,
    context: &EnvironmentContext,
    paths: &[&TargetPath],
) -> BTreeMap<String, RecordChange> {
    let is_taken = |path: &str| paths.iter().any(|taken| taken.as_str() == path);
    let change = |other: &EnvironmentRecord| {
        if is_taken(&other.path) {
            return Some(RecordChange::Delete);
        }
        let is_part_taken = other.cluster.as_ref().is_some_and(|part| is_taken(&part.path));
        is_part_taken.then(|| RecordChange::Write(EnvironmentRecord { cluster: None, ..other.clone() }.to_text()))
    };
    let others = others.into_iter().filter(|other| !other.is_of(context));
    others.filter_map(|other| Some((EnvironmentRecord::file(&other.app, &other.env), change(other)?))).collect()
}

/// One Environment's directory may not lie inside another's: a tool that syncs
/// the outer one would apply both.
fn refuse_nesting(view: &BranchView, directory: Directory<'_>) -> Result<(), GitError> {
    let Directory { context, path, .. } = directory;
    let others = view.others.iter().filter(|other| !other.is_of(context));
    let theirs = others.flat_map(|other| other.directories().map(move |(theirs, files)| (other, theirs, files)));
    for (other, theirs, files) in theirs.filter(|(_, theirs, _)| *theirs != path.as_str()) {
        let prefix = if theirs.is_empty() { String::new() } else { format!("{theirs}/") };
        let is_theirs = |file: &&String| file.strip_prefix(&prefix).is_some_and(|name| files.contains_key(name));
        if let Some(file) = view.nested.iter().find(is_theirs) {
            let theirs = if theirs.is_empty() { "." } else { theirs };
            return Err(GitError::Foreign(format!(
                "directory `{path}` on branch `{}` and directory `{theirs}` of environment `{}/{}` lie one inside the other \
                 (`{file}` is theirs)\n  hint: give each Environment a directory beside the others",
                view.branch, other.app, other.env
            )));
        }
    }
    Ok(())
}

/// Names in the target directory that are ours to replace or delete.
fn owned_files(
    view: &BranchView,
    directory: Directory<'_>,
    files: &[CrFile],
    adopt: bool,
) -> Result<BTreeSet<String>, GitError> {
    let Directory { context, path, input } = directory;
    let record = view.record.as_ref().map(|(_, record)| record);
    if let Some(record) = record.filter(|record| !record.is_of(context)) {
        let file = EnvironmentRecord::file(&context.app, &context.env);
        let branch = &view.branch;
        return Err(GitError::Foreign(match record.org == context.org {
            true => format!(
                "`{file}` on branch `{branch}` says that it is the record of environment `{}/{}`\n  \
                 hint: restore it from the branch's history",
                record.app, record.env
            ),
            false => format!(
                "`{file}` on branch `{branch}` is the record of organization `{}`, and this is organization `{}`\n  \
                 hint: deploy with --org {}",
                record.org, context.org, record.org
            ),
        }));
    }
    let is_recorded = |name: &str| record.is_some_and(|record| record.names(path, name));
    let written: BTreeSet<&str> = files.iter().map(|file| file.name.as_str()).collect();
    let is_others = |name: &str| view.others.iter().any(|other| other.names(path, name));
    let present = view.entries.iter().filter(|(name, entry)| {
        // A record may name what it likes: what no Deployment would write is nobody's.
        let is_recorded = may_be_ours(name) && (is_recorded(name) || is_others(name));
        entry.is_file() && (is_owned_name(name) || is_recorded || written.contains(name.as_str()))
    });
    let present: BTreeSet<&String> = present.map(|(name, _)| name).collect();
    let foreign: Vec<&str> = present.iter().map(|name| name.as_str()).filter(|name| !is_recorded(name)).collect();
    if foreign.is_empty() || adopt {
        return Ok(present.into_iter().cloned().collect());
    }
    let owner = view.others.iter().find(|other| !other.is_of(context) && other.has_directory(path)).map_or_else(
        || format!("the record of environment `{context}` does not name them"),
        |other| format!("they belong to environment `{}/{}`", other.app, other.env),
    );
    let mut text = format!("directory `{path}` on branch `{}` holds files that are not ours: {owner}", view.branch);
    for name in foreign.iter().take(10) {
        let _ = write!(text, "\n  {name}");
    }
    if foreign.len() > 10 {
        let _ = write!(text, "\n  and {} more", foreign.len() - 10);
    }
    let _ = write!(
        text,
        "\n  hint: give this Environment a directory of its own (`{input}` of the cluster's Definition), or take the files over with --adopt"
    );
    Err(GitError::Foreign(text))
}

/// Who commits, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// Name.
    pub name: String,
    /// Mail address.
    pub email: String,
    /// Seconds since 1970, UTC.
    pub seconds: i64,
}

impl Author {
    /// Name and mail address without what would end them.
    #[must_use]
    pub fn clean(&self) -> (String, String) {
        let clean = |text: &str| text.chars().filter(|c| !c.is_control() && !matches!(c, '<' | '>')).collect();
        (clean(&self.name), clean(&self.email))
    }
}

/// Everything of a commit but its tree.
#[derive(Debug, Clone)]
pub struct CommitHead<'c> {
    /// The scratch reference to set.
    pub reference: &'c str,
    /// The commit to build on.
    pub from: Option<&'c str>,
    /// Author and committer.
    pub author: &'c Author,
    /// Message.
    pub message: &'c str,
}

/// The edit of one Environment's directory.
#[derive(Debug, Clone)]
pub struct Edit {
    /// The Environment.
    pub context: EnvironmentContext,
    /// Its directory.
    pub path: TargetPath,
    /// What changes there.
    pub change: TreeChange,
}

/// The input of one `git fast-import` that makes the commit and prints its id.
#[must_use]
pub fn fast_import_stream(head: &CommitHead<'_>, edits: &[Edit]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut text = |text: String| out.extend_from_slice(text.as_bytes());
    let identity = |author: &Author| {
        let (name, email) = author.clean();
        format!("{name} <{email}> {} +0000", author.seconds)
    };
    text(format!("feature done\ncommit {}\nmark :1\n", head.reference));
    text(format!("author {0}\ncommitter {0}\n", identity(head.author)));
    text(format!("data {}\n{}\n", head.message.len(), head.message));
    if let Some(from) = head.from {
        text(format!("from {from}\n"));
    }
    let write =
        |path: &str, content: &str| format!("M 100644 inline {}\ndata {}\n{content}\n", quote(path), content.len());
    for Edit { context, path, change } in edits {
        for file in change.added.iter().chain(&change.updated) {
            text(write(&path.join(&file.name), &file.content));
        }
        for name in &change.deleted {
            text(format!("D {}\n", quote(&path.join(name))));
        }
        let own = EnvironmentRecord::file(&context.app, &context.env);
        for (file, change) in change.records_of_others.iter().chain(change.record.iter().map(|change| (&own, change))) {
            text(match change {
                RecordChange::Write(content) => write(file, content),
                RecordChange::Delete => format!("D {}\n", quote(file)),
            });
        }
    }
    text("\nget-mark :1\ndone\n".to_owned());
    out
}

/// A path in the quoted form of fast-import.
fn quote(path: &str) -> String {
    let mut quoted = String::from("\"");
    for character in path.chars() {
        match character {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(character);
            }
            '\n' => quoted.push_str("\\n"),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::tests::context;
    use crate::git::target::TargetOutput;
    use humctl_api_types::set::DeploymentSet;

    fn file(name: &str, content: &str) -> CrFile {
        CrFile {
            name: name.to_owned(),
            content: content.to_owned(),
            kind: "Workload".to_owned(),
            object: String::new(),
        }
    }

    fn blob(content: &str) -> TreeEntry {
        TreeEntry { mode: "100644".to_owned(), id: git_blob_id(ObjectFormat::Sha1, content.as_bytes()) }
    }

    fn record(path: &TargetPath, files: BTreeMap<String, String>) -> EnvironmentRecord {
        EnvironmentRecord::new(&context(), path, &TargetOutput::default(), &DeploymentSet::default(), files)
    }

    fn view(path: &TargetPath, ours: &[(&str, &str)], others: &[(&str, &str)]) -> BranchView {
        let entry = |(name, content): &(&str, &str)| ((*name).to_owned(), blob(content));
        let files: BTreeMap<String, String> = ours.iter().map(entry).map(|(name, entry)| (name, entry.id)).collect();
        let record = record(path, files);
        let id = git_blob_id(ObjectFormat::Sha1, record.to_text().as_bytes());
        BranchView {
            tip: Some("t".to_owned()),
            expected: Some("t".to_owned()),
            branch: "main".to_owned(),
            format: ObjectFormat::Sha1,
            record: (!ours.is_empty()).then_some((id, record)),
            entries: ours.iter().chain(others).map(entry).collect(),
            nested: Vec::new(),
            others: Vec::new(),
        }
    }

    /// Names with their signs, sorted by name.
    fn lines(change: &TreeChange) -> Vec<String> {
        let mut lines: Vec<(&str, char)> = change.added.iter().map(|file| (file.name.as_str(), '+')).collect();
        lines.extend(change.updated.iter().map(|file| (file.name.as_str(), '~')));
        lines.extend(change.deleted.iter().map(|name| (name.as_str(), '-')));
        lines.sort_unstable();
        lines.into_iter().map(|(name, sign)| format!("{sign} {name}")).collect()
    }

    fn run(view: &BranchView, path: &TargetPath, files: &[(&str, &str)], adopt: bool) -> Result<TreeChange, GitError> {
        let files = files.iter().map(|(name, content)| file(name, content)).collect();
        let context = context();
        let directory = Directory { context: &context, path, input: "path" };
        let (mut change, written) = change(view, directory, files, adopt)?;
        change.record = record_change(view, Some(&record(path, written)));
        if adopt {
            change.records_of_others = records_of_others(&view.others, &context, &[path]);
        }
        Ok(change)
    }

    #[test]
    fn only_names_of_the_owned_pattern_are_ours() {
        let hex = "a".repeat(40);
        for (name, expected) in [
            (format!("resource-{hex}.yaml"), true),
            ("resource-xyz.yaml".to_owned(), false),
            (format!("resource-{hex}.yml"), false),
            ("workload-hello-world.yaml".to_owned(), true),
            ("workload-Hello.yaml".to_owned(), false),
            ("workload-.yaml".to_owned(), false),
            ("workload--x.yaml".to_owned(), false),
            ("secretmapping-shared-secrets.yaml".to_owned(), true),
            ("kustomization.yaml".to_owned(), false),
            ("README.md".to_owned(), false),
        ] {
            assert_eq!(is_owned_name(&name), expected, "{name}");
        }
    }

    #[test]
    fn files_are_added_updated_and_deleted_and_foreign_ones_stay() {
        let path = TargetPath::parse("shop/dev").unwrap();
        let view = view(
            &path,
            &[("workload-aa.yaml", "a"), ("workload-bb.yaml", "b"), ("workload-cc.yaml", "c")],
            &[("README.md", "x"), ("kustomization.yaml", "y")],
        );
        let files = [("workload-aa.yaml", "a"), ("workload-bb.yaml", "new"), ("workload-dd.yaml", "d")];
        let change = run(&view, &path, &files, false).unwrap();
        assert_eq!(lines(&change), ["~ workload-bb.yaml", "- workload-cc.yaml", "+ workload-dd.yaml"]);
        assert!(matches!(change.record, Some(RecordChange::Write(_))));
    }

    #[test]
    fn nothing_changed_is_an_empty_edit() {
        let path = TargetPath::default();
        let view = view(&path, &[("workload-aa.yaml", "a")], &[]);
        assert!(run(&view, &path, &[("workload-aa.yaml", "a")], false).unwrap().is_empty());
    }

    #[test]
    fn a_file_that_was_edited_by_hand_is_put_right() {
        let path = TargetPath::default();
        let mut view = view(&path, &[("workload-aa.yaml", "a")], &[]);
        view.entries.insert("workload-aa.yaml".to_owned(), blob("edited"));
        assert_eq!(lines(&run(&view, &path, &[("workload-aa.yaml", "a")], false).unwrap()), ["~ workload-aa.yaml"]);
    }

    #[test]
    fn files_without_a_record_are_refused_unless_adopted() {
        let path = TargetPath::parse("shop").unwrap();
        let mut view = view(&path, &[], &[("workload-zz.yaml", "z")]);
        let error = run(&view, &path, &[("workload-aa.yaml", "a")], false).unwrap_err().to_string();
        assert!(error.contains("workload-zz.yaml") && error.contains("--adopt"), "{error}");
        view.others = vec![EnvironmentRecord { app: "blog".parse().unwrap(), ..record(&path, BTreeMap::new()) }];
        let error = run(&view, &path, &[], false).unwrap_err().to_string();
        assert!(error.contains("belong to environment `blog/development`"), "{error}");
        let change = run(&view, &path, &[("workload-aa.yaml", "a")], true).unwrap();
        assert_eq!(lines(&change), ["+ workload-aa.yaml", "- workload-zz.yaml"]);
        let dropped: Vec<_> = change.records_of_others.into_iter().collect();
        assert_eq!(dropped, [(".humctl/blog/development.record".to_owned(), RecordChange::Delete)]);
    }

    #[test]
    fn a_directory_inside_anothers_is_refused() {
        let path = TargetPath::parse("shop/dev").unwrap();
        let mut view = view(&path, &[], &[]);
        let theirs = BTreeMap::from([("workload-zz.yaml".to_owned(), String::new())]);
        let root = TargetPath::default();
        view.others = vec![EnvironmentRecord { app: "blog".parse().unwrap(), ..record(&root, theirs) }];
        // A file that only looks like ours is nobody's.
        view.nested = vec!["workload-mine.yaml".to_owned()];
        assert!(run(&view, &path, &[], false).is_ok());
        view.nested.push("workload-zz.yaml".to_owned());
        let error = run(&view, &path, &[], false).unwrap_err().to_string();
        assert!(error.contains("one inside the other"), "{error}");
    }

    #[test]
    fn a_symlink_in_the_way_is_left_alone() {
        let path = TargetPath::default();
        let mut view = view(&path, &[("workload-aa.yaml", "a")], &[]);
        view.entries.insert("workload-aa.yaml".to_owned(), TreeEntry { mode: "120000".to_owned(), id: "x".to_owned() });
        assert!(run(&view, &path, &[("workload-aa.yaml", "a")], false).is_err());
    }
}
