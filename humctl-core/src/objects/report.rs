//! What is wrong with a Workload, all of it at once.

use std::fmt;

use serde_json::Value;

use crate::objects::nodes::is_node;
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

/// One thing about a Workload that is rendered otherwise than one may think.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RenderWarning {
    /// The Workload.
    pub workload: String,
    /// JSON pointer into its `spec`.
    pub pointer: String,
    /// What happens to it, and what to do.
    pub message: String,
}

impl fmt::Display for RenderWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "workload `{}` at {}: {}", self.workload, self.pointer, self.message)
    }
}

/// Collects errors and warnings of one Workload.
#[derive(Debug)]
pub(super) struct Report {
    workload: String,
    pub(super) errors: Vec<RenderError>,
    pub(super) warnings: Vec<RenderWarning>,
}

impl Report {
    pub(super) fn new(workload: &str) -> Self {
        Self { workload: workload.to_owned(), errors: Vec::new(), warnings: Vec::new() }
    }

    pub(super) fn error(&mut self, pointer: &str, message: impl Into<String>) {
        let (workload, pointer) = (self.workload.clone(), pointer.to_owned());
        self.errors.push(RenderError { workload, pointer, message: message.into() });
    }

    pub(super) fn warn(&mut self, pointer: &str, message: impl Into<String>) {
        let (workload, pointer) = (self.workload.clone(), pointer.to_owned());
        self.warnings.push(RenderWarning { workload, pointer, message: message.into() });
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
