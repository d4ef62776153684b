//! Everything that one Environment changes on its branch: its directory, that of
//! objects which belong to no namespace, and its record.
//!
//! Pure but for `look`, by which the caller reads further directories of the
//! branch.

use std::collections::BTreeMap;

use crate::context::EnvironmentContext;
use crate::git::error::GitError;
use crate::git::record::{ClusterPart, EnvironmentRecord};
use crate::git::target::TargetPath;
use crate::git::tree::{self, BranchView, Directory, Edit, TreeChange};
use crate::render::CrFile;

/// What an Environment is to have on its branch.
#[derive(Debug)]
pub struct Wanted<'w> {
    /// The Environment.
    pub context: &'w EnvironmentContext,
    /// Its directory.
    pub path: &'w TargetPath,
    /// All files of that.
    pub files: Vec<CrFile>,
    /// Directory of the objects that belong to no namespace, when there is a
    /// place for them.
    pub cluster_path: Option<&'w TargetPath>,
    /// All files of that.
    pub cluster_files: Vec<CrFile>,
    /// Take over what others wrote there.
    pub adopt: bool,
}

/// Works out the edits that bring it about. The first one is that of the
/// Environment's directory and has the record, which `record` makes from the
/// files there and from those for the cluster.
///
/// # Errors
/// [`GitError`]; those of [`tree::change`] and of `look`.
pub fn environment_edits(
    view: &BranchView,
    wanted: Wanted<'_>,
    record: impl FnOnce(BTreeMap<String, String>, Option<ClusterPart>) -> Option<EnvironmentRecord>,
    look: impl Fn(&TargetPath) -> Result<BranchView, GitError>,
) -> Result<Vec<Edit>, GitError> {
    let Wanted { context, path, files, cluster_path, cluster_files, adopt } = wanted;
    let edit = |path: &TargetPath, change: TreeChange| Edit { context: context.clone(), path: path.clone(), change };
    let directory = |path, input| Directory { context, path, input };
    let (mut change, written) = tree::change(view, directory(path, "path"), files, adopt)?;
    let own = view.record.as_ref().map(|(_, record)| record).filter(|record| record.is_of(context));
    let former = match own.and_then(|record| record.cluster.as_ref()) {
        Some(part) => Some(TargetPath::parse(&part.path).map_err(GitError::Record)?),
        None => None,
    };
    let mut beside = Vec::new();
    let mut part = None;
    let mut others: Vec<EnvironmentRecord> = view.others.clone();
    // Where nothing is to be written and nothing is ours, it does not matter what others have there.
    let is_used = |path: &&TargetPath| !cluster_files.is_empty() || former.as_ref() == Some(*path);
    let cluster_path = cluster_path.filter(is_used);
    if let Some(cluster_path) = cluster_path {
        let looked = look(cluster_path)?;
        let has_files = !cluster_files.is_empty();
        let (change, files) = match has_files {
            true => tree::change(&looked, directory(cluster_path, "cluster_path"), cluster_files, adopt)?,
            false => (tree::removal(&looked, directory(cluster_path, "cluster_path")), BTreeMap::new()),
        };
        part = has_files.then(|| ClusterPart { path: cluster_path.as_str().to_owned(), files });
        beside.push(edit(cluster_path, change));
        others.extend(looked.others);
    }
    // The directory of the Environment itself is looked after already.
    if let Some(former) = former.filter(|former| former != path && Some(former) != cluster_path) {
        let change = tree::removal(&look(&former)?, directory(&former, "cluster_path"));
        beside.push(edit(&former, change));
    }
    if adopt {
        let taken: Vec<&TargetPath> = std::iter::once(path).chain(cluster_path).collect();
        change.records_of_others = tree::records_of_others(&others, context, &taken);
    }
    change.record = tree::record_change(view, record(written, part).as_ref());
    let beside = beside.into_iter().filter(|edit| !edit.change.is_empty());
    Ok(std::iter::once(edit(path, change)).chain(beside).collect())
}

#[cfg(test)]
mod tests {
    use humctl_api_types::set::DeploymentSet;

    use super::*;
    use crate::context::tests::context;
    use crate::git::target::{ManifestOutput, TargetOutput};
    use crate::git::tree::{RecordChange, TreeEntry};
    use crate::hash::{ObjectFormat, git_blob_id};

    /// A branch as paths of files, and the records on it.
    #[derive(Default)]
    struct Branch {
        files: Vec<&'static str>,
        own: Option<EnvironmentRecord>,
        others: Vec<EnvironmentRecord>,
    }

    fn at(path: &str) -> TargetPath {
        TargetPath::parse(path).unwrap()
    }

    fn blob(content: &str) -> String {
        git_blob_id(ObjectFormat::Sha1, content.as_bytes())
    }

    fn record(app: &str, path: &str, files: &[&str], cluster: Option<(&str, &[&str])>) -> EnvironmentRecord {
        let context = EnvironmentContext { app: app.parse().unwrap(), ..context() };
        let owned = |files: &[&str]| files.iter().map(|name| ((*name).to_owned(), blob("old"))).collect();
        let output = TargetOutput::Manifests(ManifestOutput::default());
        let record = EnvironmentRecord::new(&context, &at(path), &output, &DeploymentSet::default(), owned(files));
        let cluster = cluster.map(|(path, files)| ClusterPart { path: path.to_owned(), files: owned(files) });
        EnvironmentRecord { cluster, ..record }
    }

    impl Branch {
        fn view(&self, path: &TargetPath) -> BranchView {
            let mut view = BranchView {
                tip: Some("t".to_owned()),
                expected: Some("t".to_owned()),
                branch: "main".to_owned(),
                format: ObjectFormat::Sha1,
                record: self.own.clone().map(|record| (blob(&record.to_text()), record)),
                entries: BTreeMap::new(),
                nested: Vec::new(),
                others: self.others.clone(),
            };
            for file in &self.files {
                let directory = at(file.rsplit_once('/').map_or("", |(directory, _)| directory));
                let name = file.rsplit_once('/').map_or(*file, |(_, name)| name);
                if directory == *path {
                    let entry = TreeEntry { mode: "100644".to_owned(), id: blob("old") };
                    view.entries.insert(name.to_owned(), entry);
                } else if directory.overlaps(path) {
                    view.nested.push((*file).to_owned());
                }
            }
            view
        }

        /// What happens, one line each: the files with their signs, then records.
        fn edit(&self, path: &str, files: &[&str], cluster: Option<(&str, &[&str])>, adopt: bool) -> Vec<String> {
            let file = |name: &&str| CrFile {
                name: (*name).to_owned(),
                content: "new".to_owned(),
                kind: String::new(),
                object: String::new(),
            };
            let (context, path) = (context(), at(path));
            let cluster_path = cluster.map(|(path, _)| at(path));
            let wanted = Wanted {
                context: &context,
                path: &path,
                files: files.iter().map(file).collect(),
                cluster_path: cluster_path.as_ref(),
                cluster_files: cluster.map(|(_, files)| files.iter().map(file).collect()).unwrap_or_default(),
                adopt,
            };
            let output = TargetOutput::Manifests(ManifestOutput::default());
            let record = |files, cluster| {
                let record = EnvironmentRecord::new(&context, &path, &output, &DeploymentSet::default(), files);
                Some(EnvironmentRecord { cluster, ..record })
            };
            let edits = match environment_edits(&self.view(&path), wanted, record, |path| Ok(self.view(path))) {
                Ok(edits) => edits,
                Err(error) => return vec![error.to_string().lines().take(2).collect::<Vec<_>>().join(" ")],
            };
            let mut lines = Vec::new();
            for edit in &edits {
                let written = |sign: char| move |file: &CrFile| format!("{sign} {}", edit.path.join(&file.name));
                lines.extend(edit.change.added.iter().map(written('+')));
                lines.extend(edit.change.updated.iter().map(written('~')));
                lines.extend(edit.change.deleted.iter().map(|name| format!("- {}", edit.path.join(name))));
            }
            lines.sort();
            let told = |file: &str, change: &RecordChange| match change {
                RecordChange::Delete => format!("{file}: gone"),
                RecordChange::Write(text) => {
                    let record = EnvironmentRecord::parse(file, text.as_bytes()).unwrap();
                    let named =
                        record.directories().flat_map(|(path, files)| files.keys().map(|name| at(path).join(name)));
                    format!("{file}: {}", named.collect::<Vec<_>>().join(" "))
                }
            };
            for edit in &edits {
                lines.extend(edit.change.record.iter().map(|change| told("record", change)));
                lines.extend(edit.change.records_of_others.iter().map(|(file, change)| told(file, change)));
            }
            lines
        }
    }

    #[test]
    fn objects_of_the_cluster_have_their_own_directory_and_one_record() {
        let branch = Branch { files: vec!["all/README.md", "all/role-theirs.yaml"], ..Branch::default() };
        assert_eq!(
            branch.edit("dev", &["a-x.yaml"], Some(("all", &["role-x.yaml"])), false),
            ["+ all/role-x.yaml", "+ dev/a-x.yaml", "record: dev/a-x.yaml all/role-x.yaml"]
        );
        // A place that nobody needs is nobody's business.
        assert_eq!(
            branch.edit("dev", &["a-x.yaml"], Some(("all", &[])), false),
            ["+ dev/a-x.yaml", "record: dev/a-x.yaml"]
        );
    }

    #[test]
    fn a_record_that_names_files_of_others_takes_none_of_them() {
        let named: (&str, &[&str]) = ("docs", &["README.md", "role-x.yaml"]);
        let branch = Branch {
            files: vec!["docs/README.md", "docs/role-x.yaml"],
            own: Some(record("shop", "dev", &[], Some(named))),
            ..Branch::default()
        };
        let gone = branch.edit("dev", &["a-x.yaml"], None, false);
        assert_eq!(gone, ["+ dev/a-x.yaml", "- docs/role-x.yaml", "record: dev/a-x.yaml"]);
    }

    #[test]
    fn what_was_ours_goes_wherever_it_was() {
        let old: (&str, &[&str]) = ("all", &["role-x.yaml", "role-y.yaml"]);
        let branch = Branch {
            files: vec![
                "dev/a-x.yaml",
                "all/role-x.yaml",
                "all/role-y.yaml",
                "all/role-theirs.yaml",
                "all/workload-w.yaml",
            ],
            own: Some(record("shop", "dev", &["a-x.yaml"], Some(old))),
            ..Branch::default()
        };
        let gone = ["- all/role-x.yaml", "- all/role-y.yaml"];
        for (situation, path, cluster, expected) in [
            ("no place any more", "dev", None, vec![gone[0], gone[1], "~ dev/a-x.yaml", "record: dev/a-x.yaml"]),
            (
                "no objects any more",
                "dev",
                Some(("all", &[][..])),
                vec![gone[0], gone[1], "~ dev/a-x.yaml", "record: dev/a-x.yaml"],
            ),
            (
                "another place",
                "dev",
                Some(("new", &["role-x.yaml"][..])),
                vec!["+ new/role-x.yaml", gone[0], gone[1], "~ dev/a-x.yaml", "record: dev/a-x.yaml new/role-x.yaml"],
            ),
            (
                "the place became that of the Environment",
                "all",
                Some(("dev", &["role-x.yaml"][..])),
                vec![
                    "directory `all` on branch `main` holds files that are not ours: the record of environment `shop/development` does not name them   workload-w.yaml",
                ],
            ),
        ] {
            assert_eq!(branch.edit(path, &["a-x.yaml"], cluster, false), expected, "{situation}");
        }
        let swapped = Branch { files: branch.files[..3].to_vec(), ..branch };
        assert_eq!(
            swapped.edit("all", &["a-x.yaml"], Some(("dev", &["role-x.yaml"])), false),
            [
                "+ all/a-x.yaml",
                "+ dev/role-x.yaml",
                gone[0],
                gone[1],
                "- dev/a-x.yaml",
                "record: all/a-x.yaml dev/role-x.yaml"
            ]
        );
    }

    #[test]
    fn what_others_have_for_the_cluster_is_theirs_until_it_is_adopted() {
        let branch = Branch {
            files: vec!["blog/a-x.yaml", "all/role-x.yaml"],
            others: vec![record("blog", "blog", &["a-x.yaml"], Some(("all", &["role-x.yaml"])))],
            ..Branch::default()
        };
        let refused = "on branch `main` holds files that are not ours: they belong to environment `blog/development`   role-x.yaml";
        let inside = "on branch `main` and directory `all` of environment `blog/development` lie one inside the other (`all/role-x.yaml` is theirs)";
        for (path, cluster, expected) in [
            ("dev", Some(("all", &["role-y.yaml"][..])), format!("directory `all` {refused}")),
            ("all", None, format!("directory `all` {refused}")),
            ("dev", Some(("all/dev", &["role-y.yaml"][..])), format!("directory `all/dev` {inside}")),
            ("all/dev", None, format!("directory `all/dev` {inside}")),
        ] {
            let told = branch.edit(path, &["a-x.yaml"], cluster, false);
            assert!(told.len() == 1 && told[0].starts_with(&expected), "{told:?}");
        }
        assert_eq!(
            branch.edit("dev", &["a-x.yaml"], Some(("all", &["role-y.yaml"])), true),
            [
                "+ all/role-y.yaml",
                "+ dev/a-x.yaml",
                "- all/role-x.yaml",
                "record: dev/a-x.yaml all/role-y.yaml",
                ".humctl/blog/development.record: blog/a-x.yaml"
            ]
        );
        // A place that holds nothing of the Environment takes nothing over.
        assert_eq!(
            branch.edit("dev", &["a-x.yaml"], Some(("all", &[])), true),
            ["+ dev/a-x.yaml", "record: dev/a-x.yaml"]
        );
    }
}
