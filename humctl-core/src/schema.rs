//! JSON Schema over values of which a part is not known yet.
//!
//! What stands for something unknown (a placeholder, a reference node) cannot
//! be checked: findings at or around such an open place are passed over.

use serde_json::{Map, Value};

use crate::placeholder::{has_placeholder, visit_strings};

/// A schema, ready to check with.
#[derive(Debug)]
pub(crate) struct Schema(jsonschema::Validator);

impl Schema {
    /// `None` for a schema that is none: it checks nothing, and was refused
    /// where it came in.
    pub(crate) fn new(schema: &Map<String, Value>) -> Option<Self> {
        jsonschema::options().build(&Value::Object(schema.clone())).ok().map(Self)
    }

    /// What is wrong, sorted: JSON pointer and sentence.
    pub(crate) fn findings(&self, value: &Value, open: &[String]) -> Vec<(String, String)> {
        let touches = |pointer: &str| {
            let is_around = |place: &String| is_within(place, pointer) && !pointer.is_empty();
            open.iter().any(|place| is_within(pointer, place) || is_around(place))
        };
        let mut found: Vec<(String, String)> = self
            .0
            .iter_errors(value)
            .map(|error| (error.instance_path().to_string(), error.to_string()))
            .filter(|(pointer, _)| !touches(pointer))
            .collect();
        found.sort();
        found
    }
}

/// The pointers of texts with placeholders.
pub(crate) fn open_texts(value: &Value) -> Vec<String> {
    let mut open = Vec::new();
    visit_strings(value, "", &mut |pointer, text| {
        if has_placeholder(text) {
            open.push(pointer.to_owned());
        }
    });
    open
}

/// Refuses a schema that is none.
pub(crate) fn check(schema: &Map<String, Value>) -> Result<(), (String, String)> {
    jsonschema::meta::validate(&Value::Object(schema.clone()))
        .map_err(|error| (error.instance_path().to_string(), error.to_string()))
}

/// True when `pointer` is `parent` or lies below it.
fn is_within(pointer: &str, parent: &str) -> bool {
    pointer.strip_prefix(parent).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
