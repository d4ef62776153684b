//! Keys and texts on their way into ConfigMaps and Secrets.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::objects::Object;
use crate::objects::text::Part;

/// More does not fit into one ConfigMap or Secret.
pub(super) const MAX_BYTES: usize = 1024 * 1024;

/// A ConfigMap that is being filled.
#[derive(Debug, Default)]
pub(super) struct ConfigMap {
    pub(super) data: BTreeMap<String, String>,
    /// Base64.
    pub(super) binary: BTreeMap<String, String>,
}

impl ConfigMap {
    pub(super) fn n_bytes(&self) -> usize {
        let texts = self.data.iter().map(|(key, text)| key.len() + text.len());
        texts.chain(self.binary.iter().map(|(key, text)| key.len() + text.len() / 4 * 3)).sum()
    }

    pub(super) fn into_object(self, name: &str, labels: &Map<String, Value>) -> Object {
        let mut object = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "labels": labels},
            "data": self.data,
        });
        if !self.binary.is_empty() {
            object["binaryData"] = json!(self.binary);
        }
        Object(object)
    }
}

/// A Secret that somebody else has to make: this program writes no secret text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SecretKeys {
    /// Name of the Secret.
    pub name: String,
    /// Key → what its text is made of.
    pub keys: BTreeMap<String, Vec<Part>>,
}
