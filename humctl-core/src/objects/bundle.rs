//! Keys and texts on their way into `ConfigMaps` and Secrets, and how much they hold.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::objects::Object;
use crate::objects::report::Report;
use crate::objects::text::Part;

/// More does not fit into one `ConfigMap` or Secret.
const MAX_BYTES: usize = 1024 * 1024;
/// From here on it is told, since what is stored beside the text counts as well.
const MANY_BYTES: usize = 768 * 1024;
/// As many are named in a message.
const N_NAMED: usize = 5;

/// A `ConfigMap` that is being filled.
#[derive(Debug, Default)]
pub(super) struct ConfigMap {
    pub(super) data: BTreeMap<String, String>,
    /// Base64.
    pub(super) binary: BTreeMap<String, String>,
}

impl ConfigMap {
    pub(super) fn has(&self, key: &str) -> bool {
        self.data.contains_key(key) || self.binary.contains_key(key)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.data.is_empty() && self.binary.is_empty()
    }

    /// Bytes of each key, as Kubernetes counts them.
    pub(super) fn sizes(&self) -> Vec<(&str, usize)> {
        let texts = self.data.iter().map(|(key, text)| (key.as_str(), text.len()));
        let decoded = |base64: &str| base64.len() / 4 * 3 - base64.bytes().rev().take_while(|b| *b == b'=').count();
        texts.chain(self.binary.iter().map(|(key, base64)| (key.as_str(), decoded(base64)))).collect()
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

impl SecretKeys {
    /// Bytes of each key at the least: what a store holds is not known.
    pub(super) fn sizes(&self) -> Vec<(&str, usize)> {
        let plain = |part: &Part| if let Part::Plain(text) = part { text.len() } else { 0 };
        self.keys.iter().map(|(key, parts)| (key.as_str(), parts.iter().map(plain).sum())).collect()
    }

    /// What it is made of, as data to make a checksum of.
    pub(super) fn as_data(&self) -> Value {
        fn data_of(part: &Part) -> Value {
            match part {
                Part::Plain(text) => json!(text),
                Part::Secret(reference) => json!({ "secret": reference }),
                Part::Encoded(parts) => json!({ "base64": parts.iter().map(data_of).collect::<Value>() }),
                Part::Field(_) => Value::Null,
            }
        }
        let keys: Map<String, Value> =
            self.keys.iter().map(|(key, parts)| (key.clone(), parts.iter().map(data_of).collect())).collect();
        json!({"name": self.name, "keys": keys})
    }
}

/// Tells when keys do not fit into one object of a kind, with the largest of them.
pub(super) fn check_size(
    kind: &str,
    sizes: Vec<(&str, usize)>,
    shown: &BTreeMap<String, String>,
    pointer: &str,
    report: &mut Report,
) {
    let n_bytes: usize = sizes.iter().map(|(_, n_bytes)| n_bytes).sum();
    if n_bytes < MANY_BYTES {
        return;
    }
    let mut largest = sizes;
    largest.sort_by(|a, b| (b.1, a.0).cmp(&(a.1, b.0)));
    let more = if largest.len() > N_NAMED { format!(" and {} more", largest.len() - N_NAMED) } else { String::new() };
    let named = largest.iter().take(N_NAMED).map(|(key, n_bytes)| {
        let shown = shown.get(*key).cloned().unwrap_or_else(|| format!("`{key}`"));
        format!("{shown} with {n_bytes}")
    });
    let named = named.collect::<Vec<_>>().join(", ");
    let hint = "move large ones into the image or a volume";
    let message = format!("these have {n_bytes} bytes, and a {kind} holds {MAX_BYTES}: {named}{more}\n  hint: {hint}");
    if n_bytes > MAX_BYTES {
        report.error(pointer, message);
    } else {
        report.warn(pointer, message);
    }
}
