//! JSON that holds secret text on its way into the Orchestrator.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroize;

/// A JSON object whose leaves may be secret: `driver_inputs.secrets`, or
/// `secret_refs` with `value` leaves.
///
/// `Debug` shows nothing of the content, and the strings are overwritten when
/// the tree is dropped.
#[derive(Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct SecretTree(Map<String, Value>);

impl SecretTree {
    /// Wraps an object; nothing is checked here.
    #[must_use]
    pub fn new(tree: Map<String, Value>) -> Self {
        Self(tree)
    }

    /// The object inside. Whoever calls this handles secrets.
    #[must_use]
    pub fn expose(&self) -> &Map<String, Value> {
        &self.0
    }

    /// True when there is no leaf at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for SecretTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretTree(…)")
    }
}

impl Drop for SecretTree {
    fn drop(&mut self) {
        for (_, value) in &mut self.0 {
            wipe(value);
        }
    }
}

/// Text that may be secret, on its way into the Orchestrator.
///
/// `Debug` shows nothing of it, and it is overwritten when dropped.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct SecretText(String);

impl SecretText {
    /// Wraps text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text inside. Whoever calls this handles a secret.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}

impl Drop for SecretText {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(map) => map.iter_mut().for_each(|(_, item)| wipe(item)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_never_shows_the_content() {
        let tree: SecretTree = serde_json::from_str(r#"{"password": "canary"}"#).unwrap();
        assert_eq!(format!("{tree:?}"), "SecretTree(…)");
        assert_eq!(format!("{:?}", SecretText::new("canary")), "SecretText(…)");
    }
}
