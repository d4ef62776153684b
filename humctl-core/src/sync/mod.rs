//! What Argo CD or Flux needs to bring the Environments of an Application from
//! Git into a cluster (spec/gitops.md §5, §6).
//!
//! Pure functions: Git targets in, Kubernetes objects out, the same bytes each
//! time. Nothing is guessed: where two Environments would get the same name,
//! namespace or directory, or a cluster cannot reach the repository, there is
//! an error and no object. Credentials never come here; the objects say where
//! to fill in ones of the cluster's own.

mod address;
pub mod argocd;
mod error;
pub mod flux;
mod layout;

pub use error::SyncError;
pub use layout::{Environment, Layout, LayoutOptions};

use serde_json::Value;

use crate::yaml;

/// Files that are ours, in a directory of an Environment that holds custom resources.
const OWN_FILES: [&str; 3] = ["resource-*.yaml", "workload-*.yaml", "secretmapping-*.yaml"];

/// The same where it holds Kubernetes objects: their kinds are many.
const OWN_OBJECTS: [&str; 1] = ["*-*.yaml"];

/// Stands with what brings in a directory that leaves Git with its last object.
const GONE: [&str; 2] = [
    "With the last such object its directory leaves Git, and this can bring in nothing any more: print all this again",
    "then, and delete what is no longer printed.",
];

/// Files that are ours in the directories of some Environments.
fn own_files<'e>(environments: impl IntoIterator<Item = &'e Environment>) -> &'static [&'static str] {
    match environments.into_iter().any(|one| one.holds_objects) {
        true => &OWN_OBJECTS,
        false => &OWN_FILES,
    }
}

/// Kinds of the custom resources.
const KINDS: [&str; 3] = ["Resource", "Workload", "SecretMapping"];

/// What is deleted in the cluster when its file leaves Git.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prune {
    /// Nothing.
    None,
    /// What runs; a `Resource` stays, and with it what it stands for.
    #[default]
    Workloads,
    /// Everything.
    All,
}

/// How the objects are to be.
#[derive(Debug, Clone, Copy)]
pub struct SyncOptions<'o> {
    /// Namespace of Argo CD or Flux.
    pub namespace: &'o str,
    /// What is deleted.
    pub prune: Prune,
}

/// A Kubernetes object, with what a reader has to know about it.
#[derive(Debug, Clone, PartialEq)]
pub struct SyncObject {
    /// Lines of comment.
    pub comment: Vec<String>,
    /// The object.
    pub object: Value,
}

impl SyncObject {
    fn new(object: Value) -> Self {
        Self { comment: Vec::new(), object }
    }

    fn with_comment(mut self, lines: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.comment.extend(lines.into_iter().map(Into::into));
        self
    }
}

/// Writes objects as a YAML stream, each behind its comment.
#[must_use]
pub fn to_yaml(objects: &[SyncObject]) -> String {
    let document = |object: &SyncObject| {
        let comment: String = object.comment.iter().map(|line| format!("# {line}\n")).collect();
        // The writer takes every JSON value; an object that it refused would be empty and fail the tests.
        format!("{comment}{}", yaml::to_string(&object.object).unwrap_or_default())
    };
    objects.iter().map(document).collect::<Vec<_>>().join("---\n")
}

#[cfg(test)]
mod tests;
