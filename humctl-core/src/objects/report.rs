//! What is wrong with a Workload, all of it at once, and the parts of a module
//! as what they have to be: a list, a mapping, text without secrets.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value, json};

use crate::nodes::plain_text;
use crate::nodes::{each, is_node, literal};
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
        let value = match literal(value) {
            Some(inside) => inside,
            None if is_node(value) => {
                self.error(
                    pointer,
                    "a secret, or a field of the Pod, cannot stand here\n  hint: use it in a variable or in a file",
                );
                return Value::Null;
            }
            None => value,
        };
        each(value, &mut |key, item| self.plain(item, &inside(pointer, key)))
    }

    /// The items of a list, with what they are made of still in them.
    pub(super) fn raw_list<'v>(
        &mut self,
        object: &'v Map<String, Value>,
        key: &str,
        pointer: &str,
    ) -> impl Iterator<Item = (String, &'v Value)> + use<'v> {
        let pointer = inside(pointer, key);
        let items: &[Value] = match object.get(key) {
            None | Some(Value::Null) => &[],
            Some(Value::Array(items)) => items,
            Some(_) => {
                self.error(&pointer, "it is no list");
                &[]
            }
        };
        items.iter().enumerate().map(move |(index, item)| (inside(&pointer, &index.to_string()), item))
    }

    /// The items of a list, which go into an object as they are.
    pub(super) fn list(&mut self, object: &Map<String, Value>, key: &str, pointer: &str) -> Vec<Value> {
        self.raw_list(object, key, pointer).map(|(pointer, item)| self.plain(item, &pointer)).collect()
    }

    /// The entries of a mapping, sorted, with their pointers. One that is null
    /// is as good as absent.
    pub(super) fn entries<'v>(
        &mut self,
        object: &'v Map<String, Value>,
        key: &str,
        pointer: &str,
    ) -> BTreeMap<&'v str, (String, &'v Value)> {
        let pointer = inside(pointer, key);
        match object.get(key) {
            None | Some(Value::Null) => BTreeMap::new(),
            Some(Value::Object(entries)) => {
                let known = entries.iter().filter(|(_, value)| !value.is_null());
                known.map(|(key, value)| (key.as_str(), (inside(&pointer, key), value))).collect()
            }
            Some(_) => {
                self.error(&pointer, "it is no mapping");
                BTreeMap::new()
            }
        }
    }

    /// Labels or annotations: their values are text, whatever they look like.
    pub(super) fn strings(&mut self, object: &Map<String, Value>, key: &str, pointer: &str) -> Map<String, Value> {
        let mut strings = Map::new();
        for (key, (pointer, value)) in self.entries(object, key, pointer) {
            match self.plain(value, &pointer) {
                Value::Object(_) | Value::Array(_) => self.error(&pointer, "it is no text"),
                value => drop(strings.insert(key.to_owned(), json!(plain_text(&value)))),
            }
        }
        strings
    }
}

/// The pointer of an item.
pub(super) fn inside(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", escape_pointer(key))
}

/// A number that came as text, as every Shared Value does.
pub(super) fn number(value: Value) -> Value {
    let digits = value.as_str().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    let number = digits.and_then(|digits| digits.parse::<u64>().ok());
    number.map_or(value, Value::from)
}
