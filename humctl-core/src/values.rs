//! Shared Values as one Deployment sees them: those of the Application,
//! overlaid by those of the Environment (spec/resource-model.md §1.9).
//!
//! The text of a secret is never here: a plan needs to know only where it lies.

use std::collections::BTreeMap;

/// The Shared Values that `${values.KEY}` may name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SharedValues(BTreeMap<String, SharedValue>);

/// One Shared Value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SharedValue {
    /// Text that anybody may read.
    Plain(String),
    /// A secret in a store that the cluster can read.
    Reference(SecretReference),
    /// A secret whose text only the Orchestrator holds, so that it can reach no
    /// custom resource.
    Stored,
}

/// Where a secret lies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecretReference {
    /// Id of the secret store.
    pub store: String,
    /// The secret's name there.
    pub reference: String,
    /// Its version; the latest when absent.
    pub version: Option<String>,
}

impl SharedValues {
    /// No values at all.
    pub const NONE: Self = Self(BTreeMap::new());

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&SharedValue> {
        self.0.get(key)
    }

    /// The keys, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl FromIterator<(String, SharedValue)> for SharedValues {
    /// A later value replaces an earlier one of the same key, so those of the
    /// Environment come after those of the Application.
    fn from_iter<I: IntoIterator<Item = (String, SharedValue)>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}
