//! What is wrong with a Workload, all of it at once.

use serde_json::Value;

use crate::nodes::is_node;
use crate::yaml::escape_pointer;

/// One thing that keeps a Workload from being rendered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("workload `{workload}` at {pointer}: {message}")]
pub struct RenderError {
    /// The Workload.
    pub workload: String,
    /// JSON pointer into its `spec`.
    pub pointer: String,
    /// What is wrong, and what to do.
    pub message: String,
}

/// Collects errors of one Workload.
#[derive(Debug)]
pub(super) struct Report {
    workload: String,
    pub(super) errors: Vec<RenderError>,
}

impl Report {
    pub(super) fn new(workload: &str) -> Self {
        Self { workload: workload.to_owned(), errors: Vec::new() }
    }

    pub(super) fn error(&mut self, pointer: &str, message: impl Into<String>) {
        let (workload, pointer) = (self.workload.clone(), pointer.to_owned());
        self.errors.push(RenderError { workload, pointer, message: message.into() });
    }

    /// A value that goes into an object as it is, so that nothing in it may be
    /// a secret or a field.
    pub(super) fn plain(&mut self, value: &Value, pointer: &str) -> Value {
        if is_node(value) {
            self.error(
                pointer,
                "a secret, or a field of the Pod, cannot stand here\n  hint: use it in a variable or in a file",
            );
            return Value::Null;
        }
        let inside = |key: &str| format!("{pointer}/{}", escape_pointer(key));
        match value {
            Value::Object(object) => {
                object.iter().map(|(key, item)| (key.clone(), self.plain(item, &inside(key)))).collect()
            }
            Value::Array(items) => {
                items.iter().enumerate().map(|(index, item)| self.plain(item, &inside(&index.to_string()))).collect()
            }
            plain => plain.clone(),
        }
    }
}
