//! The record that each Environment keeps on its branch.
//!
//! One file beside the Environment's directories, `.humctl/<app>/<env>.record`,
//! makes the branch the truth of what is deployed there: which Deployment Set,
//! and which files are ours to replace or delete. No time, no Deployment id,
//! no secret is in it, so an unchanged Deployment leaves it unchanged.

use std::collections::BTreeMap;

use humctl_api_types::id::{AppId, EnvId, EnvTypeId, OrgId};
use humctl_api_types::set::DeploymentSet;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::context::EnvironmentContext;
use crate::git::target::{TargetOutput, TargetPath, check_component};
use crate::json;

/// Directory of the records, at the root of the branch.
pub const RECORD_DIR: &str = ".humctl";

/// Version of the record's form.
const VERSION: u32 = 1;

/// What is deployed into one Environment, as its branch tells it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnvironmentRecord {
    /// Version of this form.
    pub version: u32,
    /// Organization.
    pub org: OrgId,
    /// Application.
    pub app: AppId,
    /// Environment.
    pub env: EnvId,
    /// Type of the Environment.
    pub env_type: EnvTypeId,
    /// Directory of the files; empty is the root.
    pub path: String,
    /// What the files hold: `custom-resources` or `manifests`.
    pub output: String,
    /// The Deployment Set.
    pub set: DeploymentSet,
    /// Our files in `path`: name → Git blob id.
    pub files: BTreeMap<String, String>,
    /// Objects that belong to no namespace, when there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterPart>,
}

/// The files of an Environment's objects that belong to no namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterPart {
    /// Their directory; empty is the root.
    pub path: String,
    /// Our files there: name → Git blob id.
    pub files: BTreeMap<String, String>,
}

impl EnvironmentRecord {
    /// A record of files that are about to be written.
    #[must_use]
    pub fn new(
        context: &EnvironmentContext,
        path: &TargetPath,
        output: &TargetOutput,
        set: &DeploymentSet,
        files: BTreeMap<String, String>,
    ) -> Self {
        Self {
            version: VERSION,
            org: context.org.clone(),
            app: context.app.clone(),
            env: context.env.clone(),
            env_type: context.env_type.clone(),
            path: path.as_str().to_owned(),
            output: output.name().to_owned(),
            set: set.clone(),
            files,
            cluster: None,
        }
    }

    /// The directories of the Environment, with our files in each.
    pub fn directories(&self) -> impl Iterator<Item = (&str, &BTreeMap<String, String>)> {
        let cluster = self.cluster.iter().map(|part| (part.path.as_str(), &part.files));
        std::iter::once((self.path.as_str(), &self.files)).chain(cluster)
    }

    /// True when a directory is one of the Environment's.
    #[must_use]
    pub fn has_directory(&self, path: &TargetPath) -> bool {
        self.directories().any(|(own, _)| own == path.as_str())
    }

    /// True when a file in a directory is ours.
    #[must_use]
    pub fn names(&self, path: &TargetPath, file: &str) -> bool {
        self.directories().any(|(own, files)| own == path.as_str() && files.contains_key(file))
    }

    /// Where the record of an Environment lies on its branch.
    #[must_use]
    pub fn file(app: &AppId, env: &EnvId) -> String {
        format!("{RECORD_DIR}/{app}/{env}.record")
    }

    /// True when the record is that of this Environment of this Organization.
    #[must_use]
    pub fn is_of(&self, context: &EnvironmentContext) -> bool {
        self.org == context.org && self.app == context.app && self.env == context.env
    }

    /// The record as text: JSON with sorted keys, one line each.
    #[must_use]
    pub fn to_text(&self) -> String {
        json::pretty(&json::to_value(self))
    }

    /// Reads a record.
    ///
    /// # Errors
    /// A sentence that names the file, for a newer version or damaged text.
    pub fn parse(file: &str, text: &[u8]) -> Result<Self, String> {
        let damaged = |reason: String| {
            format!(
                "`{file}` cannot be read: {reason}\n  hint: restore it from the branch's history, or remove it and deploy with --adopt"
            )
        };
        let value: Value = serde_json::from_slice(text).map_err(|error| damaged(error.to_string()))?;
        match value.get("version").and_then(Value::as_u64) {
            Some(version) if version == u64::from(VERSION) => {}
            Some(version) if version > u64::from(VERSION) => {
                return Err(format!(
                    "`{file}` was written by a newer humctl (version {version})\n  hint: update humctl"
                ));
            }
            _ => return Err(damaged("it has no version".to_owned())),
        }
        let record: Self = crate::decode::tolerant(&value).map_err(|error| damaged(error.to_string()))?;
        record.check_paths().map_err(damaged)?;
        Ok(record)
    }

    /// What is read from a branch anybody may have written.
    fn check_paths(&self) -> Result<(), String> {
        for (path, files) in self.directories() {
            let plain = TargetPath::parse(path).map_err(|reason| format!("path `{path}`: {reason}"))?;
            if plain.as_str() != path {
                return Err(format!("path `{path}` is not in its plain form"));
            }
            for name in files.keys() {
                let checked = check_component(name);
                if let Err(reason) = checked.and_then(|()| match name.contains('/') {
                    true => Err("it lies in another directory".to_owned()),
                    false => Ok(()),
                }) {
                    return Err(format!("file `{}`: {reason}", name.escape_debug()));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::tests::context;

    #[test]
    fn a_record_survives_its_text_and_has_one_line_a_key() {
        let files = BTreeMap::from([("workload-x.yaml".to_owned(), "ab".to_owned())]);
        let record = EnvironmentRecord::new(
            &context(),
            &TargetPath::default(),
            &TargetOutput::default(),
            &DeploymentSet::default(),
            files,
        );
        let text = record.to_text();
        assert_eq!(EnvironmentRecord::parse("r", text.as_bytes()).unwrap(), record);
        assert!(text.contains("\n  \"app\": \"shop\",\n"), "{text}");
    }

    #[test]
    fn newer_and_damaged_records_are_told_apart() {
        assert!(EnvironmentRecord::parse("r", b"{\"version\": 2}").unwrap_err().contains("update humctl"));
        assert!(EnvironmentRecord::parse("r", b"{").unwrap_err().contains("cannot be read"));
        assert!(EnvironmentRecord::parse("r", b"{\"version\": 1}").unwrap_err().contains("missing"));
        let deep = "[".repeat(1 << 20);
        assert!(EnvironmentRecord::parse("r", deep.as_bytes()).unwrap_err().contains("cannot be read"));
    }

    #[test]
    fn a_record_that_names_files_elsewhere_is_damaged() {
        for (path, name, is_good) in [
            ("", "workload-x.yaml", true),
            ("a/b", "workload-x.yaml", true),
            ("a/b/", "workload-x.yaml", false),
            ("../a", "workload-x.yaml", false),
            ("/etc", "workload-x.yaml", false),
            (".humctl", "workload-x.yaml", false),
            ("a", "../x", false),
            ("a", "b/workload-x.yaml", false),
            ("a", "..", false),
            ("a", ".git", false),
            ("a", "x\ny", false),
        ] {
            let files = BTreeMap::from([(name.to_owned(), "ab".to_owned())]);
            let set = DeploymentSet::default();
            let mut record =
                EnvironmentRecord::new(&context(), &TargetPath::default(), &TargetOutput::default(), &set, files);
            record.path = path.to_owned();
            let read = EnvironmentRecord::parse("r", record.to_text().as_bytes());
            assert_eq!(read.is_ok(), is_good, "{path} {name}: {read:?}");
            // The other directory is held to the same.
            let cluster = ClusterPart { path: path.to_owned(), files: std::mem::take(&mut record.files) };
            let record = EnvironmentRecord { path: "other".to_owned(), cluster: Some(cluster), ..record };
            let read = EnvironmentRecord::parse("r", record.to_text().as_bytes());
            assert_eq!(read.is_ok(), is_good, "{path} {name}: {read:?}");
        }
    }

    #[test]
    fn a_record_without_objects_of_the_cluster_says_nothing_of_them() {
        let files = BTreeMap::from([("workload-x.yaml".to_owned(), "ab".to_owned())]);
        let (path, cluster) = (TargetPath::parse("shop").unwrap(), TargetPath::parse("cluster").unwrap());
        let set = DeploymentSet::default();
        let mut record = EnvironmentRecord::new(&context(), &path, &TargetOutput::default(), &set, files);
        assert!(!record.to_text().contains("cluster"));
        assert!(record.names(&path, "workload-x.yaml") && !record.has_directory(&cluster));
        let files = BTreeMap::from([("namespace-x.yaml".to_owned(), "cd".to_owned())]);
        record.cluster = Some(ClusterPart { path: "cluster".to_owned(), files });
        assert_eq!(EnvironmentRecord::parse("r", record.to_text().as_bytes()).unwrap(), record);
        assert!(record.names(&cluster, "namespace-x.yaml") && !record.names(&path, "namespace-x.yaml"));
    }
}
