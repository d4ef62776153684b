//! Shared Values as one Deployment sees them: those of the Application,
//! overlaid by those of the Environment (spec/resource-model.md §1.9).
//!
//! The text of a secret is never here: a plan needs to know only where it lies.

use std::collections::BTreeMap;

use serde_json::{Value, json};

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
    /// custom resource; where it lies there.
    Stored(SecretReference),
}

/// The secret store that only the Orchestrator reads.
pub const OWN_STORE: &str = "humanitec";

/// Where a secret lies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecretReference {
    /// Id of the secret store.
    pub store: String,
    /// The secret's name there; see [`path_and_field`].
    pub reference: String,
    /// Its version; the latest when absent.
    pub version: Option<String>,
}

impl SecretReference {
    /// Reads `{store, ref, version?}`; `None` for anything else. No other field
    /// is let in, so that a text which got there by mistake goes no further.
    #[must_use]
    pub fn read(leaf: &Value) -> Option<Self> {
        let fields = leaf.as_object()?;
        let text = |key: &str| match fields.get(key) {
            None | Some(Value::Null) => Some(None),
            Some(Value::String(text)) => Some(Some(text.clone()).filter(|text| !text.is_empty())),
            Some(Value::Number(number)) if key == "version" => Some(Some(number.to_string())),
            Some(_) => None,
        };
        let is_known = |key: &String| matches!(key.as_str(), "store" | "ref" | "version");
        let (store, reference, version) = (text("store")??, text("ref")??, text("version")?);
        fields.keys().all(is_known).then_some(Self { store, reference, version })
    }

    /// The reference as custom resources have it: a `$secretRef` node.
    #[must_use]
    pub fn node(&self) -> Value {
        let mut leaf = json!({"store": self.store, "ref": self.reference});
        if let Some(version) = &self.version {
            leaf["version"] = json!(version);
        }
        json!({ "$secretRef": leaf })
    }
}

/// A reference in its parts: `PATH#FIELD` names a field of a secret that has
/// several, anything else the whole of it.
#[must_use]
pub fn path_and_field(reference: &str) -> (&str, Option<&str>) {
    match reference.rsplit_once('#') {
        Some((path, field)) if !path.is_empty() && !field.is_empty() => (path, Some(field)),
        _ => (reference, None),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_and_written() {
        let of = |store: &str, reference: &str, version: Option<&str>| SecretReference {
            store: store.to_owned(),
            reference: reference.to_owned(),
            version: version.map(ToOwned::to_owned),
        };
        for (leaf, expected) in [
            (json!({"store": "s", "ref": "a/b"}), Some(of("s", "a/b", None))),
            (json!({"store": "s", "ref": "r", "version": "3"}), Some(of("s", "r", Some("3")))),
            (json!({"store": "s", "ref": "r", "version": 3}), Some(of("s", "r", Some("3")))),
            (json!({"store": "s", "ref": "r", "version": null}), Some(of("s", "r", None))),
            (json!({"store": "s", "ref": ""}), None),
            (json!({"store": "s"}), None),
            (json!({"store": "s", "ref": 3}), None),
            (json!({"store": "s", "ref": "r", "value": "x"}), None),
            (json!("s"), None),
        ] {
            let read = SecretReference::read(&leaf);
            assert_eq!(read, expected, "{leaf}");
            let again = read.as_ref().map(|reference| SecretReference::read(&reference.node()["$secretRef"]));
            assert_eq!(again, expected.map(Some), "{leaf}");
        }
    }

    #[test]
    fn a_reference_may_name_a_field() {
        for (reference, expected) in [
            ("a/b#c", ("a/b", Some("c"))),
            ("a#b#c", ("a#b", Some("c"))),
            ("a/b", ("a/b", None)),
            ("a/b#", ("a/b#", None)),
            ("#c", ("#c", None)),
        ] {
            assert_eq!(path_and_field(reference), expected);
        }
    }
}
