//! What changes, wherever two states are compared.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What happens to a resource or a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is new.
    Add,
    /// It is different.
    Change,
    /// It goes.
    Remove,
}

impl Action {
    /// The sign that lists put before it: `+`, `~` or `-`.
    #[must_use]
    pub fn sign(self) -> char {
        match self {
            Self::Add => '+',
            Self::Change => '~',
            Self::Remove => '-',
        }
    }
}

/// A value before and after; null where there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change<T> {
    /// Now.
    pub from: T,
    /// Then.
    pub to: T,
}

/// What is lost when a resource goes, as far as its type tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Statefulness {
    /// It keeps data that go with it.
    Stateful,
    /// It can be made again as it was.
    Stateless,
    /// Others of the Environment, or outside of it, stand on it.
    Shared,
    /// Nothing is known about its type.
    Unknown,
}

/// Kind of the record that a branch keeps about an Environment, among the kinds
/// of objects.
pub const RECORD: &str = "Record";

/// What happens to one file of a Git target. An addition of ours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileChange {
    /// Whether it is added, changed or removed.
    pub action: Action,
    /// Its path on the branch.
    pub path: String,
    /// Kind of the object in it: `Resource`, `Workload`, `SecretMapping`, or
    /// `Record` for what the branch keeps about the Environment.
    pub kind: String,
    /// The object: `type.class#id` of a resource, the id of a Workload.
    pub object: String,
    /// What is lost with a resource that goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statefulness: Option<Statefulness>,
    /// Parts of the object that differ, by JSON pointer; only of a changed
    /// file, and only in a plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
    /// The file as a unified diff; only in a plan.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub diff: String,
}

impl FileChange {
    /// What is in the file, for people.
    #[must_use]
    pub fn label(&self) -> String {
        label(&self.kind, &self.object)
    }

    /// The file without its directory.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.path.rsplit_once('/').map_or(self.path.as_str(), |(_, name)| name)
    }
}

/// An object for people: `postgres.default#…`, `workload web`.
#[must_use]
pub fn label(kind: &str, object: &str) -> String {
    match kind {
        "Resource" => object.to_owned(),
        "Workload" => format!("workload {object}"),
        "SecretMapping" => format!("secret mapping {object}"),
        RECORD => "record of the Environment".to_owned(),
        _ => format!("{kind} {object}"),
    }
}

/// One part of an object that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldChange {
    /// JSON pointer into the object.
    pub field: String,
    /// Its value now; null when there is none.
    pub from: Value,
    /// Its value then; null when there is none.
    pub to: Value,
}
